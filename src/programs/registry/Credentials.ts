/** Where the user's credentials come from: a file, a helper program, the request of an API client. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Credential } from "../../domain/registry/Credential.ts"
import type { RegistryError } from "../../domain/registry/RegistryError.ts"

export class Credentials extends Context.Service<Credentials, {
  /** For a registry by host and port; undefined for an anonymous visit. Asked anew for each token. */
  readonly find: (host: string) => Effect.Effect<Credential | undefined, RegistryError>
}>()("fx/programs/registry/Credentials") {
  static readonly none: Layer.Layer<Credentials> = Layer.succeed(Credentials, { find: () => Effect.succeed(undefined) })

  /** Those that are given, by host and port. */
  static readonly fixed = (credentials: Readonly<Record<string, Credential>>): Layer.Layer<Credentials> =>
    Layer.succeed(Credentials, {
      find: (host) => Effect.succeed(Object.hasOwn(credentials, host) ? credentials[host] : undefined)
    })
}
