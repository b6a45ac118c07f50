/** Which manifests of an index are the image that is wanted. */
import * as Result from "effect/Result"
import type { TextError } from "../text/TextError.ts"
import { type Descriptor, isAttestation } from "./Descriptor.ts"
import type { ImageIndex } from "./ImageIndex.ts"
import { refuseDocument } from "./JsonDocument.ts"
import { mediaKind } from "./MediaType.ts"
import { formatPlatform, type ImagePlatform, platformOf, platformRank } from "./Platform.ts"

/** For `cure`: more platforms than these are counted only. */
const shownPlatforms = 20

/** Manifests and nested indexes; attestations, signatures and other artifacts are no images. */
const isCandidate = (descriptor: Descriptor): boolean => {
  const kind = mediaKind(descriptor.mediaType)
  return (kind === "manifest" || kind === "index") && descriptor.artifactType === undefined && !isAttestation(descriptor)
}

/** The platforms of an index in its order, for people. */
export const platformsOf = (index: ImageIndex): ReadonlyArray<string> => [
  ...new Set(index.manifests.filter(isCandidate).flatMap(({ platform }) => {
    const known = platformOf(platform)
    return known === undefined ? [] : [formatPlatform(known)]
  }))
]

const noMatch = (index: ImageIndex, wanted: ImagePlatform, name: string) => {
  const offered = platformsOf(index)
  const more = offered.length > shownPlatforms ? ` and ${offered.length - shownPlatforms} more` : ""
  return refuseDocument(
    { kind: "index", name },
    `no matching manifest for ${formatPlatform(wanted)} in the manifest list entries`,
    offered.length === 0
      ? "it offers no image with a platform"
      : `it offers ${offered.slice(0, shownPlatforms).join(", ")}${more}: choose one with --platform`
  )
}

/**
 * The manifests to try, the best first, equals in the order of the index. Those that name no platform come last: only
 * their config, or the index they are, can tell. The first whose content turns out to match is the image.
 */
export const chooseManifests = (
  index: ImageIndex, wanted: ImagePlatform, options: { readonly name: string; readonly strict?: boolean }
): Result.Result<readonly [Descriptor, ...ReadonlyArray<Descriptor>], TextError> => {
  const unknown = Number.MAX_SAFE_INTEGER
  const ranked = index.manifests.filter(isCandidate).flatMap((descriptor) => {
    const platform = platformOf(descriptor.platform)
    const rank = platform === undefined ? unknown : platformRank(wanted, platform, options.strict)
    return rank === undefined ? [] : [{ descriptor, rank }]
  })
  const [first, ...others] = ranked.sort((one, other) => one.rank - other.rank).map(({ descriptor }) => descriptor)
  return first === undefined ? noMatch(index, wanted, options.name) : Result.succeed([first, ...others])
}
