/** A client, a network and registries for the tests of the registry programs, in virtual time. */
import { Effect, Exit, Layer, Stream } from "effect"
import type { Credential } from "../../../src/domain/registry/Credential.ts"
import { defaultRegistrySettings, type RegistrySettings } from "../../../src/domain/registry/RegistrySettings.ts"
import type { RegistryError } from "../../../src/domain/registry/RegistryError.ts"
import type { RegistryFault } from "../../../src/interpreters/simulated/registry/RegistryFault.ts"
import type { RegistrySetup } from "../../../src/interpreters/simulated/registry/RegistryState.ts"
import { joinBytes } from "../../../src/domain/bytes/joinBytes.ts"
import { digestBytes, simulatedDigester } from "../../../src/interpreters/simulated/registry/sha2.ts"
import { SimulatedNetwork } from "../../../src/interpreters/simulated/registry/SimulatedNetwork.ts"
import { SimulatedRegistry } from "../../../src/interpreters/simulated/registry/SimulatedRegistry.ts"
import { SimulatedRuntime } from "../../../src/interpreters/simulated/SimulatedRuntime.ts"
import type { ClientOptions, RegistryEvent } from "../../../src/programs/registry/Client.ts"
import { Credentials } from "../../../src/programs/registry/Credentials.ts"
import { Registry } from "../../../src/programs/registry/Registry.ts"

export const host = "registry.test:5000"
export const url = `https://${host}`
export const store = "https://blobs.elsewhere.test"
export const bearer = { kind: "bearer", realm: "https://auth.test/token", service: host, lifetime: 300 } as const
export const alice: Credential = { kind: "password", username: "alice", password: "s3cret:with:colons" }
export const users = { alice: "s3cret:with:colons" }
export const app = { domain: host, path: "team/app" }
export const manifestType = "application/vnd.oci.image.manifest.v1+json"

/** Bytes that differ from place to place. */
export const content = (size: number, salt = 0): Uint8Array =>
  Uint8Array.from({ length: size }, (_, index) => (index * 31 + (index >> 8) * 7 + salt) & 255)

export const jsonBytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

export interface BenchOptions {
  readonly setup?: Partial<RegistrySetup>
  readonly faults?: ReadonlyArray<RegistryFault>
  readonly seed?: number
  readonly credential?: Credential
  readonly credentials?: Readonly<Record<string, Credential>>
  readonly others?: ReadonlyArray<SimulatedRegistry>
  readonly settings?: Partial<RegistrySettings>
  readonly client?: Partial<ClientOptions>
}

export const makeBench = (options: BenchOptions = {}) => {
  const registry = new SimulatedRegistry({ url, users, ...options.setup })
  const network = new SimulatedNetwork({
    registries: [registry, ...options.others ?? []], faults: options.faults ?? [], seed: options.seed ?? 0
  })
  const events: Array<RegistryEvent> = []
  const runtime = new SimulatedRuntime({ seed: options.seed ?? 0, now: Date.UTC(2026, 0, 1) * 1000 })
  const credentials = options.credentials ?? (options.credential === undefined ? {} : { [host]: options.credential })
  const layer = Registry.layer({
    settings: { ...defaultRegistrySettings, ...options.settings },
    environment: {},
    observe: (event) => Effect.sync(() => void events.push(event)),
    ...options.client
  }).pipe(Layer.provide([network.layer, simulatedDigester, Credentials.fixed(credentials)]))
  const exit = <A, E>(use: (registry: Registry["Service"]) => Effect.Effect<A, E>): Promise<Exit.Exit<A, E>> =>
    runtime.runExit(Effect.provide(Effect.flatMap(Registry, use), layer) as Effect.Effect<A, E>)
  const run = <A, E>(use: (registry: Registry["Service"]) => Effect.Effect<A, E>): Promise<A> =>
    exit(use).then((done) => Effect.runPromise(done as Effect.Effect<A, E>))
  const fail = async (use: (registry: Registry["Service"]) => Effect.Effect<unknown, RegistryError>): Promise<RegistryError> => {
    const failed = await exit((service) => Effect.flip(use(service)))
    if (Exit.isFailure(failed)) throw new Error(`it did not fail but gave ${JSON.stringify(failed).slice(0, 500)}`)
    return failed.value
  }
  return { registry, network, events, runtime, exit, run, fail }
}

export const collect = <E>(stream: Stream.Stream<Uint8Array, E>): Effect.Effect<Uint8Array, E> =>
  Effect.map(Stream.runCollect(stream), joinBytes)

export const sourceOf = (bytes: Uint8Array, piece = 1000) => ({
  digest: digestBytes(bytes),
  size: bytes.length,
  open: (offset: number) =>
    Stream.fromIterable(Array.from({ length: Math.ceil((bytes.length - offset) / piece) }, (_, index) =>
      bytes.subarray(offset + index * piece, Math.min(bytes.length, offset + (index + 1) * piece))))
})

/** A repository with a manifest `latest` of so many layers. */
export const publish = (registry: SimulatedRegistry, layers: ReadonlyArray<Uint8Array>, name = app.path) => {
  const config = jsonBytes({ architecture: "amd64", os: "linux" })
  const bytes = jsonBytes({
    schemaVersion: 2,
    mediaType: manifestType,
    config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: registry.state.putBlob(name, config), size: config.length },
    layers: layers.map((layer) => ({
      mediaType: "application/vnd.oci.image.layer.v1.tar", digest: registry.state.putBlob(name, layer), size: layer.length
    }))
  })
  return { bytes, digest: registry.state.putManifest(name, manifestType, bytes, "latest") }
}
