/**
 * Registries as users of the engine see them: who they are there, what there is to find, and files of the web. All of
 * it is loaded when it is used first, as `Images` is.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type { Credential } from "../domain/registry/Credential.ts"
import type { RegistryError } from "../domain/registry/RegistryError.ts"
import type { DockerCredentials } from "./registry/dockerCredentials.ts"
import { late } from "./late.ts"
import type { Found } from "./registry/listings.ts"
import type { Registry } from "./registry/Registry.ts"

export interface LoggedIn {
  /** The helper that keeps the credential; undefined: the file, where it can be read. */
  readonly helper: string | undefined
  /** That file. */
  readonly file: string
}

export interface Remote {
  readonly registry: Layer.Layer<Registry>
  readonly credentials: DockerCredentials
  /** The file of the credentials, for messages. */
  readonly file: string
}

/** Domains are those of references: `docker.io`, `localhost:5000`. */
export interface RegistriesShape {
  /** What is known of the user there. */
  readonly credential: (domain: string) => Effect.Effect<Credential | undefined, RegistryError>
  /** Keeps the credential if the registry takes it. */
  readonly login: (domain: string, credential: Credential) => Effect.Effect<LoggedIn, RegistryError>
  readonly logout: (domain: string) => Effect.Effect<void, RegistryError>
  readonly search: (domain: string, term: string, limit: number) => Effect.Effect<ReadonlyArray<Found>, RegistryError>
  readonly download: (url: string) => Stream.Stream<Uint8Array, RegistryError>
}

const programs = late(() => import("./localRegistries.ts"))

export class Registries extends Context.Service<Registries, RegistriesShape>()("fx/programs/Registries") {
  static readonly local = (remote: Effect.Effect<Remote, RegistryError>): Layer.Layer<Registries> => {
    let made: RegistriesShape | undefined
    const load = Effect.map(programs, ({ localRegistries }) => made ??= localRegistries(remote))
    const use = <A>(of: (registries: RegistriesShape) => Effect.Effect<A, RegistryError>) => Effect.flatMap(load, of)
    return Layer.succeed(Registries, {
      credential: (domain) => use((registries) => registries.credential(domain)),
      login: (domain, credential) => use((registries) => registries.login(domain, credential)),
      logout: (domain) => use((registries) => registries.logout(domain)),
      search: (domain, term, limit) => use((registries) => registries.search(domain, term, limit)),
      download: (url) => Stream.unwrap(Effect.map(load, (registries) => registries.download(url)))
    })
  }
}
