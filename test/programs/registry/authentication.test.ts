import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { digestBytes } from "../../../src/interpreters/simulated/registry/sha2.ts"
import type { Registry } from "../../../src/programs/registry/Registry.ts"
import { keepBytes } from "../../../src/programs/registry/fetchManifest.ts"
import { alice, app, type BenchOptions, bearer, collect, content, host, makeBench, publish, sourceOf, store, url, users } from "./simulatedClient.ts"

const blobs = Array.from({ length: 20 }, (_, salt) => content(3000, salt))

const protectedBench = (options: BenchOptions = {}) => {
  const bench = makeBench({
    credential: alice, ...options, setup: { authentication: bearer, users, publicPull: false, ...options.setup }
  })
  for (const blob of blobs) bench.registry.state.putBlob(app.path, blob)
  return bench
}

const fetchAll = (registry: Registry["Service"]) =>
  Effect.forEach(blobs, (blob) => collect(registry.fetchBlob(app, { digest: digestBytes(blob), size: blob.length })), {
    concurrency: "unbounded"
  })

describe("tokens", () => {
  it("twenty blobs at once share one token request", async () => {
    for (const seed of [0, 1, 2, 3, 4]) {
      const bench = protectedBench({ seed })
      assert.deepStrictEqual(await bench.run(fetchAll), blobs)
      assert.strictEqual(bench.network.requests("token").length, 1)
    }
  })

  it("twenty blobs at once share one failure of the token server, too", async () => {
    const bench = protectedBench({
      credential: { kind: "password", username: "alice", password: "wrong" },
      faults: [{ route: "token", effect: { kind: "latency", millis: 100 } }]
    })
    const exit = await bench.exit((registry) =>
      Effect.forEach(blobs, (blob) => Effect.flip(collect(registry.fetchBlob(app, { digest: digestBytes(blob), size: blob.length }))), {
        concurrency: "unbounded"
      }))
    assert.isTrue(Exit.isSuccess(exit) && exit.value.every(({ kind }) => kind === "denied"))
    assert.strictEqual(bench.network.requests("token").length, 1)
  })

  it("one that waits asks itself when the one that asked is interrupted", async () => {
    const bench = protectedBench({ faults: [{ route: "token", times: 1, effect: { kind: "latency", millis: 20_000 } }] })
    const [blob] = blobs
    const done = await bench.run((registry) =>
      Effect.gen(function*() {
        const one = collect(registry.fetchBlob(app, { digest: digestBytes(blob!), size: 3000 }))
        const first = yield* Effect.forkChild(one)
        yield* Effect.sleep(100)
        const second = yield* Effect.forkChild(one)
        yield* Effect.sleep(100)
        yield* Fiber.interrupt(first)
        return yield* Fiber.join(second)
      }))
    assert.deepStrictEqual(done, blob)
    assert.strictEqual(bench.network.requests("token").length, 2)
  })

  it("are kept until they end, and then asked for anew before they are refused", async () => {
    const bench = protectedBench()
    const fetch = (registry: Registry["Service"]) => collect(registry.fetchBlob(app, { digest: digestBytes(blobs[0]!), size: 3000 }))
    await bench.run((registry) =>
      Effect.gen(function*() {
        yield* fetch(registry)
        yield* Effect.sleep("290 seconds")
        yield* fetch(registry)
        assert.strictEqual(bench.network.requests("token").length, 1)
        yield* Effect.sleep("6 seconds")
        yield* fetch(registry)
        assert.strictEqual(bench.network.requests("token").length, 2)
      }))
    assert.deepStrictEqual(bench.network.requests("blob").map(({ status }) => status), [401, 200, 200, 200])
  })

  it("that the registry ends early are replaced once, in the middle of a blob too", async () => {
    const bench = protectedBench({
      faults: [
        { route: "blob", after: 1, times: 1, effect: { kind: "break", after: 1000 } },
        { route: "blob", after: 2, times: 1, effect: { kind: "expireTokens" } }
      ]
    })
    const got = await bench.run((registry) => collect(registry.fetchBlob(app, { digest: digestBytes(blobs[0]!), size: 3000 })))
    assert.deepStrictEqual(got, blobs[0])
    assert.strictEqual(bench.network.requests("token").length, 2)
    assert.deepStrictEqual(bench.network.requests("blob").map(({ headers, status }) => [status, headers["range"]]), [
      [401, undefined], [200, undefined], [401, "bytes=1000-"], [206, "bytes=1000-"]
    ])
  })

  it("that are never accepted end in `denied`, not in a circle", async () => {
    const bench = protectedBench({ faults: [{ route: "blob", effect: { kind: "expireTokens" } }] })
    const error = await bench.fail((registry) => collect(registry.fetchBlob(app, { digest: digestBytes(blobs[0]!), size: 3000 })))
    assert.strictEqual(error.kind, "denied")
    assert.strictEqual(bench.network.requests("blob").length, 2)
  })

  it("ask for one scope per kind of work and hold for it", async () => {
    const bench = protectedBench()
    await bench.run((registry) =>
      Effect.gen(function*() {
        yield* fetchAll(registry)
        yield* registry.pushBlob(app, sourceOf(content(10, 99)), { mountFrom: "team/base" })
        yield* registry.pushBlob(app, sourceOf(content(11, 99)))
        yield* registry.pushBlob(app, sourceOf(content(12, 99)))
      }))
    assert.deepStrictEqual(bench.network.requests("token").map((passage) => new URL(passage.url).searchParams.getAll("scope")), [
      ["repository:team/app:pull"],
      ["repository:team/app:pull,push", "repository:team/base:pull"],
      ["repository:team/app:pull,push"]
    ])
  })

  it("survive a token server that stumbles", async () => {
    const bench = protectedBench({ faults: [{ route: "token", times: 3, effect: { kind: "status", status: 503, retryAfter: "2" } }] })
    assert.deepStrictEqual(await bench.run(fetchAll), blobs)
    assert.strictEqual(bench.network.requests("token").length, 4)
  })

  it("a token server that is down is asked six times in all, not six times per try", async () => {
    const bench = protectedBench({ faults: [{ route: "token", effect: { kind: "status", status: 503 } }] })
    const error = await bench.fail((registry) => collect(registry.fetchBlob(app, { digest: digestBytes(blobs[0]!), size: 3000 })))
    assert.strictEqual(error.kind, "unavailable")
    assert.strictEqual(bench.network.requests("token").length, 6)
  })

  it("are not asked for at a server without TLS when the registry has it", async () => {
    const bench = protectedBench({ setup: { authentication: { ...bearer, realm: "http://auth.test/token" } } })
    const error = await bench.fail((registry) => collect(registry.fetchBlob(app, { digest: digestBytes(blobs[0]!), size: 3000 })))
    assert.strictEqual(error.kind, "refused")
    assert.include(error.cause, "not protected by TLS")
    assert.strictEqual(bench.network.requests("token").length, 0)
  })

  it("come for a refresh token by the OAuth2 form", async () => {
    const bench = protectedBench({ credential: { kind: "identity", token: "refresh-of-alice" } })
    bench.registry.state.refreshTokens.set("refresh-of-alice", "alice")
    assert.deepStrictEqual(await bench.run(fetchAll), blobs)
    assert.deepStrictEqual(bench.network.requests("token").map(({ method, url }) => [method, url]), [["POST", bearer.realm]])
  })

  it("are fetched without a credential where the public may pull", async () => {
    const bench = makeBench({ setup: { authentication: bearer, users } })
    bench.registry.state.putBlob(app.path, blobs[0]!)
    await bench.run((registry) => collect(registry.fetchBlob(app, { digest: digestBytes(blobs[0]!), size: 3000 })))
    assert.isUndefined(bench.network.requests("token")[0]?.headers["authorization"])
    const error = await bench.fail((registry) => registry.pushBlob(app, sourceOf(content(5))))
    assert.strictEqual(error.kind, "denied")
    assert.include(error.cure, `login ${host}`)
  })
})

describe("basic authentication", () => {
  const setup = { authentication: { kind: "basic" }, users, publicPull: false } as const

  it("sends name and password after the first challenge, colons included", async () => {
    const bench = protectedBench({ setup })
    assert.deepStrictEqual(await bench.run(fetchAll), blobs)
  })

  it("ends in `denied` for a wrong password, after two requests", async () => {
    const bench = protectedBench({ setup, credential: { kind: "password", username: "alice", password: "x" } })
    const error = await bench.fail((registry) => registry.resolve(app, "latest"))
    assert.strictEqual(error.kind, "denied")
    assert.include(error.cure, "as another user")
    assert.strictEqual(bench.network.passages.length, 2)
  })

  it("names the command that helps when there is no credential", async () => {
    const { credential: _, ...bench } = { ...makeBench({ setup }), credential: undefined }
    const error = await bench.fail((registry) => registry.resolve(app, "latest"))
    assert.strictEqual(error.kind, "denied")
    assert.include(error.cure, `login ${host}`)
  })
})

describe("no credential leaves for another origin", () => {
  const secrets = (bench: ReturnType<typeof makeBench>) =>
    bench.network.passages.filter(({ headers }) => headers["authorization"] !== undefined).map(({ origin }) => origin)

  it("with blobs that are redirected to a store, which would refuse them with one", async () => {
    for (const authentication of [bearer, { kind: "basic" } as const]) {
      const bench = protectedBench({ setup: { blobStore: store, authentication } })
      assert.deepStrictEqual(await bench.run(fetchAll), blobs)
      assert.strictEqual(bench.network.requests("store").length, blobs.length)
      assert.isFalse(secrets(bench).includes(store))
      assert.isTrue(secrets(bench).includes(url))
    }
  })

  it("when a redirect goes to a host that is like the registry, or to another port of it", async () => {
    for (const location of ["https://registry.test:5001/x", "https://registry.test/x", `https://${host}.evil.test/x`]) {
      const bench = protectedBench({ faults: [{ route: "manifest", effect: { kind: "redirect", location } }] })
      await bench.fail((registry) => registry.fetchManifest(app, "latest", keepBytes))
      assert.deepStrictEqual([...new Set(secrets(bench))].filter((origin) => origin !== url && origin !== "https://auth.test"), [])
    }
  })

  it("when a redirect leads away and back again, it does not come back to life", async () => {
    const bench = protectedBench({
      setup: { blobStore: store },
      faults: [{ route: "store", effect: { kind: "redirect", location: `${url}/v2/` } }]
    })
    await bench.fail((registry) => collect(registry.fetchBlob(app, { digest: digestBytes(blobs[0]!), size: 3000 })))
    const back = bench.network.requests("ping")
    assert.isAbove(back.length, 0)
    assert.isTrue(back.every(({ headers }) => headers["authorization"] === undefined))
  })

  it("with an upload whose session lies elsewhere", async () => {
    const bench = protectedBench({
      faults: [{ route: "upload", method: "POST", effect: { kind: "field", name: "location", value: "https://elsewhere.test/upload" } }]
    })
    await bench.fail((registry) => registry.pushBlob(app, sourceOf(content(5000, 77))))
    const elsewhere = bench.network.passages.filter(({ origin }) => origin === "https://elsewhere.test")
    assert.isAbove(elsewhere.length, 0)
    assert.isTrue(elsewhere.every(({ headers }) => headers["authorization"] === undefined))
  })

  it("with a next page that lies elsewhere: it is not asked for", async () => {
    const bench = protectedBench({
      faults: [{ route: "tags", effect: { kind: "field", name: "link", value: "<https://elsewhere.test/tags>; rel=\"next\"" } }]
    })
    publish(bench.registry, [])
    const error = await bench.fail((registry) => Effect.asVoid(collect(registry.listTags(app) as never)))
    assert.strictEqual(error.kind, "corrupt")
    assert.isFalse(bench.network.passages.some(({ origin }) => origin === "https://elsewhere.test"))
  })
})

describe("login", () => {
  it("checks name and password and gives a refresh token to keep in their place", async () => {
    const bench = makeBench({ setup: { authentication: bearer, users, publicPull: false } })
    const { checked, credential } = await bench.run((registry) => registry.login(host, alice))
    assert.isTrue(checked)
    assert.strictEqual(credential.kind, "identity")
    const next = protectedBench({ credential })
    for (const [token, user] of bench.registry.state.refreshTokens) next.registry.state.refreshTokens.set(token, user)
    assert.deepStrictEqual(await next.run(fetchAll), blobs)
  })

  it("keeps name and password where the registry takes just these", async () => {
    const bench = makeBench({ setup: { authentication: { kind: "basic" }, users } })
    assert.deepStrictEqual(await bench.run((registry) => registry.login(host, alice)), { credential: alice, checked: true })
  })

  it("says that a registry lets everybody in", async () => {
    assert.deepStrictEqual(await makeBench().run((registry) => registry.login(host, alice)), { credential: alice, checked: false })
  })

  it("refuses a wrong password with words for a person, with both kinds", async () => {
    for (const authentication of [bearer, { kind: "basic" } as const]) {
      const bench = makeBench({ setup: { authentication, users } })
      const error = await bench.fail((registry) => registry.login(host, { ...alice, password: "x" } as never))
      assert.strictEqual(error.kind, "denied")
      assert.include(error.cause, "does not take this name and password")
    }
  })

  it("does not take a proxy's page for a registry", async () => {
    const bench = makeBench({ faults: [{ route: "ping", effect: { kind: "status", status: 404 } }] })
    assert.include((await bench.fail((registry) => registry.login(host, alice))).cause, "does not speak the distribution API")
  })
})

describe("ping", () => {
  it("tells how a registry asks for authentication, and needs none for that", async () => {
    for (const [authentication, expected] of [[bearer, "bearer"], [{ kind: "basic" }, "basic"], [{ kind: "none" }, "none"]] as const) {
      const bench = makeBench({ setup: { authentication, users }, credential: alice })
      assert.strictEqual((await bench.run((registry) => registry.ping(host))).authentication, expected)
      assert.isTrue(bench.network.passages.every(({ headers }) => headers["authorization"] === undefined))
    }
  })
})
