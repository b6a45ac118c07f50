/** Media types of images (OCI image-spec, media-types.md; Docker's image manifest version 2, schema 2). */
import * as Schema from "effect/Schema"

/** OCI image-spec, schema/defs-descriptor.json: a name of RFC 6838 without parameters. */
export const MediaType = Schema.String.check(
  Schema.isPattern(/^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/, {
    expected: "a media type such as application/vnd.oci.image.manifest.v1+json"
  })
)

export const ociManifest = "application/vnd.oci.image.manifest.v1+json"
export const ociIndex = "application/vnd.oci.image.index.v1+json"
export const ociConfig = "application/vnd.oci.image.config.v1+json"
export const ociLayer = "application/vnd.oci.image.layer.v1.tar"
export const ociEmpty = "application/vnd.oci.empty.v1+json"
export const dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
export const dockerManifestList = "application/vnd.docker.distribution.manifest.list.v2+json"
export const dockerConfig = "application/vnd.docker.container.image.v1+json"
export const dockerLayer = "application/vnd.docker.image.rootfs.diff.tar"

/** What a registry is asked for, indexes first: who has both answers with the index. */
export const acceptedManifests: ReadonlyArray<string> = [ociIndex, dockerManifestList, ociManifest, dockerManifest]

/** `legacy` is Docker's schema 1, `unknown` anything that is none of ours: an artifact's. */
export type MediaKind = "manifest" | "index" | "config" | "layer" | "legacy" | "unknown"

export type LayerCompression = "none" | "gzip" | "zstd"

/** What a layer's media type says of it. */
export interface LayerMedia {
  readonly compression: LayerCompression
  /** Not to be pushed to a registry; comes from the URLs of its descriptor. */
  readonly foreign: boolean
}

const layers: { readonly [mediaType: string]: LayerMedia } = {
  [ociLayer]: { compression: "none", foreign: false },
  [`${ociLayer}+gzip`]: { compression: "gzip", foreign: false },
  [`${ociLayer}+zstd`]: { compression: "zstd", foreign: false },
  "application/vnd.oci.image.layer.nondistributable.v1.tar": { compression: "none", foreign: true },
  "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip": { compression: "gzip", foreign: true },
  "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd": { compression: "zstd", foreign: true },
  [dockerLayer]: { compression: "none", foreign: false },
  [`${dockerLayer}.gzip`]: { compression: "gzip", foreign: false },
  [`${dockerLayer}.zstd`]: { compression: "zstd", foreign: false },
  "application/vnd.docker.image.rootfs.foreign.diff.tar": { compression: "none", foreign: true },
  "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip": { compression: "gzip", foreign: true }
}

/** Undefined for what is no file system layer; the compression is only a claim, the bytes decide. */
export const layerMedia = (mediaType: string): LayerMedia | undefined =>
  Object.hasOwn(layers, mediaType) ? layers[mediaType] : undefined

/** The OCI media type of a layer that we write. */
export const layerMediaType = (compression: LayerCompression): string =>
  compression === "none" ? ociLayer : `${ociLayer}+${compression}`

export const mediaKind = (mediaType: string): MediaKind => {
  switch (mediaType) {
    case ociManifest: case dockerManifest: return "manifest"
    case ociIndex: case dockerManifestList: return "index"
    case ociConfig: case dockerConfig: return "config"
    case "application/vnd.docker.distribution.manifest.v1+json":
    case "application/vnd.docker.distribution.manifest.v1+prettyjws": return "legacy"
    default: return layerMedia(mediaType) === undefined ? "unknown" : "layer"
  }
}

/**
 * The media type of a Content-Type header, without parameters and in lower case; undefined when it does not follow
 * RFC 9110 §8.3.1.
 */
export const readContentType = (header: string | undefined): string | undefined => {
  if (header === undefined || header.length > 1024) return undefined
  const type = (header.split(";", 1)[0] ?? "").trim().toLowerCase()
  return /^[a-z0-9!#$&^_.+-]{1,127}\/[a-z0-9!#$&^_.+-]{1,127}$/.test(type) ? type : undefined
}

/** Content types of servers that do not know what they serve; they say nothing about it. */
export const isGenericContentType = (mediaType: string): boolean =>
  ["", "application/json", "application/octet-stream", "binary/octet-stream", "text/plain"].includes(mediaType)
