/** Images as the store has them, as short as tests want to write them. */
import { Result } from "effect"
import { noImageDefaults } from "../../src/domain/image/Defaults.ts"
import type { Digest } from "../../src/domain/image/Digest.ts"
import type { ImageConfig } from "../../src/domain/image/ImageConfig.ts"
import { runConfigOf } from "../../src/domain/image/runConfig.ts"
import { parseReference } from "../../src/domain/image/Reference.ts"
import type { StoredImage } from "../../src/programs/image/imageRecords.ts"
import type { InspectedImage } from "../../src/programs/Images.ts"

/** A digest that begins like this. */
export const digest = (beginning: string): Digest => `sha256:${beginning.padEnd(64, "0")}` as Digest

export interface Sketch {
  readonly names?: ReadonlyArray<string>
  readonly createdAt?: string
  readonly size?: number
  /** Bottom first: beginnings of their digests, and bytes. */
  readonly layers?: ReadonlyArray<readonly [beginning: string, size: number]>
  readonly config?: Partial<typeof noImageDefaults>
  readonly architecture?: string
}

export const image = (id: string, sketch: Sketch = {}): StoredImage => {
  const references = (sketch.names ?? []).map((name) => Result.getOrThrow(parseReference(name)))
  return {
    id: digest(id), builtin: undefined,
    tags: references.filter((one) => one.digest === undefined), digests: references.filter((one) => one.digest !== undefined),
    record: {
      version: 2, id: digest(id), target: { mediaType: "application/vnd.oci.image.manifest.v1+json", digest: digest(`e${id}`), size: 400 },
      platform: { os: "linux", architecture: sketch.architecture ?? "amd64" },
      createdAt: sketch.createdAt ?? "2024-05-01T10:00:00Z", storedAt: "2024-05-01T10:00:00Z",
      layers: (sketch.layers ?? []).map(([beginning, size]) => ({
        diffId: digest(beginning), chainId: digest(beginning),
        blob: { mediaType: "application/vnd.oci.image.layer.v1.tar", digest: digest(`b${beginning}`), size: size / 2 }
      })),
      size: sketch.size ?? 0, config: { ...noImageDefaults, ...sketch.config }
    }
  }
}

export const inspected = (stored: StoredImage, more: Partial<ImageConfig> = {}): InspectedImage => ({
  image: stored,
  config: {
    created: stored.record.createdAt, os: "linux", architecture: "amd64", config: runConfigOf(stored.record.config),
    rootfs: { type: "layers", diff_ids: stored.record.layers.map(({ diffId }) => diffId) }, ...more
  },
  driver: "overlay2",
  directories: stored.record.layers.map(({ chainId }) => `/store/${chainId.slice(7, 11)}`).reverse(),
  layerSizes: stored.record.layers.map(({ blob }) => blob.size * 2),
  configSize: 0
})
