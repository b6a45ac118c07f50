/** Archives that are broken: what is wrong is said in the user's terms, and nothing is left. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { randomBytes } from "node:crypto"
import { gzipSync } from "node:zlib"
import { noImageDefaults } from "../../../src/domain/image/Defaults.ts"
import { ContainerError } from "../../../src/domain/container/ContainerError.ts"
import type { Digest } from "../../../src/domain/image/Digest.ts"
import { encodeManifest } from "../../../src/domain/image/Manifest.ts"
import { ociConfig, ociIndex, ociManifest } from "../../../src/domain/image/MediaType.ts"
import type { StorageDriver } from "../../../src/domain/layer/LayerRecord.ts"
import { storageDrivers } from "../../../src/domain/layer/StorageDriver.ts"
import type { RegistryFault } from "../../../src/interpreters/simulated/registry/RegistryFault.ts"
import { Images } from "../../../src/programs/Images.ts"
import { leaks, simulate } from "../../../src/testing/index.ts"
import { digestOf, imageBench, publish, tarOf } from "./imageBench.ts"
import { booted, load, pull, shared } from "./scenarios.ts"

const whole = new Uint8Array(gzipSync(shared))
const half = whole.subarray(0, whole.length - 20)

const take = (data: Uint8Array) =>
  Images.use((images) =>
    images.import({
      source: "half.tgz", reference: "half", data: Stream.make(data), defaults: noImageDefaults, message: "", platform: undefined
    }))

describe("a broken archive", () => {
  for (const [what, program, cause] of [
    ["imported in gzip", take(half), /damaged|cut off|unexpected end/],
    ["imported as it is", take(shared.subarray(0, 700)), /./],
    ["loaded", load(half), /damaged|cut off|unexpected end/],
    ["that is no archive of images, loaded", load(shared), /manifest|layout|archive/]
  ] as const) {
    it(`${what} is refused, and leaves nothing`, async () => {
      const bench = imageBench()
      const boot = await booted(bench)
      await bench.run(Effect.gen(function*() {
        const error = yield* Effect.flip(program as Effect.Effect<unknown, unknown, Images>)
        assert.instanceOf(error, ContainerError, String(error))
        assert.match((error as ContainerError).message, cause)
      }))
      assert.deepStrictEqual(leaks(boot, bench.simulation.world), [])
    })
  }
})

describe("bytes from a registry that are not what they should be", () => {
  const layer = tarOf([{ path: "noise", text: randomBytes(3000).toString("hex") }])
  const blob = new Uint8Array(gzipSync(layer))
  const matches = ({ url }: { readonly url: string }) => url.endsWith(digestOf(blob))
  const corrupt = (at: number): RegistryFault => ({ matches, effect: { kind: "corrupt", at } })

  /** An engine that pulls with the faults, then another without. */
  const pullTwice = async (driver: StorageDriver, faults: ReadonlyArray<RegistryFault>) => {
    const host = { rootFilesystem: driver === "btrfs" ? "btrfs" as const : "ext4" as const }
    const simulation = simulate({ seed: 0, busyboxImage: "/images/busybox", host })
    const bench = imageBench({ simulation, driver, faults })
    const { id } = publish(bench.registry, "team/app", "one", [layer], { gzip: true })
    await booted(bench)
    await bench.run(Effect.flip(pull("team/app:one")))
    const { image } = await imageBench({ simulation, driver, registry: bench.registry }).run(pull("team/app:one"))
    assert.strictEqual(image.id, id)
  }

  for (const driver of storageDrivers) {
    for (const [what, at] of [["magic number", 0], ["data", blob.length >> 1], ["checksum", blob.length - 6]] as const) {
      it(`are not gone on with, be it the ${what} of gzip that was wrong, with ${driver}`, () => pullTwice(driver, [corrupt(at)]))
    }

    it(`are fetched anew when an engine that died had fetched the wrong ones, with ${driver}`, () =>
      pullTwice(driver, [
        { ...corrupt(100), times: 1 }, { matches, times: 1, effect: { kind: "break", after: 2000 } },
        { matches, after: 1, effect: { kind: "refuse", failure: "refused" } }
      ]))
  }
})

describe("an index", () => {
  it("whose best image is broken gives no other in its place", async () => {
    const bench = imageBench()
    const { state } = bench.registry
    const other = publish(bench.registry, "team/app", "other", [shared], { architecture: "arm64" })
    const config = new TextEncoder().encode(JSON.stringify({ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: ["none"] } }))
    const id = state.putBlob("team/app", config) as Digest
    const best = encodeManifest({ config: { mediaType: ociConfig, digest: id, size: config.length }, layers: [] })
    const entry = (digest: string, size: number, architecture: string) =>
      ({ mediaType: ociManifest, digest, size, platform: { os: "linux", architecture } })
    const index = {
      schemaVersion: 2, mediaType: ociIndex, manifests: [
        entry(state.putManifest("team/app", ociManifest, best), best.length, "amd64"),
        entry(other.digest, 0, "amd64")
      ]
    }
    state.putManifest("team/app", ociIndex, new TextEncoder().encode(JSON.stringify(index)), "one")
    await booted(bench)
    const error = await bench.run(Effect.flip(pull("team/app:one")))
    assert.match(String(error), /Expected a digest/)
  })
})
