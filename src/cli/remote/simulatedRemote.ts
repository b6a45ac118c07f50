/**
 * The network of the simulated machine: one registry, whose contents stay in a file beside the machine's world, so that
 * a later command can pull what an earlier one has pushed. Nobody has to log in there.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { SimulatedNetwork } from "../../interpreters/simulated/registry/SimulatedNetwork.ts"
import { SimulatedRegistry } from "../../interpreters/simulated/registry/SimulatedRegistry.ts"
import { simulatedDigester } from "../../interpreters/simulated/registry/sha2.ts"
import type { Remote } from "../../programs/Registries.ts"
import { Credentials } from "../../programs/registry/Credentials.ts"
import { dockerCredentials } from "../../programs/registry/dockerCredentials.ts"
import { Registry } from "../../programs/registry/Registry.ts"

/** Where the registry answers. */
export const simulatedRegistry = "localhost:5000"

interface Kept {
  readonly repositories: ReadonlyArray<{
    readonly name: string
    readonly blobs: ReadonlyArray<string>
    readonly manifests: ReadonlyArray<{ readonly mediaType: string; readonly text: string }>
    readonly tags: ReadonlyArray<readonly [tag: string, digest: string]>
  }>
  readonly credentials: string
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64")
const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "base64"))

const encode = ({ state }: SimulatedRegistry, credentials: string): string => {
  const kept: Kept = {
    repositories: [...state.repositories].map(([name, { blobs, manifests, tags }]) => ({
      name, blobs: [...blobs.values()].map(base64), tags: [...tags],
      manifests: [...manifests.values()].map(({ bytes, mediaType }) => ({ mediaType, text: base64(bytes) }))
    })),
    credentials
  }
  return JSON.stringify(kept)
}

const fill = ({ state }: SimulatedRegistry, { repositories }: Kept): void => {
  for (const { blobs, manifests, name, tags } of repositories) {
    for (const blob of blobs) state.putBlob(name, bytesOf(blob))
    for (const { mediaType, text } of manifests) state.putManifest(name, mediaType, bytesOf(text))
    for (const [tag, digest] of tags) state.repository(name).tags.set(tag, digest)
  }
}

/** `keep`: what is pushed there stays. */
export const simulatedRemote = (file: string, keep: boolean): Remote => {
  const registry = new SimulatedRegistry({ url: `http://${simulatedRegistry}`, search: true })
  let credentials = ""
  if (existsSync(file)) {
    const kept = JSON.parse(readFileSync(file, "utf8")) as Kept
    fill(registry, kept)
    credentials = kept.credentials
  }
  const save = Effect.sync(() => {
    if (keep) writeFileSync(file, encode(registry, credentials))
  })
  const store = dockerCredentials({
    path: file,
    read: Effect.sync(() => credentials),
    write: (text) => Effect.andThen(Effect.sync(() => { credentials = text }), save),
    runHelper: () => Effect.succeed({ exitCode: 1, stdout: "credentials not found" })
  })
  const network = new SimulatedNetwork({ registries: [registry] })
  return {
    file, credentials: store,
    registry: Layer.merge(
      Registry.layer({ settings: { mirrors: {}, insecure: [] }, environment: {} }).pipe(
        Layer.provide(Layer.mergeAll(network.layer, simulatedDigester, Layer.succeed(Credentials, { find: store.find })))
      ),
      Layer.effectDiscard(Effect.addFinalizer(() => save))
    )
  }
}
