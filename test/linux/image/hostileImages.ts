/** Archives of images that lie, break off or want too much; each with what whoever loads it must be told. */
import { gzipSync, zstdCompressSync } from "node:zlib"
import { joinBytes } from "../../../src/domain/bytes/joinBytes.ts"
import { configOf, type Descriptor, digestOf, json, layerType, mediaTypes } from "./OciLayout.ts"
import { tarArchive, type TarFile } from "./tarFile.ts"

export interface HostileImage {
  readonly name: string
  readonly bytes: () => Uint8Array
  readonly told: RegExp
}

/** Contents by digest, and documents about them. */
export class Contents {
  readonly blobs = new Map<string, Uint8Array>()

  put(bytes: Uint8Array, mediaType: string): Descriptor {
    const digest = digestOf(bytes)
    this.blobs.set(digest, bytes)
    return { mediaType, digest, size: bytes.length }
  }
}

export const goodLayer = tarArchive([{ path: "etc", type: "dir" }, { path: "etc/motd", data: Buffer.from("hello") }])

export interface Parts {
  readonly contents: Contents
  readonly config: Descriptor
  readonly layer: Descriptor
}

export interface Wish {
  readonly tar?: Uint8Array
  readonly layer?: Uint8Array
  readonly mediaType?: string
  readonly config?: unknown
  readonly manifest?: (parts: Parts) => unknown
}

/** An image, one of whose parts is not as it should be; gives its manifest. */
export const imageOf = (contents: Contents, wish: Wish = {}): Descriptor => {
  const { mediaType = layerType("none"), tar = goodLayer } = wish
  const layer = contents.put(wish.layer ?? tar, mediaType)
  const config = contents.put(json(wish.config ?? configOf([tar])), mediaTypes.config)
  const parts = { contents, config, layer }
  const manifest = wish.manifest?.(parts) ?? { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers: [layer] }
  return contents.put(manifest instanceof Uint8Array ? manifest : json(manifest), mediaTypes.manifest)
}

const blobFile = ([digest, data]: readonly [string, Uint8Array]): TarFile => ({ path: `blobs/${digest.replace(":", "/")}`, data })

const layoutFiles = (contents: Contents, manifests: ReadonlyArray<Descriptor>): ReadonlyArray<TarFile> => [
  { path: "oci-layout", data: json({ imageLayoutVersion: "1.0.0" }) },
  { path: "index.json", data: json({ schemaVersion: 2, mediaType: mediaTypes.index, manifests }) },
  ...[...contents.blobs].map(blobFile)
]

/** The layout of an image, as an archive; `change` has the last word. */
const layoutOf = (
  wish: Wish, change: (files: ReadonlyArray<TarFile>, contents: Contents, manifest: Descriptor) => ReadonlyArray<TarFile> = (files) => files
): Uint8Array => {
  const contents = new Contents()
  const manifest = imageOf(contents, wish)
  return tarArchive(change(layoutFiles(contents, [manifest]), contents, manifest))
}

const without = (digest: (contents: Contents, manifest: Descriptor) => string) => () => layoutOf({}, (files, contents, manifest) =>
  files.filter(({ path }) => !path.endsWith(digest(contents, manifest).slice(7))))

const layerDigest = (contents: Contents): string => [...contents.blobs.keys()][0]!
const configDigest = (contents: Contents): string => [...contents.blobs.keys()][1]!

/** Other contents at the place of a digest. */
const lying = (digest: (contents: Contents, manifest: Descriptor) => string) => () => layoutOf({}, (files, contents, manifest) =>
  files.map((file) => file.path.endsWith(digest(contents, manifest).slice(7)) ? { ...file, data: Buffer.from("{}") } : file))

const manifestWith = (change: (parts: Parts) => object) => () => layoutOf({
  manifest: (parts) => ({
    schemaVersion: 2, mediaType: mediaTypes.manifest, config: parts.config, layers: [parts.layer], ...change(parts)
  })
})

const dockerArchive = (item: object, more: ReadonlyArray<TarFile> = []) => () => tarArchive([
  { path: "config.json", data: json(configOf([goodLayer])) }, { path: "layer.tar", data: goodLayer }, ...more,
  { path: "manifest.json", data: json([{ Config: "config.json", RepoTags: ["lying:1"], Layers: ["layer.tar"], ...item }]) }
])

/** A layer with a file of zeros, in pieces so that little memory makes it. */
export const zeros = (mebibytes: number): Uint8Array => tarArchive([{ path: "zeros", data: new Uint8Array(mebibytes << 20) }])

const bomb = (compress: (bytes: Uint8Array) => Uint8Array, suffix: "gzip" | "zstd") => () => {
  const tar = zeros(280)
  return layoutOf({ layer: compress(tar), mediaType: layerType(suffix), config: configOf([tar]) })
}

const cutGzip = gzipSync(goodLayer).subarray(0, -20)
const cutZstd = zstdCompressSync(goodLayer).subarray(0, -8)

const nested = (levels: number) => () => {
  const contents = new Contents()
  let below = imageOf(contents)
  for (let level = 0; level < levels; level++) {
    below = contents.put(json({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: [below] }), mediaTypes.index)
  }
  return tarArchive(layoutFiles(contents, [below]))
}

const manyFiles = (count: number) => () => {
  const one = tarArchive([{ path: "x", type: "dir" }]).subarray(0, 512)
  const all = new Uint8Array(512 * count)
  for (let at = 0; at < all.length; at += 512) all.set(one, at)
  return joinBytes([all, tarArchive([])])
}

/** Names are told so that a test can be chosen. */
export const hostileImages: ReadonlyArray<HostileImage> = [
  { name: "a layer that is not what its digest says", bytes: lying(layerDigest), told: /the layer sha256:[0-9a-f]+ is not in it/ },
  { name: "a config that is not what its digest says", bytes: lying(configDigest), told: /the config sha256:[0-9a-f]+ is not in it/ },
  { name: "a manifest that is not what its digest says", bytes: lying((_, { digest }) => digest), told: /the manifest sha256:[0-9a-f]+ is not in it/ },
  { name: "a layer that is missing", bytes: without(layerDigest), told: /the layer sha256:[0-9a-f]+ is not in it/ },
  { name: "a config that is missing", bytes: without(configDigest), told: /the config sha256:[0-9a-f]+ is not in it/ },
  { name: "a manifest that is missing", bytes: without((_, { digest }) => digest), told: /the manifest sha256:[0-9a-f]+ is not in it/ },
  {
    name: "a layer that is longer than its manifest says", told: /size|bytes/,
    bytes: manifestWith(({ layer }) => ({ layers: [{ ...layer, size: layer.size - 1 }] }))
  },
  {
    name: "a layer that is shorter than its manifest says", told: /size|bytes/,
    bytes: manifestWith(({ layer }) => ({ layers: [{ ...layer, size: layer.size + 1 }] }))
  },
  {
    name: "a config whose size is another", told: /size|bytes/, bytes: manifestWith(({ config }) => ({ config: { ...config, size: config.size + 1 } }))
  },
  { name: "a negative size", told: /size/, bytes: manifestWith(({ layer }) => ({ layers: [{ ...layer, size: -1 }] })) },
  { name: "a size beyond all numbers", told: /size/, bytes: manifestWith(({ layer }) => ({ layers: [{ ...layer, size: 1e300 }] })) },
  {
    name: "a manifest that is an index, too", told: /can be read as a manifest/, bytes: manifestWith(({ config }) => ({ manifests: [config] }))
  },
  { name: "a manifest that calls itself an index", told: /media ?[tT]ype/, bytes: manifestWith(() => ({ mediaType: mediaTypes.index })) },
  { name: "a manifest with a key that only some read", told: /read by some tools/, bytes: manifestWith(() => ({ Layers: [] })) },
  {
    name: "a manifest of schema 1", told: /schema 1/, bytes: () => layoutOf({ manifest: () => ({ schemaVersion: 1, name: "x", tag: "y", fsLayers: [], history: [] }) })
  },
  { name: "a manifest that is no JSON", told: /JSON/, bytes: () => layoutOf({ manifest: () => Buffer.from("{\"schemaVersion\":2") }) },
  {
    name: "more layers than the config knows", told: /layers/, bytes: manifestWith(({ layer }) => ({ layers: [layer, layer] }))
  },
  { name: "fewer layers than the config knows", told: /layers/, bytes: manifestWith(() => ({ layers: [] })) },
  {
    name: "a layer that is not what the config says", told: /diff ?[iI][dD]|sha256/, bytes: () => layoutOf({ config: configOf([Buffer.from("other")]) })
  },
  { name: "a config without layers' digests", told: /rootfs/, bytes: () => layoutOf({ config: { os: "linux", architecture: "amd64" } }) },
  { name: "a digest that is a path", told: /digest/, bytes: manifestWith(({ layer }) => ({ layers: [{ ...layer, digest: "sha256:../../../etc/passwd" }] })) },
  { name: "a layer in gzip that breaks off", told: /damaged or cut off/, bytes: () => layoutOf({ layer: cutGzip, mediaType: layerType("gzip") }) },
  { name: "a layer in zstd that breaks off", told: /damaged or cut off/, bytes: () => layoutOf({ layer: cutZstd, mediaType: layerType("zstd") }) },
  { name: "a layer that breaks off", told: /ends|cut|truncated/, bytes: () => layoutOf({ tar: goodLayer.subarray(0, 1027) }) },
  { name: "a layer in xz", told: /xz/, bytes: () => layoutOf({ layer: Buffer.from("fd377a585a000004e6d6b446", "hex"), mediaType: `${mediaTypes.layer}+gzip` }) },
  { name: "a layer that leaves its root", told: /\.\./, bytes: () => layoutOf({ tar: tarArchive([{ path: "../../evil", data: Buffer.from("x") }]) }) },
  { name: "a layer that expands far too much, in gzip", told: /bytes for each compressed byte/, bytes: bomb((bytes) => gzipSync(bytes), "gzip") },
  { name: "a layer that expands far too much, in zstd", told: /bytes for each compressed byte/, bytes: bomb((bytes) => zstdCompressSync(bytes), "zstd") },
  {
    name: "an archive that expands far too much, in gzip", told: /bytes for each compressed byte/,
    bytes: () => gzipSync(joinBytes([tarArchive([{ path: "zeros", data: new Uint8Array(280 << 20) }])]))
  },
  {
    name: "an archive that expands far too much, in zstd", told: /bytes for each compressed byte/,
    bytes: () => zstdCompressSync(tarArchive([{ path: "zeros", data: new Uint8Array(280 << 20) }]))
  },
  { name: "an archive that breaks off", told: /ends|cut|truncated/, bytes: () => layoutOf({}).subarray(0, 2600) },
  { name: "an archive in gzip that breaks off", told: /damaged or cut off/, bytes: () => gzipSync(layoutOf({})).subarray(0, 300) },
  { name: "nothing at all", told: /neither manifest\.json nor oci-layout|empty/, bytes: () => new Uint8Array(0) },
  { name: "no archive", told: /tar|header|archive/, bytes: () => Buffer.alloc(4096, "no archive at all ") },
  { name: "an archive without documents", told: /neither manifest\.json nor oci-layout/, bytes: () => goodLayer },
  {
    name: "an index that has no image", told: /no image/, bytes: () => tarArchive(layoutFiles(new Contents(), []))
  },
  { name: "an index within indexes without end", told: /index/, bytes: nested(50) },
  {
    name: "a layout of another version", told: /version is 2/,
    bytes: () => layoutOf({}, (files) => files.map((file) => file.path === "oci-layout" ? { ...file, data: json({ imageLayoutVersion: "2.0.0" }) } : file))
  },
  {
    name: "two contents at the same place", told: /the layer sha256:[0-9a-f]+ is not in it|twice/,
    bytes: () => layoutOf({}, (files, contents) => [...files, { path: `blobs/sha256/${layerDigest(contents).slice(7)}`, data: Buffer.from("other") }])
  },
  { name: "an archive of very many files", told: /more than the 20000 entries/, bytes: manyFiles(20_001) },
  { name: "a docker archive without its config", told: /the config none is not in it/, bytes: dockerArchive({ Config: "none" }) },
  { name: "a docker archive without a layer", told: /the layer none is not in it/, bytes: dockerArchive({ Layers: ["none"] }) },
  { name: "a docker archive whose layer is outside of it", told: /no path inside the archive/, bytes: dockerArchive({ Layers: ["../../etc/passwd"] }) },
  {
    name: "a docker archive whose layer is a link to a file of the host", told: /the layer linked is not in it/,
    bytes: dockerArchive({ Layers: ["linked"] }, [{ path: "linked", type: "symlink", target: "/etc/passwd" }])
  },
  {
    name: "a docker archive with links in a circle", told: /the layer one is not in it/,
    bytes: dockerArchive({ Layers: ["one"] }, [{ path: "one", type: "symlink", target: "two" }, { path: "two", type: "symlink", target: "one" }])
  },
  { name: "a docker archive with a name that is none", told: /reference|name/, bytes: dockerArchive({ RepoTags: ["UPPER CASE"] }) },
  { name: "a docker archive with more layers than its config", told: /layers/, bytes: dockerArchive({ Layers: ["layer.tar", "layer.tar"] }) },
  {
    name: "a docker archive whose list is no list", told: /[aA]rray/,
    bytes: () => tarArchive([{ path: "manifest.json", data: Buffer.from("{}") }])
  }
]
