/** What the programs may expect of a request: its kinds of failure, its streams, and that nothing is left of it. */
import { execFileSync } from "node:child_process"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Scope, Stream } from "effect"
import * as LinuxHttp from "../../../../src/interpreters/linux/network/LinuxHttp.ts"
import { Http, type HttpBody, HttpFailure, type HttpRequest, type HttpResponse } from "../../../../src/programs/registry/Http.ts"
import { patience } from "../../../patience.ts"
import { inPieces } from "./realClient.ts"
import { bodyOf, closeAfterEach, serve, servePlain, serveProxy } from "./servers.ts"

const layer = LinuxHttp.layer({ environment: {}, certificateRoots: [] })

const to = (url: string, more: Partial<HttpRequest> = {}): HttpRequest => ({
  method: "GET", url, headers: {}, tls: { verify: true }, ...more
})

const run = <A, E>(effect: Effect.Effect<A, E, Http | Scope.Scope>): Promise<A> =>
  Effect.runPromise(Effect.scoped(Effect.provide(effect, layer)))

const send = (request: HttpRequest): Effect.Effect<HttpResponse, HttpFailure, Http | Scope.Scope> =>
  Effect.flatMap(Http, (http) => http.send(request))

const whole = ({ body }: HttpResponse) => Effect.map(Stream.runCollect(body), (parts) => Buffer.concat(parts))

const failureOf = (request: HttpRequest): Promise<HttpFailure> => run(Effect.flip(Effect.flatMap(send(request), whole)))

const eventually = async (holds: () => boolean): Promise<void> => {
  for (const end = Date.now() + 5_000 * patience; !holds();) {
    if (Date.now() > end) throw new Error(`still not so: ${holds}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

const streamed = (length: number, data: Stream.Stream<Uint8Array, HttpFailure>): HttpBody => ({ kind: "stream", length, data })

describe("a response", () => {
  closeAfterEach()

  it("has all lines of its head, and its bytes as they were sent", async () => {
    const coded = gzipSync("text")
    const server = await serve((_, response) => {
      const fields = [["X-One", "1"], ["WWW-Authenticate", "Basic"], ["Www-Authenticate", "Bearer"], ["Content-Encoding", "gzip"]]
      response.writeHead(200, fields.flat())
      response.end(coded)
    })
    await run(Effect.gen(function*() {
      const response = yield* send(to(server.url))
      assert.deepInclude(response.headers, { "x-one": ["1"], "www-authenticate": ["Basic", "Bearer"], "content-encoding": ["gzip"] })
      assert.isTrue((yield* whole(response)).equals(coded))
    }))
  })

  it("is the final one, and a redirect is one like any other", async () => {
    const server = await serve((_, response) => {
      response.writeProcessing()
      response.writeEarlyHints({ link: "</x>; rel=preload" })
      response.writeHead(307, { location: "/elsewhere" }).end()
    })
    const { headers, status } = await run(send(to(server.url)))
    assert.deepStrictEqual([status, headers["location"]], [307, ["/elsewhere"]])
    assert.strictEqual(server.sockets.length, 1)
  })

  it("comes no faster than it is read", async () => {
    let sent = 0
    const server = await serve((_, response) => {
      const piece = Buffer.alloc(1 << 20)
      const more = (): void => {
        while (sent < 200) {
          sent++
          if (!response.write(piece)) return void response.once("drain", more)
        }
        response.end()
      }
      more()
    })
    await run(Effect.gen(function*() {
      const response = yield* send(to(server.url))
      const pull = yield* Stream.toPull(response.body)
      yield* pull
      yield* Effect.sleep("300 millis")
      const before = sent
      // What the kernel holds for both sockets, and Node for one
      assert.isBelow(before, 30)
      yield* Effect.sleep("200 millis")
      assert.strictEqual(sent, before)
    }))
    await eventually(() => server.sockets.every(({ destroyed }) => destroyed))
  })

  it("that ends too early is broken, whether its length was told or not", async () => {
    for (const fields of [{ "content-length": "1000" }, { "transfer-encoding": "chunked" }] as const) {
      const server = await serve((_, response) => {
        response.writeHead(200, fields)
        response.write("x".repeat(100), () => setTimeout(() => response.destroy(), 20))
      })
      assert.strictEqual((await failureOf(to(server.url))).kind, "broken", JSON.stringify(fields))
    }
  })

  it("without a length ends with its connection", async () => {
    const server = await servePlain((socket) => void socket.end("HTTP/1.1 200 OK\r\n\r\nall of it"))
    assert.strictEqual(String(await run(Effect.flatMap(send(to(server.url)), whole))), "all of it")
  })

  it("is read once", async () => {
    const server = await serve((_, response) => void response.end("x"))
    const exit = await run(Effect.gen(function*() {
      const response = yield* send(to(server.url))
      yield* whole(response)
      return yield* Effect.exit(whole(response))
    }))
    assert.isTrue(Exit.isFailure(exit))
  })

  it("may take longer than an idle connection lives", { timeout: 30_000 * patience }, async () => {
    const server = await serve((_, response) => void setTimeout(() => response.end("late"), 5_500))
    assert.strictEqual(String(await run(Effect.flatMap(send(to(server.url)), whole))), "late")
  })
})

describe("a request", () => {
  closeAfterEach()

  it("has a body of exactly its length, in as many pieces as come", async () => {
    const server = await serve(async (request, response) => {
      const body = await bodyOf(request)
      response.end(`${request.method} ${request.headers["content-length"]} ${request.headers["transfer-encoding"]} ${body.length}`)
    })
    const bytes = new Uint8Array(3_000_000)
    const bodies: ReadonlyArray<readonly [Partial<HttpRequest>, string]> = [
      [{ method: "PUT", body: streamed(bytes.length, inPieces(bytes, 70_000)) }, "PUT 3000000 undefined 3000000"],
      [{ method: "PATCH", body: { kind: "bytes", bytes: bytes.slice(0, 10) } }, "PATCH 10 undefined 10"],
      [{ method: "POST", body: { kind: "bytes", bytes: new Uint8Array() } }, "POST 0 undefined 0"],
      [{ method: "POST" }, "POST 0 undefined 0"],
      [{ method: "PUT", body: streamed(0, Stream.empty) }, "PUT 0 undefined 0"],
      [{ method: "GET" }, "GET undefined undefined 0"],
      [{ method: "DELETE" }, "DELETE undefined undefined 0"]
    ]
    for (const [more, expected] of bodies) {
      assert.strictEqual(String(await run(Effect.flatMap(send(to(server.url, more)), whole))), expected)
    }
  })

  it("whose content fails, or has another length, ends without a lie", async () => {
    let finished = 0
    const server = await serve((request, response) => {
      request.on("error", () => {})
      request.on("end", () => finished++)
      request.resume()
      response.on("error", () => {})
    })
    const failing = new HttpFailure({ kind: "source", cause: "the disk is broken" })
    const bodies: ReadonlyArray<readonly [Stream.Stream<Uint8Array, HttpFailure>, string]> = [
      [inPieces(new Uint8Array(999), 100), "1 bytes shorter"],
      [inPieces(new Uint8Array(1001), 100), "longer than its 1000 bytes"],
      [Stream.concat(inPieces(new Uint8Array(500), 100), Stream.fail(failing)), "the disk is broken"],
      [Stream.concat(inPieces(new Uint8Array(500), 100), Stream.die("a mistake")), "could not be read: a mistake"]
    ]
    for (const [data, cause] of bodies) {
      const failure = await failureOf(to(server.url, { method: "PUT", body: streamed(1000, data) }))
      assert.strictEqual(failure.kind, "source")
      assert.include(String(failure.cause), cause)
    }
    await eventually(() => server.sockets.every(({ destroyed }) => destroyed))
    assert.strictEqual(finished, 0)
  })

  it("takes no more of its content than the other side reads, and its end ends the connection", async () => {
    let look = () => {}
    const server = await serve((request) => {
      request.on("error", () => {})
      look = () => request.resume()
    })
    let taken = 0
    const length = 500 << 20
    const data = Stream.unfold(0, (at) =>
      Effect.sync(() => {
        taken = at
        return at >= length ? undefined : [new Uint8Array(1 << 20), at + (1 << 20)] as const
      }))
    await run(Effect.gen(function*() {
      const sending = yield* Effect.forkChild(send(to(server.url, { method: "PUT", body: streamed(length, data) })))
      yield* Effect.sleep("400 millis")
      const before = taken
      assert.isBelow(before, 30 << 20)
      yield* Effect.sleep("200 millis")
      assert.strictEqual(taken, before)
      yield* Fiber.interrupt(sending)
    }))
    look()
    await eventually(() => server.sockets.length === 1 && server.sockets.every(({ destroyed }) => destroyed))
  })

  it("that is answered before it was sent gives that answer", async () => {
    const server = await serve((_, response) => void response.writeHead(413).end("too much"))
    const length = 200 << 20
    const data = Stream.unfold(0, (at) => Effect.succeed(at >= length ? undefined : [new Uint8Array(1 << 20), at + (1 << 20)] as const))
    await run(Effect.gen(function*() {
      const response = yield* send(to(server.url, { method: "PUT", body: streamed(length, data) }))
      assert.strictEqual(response.status, 413)
      assert.strictEqual(String(yield* whole(response)), "too much")
    }))
    await eventually(() => server.sockets.every(({ destroyed }) => destroyed))
  })

  it("that is interrupted before its answer closes its connection", async () => {
    const server = await serve(() => {})
    await run(Effect.gen(function*() {
      const waiting = yield* Effect.forkChild(send(to(server.url)))
      yield* Effect.promise(() => eventually(() => server.sockets.length === 1))
      yield* Fiber.interrupt(waiting)
      yield* Effect.promise(() => eventually(() => server.sockets[0]!.destroyed))
    }))
  })
})

describe("a request on a connection that was used before", () => {
  closeAfterEach()

  it("is not made again when it is interrupted", async () => {
    let requests = 0
    const server = await serve((_, response) => void (++requests === 1 && response.end("first")))
    await run(Effect.gen(function*() {
      yield* Effect.scoped(Effect.flatMap(send(to(server.url)), whole))
      const waiting = yield* Effect.forkChild(Effect.scoped(send(to(server.url))))
      yield* Effect.promise(() => eventually(() => requests === 2))
      yield* Fiber.interrupt(waiting)
      yield* Effect.promise(() => eventually(() => server.sockets[0]!.destroyed))
      yield* Effect.sleep("50 millis")
    }))
    assert.deepStrictEqual([requests, server.sockets.length], [2, 1])
  })
})

describe("connections", () => {
  closeAfterEach()

  const pathOf = (server: { readonly url: string }, path: string) => `${server.url}${path}`

  it("are used again when an answer was read, was short, or had no body", async () => {
    const server = await serve((request, response) => {
      if (request.url === "/short") return void response.end("x".repeat(1000))
      response.setHeader("content-length", 3)
      response.end(request.method === "HEAD" ? "" : "all")
    })
    await run(Effect.gen(function*() {
      yield* Effect.scoped(Effect.flatMap(send(to(pathOf(server, "/"))), whole))
      yield* Effect.scoped(send(to(pathOf(server, "/short"))))
      yield* Effect.sleep("50 millis")
      yield* Effect.scoped(send(to(pathOf(server, "/"), { method: "HEAD" })))
      yield* Effect.sleep("50 millis")
      yield* Effect.scoped(Effect.flatMap(send(to(pathOf(server, "/"))), whole))
    }))
    assert.strictEqual(server.sockets.length, 1)
  })

  it("are closed when more is to come than is worth reading, and with the layer", async () => {
    const server = await serve((_, response) => {
      response.on("error", () => {})
      response.writeHead(200, { "content-length": String(50 << 20) })
      response.write(Buffer.alloc(1 << 20))
    })
    await run(Effect.gen(function*() {
      yield* Effect.scoped(send(to(server.url)))
      yield* Effect.promise(() => eventually(() => server.sockets[0]!.destroyed))
    }))
    const other = await serve((_, response) => void response.end())
    await run(Effect.scoped(Effect.flatMap(send(to(other.url)), whole)))
    await eventually(() => other.sockets[0]!.destroyed)
  })

  it("that the server closes while they are idle are replaced, for what can be asked twice", async () => {
    const served = new Map<object, number>()
    const server = await serve((request, response) => {
      const count = (served.get(request.socket) ?? 0) + 1
      served.set(request.socket, count)
      // As if it had closed the connection when the request was on its way
      if (count > 1) return void request.socket.resetAndDestroy()
      request.resume()
      response.setHeader("content-length", 1)
      response.end(String(served.size))
    })
    await run(Effect.gen(function*() {
      const ask = (more: Partial<HttpRequest> = {}) => Effect.scoped(Effect.flatMap(send(to(server.url, more)), whole))
      assert.deepStrictEqual([String(yield* ask()), String(yield* ask()), String(yield* ask({ method: "HEAD" }))], ["1", "2", ""])
      const body = { kind: "bytes", bytes: new Uint8Array(1) } as const
      assert.strictEqual((yield* Effect.flip(ask({ method: "POST", body }))).kind, "broken")
    }))
  })
})

describe("what fails", () => {
  closeAfterEach()

  it("is a name that nobody knows", async () => {
    const failure = await failureOf(to("http://no-such-host.invalid/"))
    assert.include(["unknown", "name"], failure.kind)
  })

  it("is a port that nobody listens on", async () => {
    const server = await serve(() => {})
    const failure = await failureOf(to("http://127.0.0.1:1/"))
    assert.deepStrictEqual([failure.kind, failure.cause], ["refused", "connection refused (127.0.0.1:1)"])
    assert.strictEqual(server.sockets.length, 0)
  })

  it("is somebody who does not speak TLS", async () => {
    const server = await serve((_, response) => void response.end())
    const failure = await failureOf(to(`https://${server.host}/`))
    assert.strictEqual(failure.kind, "tls")
  })

  it("is somebody who does not speak HTTP, hangs up, or does not come to an end with the head", async () => {
    const answers: ReadonlyArray<string> = ["SSH-2.0-server\r\n", "", `HTTP/1.1 200 OK\r\n${"X-Long: " + "x".repeat(100_000)}\r\n\r\n`]
    for (const answer of answers) {
      const server = await servePlain((socket) => void socket.once("data", () => socket.end(answer)))
      assert.strictEqual((await failureOf(to(server.url))).kind, "broken", answer.slice(0, 20))
    }
  })

  it("is a proxy that is not there, wants another password, or cannot connect", async () => {
    const server = await serve((_, response) => void response.end())
    const wanted = `Basic ${Buffer.from("user:right").toString("base64")}`
    const proxy = await serveProxy(wanted)
    const right = { url: proxy.url, credentials: { username: "user", password: "right" } }
    const wrong = { url: proxy.url, credentials: { username: "user", password: "wrong" } }
    const cases: ReadonlyArray<readonly [HttpRequest, string]> = [
      [to(server.url, { proxy: { url: "http://127.0.0.1:1" } }), "proxy http://127.0.0.1:1: connection refused"],
      [to(`https://${server.host}/`, { proxy: { url: "http://127.0.0.1:1" } }), "proxy http://127.0.0.1:1: connection refused"],
      [to(server.url, { proxy: wrong }), "it wants another name and password (407)"],
      [to(`https://${server.host}/`, { proxy: wrong }), "it wants another name and password (407)"],
      [to("https://127.0.0.1:1/", { proxy: right }), "it cannot connect to the host (502)"]
    ]
    for (const [request, cause] of cases) {
      const failure = await failureOf(request)
      assert.strictEqual(failure.kind, "proxy")
      assert.include(String(failure.cause), cause)
    }
  })

  it("is waiting for a proxy that says nothing, until it is interrupted", async () => {
    const silent = await servePlain((socket) => void socket.resume())
    await run(Effect.gen(function*() {
      const waiting = yield* Effect.forkChild(send(to("https://127.0.0.1:1/", { proxy: { url: silent.url } })))
      yield* Effect.promise(() => eventually(() => silent.sockets.length === 1))
      yield* Fiber.interrupt(waiting)
      yield* Effect.promise(() => eventually(() => silent.sockets[0]!.destroyed))
    }))
  })
})

describe("a proxy", () => {
  closeAfterEach()

  it("gets requests without TLS in full, with what it wants to know of us and nothing of that for the server", async () => {
    const server = await serve((request, response) => void response.end(JSON.stringify([request.url, request.headers])))
    const authorization = `Basic ${Buffer.from("user:pass:ü").toString("base64")}`
    const proxy = await serveProxy(authorization)
    const wish = to(`${server.url}/a%20b?c=d`, {
      headers: { "x-one": "1" }, proxy: { url: proxy.url, credentials: { username: "user", password: "pass:ü" } }
    })
    const [url, headers] = JSON.parse(String(await run(Effect.flatMap(send(wish), whole)))) as [string, Record<string, string>]
    assert.deepStrictEqual([url, headers["host"], headers["x-one"]], ["/a%20b?c=d", server.host, "1"])
    assert.isUndefined(headers["proxy-authorization"])
    assert.deepStrictEqual(proxy.seen, [`GET ${server.url}/a%20b?c=d ${authorization}`])
  })
})

describe("the layer", () => {
  it("loads nothing of Node's network before the first request", () => {
    const file = join(import.meta.dirname, "../../../../src/interpreters/linux/network/LinuxHttp.ts")
    const program = `
      const { layer } = await import(${JSON.stringify(file)})
      const Effect = await import("effect/Effect")
      const Layer = await import("effect/Layer")
      await Effect.runPromise(Effect.scoped(Layer.build(layer({ environment: {} }))))
      console.log(process.moduleLoadList.filter((name) => /NativeModule (_http_client|_http_agent|https|tls|net)$/.test(name)).join())
    `
    const output = execFileSync(process.execPath, ["--input-type=module", "--no-warnings", "-e", program], {
      cwd: join(import.meta.dirname, "../../../.."), encoding: "utf8"
    })
    assert.strictEqual(output.trim(), "")
  })
})

