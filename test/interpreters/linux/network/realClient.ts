/** The registry programs over the network of this machine. */
import { Effect, Layer, Stream } from "effect"
import type { Credential } from "../../../../src/domain/registry/Credential.ts"
import type { Environment } from "../../../../src/domain/registry/Proxy.ts"
import type { RegistryError } from "../../../../src/domain/registry/RegistryError.ts"
import { defaultRegistrySettings } from "../../../../src/domain/registry/RegistrySettings.ts"
import * as LinuxDigester from "../../../../src/interpreters/linux/network/LinuxDigester.ts"
import * as LinuxHttp from "../../../../src/interpreters/linux/network/LinuxHttp.ts"
import type { ClientOptions, RegistryEvent } from "../../../../src/programs/registry/Client.ts"
import { Credentials } from "../../../../src/programs/registry/Credentials.ts"
import { Http, type HttpRequest } from "../../../../src/programs/registry/Http.ts"
import { Registry } from "../../../../src/programs/registry/Registry.ts"

export interface RealOptions {
  readonly credentials?: Readonly<Record<string, Credential>>
  readonly certificateRoots?: ReadonlyArray<string>
  readonly client?: Partial<ClientOptions>
  readonly environment?: Environment
  /** What is different about each request: loopback has rules of its own, others have not. */
  readonly change?: (request: HttpRequest) => HttpRequest
}

/** Patience enough for a test. */
const retry = { attempts: 5, first: 10, longest: 100, longestAsked: 3_000 }

export const realClient = (options: RealOptions = {}) => {
  const events: Array<RegistryEvent> = []
  const requests: Array<HttpRequest> = []
  const http = Layer.effect(Http, Effect.map(Http, ({ send }) => ({
    send: (request: HttpRequest) => {
      const changed = options.change?.(request) ?? request
      requests.push(changed)
      return send(changed)
    }
  }))).pipe(Layer.provide(LinuxHttp.layer({
    environment: options.environment ?? {}, certificateRoots: options.certificateRoots ?? []
  })))
  const layer = Registry.layer({
    settings: defaultRegistrySettings, environment: {}, retry,
    observe: (event) => Effect.sync(() => void events.push(event)),
    ...options.client
  }).pipe(Layer.provide([http, LinuxDigester.layer, Credentials.fixed(options.credentials ?? {})]))
  const run = <A, E>(use: (registry: Registry["Service"]) => Effect.Effect<A, E>): Promise<A> =>
    Effect.runPromise(Effect.scoped(Effect.provide(Effect.flatMap(Registry, use), layer)))
  const fail = (use: (registry: Registry["Service"]) => Effect.Effect<unknown, RegistryError>): Promise<RegistryError> =>
    run((registry) => Effect.flip(use(registry)))
  return { events, requests, run, fail }
}

/** In pieces of `piece` bytes; each may be taken only after the one before was asked for. */
export const inPieces = (bytes: Uint8Array, piece: number): Stream.Stream<Uint8Array> =>
  Stream.unfold(0, (at) =>
    Effect.succeed(at >= bytes.length ? undefined : [bytes.subarray(at, at + piece), at + piece] as const))
