/** `Registries` over the network and the credentials of a machine. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { RegistryError } from "../domain/registry/RegistryError.ts"
import type { RegistriesShape, Remote } from "./Registries.ts"
import { Registry } from "./registry/Registry.ts"

export const localRegistries = (remote: Effect.Effect<Remote, RegistryError>): RegistriesShape => {
  const on = <A>(use: (registry: Registry["Service"], remote: Remote) => Effect.Effect<A, RegistryError>) =>
    Effect.flatMap(remote, (found) => Effect.provide(Effect.flatMap(Registry, (registry) => use(registry, found)), found.registry))
  return {
    credential: (domain) => Effect.flatMap(remote, ({ credentials }) => credentials.find(domain)),
    login: (domain, credential) =>
      on((registry, { credentials, file }) => Effect.gen(function*() {
        const accepted = yield* registry.login(domain, credential)
        return { ...(yield* credentials.keep(domain, accepted.credential)), file }
      })),
    logout: (domain) => Effect.flatMap(remote, ({ credentials }) => credentials.forget(domain)),
    search: (domain, term, limit) => on((registry) => registry.search(domain, term, limit)),
    download: (url) => Stream.unwrap(Effect.map(remote, (found) =>
      Stream.provide(Stream.unwrap(Effect.map(Registry, (registry) => registry.download(url))), found.registry)))
  }
}
