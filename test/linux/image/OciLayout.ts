/** An image layout (OCI image-spec, image-layout.md) written by hand: also what no tool would write. */
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gzipSync, zstdCompressSync } from "node:zlib"

export interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
  readonly annotations?: { readonly [name: string]: string }
  readonly platform?: { readonly os: string; readonly architecture: string; readonly variant?: string }
}

export interface Manifest {
  readonly schemaVersion: 2
  readonly mediaType: string
  readonly config: Descriptor
  readonly layers: ReadonlyArray<Descriptor>
}

export type Compression = "none" | "gzip" | "zstd"

export const mediaTypes = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  index: "application/vnd.oci.image.index.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar"
} as const

export const digestOf = (bytes: Uint8Array): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`

const suffixes = { none: "", gzip: "+gzip", zstd: "+zstd" } as const

export const layerType = (compression: Compression): string => `${mediaTypes.layer}${suffixes[compression]}`

export const compress = (tar: Uint8Array, compression: Compression): Uint8Array =>
  compression === "none" ? tar : compression === "gzip" ? gzipSync(tar) : zstdCompressSync(tar)

export interface LayerSpec {
  readonly tar: Uint8Array
  readonly compression: Compression
}

/** The config of an image of such layers. */
export const configOf = (tars: ReadonlyArray<Uint8Array>, more: object = {}) => ({
  architecture: "amd64", os: "linux", created: "2025-01-02T03:04:05Z", config: { Cmd: ["sh"] },
  rootfs: { type: "layers", diff_ids: tars.map(digestOf) },
  history: tars.map((_, index) => ({ created: "2025-01-02T03:04:05Z", created_by: `step ${index}` })), ...more
})

export const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

export class OciLayout {
  readonly directory: string

  /** One that is there is added to. */
  constructor(directory: string) {
    this.directory = directory
    mkdirSync(join(directory, "blobs/sha256"), { recursive: true })
    if (existsSync(join(directory, "index.json"))) return
    writeFileSync(join(directory, "oci-layout"), `{"imageLayoutVersion":"1.0.0"}`)
    this.writeIndex([])
  }

  path(digest: string): string {
    return join(this.directory, "blobs", digest.replace(":", "/"))
  }

  put(bytes: Uint8Array, mediaType: string): Descriptor {
    const digest = digestOf(bytes)
    writeFileSync(this.path(digest), bytes)
    return { mediaType, digest, size: bytes.length }
  }

  read(digest: string): Uint8Array {
    return readFileSync(this.path(digest))
  }

  document<A>(digest: string): A {
    return JSON.parse(readFileSync(this.path(digest), "utf8")) as A
  }

  /** Manifest, config and layers of an image. */
  putImage(layers: ReadonlyArray<LayerSpec>, more: object = {}): Descriptor {
    return this.putManifest(
      this.put(json(configOf(layers.map(({ tar }) => tar), more)), mediaTypes.config),
      layers.map(({ compression, tar }) => this.put(compress(tar, compression), layerType(compression)))
    )
  }

  putManifest(config: Descriptor, layers: ReadonlyArray<Descriptor>): Descriptor {
    const manifest: Manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers }
    return this.put(json(manifest), mediaTypes.manifest)
  }

  putIndex(manifests: ReadonlyArray<Descriptor>): Descriptor {
    return this.put(json({ schemaVersion: 2, mediaType: mediaTypes.index, manifests }), mediaTypes.index)
  }

  get index(): ReadonlyArray<Descriptor> {
    return (JSON.parse(readFileSync(join(this.directory, "index.json"), "utf8")) as { manifests: ReadonlyArray<Descriptor> }).manifests
  }

  writeIndex(manifests: ReadonlyArray<Descriptor>): void {
    writeFileSync(join(this.directory, "index.json"), JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests }))
  }

  /** By its name in the index. */
  named(name: string): Descriptor {
    const found = this.index.find(({ annotations }) => annotations?.["org.opencontainers.image.ref.name"] === name)
    if (found === undefined) throw new Error(`no ${name} in ${this.directory}`)
    return found
  }

  name(descriptor: Descriptor, name: string): void {
    const annotations = { "org.opencontainers.image.ref.name": name }
    const others = this.index.filter((one) => one.annotations?.["org.opencontainers.image.ref.name"] !== name)
    this.writeIndex([...others, { ...descriptor, annotations }])
  }

  /** The layout as an archive of GNU tar. */
  archive(path: string): string {
    execFileSync("tar", ["-C", this.directory, "-cf", path, "oci-layout", "index.json", "blobs"])
    return path
  }
}
