/** What the registry programs share: services, the user's settings, and what they have learned of each registry. */
import * as Effect from "effect/Effect"
import type { Wanted } from "../../domain/registry/Challenge.ts"
import type { Endpoint } from "../../domain/registry/Endpoint.ts"
import type { Environment } from "../../domain/registry/Proxy.ts"
import type { RegistrySettings } from "../../domain/registry/RegistrySettings.ts"
import { defaultRetryPolicy, type RetryPolicy } from "../../domain/registry/Retry.ts"
import { Credentials } from "./Credentials.ts"
import { Digester } from "./Digester.ts"
import { Http } from "./Http.ts"
import type { TokenSlot } from "./tokens.ts"

/** Something that a user who waits may want to know. */
export type RegistryEvent =
  | { readonly kind: "retry"; readonly operation: string; readonly object: string; readonly cause: string; readonly millis: number }
  /** A blob goes on from a byte other than the first. */
  | { readonly kind: "resume"; readonly object: string; readonly offset: number }
  | { readonly kind: "nextEndpoint"; readonly object: string; readonly cause: string }

export interface ClientOptions {
  readonly settings: RegistrySettings
  /** HTTPS_PROXY, HTTP_PROXY and NO_PROXY count. */
  readonly environment: Environment
  readonly retry?: RetryPolicy
  /** Milliseconds without a byte, in either direction, after which a connection is given up. Default 60 000. */
  readonly stall?: number
  /** Bytes of a piece of an upload; `Infinity` sends each blob in one request. Default: in one request. */
  readonly chunk?: number
  readonly observe?: (event: RegistryEvent) => Effect.Effect<void>
}

export interface Client {
  readonly http: Http["Service"]
  readonly digester: Digester["Service"]
  readonly credentials: Credentials["Service"]
  readonly settings: RegistrySettings
  readonly environment: Environment
  readonly retry: RetryPolicy
  readonly stall: number
  readonly chunk: number
  readonly observe: (event: RegistryEvent) => Effect.Effect<void>
  /** How an endpoint asked for authentication, by URL. */
  readonly challenges: Map<string, Wanted>
  readonly tokens: Map<string, TokenSlot>
  /** Which of its endpoints a registry answers on, by domain. */
  readonly settled: Map<string, Endpoint>
}

export const makeClient = (options: ClientOptions): Effect.Effect<Client, never, Http | Digester | Credentials> =>
  Effect.gen(function*() {
    return {
      http: yield* Http,
      digester: yield* Digester,
      credentials: yield* Credentials,
      settings: options.settings,
      environment: options.environment,
      retry: options.retry ?? defaultRetryPolicy,
      stall: options.stall ?? 60_000,
      chunk: options.chunk ?? Number.POSITIVE_INFINITY,
      observe: options.observe ?? (() => Effect.void),
      challenges: new Map(),
      tokens: new Map(),
      settled: new Map()
    }
  })

/** A repository: `domain` as in the reference, `path` below it (`library/alpine`). */
export interface Repository {
  readonly domain: string
  readonly path: string
}

export const nameOf = ({ domain, path }: Repository): string => `${domain}/${path}`
