/** TLS, proxies and token servers with Debian's docker-registry: whom we believe, and what is shown to whom. */
import { createPrivateKey, createHash, randomUUID, sign, X509Certificate } from "node:crypto"
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import type { Credential } from "../../../../src/domain/registry/Credential.ts"
import type { HttpRequest } from "../../../../src/programs/registry/Http.ts"
import type { Registry } from "../../../../src/programs/registry/Registry.ts"
import { type Authority, DockerRegistry, makeAuthority, titled, unavailable } from "./DockerRegistry.ts"
import { inPieces, realClient, type RealOptions } from "./realClient.ts"
import { bodyOf, closeAfterEach, serve, serveProxy } from "./servers.ts"

const digestOf = (bytes: Uint8Array) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`

const bytesOf = (length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => (at * 31 + (at >> 8) * 7) & 255)

const sourceOf = (bytes: Uint8Array) => ({
  digest: digestOf(bytes), size: bytes.length, open: (offset: number) => inPieces(bytes.subarray(offset), 65_536)
})

/** Pushes a blob and pulls it again. */
const roundTrip = (domain: string, bytes: Uint8Array, path = "team/app") => (registry: Registry["Service"]) =>
  Effect.gen(function*() {
    const repository = { domain, path }
    const pushed = yield* registry.pushBlob(repository, sourceOf(bytes))
    const parts = yield* Stream.runCollect(registry.fetchBlob(repository, { digest: digestOf(bytes), size: bytes.length }))
    return { pushed, same: Buffer.concat(parts).equals(bytes) }
  })

/** As for a registry that is not on this machine: its certificate counts. */
const strict = (request: HttpRequest): HttpRequest => ({ ...request, tls: { verify: true } })

const forServer = "subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth\n"

describe.skipIf(unavailable !== undefined)(titled("a registry with a certificate of its own authority"), () => {
  let directory = ""
  let authority: Authority
  let server: DockerRegistry
  beforeAll(async () => {
    directory = mkdtempSync("/tmp/fx-test-tls-")
    authority = makeAuthority(join(directory, "authority"))
    server = await DockerRegistry.start({ tls: authority.certify("registry", forServer) })
  })
  afterAll(async () => {
    await server?.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  /** A root with files in the registry's directory. */
  const rootWith = (name: string, host: string, files: Readonly<Record<string, string>>): string => {
    const root = join(directory, name)
    mkdirSync(join(root, host), { recursive: true })
    for (const [file, source] of Object.entries(files)) copyFileSync(source, join(root, host, file))
    return root
  }
  const client = (root: string | undefined, more: RealOptions = {}) =>
    realClient({ certificateRoots: root === undefined ? [] : [root], change: strict, ...more })

  it("is believed when the authority is in its directory, and its blobs come and go", async () => {
    const root = rootWith("right", server.host, { "ca.crt": authority.certificate })
    const { requests, run } = client(root)
    assert.deepStrictEqual(await run(roundTrip(server.host, bytesOf(2_000_003))), { pushed: "uploaded", same: true })
    assert.isTrue(requests.every(({ url }) => url.startsWith("https://")))
  })

  it("is not believed without that, nor with another authority, nor with one for another port", async () => {
    const other = makeAuthority(join(directory, "other"))
    const roots = [
      undefined, rootWith("wrong", server.host, { "ca.crt": other.certificate }),
      rootWith("elsewhere", "127.0.0.1:1", { "ca.crt": authority.certificate }),
      rootWith("misnamed", server.host, { "ca.pem": authority.certificate })
    ]
    for (const root of roots) {
      const { fail } = client(root)
      const error = await fail((registry) => registry.ping(server.host))
      // Loopback would do without TLS, but that the registry refuses
      assert.include(["refused", "unavailable", "invalid"], error.kind)
      const direct = await client(root, { change: (request) => ({ ...strict(request), url: request.url.replace("http:", "https:") }) })
        .fail((registry) => registry.ping(server.host))
      assert.strictEqual(direct.kind, "refused")
      assert.match(direct.cause, /certificate is signed by an authority that this machine does not know/)
      assert.include(direct.cure, "/etc/docker/certs.d/")
    }
  })

  it("is believed as soon as its authority is put there", async () => {
    const root = rootWith("later", server.host, {})
    const { run } = client(root, { change: (request) => ({ ...strict(request), url: request.url.replace("http:", "https:") }) })
    const [before, after] = await run((registry) => Effect.gen(function*() {
      const before = yield* Effect.flip(registry.ping(server.host))
      copyFileSync(authority.certificate, join(root, server.host, "ca.crt"))
      return [before, yield* registry.ping(server.host)] as const
    }))
    assert.deepStrictEqual([before.kind, after.authentication], ["refused", "none"])
  })

  it("is believed when the system's authorities are those that vouch for it", async () => {
    const authorities = join(directory, "authorities")
    mkdirSync(authorities)
    copyFileSync(authority.certificate, join(authorities, "one.pem"))
    for (const environment of [{ SSL_CERT_FILE: authority.certificate }, { SSL_CERT_DIR: `/none:${authorities}` }]) {
      const { requests, run } = client(undefined, { environment })
      assert.strictEqual((await run((registry) => registry.ping(server.host))).url, `https://${server.host}`)
      assert.strictEqual(requests.length, 2)
    }
  })

  it("must be the one that its certificate names", async () => {
    const wrong = await DockerRegistry.start({
      tls: authority.certify("elsewhere", "subjectAltName=DNS:elsewhere.test\nextendedKeyUsage=serverAuth\n")
    })
    try {
      const root = rootWith("named", wrong.host, { "ca.crt": authority.certificate })
      const error = await client(root, { change: (request) => ({ ...strict(request), url: request.url.replace("http:", "https:") }) })
        .fail((registry) => registry.ping(wrong.host))
      assert.strictEqual(error.kind, "refused")
      assert.match(error.cause, /does not match certificate/)
    } finally {
      await wrong.stop()
    }
  })

  it("is not asked for a certificate where the user said so", async () => {
    const { run } = realClient({})
    assert.deepStrictEqual(await run(roundTrip(server.host, bytesOf(1000), "unverified")), { pushed: "uploaded", same: true })
  })

  it("that wants to know who we are is shown the certificate in its directory", async () => {
    const careful = await DockerRegistry.start({
      tls: { ...authority.certify("careful", forServer), clientAuthority: authority.certificate }
    })
    try {
      const mine = authority.certify("me", "extendedKeyUsage=clientAuth\n")
      const files = { "ca.crt": authority.certificate, "client.cert": mine.certificate, "client.key": mine.key }
      const { run } = client(rootWith("mine", careful.host, files))
      assert.deepStrictEqual(await run(roundTrip(careful.host, bytesOf(100_000))), { pushed: "uploaded", same: true })
      const anonymous = await client(rootWith("anonymous", careful.host, { "ca.crt": authority.certificate }))
        .fail((registry) => registry.ping(careful.host))
      assert.include(["refused", "unavailable", "invalid"], anonymous.kind)
      const half = await client(rootWith("half", careful.host, { "ca.crt": authority.certificate, "client.cert": mine.certificate }), {
        change: (request) => ({ ...strict(request), url: request.url.replace("http:", "https:") })
      }).fail((registry) => registry.ping(careful.host))
      assert.include(half.cause, "client.cert is there without client.key")
    } finally {
      await careful.stop()
    }
  })

  describe("behind a proxy", () => {
    closeAfterEach()

    it("is reached through a tunnel that shows the proxy nothing but where it goes", async () => {
      const root = rootWith("tunnel", server.host, { "ca.crt": authority.certificate })
      const authorization = `Basic ${Buffer.from("user:secret").toString("base64")}`
      const proxy = await serveProxy(authorization)
      const way = { url: proxy.url, credentials: { username: "user", password: "secret" } }
      const { run } = client(root, { change: (request) => ({ ...strict(request), proxy: way }) })
      assert.deepStrictEqual(await run(roundTrip(server.host, bytesOf(3_000_000), "tunnelled")), { pushed: "uploaded", same: true })
      assert.deepStrictEqual(new Set(proxy.seen), new Set([`CONNECT ${server.host} ${authorization}`]))
      // The tunnel is used again
      assert.isBelow(proxy.seen.length, 3)
    })

    it("that is spoken to by TLS itself must be believed, too", async () => {
      const proxy = await serveProxy(undefined, authority.certify("proxy", forServer))
      const way = (request: HttpRequest): HttpRequest => ({ ...strict(request), proxy: { url: proxy.url } })
      const root = rootWith("secured", server.host, { "ca.crt": authority.certificate })
      const error = await client(root, { change: way }).fail((registry) => registry.ping(server.host))
      assert.strictEqual(error.kind, "unavailable")
      assert.match(error.cause, /^.*: proxy https:.*certificate/)
      rootWith("secured", proxy.host, { "ca.crt": authority.certificate })
      assert.deepStrictEqual(await client(root, { change: way }).run(roundTrip(server.host, bytesOf(200_000), "secured")), {
        pushed: "uploaded", same: true
      })
      assert.deepStrictEqual(new Set(proxy.seen), new Set([`CONNECT ${server.host}`]))
    })

    it("is believed no more than without", async () => {
      const proxy = await serveProxy()
      const change = (request: HttpRequest): HttpRequest =>
        ({ ...strict(request), url: request.url.replace("http:", "https:"), proxy: { url: proxy.url } })
      const error = await client(undefined, { change }).fail((registry) => registry.ping(server.host))
      assert.strictEqual(error.kind, "refused")
      assert.match(error.cause, /certificate/)
    })
  })
})

const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url")

/** A token as distribution's "Token Authentication Implementation" has it. */
const issue = (
  certificate: string, key: string, claims: { readonly issuer: string; readonly service: string; readonly access: ReadonlyArray<object> }
): string => {
  const now = Math.floor(Date.now() / 1000)
  const header = { typ: "JWT", alg: "ES256", x5c: [new X509Certificate(readFileSync(certificate)).raw.toString("base64")] }
  const payload = {
    iss: claims.issuer, sub: "alice", aud: claims.service, exp: now + 300, nbf: now - 10, iat: now, jti: randomUUID(), access: claims.access
  }
  const signed = `${base64url(header)}.${base64url(payload)}`
  const signature = sign("sha256", Buffer.from(signed), { key: createPrivateKey(readFileSync(key)), dsaEncoding: "ieee-p1363" })
  return `${signed}.${signature.toString("base64url")}`
}

const scopesOf = (scopes: ReadonlyArray<string>) =>
  scopes.flatMap((text) => text.split(" ")).flatMap((scope) => {
    const match = /^([^:]+):(.+):([^:]*)$/.exec(scope)
    return match === null ? [] : [{ type: match[1]!, name: match[2]!, actions: match[3]!.split(",") }]
  })

describe.skipIf(unavailable !== undefined)(titled("a registry with a token server"), () => {
  closeAfterEach()
  let directory = ""
  let signer: { readonly certificate: string; readonly key: string }
  beforeAll(() => {
    directory = mkdtempSync("/tmp/fx-test-token-")
    signer = makeAuthority(join(directory, "signer")).certify("signer", "")
  })
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  const service = "registry.test"
  const issuer = "auth.test"

  /** Alice with the right password may do everything, everybody else may pull. */
  const begin = async () => {
    const asked: Array<string> = []
    const right = `Basic ${Buffer.from("alice:secret").toString("base64")}`
    const tokenServer = await serve(async (request, response) => {
      await bodyOf(request)
      const url = new URL(request.url!, "http://auth")
      const { authorization } = request.headers
      asked.push(`${request.method} ${url.searchParams.getAll("scope").join(" ")} ${authorization ?? "anonymous"}`)
      if (authorization !== undefined && authorization !== right) return void response.writeHead(401).end()
      const access = scopesOf(url.searchParams.getAll("scope")).map((scope) => ({
        ...scope, actions: authorization === right ? scope.actions : scope.actions.filter((action) => action === "pull")
      }))
      response.setHeader("content-type", "application/json")
      response.end(JSON.stringify({ token: issue(signer.certificate, signer.key, { issuer, service, access }), expires_in: 300 }))
    })
    const server = await DockerRegistry.start({
      token: { realm: `${tokenServer.url}/token`, service, issuer, bundle: join(directory, "signer/signer.crt") }
    })
    return { asked, right, server }
  }

  const alice: Credential = { kind: "password", username: "alice", password: "secret" }

  it("gives tokens for what is done, each asked for once", async () => {
    const { asked, right, server } = await begin()
    try {
      const { run } = realClient({ credentials: { [server.host]: alice } })
      assert.strictEqual((await run((registry) => registry.ping(server.host))).authentication, "bearer")
      assert.deepStrictEqual(await run((registry) => registry.login(server.host, alice)), { credential: alice, checked: true })
      asked.length = 0
      assert.deepStrictEqual(await run(roundTrip(server.host, bytesOf(100_000))), { pushed: "uploaded", same: true })
      // Without a scope it only finds out which of the two addresses answers
      assert.deepStrictEqual(asked.filter((text) => text.includes("repository:")).toSorted(), [
        `GET repository:team/app:pull ${right}`, `GET repository:team/app:pull,push ${right}`
      ])
    } finally {
      await server.stop()
    }
  })

  it("lets who is unknown pull, and tells that more is denied; a wrong password gets nothing", async () => {
    const { server } = await begin()
    try {
      const layer = bytesOf(50_000)
      await realClient({ credentials: { [server.host]: alice } }).run(roundTrip(server.host, layer))
      const nobody = realClient({})
      const repository = { domain: server.host, path: "team/app" }
      const parts = await nobody.run((registry) =>
        Stream.runCollect(registry.fetchBlob(repository, { digest: digestOf(layer), size: layer.length })))
      assert.isTrue(Buffer.concat(parts).equals(layer))
      assert.strictEqual((await nobody.fail((registry) => registry.pushBlob(repository, sourceOf(bytesOf(10))))).kind, "denied")
      const wrong: Credential = { kind: "password", username: "alice", password: "wrong" }
      assert.strictEqual((await nobody.fail((registry) => registry.login(server.host, wrong))).kind, "denied")
    } finally {
      await server.stop()
    }
  })
})

describe("a registry that is busy", () => {
  closeAfterEach()

  it("is asked again after the time that it wants, and not before", async () => {
    const times: Array<number> = []
    const server = await serve((request, response) => {
      if (request.url === "/v2/") return void response.end()
      times.push(Date.now())
      if (times.length === 1) return void response.writeHead(429, { "retry-after": "1" }).end()
      response.setHeader("content-type", "application/json")
      response.end(JSON.stringify({ name: "a", tags: ["one", "two"] }))
    })
    const { events, run } = realClient()
    const tags = await run((registry) => Stream.runCollect(registry.listTags({ domain: server.host, path: "a" })))
    assert.deepStrictEqual(tags, ["one", "two"])
    const waits = events.flatMap((event) => event.kind === "retry" ? [event] : [])
    assert.strictEqual(waits.length, 1)
    assert.isAtLeast(times[1]! - times[0]!, 1000)
    assert.match(waits[0]!.cause, /429|too many/i)
  })

  it("that falls silent in the middle is asked on another connection for the rest", async () => {
    const layer = bytesOf(300_000)
    const ranges: Array<string | undefined> = []
    const server = await serve((request, response) => {
      if (request.url === "/v2/") return void response.end()
      const { range } = request.headers
      ranges.push(range)
      const first = Number(/^bytes=([0-9]+)-$/.exec(range ?? "")?.[1] ?? 0)
      response.on("error", () => {})
      response.writeHead(range === undefined ? 200 : 206, {
        "content-length": layer.length - first,
        ...(range === undefined ? {} : { "content-range": `bytes ${first}-${layer.length - 1}/${layer.length}` })
      })
      if (ranges.length === 1) return void response.write(layer.subarray(0, 200_000))
      response.end(layer.subarray(first))
    })
    const { run } = realClient({ client: { stall: 300 } })
    const parts = await run((registry) =>
      Stream.runCollect(registry.fetchBlob({ domain: server.host, path: "a" }, { digest: digestOf(layer), size: layer.length })))
    assert.isTrue(Buffer.concat(parts).equals(layer))
    assert.deepStrictEqual(ranges, [undefined, "bytes=200000-"])
  })

  it("that wants more time than we have is given up at once", async () => {
    let asked = 0
    const server = await serve((request, response) => {
      if (request.url === "/v2/") return void response.end()
      asked++
      response.writeHead(503, { "retry-after": "3600" }).end()
    })
    const error = await realClient().fail((registry) => registry.resolve({ domain: server.host, path: "a" }, "b"))
    assert.strictEqual(error.kind, "unavailable")
    assert.include(error.cause, "3600 s")
    assert.strictEqual(asked, 1)
  })
})
