import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Stream } from "effect"
import type { FaultEffect } from "../../../src/interpreters/simulated/registry/RegistryFault.ts"
import { digestBytes } from "../../../src/interpreters/simulated/registry/sha2.ts"
import { SimulatedRegistry } from "../../../src/interpreters/simulated/registry/SimulatedRegistry.ts"
import { keepBytes } from "../../../src/programs/registry/fetchManifest.ts"
import type { Registry } from "../../../src/programs/registry/Registry.ts"
import { app, type BenchOptions, content, host, jsonBytes, makeBench, manifestType, publish, sourceOf, url } from "./simulatedClient.ts"

const published = (options: BenchOptions = {}) => {
  const bench = makeBench(options)
  return { ...bench, manifest: publish(bench.registry, [content(100)]) }
}

const get = (reference: string) => (registry: Registry["Service"]) => registry.fetchManifest(app, reference, keepBytes)

describe("a manifest", () => {
  it("comes by tag and by digest, verified", async () => {
    const { manifest, run } = published()
    for (const reference of ["latest", manifest.digest]) {
      const got = await run(get(reference))
      assert.deepStrictEqual(got.manifest, { digest: manifest.digest, mediaType: manifestType, bytes: manifest.bytes })
    }
  })

  for (const [fault, reference, cause] of [
    [{ kind: "corrupt", at: 5 }, "digest", "what came has the digest"],
    [{ kind: "corrupt", at: 5 }, "latest", "but its header says another"],
    [{ kind: "truncate", after: 20 }, "digest", "what came has the digest"],
    [{ kind: "field", name: "docker-content-digest", value: `sha256:${"0".repeat(64)}` }, "digest", "but its header says another"],
    [{ kind: "field", name: "docker-content-digest", value: "nonsense" }, "latest", "but its header says another"],
    [{ kind: "field", name: "content-type", value: undefined }, "latest", "without a usable Content-Type"],
    [{ kind: "field", name: "content-type", value: "nonsense" }, "latest", "without a usable Content-Type"]
  ] as const) {
    it(`that is not what it says (${JSON.stringify(fault)}, by ${reference}) is refused`, async () => {
      const bench = published({ faults: [{ route: "manifest", effect: fault as FaultEffect }] })
      const error = await bench.fail(get(reference === "digest" ? bench.manifest.digest : reference))
      assert.strictEqual(error.kind, "corrupt")
      assert.include(error.cause, cause)
    })
  }

  it("by digest is checked against that digest, whatever the registry says or does not say of it", async () => {
    const wrong = jsonBytes({ schemaVersion: 2, layers: [] })
    for (const value of [undefined, digestBytes(wrong)]) {
      const bench = published({ faults: [{ route: "manifest", effect: { kind: "field", name: "docker-content-digest", value } }] })
      bench.registry.state.repository(app.path).manifests.set(bench.manifest.digest, { mediaType: manifestType, bytes: wrong, subject: undefined })
      const error = await bench.fail(get(bench.manifest.digest))
      assert.deepStrictEqual([error.kind, error.cause], ["corrupt", `what came has the digest ${digestBytes(wrong)}`])
    }
  })

  it("that breaks off is asked for again", async () => {
    const bench = published({ faults: [{ route: "manifest", times: 2, effect: { kind: "break", after: 50 } }] })
    assert.deepStrictEqual((await bench.run(get("latest"))).manifest.bytes, bench.manifest.bytes)
    assert.strictEqual(bench.network.requests("manifest").length, 3)
  })

  it("that has more than 4 MiB is not read to its end", async () => {
    const bench = makeBench({ faults: [{ route: "manifest", effect: { kind: "append", count: 6_000_000 } }] })
    publish(bench.registry, [])
    const error = await bench.fail(get("latest"))
    assert.include(error.cause, "more than the 4194304 bytes")
    assert.isBelow(bench.network.requests("manifest")[0]?.received ?? 0, 4_300_000)
  })

  it("whose media type is written otherwise is the same", async () => {
    const bench = published({
      faults: [{ route: "manifest", effect: { kind: "field", name: "content-type", value: `${manifestType.toUpperCase()}; charset=utf-8` } }]
    })
    assert.strictEqual((await bench.run(get("latest"))).manifest.mediaType, manifestType)
  })

  it("is refused with the decoder's cause, whatever the digest", async () => {
    const bench = published()
    const error = await bench.fail((registry) => registry.fetchManifest(app, "latest", () => Result.fail("it is manifest and index at once")))
    assert.strictEqual(error.kind, "corrupt")
    assert.include(error.message, "manifest and index at once")
  })

  it("that is not there is missing; a private one may need a login", async () => {
    const error = await published().fail(get("nothing"))
    assert.strictEqual(error.kind, "missing")
    assert.strictEqual(error.code, "MANIFEST_UNKNOWN")
    assert.include(error.cure, `login ${host}`)
  })

  it("is not asked for by what is neither a tag nor a digest", async () => {
    const bench = published()
    for (const reference of ["", "../x", "a/b", "x?y", ".dot", "sha256:zz", "a".repeat(129)]) {
      assert.strictEqual((await bench.fail(get(reference))).kind, "invalid", reference)
    }
    assert.strictEqual(bench.network.passages.length, 0)
  })
})

describe("resolving", () => {
  it("takes one HEAD and no document", async () => {
    const bench = published()
    const info = await bench.run((registry) => registry.resolve(app, "latest"))
    assert.deepStrictEqual(info, { digest: bench.manifest.digest, mediaType: manifestType, size: bench.manifest.bytes.length })
    assert.deepStrictEqual(bench.network.passages.map(({ method }) => method), ["HEAD"])
  })

  it("reads the document where the head does not say enough", async () => {
    for (const name of ["docker-content-digest", "content-type", "content-length"]) {
      const bench = published({ faults: [{ method: "HEAD", effect: { kind: "field", name, value: undefined } }] })
      assert.strictEqual((await bench.run((registry) => registry.resolve(app, "latest"))).digest, bench.manifest.digest)
      assert.deepStrictEqual(bench.network.passages.map(({ method }) => method), ["HEAD", "GET"])
    }
  })
})

describe("lists", () => {
  it("of tags go through all pages, and stop where the reader stops", async () => {
    const bench = published({ setup: { pageSize: 10 } })
    const tags = Array.from({ length: 35 }, (_, index) => `v${String(index).padStart(2, "0")}`)
    for (const tag of tags) bench.registry.state.repository(app.path).tags.set(tag, bench.manifest.digest)
    assert.deepStrictEqual(await bench.run((registry) => Stream.runCollect(registry.listTags(app))), ["latest", ...tags])
    assert.strictEqual(bench.network.requests("tags").length, 4)
    assert.strictEqual((await bench.run((registry) => Stream.runCollect(Stream.take(registry.listTags(app), 5)))).length, 5)
    assert.strictEqual(bench.network.requests("tags").length, 5)
  })

  it("of tags may be empty, as `null` too", async () => {
    const bench = makeBench()
    bench.registry.state.repository(app.path)
    assert.deepStrictEqual(await bench.run((registry) => Stream.runCollect(registry.listTags(app))), [])
  })

  it("that name themselves as their next page end", async () => {
    const bench = published({
      faults: [{ route: "tags", effect: { kind: "field", name: "link", value: `</v2/team/app/tags/list>; rel="next"` } }]
    })
    assert.strictEqual((await bench.fail((registry) => Stream.runDrain(registry.listTags(app)))).kind, "corrupt")
  })

  it("that are no lists are refused", async () => {
    const bench = published({ faults: [{ route: "tags", effect: { kind: "truncate", after: 10 } }] })
    assert.strictEqual((await bench.fail((registry) => Stream.runDrain(registry.listTags(app)))).kind, "corrupt")
  })

  const artifact = (subject: string, artifactType: string) => ({
    mediaType: manifestType, bytes: jsonBytes({ schemaVersion: 2, artifactType, subject: { digest: subject }, layers: [] })
  })

  it("of referrers come from the API, filtered by the registry or by us", async () => {
    for (const faults of [[], [{ route: "referrers", matches: () => true, effect: { kind: "latency", millis: 1 } }]] as const) {
      const bench = published({ faults })
      const found = await bench.run((registry) =>
        Effect.gen(function*() {
          const pushed = yield* registry.pushManifest(app, "signature", artifact(bench.manifest.digest, "application/sig"))
          yield* registry.pushManifest(app, "sbom", artifact(bench.manifest.digest, "application/sbom"))
          assert.strictEqual(pushed.subject, bench.manifest.digest)
          return {
            all: yield* Stream.runCollect(registry.listReferrers(app, bench.manifest.digest)),
            some: yield* Stream.runCollect(registry.listReferrers(app, bench.manifest.digest, "application/sig"))
          }
        }))
      assert.deepStrictEqual(found.all.map(({ artifactType }) => artifactType), ["application/sig", "application/sbom"])
      assert.deepStrictEqual(found.some.map(({ artifactType }) => artifactType), ["application/sig"])
    }
  })

  it("of referrers come from a tag where there is no API, and are empty without that tag", async () => {
    const bench = published({ setup: { referrers: false } })
    const list = (type?: string) => bench.run((registry) => Stream.runCollect(registry.listReferrers(app, bench.manifest.digest, type)))
    assert.deepStrictEqual(await list(), [])
    const manifests = ["application/sig", "application/sbom"].map((artifactType, index) => ({
      mediaType: manifestType, digest: digestBytes(content(index)), size: 3, artifactType
    }))
    bench.registry.state.putManifest(app.path, "application/vnd.oci.image.index.v1+json", jsonBytes({ schemaVersion: 2, manifests }), bench.manifest.digest.replace(":", "-"))
    assert.deepStrictEqual((await list()).map(({ digest }) => digest), manifests.map(({ digest }) => digest))
    assert.deepStrictEqual((await list("application/sbom")).map(({ artifactType }) => artifactType), ["application/sbom"])
  })

  it("of referrers are kept under a tag by who pushes, where there is no API: each once", async () => {
    const bench = published({ setup: { referrers: false } })
    const found = await bench.run((registry) =>
      Effect.gen(function*() {
        for (const type of ["application/sig", "application/sbom", "application/sig"]) {
          yield* registry.pushManifest(app, type.slice(12), artifact(bench.manifest.digest, type))
        }
        return yield* Stream.runCollect(registry.listReferrers(app, bench.manifest.digest))
      }))
    assert.deepStrictEqual(found.map(({ artifactType }) => artifactType), ["application/sig", "application/sbom"])
    assert.deepStrictEqual(found.map(({ digest }) => digest), ["sig", "sbom"].map((tag) => bench.registry.state.repository(app.path).tags.get(tag)))
  })

  it("of referrers fail where the registry fails: a fault is not an empty list", async () => {
    const bench = published({ faults: [{ route: "referrers", effect: { kind: "status", status: 500 } }] })
    assert.strictEqual((await bench.fail((registry) => Stream.runDrain(registry.listReferrers(app, bench.manifest.digest)))).kind, "unavailable")
  })
})

describe("searching", () => {
  const search = (options: BenchOptions) => {
    const bench = makeBench(options)
    for (const name of ["team/app", "team/base", "other/thing"]) bench.registry.state.repository(name)
    return bench
  }

  it("asks the registry's search where it has one", async () => {
    const bench = search({ setup: { search: true } })
    const found = await bench.run((registry) => registry.search(host, "team", 25))
    assert.deepStrictEqual(found.map(({ description, name }) => [name, description]), [["team/app", "about team/app"], ["team/base", "about team/base"]])
  })

  it("looks through the names where there is none, and says so where there are none to be had", async () => {
    const names = (await search({}).run((registry) => registry.search(host, "Team", 1))).map(({ name }) => name)
    assert.deepStrictEqual(names, ["team/app"])
    assert.strictEqual((await search({ setup: { catalog: false } }).fail((registry) => registry.search(host, "x", 5))).kind, "unsupported")
  })
})

describe("endpoints", () => {
  it("an insecure registry is tried with TLS first, and then without for good", async () => {
    const bench = makeBench({ setup: { url: `http://${host}` }, settings: { insecure: [host] } })
    publish(bench.registry, [])
    await bench.run((registry) => Effect.andThen(registry.resolve(app, "latest"), registry.resolve(app, "latest")))
    assert.deepStrictEqual(bench.network.passages.map(({ method, origin, verifyTls }) => [method, origin, verifyTls]), [
      ["GET", `https://${host}`, false], ["GET", `http://${host}`, false], ["HEAD", `http://${host}`, false], ["HEAD", `http://${host}`, false]
    ])
  })

  it("an insecure registry that is down is waited for, and does not lose TLS by that", async () => {
    const down = (times: number) => makeBench({
      settings: { insecure: [host] }, others: [new SimulatedRegistry({ url: `http://${host}` })],
      faults: [{ times, effect: { kind: "refuse", failure: "refused" } }]
    })
    const short = down(4)
    publish(short.registry, [])
    await short.run((registry) => registry.resolve(app, "latest"))
    assert.strictEqual(short.network.passages.at(-1)?.origin, `https://${host}`)
    const long = down(1000)
    assert.include((await long.fail((registry) => registry.resolve(app, "latest"))).cause, "after 6 tries")
    assert.strictEqual(long.network.passages.length, 12)
  })

  it("a registry that is not insecure is never asked without TLS", async () => {
    const bench = makeBench({ setup: { url: `http://${host}` } })
    const error = await bench.fail((registry) => registry.resolve(app, "latest"))
    assert.strictEqual(error.kind, "refused")
    assert.include(error.cure, "insecure")
    assert.isTrue(bench.network.passages.every(({ origin, verifyTls }) => origin === `https://${host}` && verifyTls))
  })

  it("manifests come from a mirror, and from the registry when the mirror lies", async () => {
    const mirror = new SimulatedRegistry({ url: "https://mirror.test" })
    const honest = makeBench({ others: [mirror], settings: { mirrors: { [host]: ["https://mirror.test"] } } })
    publish(mirror, [content(100)])
    await honest.run(get("latest"))
    assert.deepStrictEqual(honest.network.passages.map(({ origin }) => origin), ["https://mirror.test"])
    const lying = makeBench({
      others: [mirror], settings: { mirrors: { [host]: ["https://mirror.test"] } },
      faults: [{ matches: ({ url }) => url.startsWith("https://mirror"), effect: { kind: "corrupt", at: 3 } }]
    })
    const { bytes, digest } = publish(lying.registry, [content(100)])
    assert.deepStrictEqual((await lying.run(get(digest))).manifest.bytes, bytes)
    assert.deepStrictEqual(lying.events.map(({ kind }) => kind), ["nextEndpoint"])
  })

  it("pushes never go to a mirror", async () => {
    const mirror = new SimulatedRegistry({ url: "https://mirror.test" })
    const bench = makeBench({ others: [mirror], settings: { mirrors: { [host]: ["https://mirror.test"] } } })
    await bench.run((registry) => registry.pushBlob(app, sourceOf(content(10))))
    assert.isTrue(bench.network.passages.every(({ origin }) => origin === url))
  })

  it("every request goes through the proxy that the environment names, redirects too", async () => {
    const environment = { HTTPS_PROXY: "http://proxy.test:3128", NO_PROXY: "blobs.elsewhere.test" }
    const bench = makeBench({ client: { environment }, setup: { blobStore: "https://blobs.elsewhere.test" } })
    publish(bench.registry, [content(100)])
    await bench.run((registry) =>
      Effect.andThen(registry.resolve(app, "latest"), Stream.runDrain(registry.fetchBlob(app, { digest: digestBytes(content(100)), size: 100 }))))
    assert.deepStrictEqual(bench.network.passages.map(({ proxy, route }) => [route, proxy]), [
      ["manifest", "http://proxy.test:3128"], ["blob", "http://proxy.test:3128"], ["store", undefined]
    ])
  })
})
