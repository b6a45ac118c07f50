/** An engine's images on a simulated host, with a simulated registry in reach, in virtual time. */
import { Effect, Layer, Result, Stream } from "effect"
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from "node:zlib"
import { encodeImageConfig } from "../../../src/domain/image/ImageConfig.ts"
import type { Digest } from "../../../src/domain/image/Digest.ts"
import { joinBytes } from "../../../src/domain/bytes/joinBytes.ts"
import { encodeManifest } from "../../../src/domain/image/Manifest.ts"
import { layerMediaType, ociConfig, ociManifest } from "../../../src/domain/image/MediaType.ts"
import type { StorageDriver } from "../../../src/domain/layer/LayerRecord.ts"
import { encodeHeader, endOfArchive, padding } from "../../../src/domain/layer/TarEncoder.ts"
import type { TarEntry } from "../../../src/domain/layer/TarEntry.ts"
import { defaultRegistrySettings } from "../../../src/domain/registry/RegistrySettings.ts"
import { digestBytes, simulatedDigester } from "../../../src/interpreters/simulated/registry/sha2.ts"
import { SimulatedNetwork } from "../../../src/interpreters/simulated/registry/SimulatedNetwork.ts"
import { SimulatedRegistry } from "../../../src/interpreters/simulated/registry/SimulatedRegistry.ts"
import type { RegistryFault } from "../../../src/interpreters/simulated/registry/RegistryFault.ts"
import { Compression, CompressionFailure } from "../../../src/programs/image/Compression.ts"
import { Engine } from "../../../src/programs/Engine.ts"
import type { Host } from "../../../src/programs/Host.ts"
import { Images } from "../../../src/programs/Images.ts"
import type { Kernel } from "../../../src/programs/Kernel.ts"
import { Credentials } from "../../../src/programs/registry/Credentials.ts"
import { Registry } from "../../../src/programs/registry/Registry.ts"
import { runtimeFor, type Simulation, simulate } from "../../../src/testing/index.ts"
import { engineLayer } from "../../simulation/SimulatedEngine.ts"

export const domain = "registry.test:5000"

export interface LayerFileSpec {
  readonly path: string
  readonly text?: string
  readonly type?: TarEntry["type"]
  readonly mode?: number
}

/** A tar archive of small files. */
export const tarOf = (files: ReadonlyArray<LayerFileSpec>): Uint8Array => {
  const parts = files.flatMap(({ mode, path, text = "", type = "file" }) => {
    const data = new TextEncoder().encode(type === "file" ? text : "")
    const entry: TarEntry = {
      path, type, mode: mode ?? (type === "dir" ? 0o755 : 0o644), uid: 0, gid: 0, uname: "", gname: "", size: data.length,
      mtime: { seconds: 1_700_000_000, nanoseconds: 0 }, linkpath: type === "symlink" ? text : "", devmajor: 0, devminor: 0,
      xattrs: new Map(), sparse: null
    }
    return [Result.getOrThrow(encodeHeader(entry)), data, padding(data.length)]
  })
  return joinBytes([...parts, endOfArchive])
}

export const digestOf = (bytes: Uint8Array): Digest => digestBytes(bytes) as Digest

export interface PublishedImage {
  readonly id: Digest
  readonly digest: Digest
}

/** Puts an image of some layers into the registry. */
export const publish = (
  registry: SimulatedRegistry, repository: string, tag: string, layers: ReadonlyArray<Uint8Array>,
  options: { readonly architecture?: string; readonly gzip?: boolean; readonly env?: ReadonlyArray<string> } = {}
): PublishedImage => {
  const { architecture = "amd64", env = [], gzip = false } = options
  const config = encodeImageConfig({
    architecture, os: "linux", created: "2025-05-05T05:05:05Z", config: { Cmd: ["sh"], Env: env },
    rootfs: { type: "layers", diff_ids: layers.map(digestOf) }, history: layers.map((_, index) => ({ created_by: `step ${index}` }))
  })
  const blobs = layers.map((layer) => gzip ? new Uint8Array(gzipSync(layer)) : layer)
  const id = registry.state.putBlob(repository, config) as Digest
  const bytes = encodeManifest({
    config: { mediaType: ociConfig, digest: id, size: config.length },
    layers: blobs.map((blob) => ({
      mediaType: layerMediaType(gzip ? "gzip" : "none"), digest: registry.state.putBlob(repository, blob) as Digest, size: blob.length
    }))
  })
  return { id, digest: registry.state.putManifest(repository, ociManifest, bytes, tag) as Digest }
}

/** All at once: simulated contents are small. */
const whole = (use: (bytes: Uint8Array) => Uint8Array) => <E, R>(
  data: Stream.Stream<Uint8Array, E, R>
): Stream.Stream<Uint8Array, E | CompressionFailure, R> =>
  Stream.unwrap(Effect.flatMap(Stream.runCollect(data), (parts) =>
    Effect.try({
      try: () => Stream.make(new Uint8Array(use(joinBytes(parts)))),
      catch: (cause) => new CompressionFailure({ cause: String(cause) })
    })))

export const simulatedCompression: Layer.Layer<Compression> = Layer.succeed(Compression, {
  decompress: (format, data) => whole(format === "gzip" ? gunzipSync : zstdDecompressSync)(data),
  compress: (format, data) => whole(format === "gzip" ? gzipSync : zstdCompressSync)(data) as never
})

export interface ImageBench {
  readonly simulation: Simulation
  readonly registry: SimulatedRegistry
  /** As an engine of its own, over the kernel that is given or the host's. */
  readonly layer: (kernel?: Layer.Layer<Kernel>) => Layer.Layer<Images | Engine | Host | Kernel>
  readonly run: <A, E>(program: Effect.Effect<A, E, Images | Engine | Host | Kernel>) => Promise<A>
}

export const imageBench = (options: {
  readonly faults?: ReadonlyArray<RegistryFault>
  readonly simulation?: Simulation
  readonly registry?: SimulatedRegistry
  readonly seed?: number
  /** Undefined: what was chosen last, or the default. */
  readonly driver?: StorageDriver
} = {}): ImageBench => {
  const seed = options.seed ?? 0
  const registry = options.registry ?? new SimulatedRegistry({ url: `https://${domain}` })
  const simulation = options.simulation ?? simulate({ seed, busyboxImage: "/images/busybox" })
  const network = new SimulatedNetwork({ registries: [registry], faults: options.faults ?? [], seed })
  const remote = Registry.layer({ settings: defaultRegistrySettings, environment: {} }).pipe(
    Layer.provide([network.layer, simulatedDigester, Credentials.none])
  )
  const layer = (kernel: Layer.Layer<Kernel> = simulation.layer()) =>
    Layer.fresh(Images.local({ registry: remote, compression: simulatedCompression })).pipe(Layer.provideMerge(engineLayer(kernel, options.driver)))
  return {
    simulation, registry, layer,
    run: (program) =>
      runtimeFor(simulation, seed).run(Effect.provide(
        Effect.andThen(Effect.flatMap(Engine, (engine) => engine.recover), program), layer()
      ))
  }
}

export const quiet = () => Effect.void
