/** What an image is, from a registry: through indexes to the manifest for a platform, and its config. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { ContainerError } from "../../domain/container/ContainerError.ts"
import { chooseManifests } from "../../domain/image/chooseManifests.ts"
import type { Digest } from "../../domain/image/Digest.ts"
import { checkLayers, decodeImageConfig, type ImageConfig } from "../../domain/image/ImageConfig.ts"
import { enterIndex, type IndexTrail } from "../../domain/image/ImageIndex.ts"
import { joinBytes } from "../../domain/bytes/joinBytes.ts"
import { artifactTypeOf, type Manifest } from "../../domain/image/Manifest.ts"
import { decodeManifest, type ManifestDocument } from "../../domain/image/ManifestDocument.ts"
import { formatPlatform, type ImagePlatform, normalizePlatform, platformRank } from "../../domain/image/Platform.ts"
import { familiarReference, type Reference } from "../../domain/image/Reference.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { RegistryError } from "../../domain/registry/RegistryError.ts"
import type { TextError } from "../../domain/text/TextError.ts"
import type { Host } from "../Host.ts"
import type { Kernel } from "../Kernel.ts"
import { Registry } from "../registry/Registry.ts"
import { blobBytes } from "./blobs.ts"
import { invalidText } from "./imageRecords.ts"

export type PullError = KernelError | ContainerError | RegistryError

const operation = "pull"

interface FoundManifest {
  readonly bytes: Uint8Array
  readonly digest: Digest
  readonly mediaType: string
  readonly manifest: Manifest
}

const refused = (reference: Reference, cause: string, cure: string): ContainerError =>
  new ContainerError({ operation, object: familiarReference(reference), kind: "invalid", cause, cure })

const ofText = <A>(result: Result.Result<A, TextError>): Effect.Effect<A, ContainerError> =>
  Effect.mapError(Effect.fromResult(result), invalidText(operation))

const fetchDocument = (reference: Reference, what: string) =>
  Effect.flatMap(Registry, (registry) =>
    registry.fetchManifest(reference, what, ({ bytes, mediaType }) =>
      Result.mapError(decodeManifest(bytes, { name: what, contentType: mediaType }), ({ cause }) => cause)))

const isWanted = (config: ImageConfig, wanted: ImagePlatform): boolean => {
  const { architecture = "", os = "", variant = "" } = config
  return platformRank(wanted, normalizePlatform({ os, architecture, variant })) !== undefined
}

/** The config of a manifest, from the registry or from here. */
const readConfig = Effect.fnUntraced(function*(
  reference: Reference, found: FoundManifest
): Effect.fn.Return<{ readonly bytes: Uint8Array; readonly config: ImageConfig }, PullError, Registry | Kernel | Host> {
  const { config, layers } = found.manifest
  const artifact = artifactTypeOf(found.manifest)
  if (artifact !== undefined) {
    return yield* refused(reference, `it is no image but an artifact of type ${artifact}`, "use a tool for such artifacts")
  }
  const registry = yield* Registry
  // Not leased: it may go at any time
  const here = yield* blobBytes(operation, config.digest).pipe(
    Effect.catchIf((error) => error._tag === "ContainerError", () => Effect.succeed(undefined))
  )
  const bytes = here ??
    (yield* Effect.map(Stream.runCollect(registry.fetchBlob(reference, config, { verify: true })), joinBytes))
  const decoded = yield* ofText(decodeImageConfig(bytes, config.digest))
  yield* ofText(checkLayers(decoded, { config, layers }))
  return { bytes, config: decoded }
})

/** An image of a registry whose layers are still there. */
export interface ChosenImage extends FoundManifest {
  readonly config: ImageConfig
  readonly configBytes: Uint8Array
}

/** Of an index the best manifest whose config turns out to be for the platform, else the last; a manifest is what it is. */
const choose = (
  reference: Reference, wanted: ImagePlatform, trail: IndexTrail,
  document: { readonly digest: Digest; readonly mediaType: string; readonly bytes: Uint8Array; readonly value: ManifestDocument }
): Effect.Effect<ChosenImage, PullError, Registry | Kernel | Host> =>
  Effect.gen(function*() {
    const { bytes, digest, mediaType, value } = document
    if (value._tag === "Manifest") {
      const found = { bytes, digest, mediaType, manifest: value.manifest }
      const read = yield* readConfig(reference, found)
      return { ...found, config: read.config, configBytes: read.bytes }
    }
    const name = familiarReference(reference)
    const inside = yield* ofText(enterIndex(trail, digest, { kind: "index", name }))
    const candidates = yield* ofText(chooseManifests(value.index, wanted, { name }))
    for (const [position, { digest, size }] of candidates.entries()) {
      const { manifest, value } = yield* fetchDocument(reference, digest)
      if (manifest.bytes.length !== size) {
        const found = `the index says that ${digest} has ${size} bytes, but it has ${manifest.bytes.length}`
        return yield* refused(reference, found, "the image is broken: tell who published it")
      }
      const { bytes, mediaType } = manifest
      const chosen = yield* choose(reference, wanted, inside, { digest, mediaType, bytes, value })
      if (position === candidates.length - 1 || isWanted(chosen.config, wanted)) return chosen
    }
    return yield* Effect.die("the last candidate is chosen or fails")
  })

/** The image that a name is for a platform: the host's, or (`strict`) the one that was asked for. */
export const fetchImage = Effect.fnUntraced(function*(
  reference: Reference, wanted: ImagePlatform, strict: boolean
): Effect.fn.Return<{ readonly digest: Digest; readonly chosen: ChosenImage }, PullError, Registry | Kernel | Host> {
  const { manifest, value } = yield* fetchDocument(reference, reference.digest ?? reference.tag ?? "latest")
  const digest = manifest.digest as Digest
  const { bytes, mediaType } = manifest
  const chosen = yield* choose(reference, wanted, [], { digest, mediaType, bytes, value })
  if (strict && !isWanted(chosen.config, wanted)) {
    const name = familiarReference(reference)
    return yield* refused(
      reference, `image with reference ${name} was found but does not match the specified platform: wanted ${formatPlatform(wanted)}`,
      "leave --platform out, or name one that it is there for"
    )
  }
  return { digest, chosen }
})
