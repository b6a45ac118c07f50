import { assert, describe, it } from "@effect/vitest"
import { Data, Effect, Exit, Stream } from "effect"
import * as fc from "fast-check"
import { digestBytes } from "../../../src/interpreters/simulated/registry/sha2.ts"
import { keepBytes } from "../../../src/programs/registry/fetchManifest.ts"
import { alice, app, bearer, type BenchOptions, collect, content, jsonBytes, makeBench, manifestType, sourceOf, url, users } from "./simulatedClient.ts"

const blob = content(50_000, 9)
const source = sourceOf(blob)

const there = (bench: ReturnType<typeof makeBench>) => bench.registry.state.repositories.get(app.path)?.blobs.get(source.digest)

const sent = (bench: ReturnType<typeof makeBench>): number =>
  bench.network.requests("upload").reduce((sum, passage) => sum + passage.sent, 0)

const push = async (options: BenchOptions = {}, pushing = {}) => {
  const bench = makeBench(options)
  const pushed = await bench.run((registry) => registry.pushBlob(app, source, pushing))
  return { ...bench, pushed, methods: bench.network.passages.map(({ method, route }) => `${method} ${route}`) }
}

describe("pushing a blob", () => {
  it("is one POST and one PUT", async () => {
    const bench = await push()
    assert.strictEqual(bench.pushed, "uploaded")
    assert.deepStrictEqual(there(bench), blob)
    assert.deepStrictEqual(bench.methods, ["HEAD blob", "POST upload", "PUT upload"])
  })

  it("sends nothing when it is there already", async () => {
    const bench = makeBench()
    bench.registry.state.putBlob(app.path, blob)
    assert.strictEqual(await bench.run((registry) => registry.pushBlob(app, source)), "exists")
    assert.strictEqual(bench.network.passages.length, 1)
  })

  it("sends nothing when another repository has it", async () => {
    const bench = makeBench()
    bench.registry.state.putBlob("team/base", blob)
    assert.strictEqual(await bench.run((registry) => registry.pushBlob(app, source, { mountFrom: "team/base" })), "mounted")
    assert.deepStrictEqual(there(bench), blob)
    assert.strictEqual(sent(bench), 0)
  })

  it("uploads in the session that it is given where a mount is not done", async () => {
    for (const setup of [{ mount: false }, {}]) {
      const bench = await push({ setup }, { mountFrom: "team/base" })
      assert.strictEqual(bench.pushed, "uploaded")
      assert.deepStrictEqual(bench.methods, ["HEAD blob", "POST upload", "PUT upload"])
    }
  })

  it("goes in pieces of the size that is set, and closes without content", async () => {
    const bench = await push({ client: { chunk: 20_000 }, setup: { absoluteLocations: true } })
    assert.deepStrictEqual(there(bench), blob)
    assert.deepStrictEqual(bench.network.requests("upload").map(({ headers, method, sent }) => [method, headers["content-range"], sent]), [
      ["POST", undefined, 0], ["PATCH", "0-19999", 20_000], ["PATCH", "20000-39999", 20_000], ["PATCH", "40000-49999", 10_000], ["PUT", undefined, 0]
    ])
  })

  it("makes its pieces as large as the registry asks", async () => {
    const bench = await push({ client: { chunk: 1000 }, setup: { leastChunk: 30_000 } })
    assert.deepStrictEqual(there(bench), blob)
    assert.deepStrictEqual(bench.network.requests("upload", "PATCH").map(({ sent }) => sent), [30_000, 20_000])
  })

  it("goes on where an upload broke: every byte crosses the network once", async () => {
    for (const after of [2, 777, 19_999, 20_000 - 1]) {
      const bench = await push({
        client: { chunk: 20_000 }, faults: [{ route: "upload", method: "PATCH", after: 1, times: 1, effect: { kind: "breakRequest", after } }]
      })
      assert.deepStrictEqual(there(bench), blob)
      assert.strictEqual(sent(bench), blob.length)
      assert.strictEqual(bench.network.requests("upload", "POST").length, 1)
      assert.include(bench.network.requests("upload", "PATCH").map(({ headers }) => headers["content-range"]), `${20_000 + after}-${Math.min(49_999, 39_999 + after)}`)
    }
  })

  it("goes on where an upload in one request broke", async () => {
    const bench = await push({ faults: [{ route: "upload", method: "PUT", times: 1, effect: { kind: "breakRequest", after: 33_333 } }] })
    assert.deepStrictEqual(there(bench), blob)
    assert.strictEqual(sent(bench), blob.length)
  })

  it("begins anew when only one byte may or may not have arrived", async () => {
    for (const after of [0, 1]) {
      const bench = await push({ faults: [{ route: "upload", method: "PUT", times: 1, effect: { kind: "breakRequest", after } }] })
      assert.deepStrictEqual(there(bench), blob)
      assert.strictEqual(bench.network.requests("upload", "POST").length, 2)
    }
  })

  it("does not send a piece again whose answer was lost", async () => {
    const bench = await push({
      client: { chunk: 20_000 }, faults: [{ route: "upload", method: "PATCH", times: 1, effect: { kind: "loseAnswer" } }]
    })
    assert.deepStrictEqual(there(bench), blob)
    assert.strictEqual(sent(bench), blob.length)
  })

  it("notices that it was done when the answer to the end was lost", async () => {
    const bench = await push({ faults: [{ route: "upload", method: "PUT", times: 1, effect: { kind: "loseAnswer" } }] })
    assert.strictEqual(bench.pushed, "uploaded")
    assert.strictEqual(sent(bench), blob.length)
  })

  it("begins a new session when the registry forgot the old one", async () => {
    const bench = await push({
      client: { chunk: 20_000 }, faults: [{ route: "upload", method: "PATCH", after: 1, times: 1, effect: { kind: "forgetUploads" } }]
    })
    assert.deepStrictEqual(there(bench), blob)
    assert.strictEqual(bench.network.requests("upload", "POST").length, 2)
  })

  it("gives up a registry that forgets every session, though each piece is taken", async () => {
    const bench = makeBench({
      client: { chunk: 20_000 }, faults: [{ route: "upload", method: "PUT", effect: { kind: "forgetUploads" } }]
    })
    const error = await bench.fail((registry) => registry.pushBlob(app, source))
    assert.include(error.cause, "does not know the upload any more")
    assert.isAtMost(bench.network.requests("upload", "POST").length, 6)
  })

  it("gives up a registry that takes nothing", async () => {
    const bench = makeBench({
      client: { chunk: 20_000 }, faults: [{ route: "upload", method: "PATCH", effect: { kind: "breakRequest", after: 0 } }]
    })
    const error = await bench.fail((registry) => registry.pushBlob(app, source))
    assert.strictEqual(error.kind, "unavailable")
    assert.isAtMost(bench.network.passages.length, 40)
  })

  it("waits for 429 and 5xx, and fails at once for what stays", async () => {
    const bench = await push({ faults: [{ route: "upload", times: 3, effect: { kind: "status", status: 429, retryAfter: "5" } }] })
    assert.deepStrictEqual(there(bench), blob)
    assert.isAtLeast((bench.network.passages.at(-1)?.at ?? 0) - (bench.network.passages[0]?.at ?? 0), 15_000)
    const denied = makeBench({ faults: [{ route: "upload", effect: { kind: "status", status: 403, code: "DENIED" } }] })
    assert.strictEqual((await denied.fail((registry) => registry.pushBlob(app, source))).kind, "denied")
    assert.strictEqual(denied.network.requests("upload").length, 1)
  })

  it("tells a wrong digest, and what the registry says of it", async () => {
    const bench = makeBench()
    const wrong = { ...source, digest: digestBytes(content(1)) }
    const error = await bench.fail((registry) => registry.pushBlob(app, wrong))
    assert.strictEqual(error.kind, "invalid")
    assert.strictEqual(error.code, "DIGEST_INVALID")
    assert.strictEqual(bench.network.requests("upload", "PUT").length, 1)
  })

  it("refuses an upload address without TLS", async () => {
    const bench = makeBench({
      faults: [{ route: "upload", effect: { kind: "field", name: "location", value: url.replace("https", "http") } }]
    })
    const error = await bench.fail((registry) => registry.pushBlob(app, source))
    assert.strictEqual(error.kind, "refused")
    assert.strictEqual(sent(bench), 0)
  })

  it("fails with the source's own error, and with a clear one when the source is too short", async () => {
    class StoreFailure extends Data.TaggedError("StoreFailure")<{}> {}
    const bench = makeBench()
    const failing = { ...source, open: () => Stream.concat(Stream.succeed(blob.subarray(0, 10)), Stream.fail(new StoreFailure())) }
    const exit = await bench.exit((registry) => Effect.flip(registry.pushBlob(app, failing)))
    assert.isTrue(Exit.isSuccess(exit) && exit.value instanceof StoreFailure)
    const short = { ...source, open: () => Stream.succeed(blob.subarray(0, 10)) }
    assert.include((await bench.fail((registry) => registry.pushBlob(app, short))).cause, "shorter than its size")
    assert.isUndefined(there(bench))
  })

  it("sends no more than the size from a source that is longer, whatever its pieces", async () => {
    const longer = { ...source, open: (offset: number) => Stream.fromArray([blob.subarray(offset, offset + 30_000), blob.subarray(offset + 30_000), content(10), content(10)]) }
    for (const chunk of [Infinity, 7000]) {
      const bench = makeBench({ client: { chunk } })
      assert.strictEqual(await bench.run((registry) => registry.pushBlob(app, longer)), "uploaded")
      assert.strictEqual(sent(bench), blob.length)
    }
  })

  it("an empty blob can be pushed", async () => {
    const bench = makeBench()
    const empty = sourceOf(new Uint8Array())
    assert.strictEqual(await bench.run((registry) => registry.pushBlob(app, empty)), "uploaded")
    assert.strictEqual(bench.registry.state.repositories.get(app.path)?.blobs.get(empty.digest)?.length, 0)
  })

  it("whatever happens, ends: with the blob there or a clear error", async () => {
    const effect = fc.oneof(
      fc.record({ kind: fc.constant("breakRequest" as const), after: fc.integer({ min: 0, max: 3000 }) }),
      fc.record({ kind: fc.constant("status" as const), status: fc.constantFrom(202, 401, 404, 416, 429, 500, 503) }),
      fc.record({ kind: fc.constant("field" as const), name: fc.constantFrom("range", "location", "oci-chunk-min-length"), value: fc.constantFrom("0-0", "0-99", "0-999999", "bytes=0-5", "/nowhere", "5000", undefined) }),
      fc.constantFrom({ kind: "loseAnswer" as const }, { kind: "forgetUploads" as const }, { kind: "expireTokens" as const }, { kind: "refuse" as const, failure: "broken" as const })
    )
    const faults = fc.array(fc.record({
      route: fc.constantFrom("upload" as const, "upload" as const, "blob" as const, "token" as const),
      times: fc.integer({ min: 1, max: 10 }), after: fc.integer({ min: 0, max: 4 }), effect
    }), { maxLength: 4 })
    const small = content(3000, 5)
    const pushed = sourceOf(small, 100)
    let [good, bad] = [0, 0]
    await fc.assert(
      fc.asyncProperty(faults, fc.constantFrom(Infinity, 700, 1), fc.integer({ min: 0, max: 1000 }), async (list, chunk, seed) => {
        const bench = makeBench({
          seed, faults: list, credential: alice, client: { chunk: chunk === 1 ? 1400 : chunk },
          setup: { authentication: bearer, users, publicPull: false }
        })
        const exit = await bench.exit((registry) => registry.pushBlob(app, pushed))
        if (Exit.isSuccess(exit)) {
          good++
          // A faked answer to the HEAD or PUT is believed; otherwise the blob has to be there
          if (!list.some(({ effect }) => effect.kind === "status" && effect.status === 202)) {
            assert.deepStrictEqual(bench.registry.state.repositories.get(app.path)?.blobs.get(pushed.digest), small)
          }
        } else {
          bad++
          const reason = exit.cause.reasons[0]
          assert.isTrue(reason?._tag === "Fail" && reason.error._tag === "RegistryError", JSON.stringify(exit.cause))
        }
        assert.isAtMost(bench.network.passages.length, 400)
      }),
      { numRuns: 300, seed: 11 }
    )
    assert.isAbove(good, 30)
    assert.isAbove(bad, 30)
  })
})

describe("push and pull", () => {
  it("bring back exactly what was pushed, by tag and by digest", async () => {
    const bench = makeBench({ setup: { authentication: bearer, users, publicPull: false }, credential: alice, client: { chunk: 4096 } })
    const config = jsonBytes({ os: "linux" })
    const layers = [content(9000, 1), content(1, 2), content(12_288, 3)]
    const manifest = {
      mediaType: manifestType,
      bytes: jsonBytes({
        schemaVersion: 2, config: { digest: digestBytes(config), size: config.length },
        layers: layers.map((layer) => ({ digest: digestBytes(layer), size: layer.length }))
      })
    }
    const pulled = await bench.run((registry) =>
      Effect.gen(function*() {
        yield* Effect.forEach([config, ...layers], (bytes) => registry.pushBlob(app, sourceOf(bytes)), { concurrency: "unbounded" })
        const { digest } = yield* registry.pushManifest(app, "v1.0", manifest)
        const byTag = yield* registry.fetchManifest(app, "v1.0", keepBytes)
        const byDigest = yield* registry.fetchManifest(app, digest, keepBytes)
        const resolved = yield* registry.resolve(app, "v1.0")
        const bodies = yield* Effect.forEach(layers, (layer) =>
          collect(registry.fetchBlob(app, { digest: digestBytes(layer), size: layer.length })), { concurrency: 3 })
        return { digest, byTag, byDigest, resolved, bodies }
      }))
    assert.deepStrictEqual(pulled.byTag.manifest, { digest: pulled.digest, mediaType: manifestType, bytes: manifest.bytes })
    assert.deepStrictEqual(pulled.byDigest, pulled.byTag)
    assert.deepStrictEqual(pulled.resolved, { digest: pulled.digest, mediaType: manifestType, size: manifest.bytes.length })
    assert.deepStrictEqual(pulled.bodies, layers)
  })

  it("a manifest without its blobs is refused, with the registry's own words", async () => {
    const bench = makeBench()
    const bytes = jsonBytes({ schemaVersion: 2, layers: [{ digest: source.digest, size: 1 }] })
    const error = await bench.fail((registry) => registry.pushManifest(app, "latest", { mediaType: manifestType, bytes }))
    assert.strictEqual(error.code, "MANIFEST_BLOB_UNKNOWN")
    assert.include(error.message, source.digest)
  })

  it("a manifest that the registry takes as another is an error", async () => {
    const bench = makeBench({ faults: [{ route: "manifest", effect: { kind: "field", name: "docker-content-digest", value: source.digest } }] })
    const error = await bench.fail((registry) => registry.pushManifest(app, "latest", { mediaType: manifestType, bytes: jsonBytes({}) }))
    assert.strictEqual(error.kind, "corrupt")
  })
})
