/** The registry programs against Debian's docker-registry, over this machine's loopback. */
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { type AddressInfo, connect, createServer, type Socket } from "node:net"
import { gzipSync } from "node:zlib"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import type { Credential } from "../../../../src/domain/registry/Credential.ts"
import { keepBytes } from "../../../../src/programs/registry/fetchManifest.ts"
import type { Registry } from "../../../../src/programs/registry/Registry.ts"
import { DockerRegistry, titled, unavailable } from "./DockerRegistry.ts"
import { inPieces, realClient, type RealOptions } from "./realClient.ts"

const skopeo = ["/usr/bin/skopeo", "/usr/local/bin/skopeo"].find((path) => existsSync(path))

const withoutSkopeo = skopeo === undefined ? " [skipped: needs apt-get install skopeo]" : ""

const alice = { name: "alice", password: "pass:word with ü" }
const credential: Credential = { kind: "password", username: alice.name, password: alice.password }

const digestOf = (bytes: Uint8Array, algorithm = "sha256") => `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`

/** Bytes that differ from place to place. */
const content = (length: number, salt = 0): Uint8Array => {
  const words = new Uint32Array(Math.ceil(length / 4))
  for (let at = 0; at < words.length; at++) words[at] = Math.imul(at + salt, 2654435761)
  return new Uint8Array(words.buffer, 0, length)
}

const sourceOf = (bytes: Uint8Array, piece = 65_536) => ({
  digest: digestOf(bytes), size: bytes.length, open: (offset: number) => inPieces(bytes.subarray(offset), piece)
})

const jsonBytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))
const manifestType = "application/vnd.oci.image.manifest.v1+json"
const configType = "application/vnd.oci.image.config.v1+json"
const layerType = "application/vnd.oci.image.layer.v1.tar"

const manifestOf = (config: Uint8Array, layer: Uint8Array): Uint8Array => jsonBytes({
  schemaVersion: 2,
  mediaType: manifestType,
  config: { mediaType: configType, digest: digestOf(config), size: config.length },
  layers: [{ mediaType: layerType, digest: digestOf(layer), size: layer.length }]
})

type Service = Registry["Service"]

const fetched = (registry: Service, repository: { readonly domain: string; readonly path: string }, bytes: Uint8Array) =>
  Effect.map(
    Stream.runCollect(registry.fetchBlob(repository, { digest: digestOf(bytes), size: bytes.length })), (parts) => Buffer.concat(parts)
  )

describe.skipIf(unavailable !== undefined)(titled("against docker-registry"), () => {
  let server: DockerRegistry
  beforeAll(async () => {
    server = await DockerRegistry.start({ user: alice })
  })
  afterAll(() => server?.stop())

  const at = (path: string) => ({ domain: server.host, path })
  const client = (options: RealOptions = {}) => realClient({ credentials: { [server.host]: credential }, ...options })
  const push = (path: string, bytes: Uint8Array) => (registry: Service) => registry.pushBlob(at(path), sourceOf(bytes))

  it("a login is checked, and the way to ask for it is found out on a port without TLS", async () => {
    const { run, fail } = client()
    assert.deepStrictEqual(await run((registry) => registry.login(server.host, credential)), { credential, checked: true })
    const error = await fail((registry) => registry.login(server.host, { kind: "password", username: "alice", password: "wrong" }))
    assert.deepStrictEqual([error.kind, error.status], ["denied", 401])
    assert.deepStrictEqual(await run((registry) => registry.ping(server.host)), {
      url: `http://${server.host}`, authentication: "basic", version: "registry/2.0"
    })
  })

  it("who has no credential is told so", async () => {
    const error = await client({ credentials: {} }).fail((registry) => registry.resolve(at("none"), "latest"))
    assert.strictEqual(error.kind, "denied")
  })

  it("an image is pushed, listed and pulled: what comes is what went", async () => {
    const { run, requests } = client()
    const [config, layer] = [jsonBytes({ architecture: "amd64", os: "linux" }), content(3_000_001)]
    const manifest = manifestOf(config, layer)
    const result = await run((registry) => Effect.gen(function*() {
      const first = yield* registry.pushBlob(at("team/app"), sourceOf(config))
      const second = yield* registry.pushBlob(at("team/app"), sourceOf(layer, 100_000))
      const again = yield* registry.pushBlob(at("team/app"), sourceOf(layer))
      const pushed = yield* registry.pushManifest(at("team/app"), "1.0", { mediaType: manifestType, bytes: manifest })
      yield* registry.pushManifest(at("team/app"), "latest", { mediaType: manifestType, bytes: manifest })
      const resolved = yield* registry.resolve(at("team/app"), "latest")
      const got = yield* registry.fetchManifest(at("team/app"), pushed.digest, keepBytes)
      return {
        pushes: [first, second, again], digest: pushed.digest, resolved: resolved.digest, got: Buffer.from(got.manifest.bytes),
        layer: yield* fetched(registry, at("team/app"), layer), config: yield* fetched(registry, at("team/app"), config),
        tags: yield* Stream.runCollect(registry.listTags(at("team/app"))),
        repositories: yield* Stream.runCollect(registry.listRepositories(server.host))
      }
    }))
    assert.deepStrictEqual(result.pushes, ["uploaded", "uploaded", "exists"])
    assert.deepStrictEqual([result.digest, result.resolved], [digestOf(manifest), digestOf(manifest)])
    assert.isTrue(result.got.equals(manifest) && result.layer.equals(layer) && result.config.equals(config))
    assert.deepStrictEqual(result.tags.toSorted(), ["1.0", "latest"])
    assert.include(result.repositories, "team/app")
    assert.isTrue(requests.every(({ tls }) => !tls.verify), "loopback is not asked for certificates")
  })

  it("a blob is pushed in pieces of a size", async () => {
    const layer = content(1_000_000, 5)
    const { requests, run } = client({ client: { chunk: 300_000 } })
    assert.strictEqual(await run((registry) => registry.pushBlob(at("pieces"), sourceOf(layer, 7_777))), "uploaded")
    assert.strictEqual(requests.filter(({ method }) => method === "PATCH").length, 4)
    assert.isTrue((await run((registry) => fetched(registry, at("pieces"), layer))).equals(layer))
  })

  it("a blob that another repository has is mounted, not sent", async () => {
    const layer = content(500_000, 9)
    const { requests, run } = client()
    await run(push("origin/one", layer))
    const before = requests.length
    assert.strictEqual(
      await run((registry) => registry.pushBlob(at("origin/two"), sourceOf(layer), { mountFrom: "origin/one" })), "mounted"
    )
    assert.isTrue(requests.slice(before).every(({ body }) => body === undefined || (body.kind === "bytes" && body.bytes.length === 0)))
    assert.isTrue((await run((registry) => fetched(registry, at("origin/two"), layer))).equals(layer))
  })

  it("a content that cannot be read to its end is not there afterwards", async () => {
    const layer = content(400_000, 11)
    const short = { ...sourceOf(layer), open: (offset: number) => inPieces(layer.subarray(offset, 399_999), 65_536) }
    const { fail, run } = client()
    const error = await fail((registry) => registry.pushBlob(at("short"), short))
    assert.strictEqual(error.kind, "invalid")
    const gone = await fail((registry) => fetched(registry, at("short"), layer))
    assert.strictEqual(gone.kind, "missing")
    assert.strictEqual(await run(push("short", layer)), "uploaded")
  })

  it("what is not there is missing, by tag, digest and blob", async () => {
    const { fail, run } = client()
    await run(push("there", content(10)))
    for (const reference of ["none", `sha256:${"0".repeat(64)}`]) {
      assert.strictEqual((await fail((registry) => registry.resolve(at("there"), reference))).kind, "missing")
      assert.strictEqual((await fail((registry) => registry.fetchManifest(at("there"), reference, keepBytes))).kind, "missing")
    }
    const none = { digest: `sha256:${"0".repeat(64)}`, size: 10 }
    assert.strictEqual((await fail((registry) => Stream.runDrain(registry.fetchBlob(at("there"), none)))).kind, "missing")
  })

  it("a search finds repositories by their names where the registry has no search of its own", async () => {
    const { run } = client()
    await run(push("searched/one", content(10)))
    const found = await run((registry) => registry.search(server.host, "searched", 10))
    assert.deepStrictEqual(found, [{ name: "searched/one", description: "", stars: 0, official: false }])
  })

  it.skipIf(skopeo === undefined)(`what we push skopeo takes, and what it pushes we take${withoutSkopeo}`, async () => {
    const { run } = client()
    const layer = gzipSync(Buffer.alloc(1024))
    const config = jsonBytes({
      architecture: "amd64", os: "linux", config: {}, rootfs: { type: "layers", diff_ids: [digestOf(Buffer.alloc(1024))] }
    })
    const manifest = jsonBytes({
      schemaVersion: 2, mediaType: manifestType,
      config: { mediaType: configType, digest: digestOf(config), size: config.length },
      layers: [{ mediaType: `${layerType}+gzip`, digest: digestOf(layer), size: layer.length }]
    })
    const directory = mkdtempSync("/tmp/fx-test-skopeo-")
    try {
      await run((registry) => Effect.gen(function*() {
        for (const blob of [config, layer]) yield* registry.pushBlob(at("shared/ours"), sourceOf(blob))
        yield* registry.pushManifest(at("shared/ours"), "1", { mediaType: manifestType, bytes: manifest })
      }))
      const copy = (...arguments_: ReadonlyArray<string>) =>
        void execFileSync(skopeo!, ["--insecure-policy", "copy", "--preserve-digests", ...arguments_], {
          stdio: ["ignore", "ignore", "pipe"]
        })
      const user = `${alice.name}:${alice.password}`
      copy("--src-tls-verify=false", `--src-creds=${user}`, `docker://${server.host}/shared/ours:1`, `oci:${directory}/image:1`)
      copy("--dest-tls-verify=false", `--dest-creds=${user}`, `oci:${directory}/image:1`, `docker://${server.host}/shared/theirs:1`)
      const { manifest: got } = await run((registry) => registry.fetchManifest(at("shared/theirs"), "1", keepBytes))
      assert.deepStrictEqual([got.digest, got.mediaType], [digestOf(manifest), manifestType])
      assert.isTrue((await run((registry) => fetched(registry, at("shared/theirs"), layer))).equals(layer))
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  })

  /** A line that is cut after so many bytes from the registry, for each connection in turn; then it holds. */
  const badLine = async (limits: ReadonlyArray<number>) => {
    const sockets = new Set<Socket>()
    let connections = 0
    const line = createServer((socket) => {
      const limit = limits[connections++] ?? Number.POSITIVE_INFINITY
      const onward = connect(Number(server.host.split(":")[1]), "127.0.0.1")
      let passed = 0
      for (const [from, to] of [[socket, onward], [onward, socket]] as const) {
        sockets.add(from)
        from.on("error", () => {})
        from.on("close", () => to.destroy())
      }
      socket.pipe(onward)
      onward.on("data", (bytes: Buffer) => {
        const taken = bytes.subarray(0, Math.max(0, limit - passed))
        passed += bytes.length
        if (passed < limit) return void socket.write(taken)
        socket.end(taken)
        onward.destroy()
      })
    })
    await new Promise<void>((resolve) => line.listen(0, "127.0.0.1", resolve))
    return {
      host: `127.0.0.1:${(line.address() as AddressInfo).port}`,
      close: () => {
        for (const socket of sockets) socket.destroy()
        return new Promise((resolve) => line.close(resolve))
      }
    }
  }

  it("a blob whose line breaks is gone on with from where it broke", async () => {
    const layer = content(8_000_000, 3)
    await client().run(push("resumed", layer))
    // The first connection is tried with TLS
    const line = await badLine([Infinity, 2_500_000, 1_000_000])
    const { events, requests, run } = client({ credentials: { [line.host]: credential } })
    const got = await run((registry) => fetched(registry, { domain: line.host, path: "resumed" }, layer))
    await line.close()
    assert.isTrue(got.equals(layer))
    const offsets = events.flatMap((event) => event.kind === "resume" ? [event.offset] : [])
    assert.strictEqual(offsets.length, 2)
    // All that a connection has brought, but for what was on its way when it broke
    const brought = [offsets[0]!, offsets[1]! - offsets[0]!].toSorted((one, other) => one - other)
    assert.isTrue(brought[0]! > 800_000 && brought[1]! > 2_300_000, String(offsets))
    const ranges = requests.flatMap(({ headers }) => headers["range"] === undefined ? [] : [headers["range"]])
    assert.deepStrictEqual(ranges, offsets.map((offset) => `bytes=${offset}-`))
  })

  it("fetching that nobody wants any more leaves no connection behind", async () => {
    const layer = content(30_000_000, 4)
    await client().run(push("abandoned", layer))
    const line = await badLine([])
    const { run } = client({ credentials: { [line.host]: credential } })
    const some = await run((registry) => Effect.gen(function*() {
      const blob = { digest: digestOf(layer), size: layer.length }
      const first = yield* registry.fetchBlob({ domain: line.host, path: "abandoned" }, blob).pipe(Stream.take(1), Stream.runCollect)
      // On another connection, or the same: nothing is stuck
      yield* registry.resolve({ domain: line.host, path: "abandoned" }, "none").pipe(Effect.flip)
      return first
    }))
    assert.strictEqual(some.length, 1)
    await line.close()
  })
})
