/** Credentials as docker's own tools keep them: in config.json, or at the helper that it names. */
import * as Effect from "effect/Effect"
import type { Credential } from "../../domain/registry/Credential.ts"
import {
  credentialKey, credentialSource, type DockerConfig, helperStoreInput, printDockerConfig, readDockerConfig, readHelperAnswer,
  storedCredential, withCredential, withoutCredential
} from "../../domain/registry/DockerConfig.ts"
import { type RegistryError, registryError } from "../../domain/registry/RegistryError.ts"
import type { Credentials } from "./Credentials.ts"

/** What keeping credentials takes; an interpreter or a program over the kernel gives it. */
export interface CredentialStore {
  /** The file, for messages. */
  readonly path: string
  /** Its text; empty when there is no file. */
  readonly read: Effect.Effect<string, RegistryError>
  /** Replaces it as a whole, readable by the user alone. */
  readonly write: (text: string) => Effect.Effect<void, RegistryError>
  /** Runs `docker-credential-<helper> <action>` with `input` on its standard input. */
  readonly runHelper: (
    helper: string, action: "get" | "store" | "erase", input: string
  ) => Effect.Effect<{ readonly exitCode: number; readonly stdout: string }, RegistryError>
}

export interface DockerCredentials {
  readonly find: Credentials["Service"]["find"]
  /** After a login. Tells where it went: the name of a helper, or `file`, which is not encrypted. */
  readonly keep: (host: string, credential: Credential) => Effect.Effect<{ readonly helper: string | undefined }, RegistryError>
  /** After a logout. */
  readonly forget: (host: string) => Effect.Effect<void, RegistryError>
}

export const dockerCredentials = (store: CredentialStore): DockerCredentials => {
  const config = Effect.flatMap(store.read, (text) => Effect.fromResult(readDockerConfig(text, store.path)))

  const find = Effect.fnUntraced(function*(host: string): Effect.fn.Return<Credential | undefined, RegistryError> {
    const known = yield* config
    const source = yield* Effect.fromResult(credentialSource(known, host))
    if (source.kind === "file") return yield* Effect.fromResult(storedCredential(known, host))
    const answer = yield* store.runHelper(source.helper, "get", source.server)
    return yield* Effect.fromResult(readHelperAnswer(answer, source.helper, host))
  })

  const ask = Effect.fnUntraced(function*(helper: string, action: "store" | "erase", input: string, host: string) {
    const { exitCode } = yield* store.runHelper(helper, action, input)
    if (exitCode !== 0 && action === "store") {
      return yield* registryError(
        { operation: "keep the credential of", object: host }, "unavailable", `docker-credential-${helper} failed (${exitCode})`,
        `mend the helper, or take it out of ${store.path}`
      )
    }
  })

  const write = (before: DockerConfig, after: DockerConfig) =>
    JSON.stringify(before.document) === JSON.stringify(after.document) ? Effect.void : store.write(printDockerConfig(after))

  const keep = Effect.fnUntraced(function*(
    host: string, credential: Credential
  ): Effect.fn.Return<{ readonly helper: string | undefined }, RegistryError> {
    const known = yield* config
    const source = yield* Effect.fromResult(credentialSource(known, host))
    if (source.kind === "file") {
      yield* write(known, withCredential(known, host, credential))
      return { helper: undefined }
    }
    yield* ask(source.helper, "store", helperStoreInput(host, credential), host)
    // What an earlier login left in the file would be the weaker copy
    yield* write(known, withoutCredential(known, host))
    return { helper: source.helper }
  })

  const forget = Effect.fnUntraced(function*(host: string): Effect.fn.Return<void, RegistryError> {
    const known = yield* config
    const source = yield* Effect.fromResult(credentialSource(known, host))
    if (source.kind === "helper") yield* ask(source.helper, "erase", credentialKey(host), host)
    yield* write(known, withoutCredential(known, host))
  })

  return { find, keep, forget }
}
