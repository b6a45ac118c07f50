/** What any interpreter owes of `Compression`: streams come back as they were, and broken ones are told of. */
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from "node:zlib"
import { Effect, Exit, Layer, Stream } from "effect"
import { describe, expect, it } from "vitest"
import { layer as linux } from "../../src/interpreters/linux/LinuxCompression.ts"
import { simulatedCompression } from "../../src/interpreters/simulated/SimulatedCompression.ts"
import { Compression, CompressionFailure } from "../../src/programs/image/Compression.ts"

/** Bytes that neither repeat at once nor are all different. */
const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => (index * index) >> 7)

const inPieces = (whole: Uint8Array, size: number): ReadonlyArray<Uint8Array> =>
  Array.from({ length: Math.ceil(whole.length / size) }, (_, index) => whole.subarray(index * size, (index + 1) * size))

const formats = [["gzip", gzipSync, gunzipSync], ["zstd", zstdCompressSync, zstdDecompressSync]] as const

describe.each([["Linux", linux], ["a simulation", simulatedCompression]] as const)("compression on %s", (_, layer) => {
  const run = <E>(use: (compression: Compression["Service"]) => Stream.Stream<Uint8Array, E>) =>
    Effect.runPromiseExit(Effect.provide(Effect.flatMap(Compression, (compression) =>
      Effect.map(Stream.runCollect(use(compression)), (pieces) => Buffer.concat(pieces))), layer as Layer.Layer<Compression>))

  const result = async <E>(use: (compression: Compression["Service"]) => Stream.Stream<Uint8Array, E>) => {
    const exit = await run(use)
    if (Exit.isFailure(exit)) throw new Error(String(exit.cause))
    return exit.value
  }

  it.each(formats)("%s: is undone whatever pieces it comes in", async (format, compress) => {
    const whole = bytes(3_000_000)
    for (const size of [7777, 1 << 20]) {
      const undone = await result(({ decompress }) => decompress(format, Stream.fromIterable(inPieces(compress(whole), size))))
      expect(undone.equals(whole)).toBe(true)
    }
    expect(await result(({ decompress }) => decompress(format, Stream.make(compress(new Uint8Array(0)))))).toHaveLength(0)
  })

  it.each(formats)("%s: equal bytes give equal bytes that others can read", async (format, _, decompress) => {
    const whole = bytes(1_000_000)
    const done = (size: number) => result(({ compress }) => compress(format, Stream.fromIterable(inPieces(whole, size))))
    const first = await done(10_000)
    expect(decompress(first).equals(whole)).toBe(true)
    expect((await done(10_000)).equals(first)).toBe(true)
  })

  it("gzip: has neither a time nor a name in it", async () => {
    const [, , , flags, ...time] = await result(({ compress }) => compress("gzip", Stream.make(bytes(10))))
    expect([flags, ...time.slice(0, 4)]).toEqual([0, 0, 0, 0, 0])
  })

  it.each(formats)("%s: what is damaged or cut off is told", async (format, compress) => {
    const whole = compress(bytes(100_000))
    const broken = [whole.subarray(0, whole.length - 20), Uint8Array.from(whole, (byte, index) => index === 1 ? byte ^ 0xff : byte)]
    for (const one of broken) {
      const exit = await run(({ decompress }) => decompress(format, Stream.make(one)))
      expect(Exit.isFailure(exit) && exit.cause.reasons.some((reason) =>
        reason._tag === "Fail" && reason.error instanceof CompressionFailure)).toBe(true)
    }
  })

  it.each(formats)("%s: a failure of the source is what comes out", async (format) => {
    const exit = await run(({ decompress }) => decompress(format, Stream.fail("gone")))
    expect(Exit.isFailure(exit) && exit.cause.reasons.map((reason) => reason._tag === "Fail" ? reason.error : reason._tag)).toEqual(["gone"])
  })
})

describe("compression on Linux", () => {
  it("undoes only as much as is taken: a bomb is not held in memory", async () => {
    const bomb = gzipSync(new Uint8Array(200 << 20))
    const before = process.memoryUsage().arrayBuffers
    const taken = await Effect.runPromise(Effect.provide(Effect.flatMap(Compression, ({ decompress }) =>
      Stream.runFold(Stream.take(decompress("gzip", Stream.make(bomb)), 8), () => 0, (sum, piece) => sum + piece.length)), linux))
    expect(taken).toBeLessThan(16 << 20)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 << 20)
  })
})
