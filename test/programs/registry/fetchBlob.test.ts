import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Stream } from "effect"
import * as fc from "fast-check"
import type { RegistryFault } from "../../../src/interpreters/simulated/registry/RegistryFault.ts"
import { digestBytes, simulatedDigester } from "../../../src/interpreters/simulated/registry/sha2.ts"
import { SimulatedRegistry } from "../../../src/interpreters/simulated/registry/SimulatedRegistry.ts"
import { Digester } from "../../../src/programs/registry/Digester.ts"
import { alice, app, type BenchOptions, bearer, collect, content, host, makeBench, store, users } from "./simulatedClient.ts"

const blob = content(100_000)
const descriptor = { digest: digestBytes(blob), size: blob.length }

/** A bench with the blob there. */
const benchWithBlob = (options: BenchOptions = {}) => {
  const bench = makeBench(options)
  bench.registry.state.putBlob(app.path, blob)
  const pull = bench.run((registry) => collect(registry.fetchBlob(app, descriptor)))
  return { ...bench, pull }
}

const failing = (options: BenchOptions) => {
  const bench = makeBench(options)
  bench.registry.state.putBlob(app.path, blob)
  return { ...bench, error: bench.fail((registry) => collect(registry.fetchBlob(app, descriptor))) }
}

const received = (bench: ReturnType<typeof makeBench>, route: "blob" | "store" = "blob"): number =>
  bench.network.requests(route).reduce((sum, passage) => sum + passage.received, 0)

describe("fetching a blob", () => {
  it("gives its bytes with one request and reads none twice", async () => {
    const bench = benchWithBlob()
    assert.deepStrictEqual(await bench.pull, blob)
    assert.strictEqual(bench.network.passages.length, 1)
    assert.strictEqual(received(bench), blob.length)
  })

  it("gives nothing for an empty blob, without waiting for anything", async () => {
    const bench = makeBench()
    const digest = bench.registry.state.putBlob(app.path, new Uint8Array())
    assert.strictEqual((await bench.run((registry) => collect(registry.fetchBlob(app, { digest, size: 0 })))).length, 0)
  })

  it("goes on at the byte where a connection broke: every byte crosses the network once", async () => {
    const bench = benchWithBlob({
      faults: [
        { route: "blob", times: 1, effect: { kind: "break", after: 30_000 } },
        { route: "blob", after: 1, times: 1, effect: { kind: "break", after: 20_001 } }
      ]
    })
    assert.deepStrictEqual(await bench.pull, blob)
    assert.deepStrictEqual(bench.network.requests("blob").map(({ headers }) => headers["range"]), [
      undefined, "bytes=30000-", "bytes=50001-"
    ])
    assert.strictEqual(received(bench), blob.length)
    assert.deepStrictEqual(bench.events.filter(({ kind }) => kind === "resume").length, 2)
  })

  it("resumes at the blob store too, by way of the registry", async () => {
    const bench = benchWithBlob({
      setup: { blobStore: store },
      faults: [{ route: "store", times: 1, effect: { kind: "break", after: 12_345 } }]
    })
    assert.deepStrictEqual(await bench.pull, blob)
    assert.strictEqual(received(bench, "store"), blob.length)
    assert.deepStrictEqual(bench.network.requests("store").map(({ headers }) => headers["range"]), [undefined, "bytes=12345-"])
  })

  it("starts over, and hands out no byte twice, where ranges are ignored", async () => {
    const bench = benchWithBlob({
      faults: [
        { route: "blob", effect: { kind: "ignoreRange" } },
        { route: "blob", times: 1, effect: { kind: "break", after: 40_000 } }
      ]
    })
    assert.deepStrictEqual(await bench.pull, blob)
    assert.strictEqual(received(bench), 40_000 + blob.length)
  })

  it("asks for all of it when the range that comes is not the one that was asked for", async () => {
    const bench = benchWithBlob({
      faults: [
        { route: "blob", effect: { kind: "shiftRange" } },
        { route: "blob", times: 1, effect: { kind: "break", after: 40_000 } }
      ]
    })
    assert.deepStrictEqual(await bench.pull, blob)
    assert.deepStrictEqual(bench.network.requests("blob").map(({ headers }) => headers["range"]), [undefined, "bytes=40000-", undefined])
  })

  it("does not mind how a connection ends when all bytes are here", async () => {
    const bench = benchWithBlob({ faults: [{ route: "blob", effect: { kind: "break", after: blob.length } }] })
    assert.deepStrictEqual(await bench.pull, blob)
    assert.strictEqual(bench.network.passages.length, 1)
  })

  it("gives up a connection that stalls, and goes on with another", async () => {
    const bench = benchWithBlob({
      faults: [{ route: "blob", times: 1, effect: { kind: "stall", after: 8192 } }], client: { stall: 5000 }
    })
    const start = bench.runtime.now
    assert.deepStrictEqual(await bench.pull, blob)
    const waited = (bench.runtime.now - start) / 1e6
    assert.isAtLeast(waited, 5)
    assert.isBelow(waited, 7)
    assert.strictEqual(received(bench), blob.length)
  })

  it("is patient with a connection that is slow but alive", async () => {
    const bench = benchWithBlob({
      faults: [{ route: "blob", effect: { kind: "slow", piece: 1000, millis: 4000 } }], client: { stall: 5000 }
    })
    const start = bench.runtime.now
    assert.deepStrictEqual(await bench.pull, blob)
    assert.strictEqual(bench.network.passages.length, 1)
    assert.isAtLeast((bench.runtime.now - start) / 1e6, 400)
  })

  it("waits as long as Retry-After says before it asks again", async () => {
    const bench = benchWithBlob({ faults: [{ route: "blob", times: 2, effect: { kind: "status", status: 429, retryAfter: "7" } }] })
    assert.deepStrictEqual(await bench.pull, blob)
    const [first, second, third] = bench.network.requests("blob").map(({ at }) => at)
    assert.isAtLeast((second ?? 0) - (first ?? 0), 7000)
    assert.isAtLeast((third ?? 0) - (second ?? 0), 7000)
  })

  it("repeats what a server's fault broke, with growing waits, six times at most", async () => {
    const bench = failing({ faults: [{ route: "blob", effect: { kind: "status", status: 503 } }] })
    const error = await bench.error
    assert.strictEqual(error.kind, "unavailable")
    assert.include(error.message, "503")
    assert.include(error.cause, "after 6 tries")
    const times = bench.network.requests("blob").map(({ at }) => at)
    assert.strictEqual(times.length, 6)
    const waits = times.slice(1).map((at, index) => at - (times[index] ?? 0))
    assert.isTrue(waits.every((wait, index) => wait >= 250 * 2 ** index && wait <= 500 * 2 ** index + 1), String(waits))
  })

  for (const [fault, kind, cause] of [
    [{ kind: "refuse", failure: "name" }, "unavailable", "after 6 tries"],
    [{ kind: "refuse", failure: "refused" }, "unavailable", "after 6 tries"],
    [{ kind: "refuse", failure: "timeout" }, "unavailable", "after 6 tries"],
    [{ kind: "loseAnswer" }, "unavailable", "after 6 tries"],
    [{ kind: "status", status: 500 }, "unavailable", "after 6 tries"],
    [{ kind: "truncate", after: 10 }, "corrupt", "ended after 60 of 100000 bytes"],
    [{ kind: "append", count: 1 }, "corrupt", "more came"],
    [{ kind: "field", name: "content-length", value: "99999" }, "corrupt", "99999 bytes, but 100000 were declared"],
    [{ kind: "field", name: "content-length", value: "100001" }, "corrupt", "100001 bytes, but 100000 were declared"],
    [{ kind: "break", after: 0 }, "unavailable", "after 6 tries"],
    [{ kind: "status", status: 429, retryAfter: "100000" }, "limited", "it asks for a wait of 100000 s"],
    [{ kind: "refuse", failure: "tls" }, "refused", "tls"],
    [{ kind: "status", status: 404, code: "BLOB_UNKNOWN" }, "missing", "BLOB_UNKNOWN"],
    [{ kind: "status", status: 403, code: "DENIED" }, "denied", "DENIED"],
    [{ kind: "status", status: 401 }, "denied", "401"],
    [{ kind: "redirect", location: "http://plain.test/x" }, "refused", "not protected"],
    [{ kind: "redirect", location: "file:///etc/passwd" }, "refused", "no usable URL"]
  ] as const) {
    it(`ends ${JSON.stringify(fault)} that stays with a clear error`, async () => {
      const bench = failing({ faults: [{ route: "blob", effect: fault }] })
      const error = await bench.error
      assert.strictEqual(error.kind, kind)
      assert.include(error.cause, cause)
      assert.match(error.message, /^cannot fetch blob registry\.test:5000\/team\/app@sha256:.*; ./)
      assert.isAtMost(bench.network.passages.length, 6)
    })
  }

  it("does not ask twice for what no repetition mends", async () => {
    for (const status of [400, 403, 404, 405]) {
      const bench = failing({ faults: [{ route: "blob", effect: { kind: "status", status } }] })
      await bench.error
      assert.strictEqual(bench.network.passages.length, 1, String(status))
    }
  })

  it("stops after ten redirects", async () => {
    const bench = failing({ faults: [{ route: "blob", effect: { kind: "redirect", location: "?again" } }] })
    assert.include((await bench.error).cause, "more than 10 redirects")
    assert.strictEqual(bench.network.passages.length, 11)
  })

  it("finds a wrong byte with a hasher, and says which digest came", async () => {
    const bench = makeBench({ faults: [{ route: "blob", effect: { kind: "corrupt", at: 77 } }] })
    bench.registry.state.putBlob(app.path, blob)
    const digester = await Effect.runPromise(Effect.provide(Effect.service(Digester), simulatedDigester))
    const error = await bench.fail((registry) =>
      collect(registry.fetchBlob(app, descriptor, { hasher: digester.start("sha256") })))
    assert.strictEqual(error.kind, "corrupt")
    const wrong = blob.slice()
    wrong[77] = (wrong[77] ?? 0) ^ 1
    assert.include(error.cause, digestBytes(wrong))
  })

  it("hashes each byte once, also when it came in pieces and from the start again", async () => {
    const bench = makeBench({
      faults: [
        { route: "blob", effect: { kind: "ignoreRange" } },
        { route: "blob", times: 2, effect: { kind: "break", after: 5000 } }
      ]
    })
    bench.registry.state.putBlob(app.path, blob)
    let hashed = 0
    const hasher = { update: (bytes: Uint8Array) => void (hashed += bytes.length), digest: () => descriptor.digest }
    await bench.run((registry) => collect(registry.fetchBlob(app, descriptor, { hasher })))
    assert.strictEqual(hashed, blob.length)
  })

  it("refuses names and digests that would change the address", async () => {
    const bench = makeBench()
    for (const path of ["../secret", "a/../b", "a?x", "A", "a//b", "a/%2e%2e/b", ""]) {
      const error = await bench.fail((registry) => collect(registry.fetchBlob({ domain: host, path }, descriptor)))
      assert.strictEqual(error.kind, "invalid", path)
    }
    for (const digest of ["sha256:12", `sha256:${"A".repeat(64)}`, `md5:${"a".repeat(32)}`, `${descriptor.digest}/..`]) {
      const error = await bench.fail((registry) => collect(registry.fetchBlob(app, { digest, size: 1 })))
      assert.strictEqual(error.kind, "invalid", digest)
    }
    for (const domain of ["evil.test/path", "user@registry.test", "registry.test:5000#", "a b"]) {
      const error = await bench.fail((registry) => collect(registry.fetchBlob({ domain, path: "x" }, descriptor)))
      assert.strictEqual(error.kind, "invalid", domain)
    }
    assert.strictEqual(bench.network.passages.length, 0)
  })

  it("ends the connection when the reader has had enough", async () => {
    const bench = makeBench()
    bench.registry.state.putBlob(app.path, blob)
    const first = await bench.run((registry) => Stream.runHead(registry.fetchBlob(app, descriptor)))
    assert.isTrue(first._tag === "Some")
    assert.isBelow(received(bench), blob.length)
  })
})

describe("mirrors", () => {
  const mirrorUrl = "https://mirror.test"
  const withMirror = (faults: ReadonlyArray<RegistryFault>, filled = true) => {
    const mirror = new SimulatedRegistry({ url: mirrorUrl })
    if (filled) mirror.state.putBlob(app.path, blob)
    const bench = benchWithBlob({
      others: [mirror], faults, settings: { mirrors: { [host]: [mirrorUrl] } },
      setup: { authentication: bearer, users, publicPull: false }, credential: alice
    })
    const bytesFrom = (origin: string) =>
      bench.network.passages.filter((passage) => passage.route === "blob" && passage.origin === origin && (passage.status ?? 500) < 300)
        .reduce((sum, passage) => sum + passage.received, 0)
    return { ...bench, bytesFrom }
  }
  const atMirror = ({ url }: { readonly url: string }) => url.startsWith(mirrorUrl)

  it("are asked first, without the registry's credential", async () => {
    const bench = withMirror([])
    assert.deepStrictEqual(await bench.pull, blob)
    assert.isTrue(bench.network.passages.every(({ headers, origin }) => origin === mirrorUrl && headers["authorization"] === undefined))
  })

  it("that lack a blob, or fail, leave it to the registry", async () => {
    for (const bench of [withMirror([], false), withMirror([{ matches: atMirror, effect: { kind: "status", status: 500 } }])]) {
      assert.deepStrictEqual(await bench.pull, blob)
      assert.isAtMost(bench.network.passages.filter(({ origin }) => origin === mirrorUrl).length, 2)
    }
  })

  it("that break half way are continued at the registry from the byte where they stopped", async () => {
    const bench = withMirror([
      { matches: atMirror, times: 1, effect: { kind: "break", after: 60_000 } },
      { matches: atMirror, after: 1, effect: { kind: "break", after: 0 } }
    ])
    assert.deepStrictEqual(await bench.pull, blob)
    assert.strictEqual(bench.bytesFrom(mirrorUrl) + bench.bytesFrom(`https://${host}`), blob.length)
  })
})

describe("whatever happens", () => {
  const effects = fc.oneof(
    fc.record({ kind: fc.constant("break" as const), after: fc.integer({ min: 0, max: 3000 }) }),
    fc.record({ kind: fc.constant("truncate" as const), after: fc.integer({ min: 0, max: 3000 }) }),
    fc.record({ kind: fc.constant("append" as const), count: fc.integer({ min: 1, max: 10 }) }),
    fc.record({ kind: fc.constant("corrupt" as const), at: fc.integer({ min: 0, max: 3000 }) }),
    fc.record({ kind: fc.constant("latency" as const), millis: fc.integer({ min: 0, max: 90_000 }) }),
    fc.record({ kind: fc.constant("stall" as const), after: fc.integer({ min: 0, max: 3000 }) }),
    fc.record({ kind: fc.constant("slow" as const), piece: fc.integer({ min: 1, max: 500 }), millis: fc.integer({ min: 0, max: 2000 }) }),
    fc.record({
      kind: fc.constant("status" as const), status: fc.constantFrom(401, 403, 404, 408, 416, 429, 500, 502, 503, 504, 206, 204, 302),
      retryAfter: fc.constantFrom("0", "3", "Thu, 01 Jan 2026 00:00:09 GMT", "soon", "999999")
    }),
    fc.record({ kind: fc.constant("refuse" as const), failure: fc.constantFrom("name" as const, "refused" as const, "tls" as const, "broken" as const) }),
    fc.record({ kind: fc.constant("redirect" as const), location: fc.constantFrom("https://blobs.elsewhere.test/none", "?loop", "/v2/", "//x y") }),
    fc.record({
      kind: fc.constant("field" as const), name: fc.constantFrom("content-length", "content-range", "content-type", "www-authenticate", "location"),
      value: fc.constantFrom("0", "-1", "2500", "bytes 0-1/2", "bytes 5-2499/2500", "Bearer realm=\"https://auth.test/token\"", "Bearer realm=\"http://x.test\"", undefined)
    }),
    fc.constantFrom({ kind: "ignoreRange" as const }, { kind: "shiftRange" as const }, { kind: "expireTokens" as const }, { kind: "loseAnswer" as const })
  )
  const faults = fc.array(
    fc.record({
      route: fc.constantFrom("blob" as const, "blob" as const, "store" as const, "token" as const),
      times: fc.integer({ min: 1, max: 12 }), after: fc.integer({ min: 0, max: 3 }),
      probability: fc.constantFrom(1, 1, 0.5), effect: effects
    }),
    { maxLength: 5 }
  )

  it("a pull gives exactly the bytes or a clear error, in bounded time and requests, and leaks nothing", async () => {
    const small = content(2500, 3)
    const digest = digestBytes(small)
    let good = 0
    let bad = 0
    await fc.assert(
      fc.asyncProperty(faults, fc.boolean(), fc.integer({ min: 0, max: 1000 }), async (list, redirected, seed) => {
        const bench = makeBench({
          seed, faults: list, credential: alice,
          setup: { authentication: bearer, users, publicPull: false, ...(redirected ? { blobStore: store } : {}) }
        })
        bench.registry.state.putBlob(app.path, small)
        const start = bench.runtime.now
        const done = await bench.exit((registry) => collect(registry.fetchBlob(app, { digest, size: small.length })))
        if (Exit.isSuccess(done)) {
          good++
          // The reader's digest decides; without a false byte it must agree
          if (!list.some(({ effect }) => effect.kind === "corrupt")) assert.deepStrictEqual(done.value, small)
          assert.strictEqual(done.value.length, small.length)
        } else {
          bad++
          const reason = done.cause.reasons[0]
          assert.isTrue(reason?._tag === "Fail" && reason.error._tag === "RegistryError", JSON.stringify(done.cause))
          if (reason?._tag === "Fail") assert.match(reason.error.message, /^cannot .+: .+; .+/)
        }
        assert.isAtMost(bench.network.passages.length, 250)
        assert.isBelow((bench.runtime.now - start) / 1e6, 6 * 3600)
        const allowed = new Set([`https://${host}`, "https://auth.test"])
        const leaked = bench.network.passages.filter(({ headers, origin }) => headers["authorization"] !== undefined && !allowed.has(origin))
        assert.deepStrictEqual(leaked, [])
      }),
      { numRuns: 300, seed: 7 }
    )
    assert.isAbove(good, 30)
    assert.isAbove(bad, 30)
  })
})
