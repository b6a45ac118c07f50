/**
 * One request and its response over Node's client. Bodies go and come as fast as the slower side lets them: no more is
 * held in memory than Node's own buffers have.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Pull from "effect/Pull"
import * as Stream from "effect/Stream"
import type { ClientRequest, IncomingMessage } from "node:http"
import { readLength, type ResponseFields } from "../../../domain/registry/HttpMessage.ts"
import { clientId } from "../../../domain/registry/TokenRequest.ts"
import { HttpFailure, type HttpRequest, type HttpResponse } from "../../../programs/registry/Http.ts"
import type { Abandonable, Connections } from "./Connections.ts"
import { failureOf, proxyFailure } from "./failures.ts"
import { http, https } from "./nodeModules.ts"
import { refusedBy } from "./openTunnel.ts"

/** Bytes of a response that are thrown away to keep the connection: more are dearer than a new one. */
const cheapRest = 65_536

/** Milliseconds in which they have come. */
const restPatience = 1_000

/** Bytes of a response that are taken at a time, and the milliseconds that are waited for them when some are there. */
const gathered = 256 << 10
const gathering = 10

/** How often a connection that the server has closed while it was idle is replaced by another one. */
const staleLimit = 8

/** Node sends `Transfer-Encoding: chunked` for what has no length: a body of ours always has one. */
const bodyFields = ({ body, method }: HttpRequest): Readonly<Record<string, string>> => {
  if (body !== undefined) return { "content-length": String(body.kind === "bytes" ? body.bytes.length : body.length) }
  return method === "GET" || method === "HEAD" || method === "DELETE" ? {} : { "content-length": "0" }
}

const fieldsOf = ({ rawHeaders }: IncomingMessage): ResponseFields => {
  const fields: Record<string, Array<string>> = Object.create(null)
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!.toLowerCase()
    ;(fields[name] ??= []).push(rawHeaders[at + 1]!)
  }
  return { ...fields }
}

const broken = (cause: string): HttpFailure => new HttpFailure({ kind: "broken", cause })

export class Exchange {
  private readonly wish: HttpRequest
  private readonly connections: Connections
  private readonly abandon = new AbortController()
  private request: ClientRequest | undefined
  private response: IncomingMessage | undefined
  private failure: HttpFailure | undefined
  private sent = false
  private ended = false
  private taken = false
  private stale = 0
  private timer: NodeJS.Timeout | undefined
  /** Whoever waits for something to happen to the request, or to the response. */
  private wakeSender: () => void = () => {}
  private wakeReader: () => void = () => {}

  constructor(connections: Connections, wish: HttpRequest) {
    this.connections = connections
    this.wish = wish
    this.begin()
  }

  /** The head of the response. */
  readonly head: Effect.Effect<HttpResponse, HttpFailure> = Effect.suspend(() =>
    Effect.flatMap(this.until(() => this.response), (response) => {
      const status = response.statusCode ?? 0
      const { proxy, url } = this.wish
      if (status === 407 && proxy !== undefined && url.startsWith("http:")) return Effect.fail(refusedBy(proxy, status))
      return Effect.succeed({ status, headers: fieldsOf(response), body: Stream.fromPull(Effect.sync(() => this.take(response))) })
    }))

  /** Sends the body; one that fails, or has another length than was said, ends the exchange. */
  readonly sendBody: Effect.Effect<void> = Effect.suspend(() => {
    const { body } = this.wish
    if (body === undefined || body.kind === "bytes") return Effect.void
    let left = body.length
    const wrong = (cause: string) => new HttpFailure({ kind: "source", cause })
    return Stream.runForEach(body.data, (part) => {
      left -= part.length
      return left < 0 ? Effect.fail(wrong(`the content is longer than its ${body.length} bytes`)) : this.write(part)
    }).pipe(
      Effect.andThen(Effect.suspend(() => {
        if (left > 0) return Effect.fail(wrong(`the content is ${left} bytes shorter than its size`))
        this.end()
        return Effect.void
      })),
      Effect.catch((failure) => Effect.sync(() => this.fail(failure))),
      // Whoever waits for an answer must not wait for one to half a request
      Effect.catchDefect((defect) => Effect.sync(() => this.fail(wrong(`the content could not be read: ${String(defect)}`))))
    )
  })

  /** What was not sent or read is thrown away. */
  close(): void {
    const { request, response } = this
    this.wakeReader = this.wakeSender = () => {}
    clearTimeout(this.timer)
    if (request === undefined || response === undefined || !this.sent || this.failure !== undefined) return this.destroy()
    if (this.ended) return
    const length = readLength(response.headers["content-length"])
    if (!this.hasNoBody(response) && (length === undefined || length > cheapRest)) return this.destroy()
    const timer = setTimeout(() => this.destroy(), restPatience).unref()
    response.once("close", () => clearTimeout(timer))
    this.wakeReader = () => {
      while (response.read() !== null);
    }
    this.wakeReader()
  }

  private begin(): void {
    try {
      const { body, headers, method, tls: _, proxy: __, url: ___ } = this.wish
      const { options, secure } = this.connections.route(this.wish)
      const abandonable: Abandonable = { abandoned: this.abandon.signal }
      const all = { "user-agent": clientId, ...options.headers as object, ...headers, ...bodyFields(this.wish) }
      const request = (secure ? https() : http()).request({ ...options, ...abandonable, method, headers: all })
      this.request = request
      request.on("response", (response) => this.accept(response))
      request.on("error", (error) => this.broke(request, error))
      request.on("close", () => this.closed(request))
      request.on("drain", () => this.wakeSender())
      if (body === undefined || body.kind === "bytes") {
        request.end(body?.bytes)
        this.sent = true
      }
    } catch (cause) {
      this.fail(failureOf(cause))
    }
  }

  private accept(response: IncomingMessage): void {
    this.response = response
    response.on("error", (error) => this.fail(failureOf(error)))
    // One tick later the connection is free for the request that may follow at once
    response.on("end", () => process.nextTick(() => {
      this.ended = true
      this.wakeReader()
    }))
    response.on("close", () => response.readableEnded || this.fail(broken("the connection ended too early")))
    response.on("readable", () => this.wakeReader())
    this.wakeReader()
  }

  /** An idle connection that the server closed at the same moment has carried nothing: another one is taken. */
  private broke(request: ClientRequest, error: Error): void {
    if (request !== this.request || this.failure !== undefined || this.abandon.signal.aborted) return
    const failure = failureOf(error)
    const { body, method, proxy, url } = this.wish
    const harmless = body === undefined && (method === "GET" || method === "HEAD")
    if (request.reusedSocket && harmless && this.response === undefined && failure.kind === "broken" && this.stale < staleLimit) {
      this.stale++
      this.request = undefined
      return this.begin()
    }
    const toProxy = proxy !== undefined && url.startsWith("http:") && failure.kind !== "broken"
    this.fail(toProxy ? proxyFailure(proxy.url, failure) : failure)
  }

  private closed(request: ClientRequest): void {
    if (request !== this.request || this.response !== undefined) return
    this.fail(broken("the connection ended before an answer came"))
  }

  /** The first failure is the one that is told. */
  private fail(failure: HttpFailure): void {
    if (this.failure !== undefined) return
    this.failure = failure
    this.request?.destroy()
    this.wakeReader()
    this.wakeSender()
  }

  private destroy(): void {
    this.abandon.abort()
    this.request?.destroy()
  }

  /** A connection brings at most 64 KiB at a time, and what a piece costs does not depend on its size. */
  private isWorthTaking(response: IncomingMessage, began: number): boolean {
    const { complete, readableHighWaterMark, readableLength } = response
    if (readableLength === 0 || complete || this.failure !== undefined) return true
    if (readableLength >= Math.min(gathered, readableHighWaterMark)) return true
    const left = gathering - (performance.now() - began)
    if (left <= 0) return true
    if (this.timer === undefined) {
      this.timer = setTimeout(() => {
        this.timer = undefined
        this.wakeReader()
      }, Math.ceil(left))
    }
    return false
  }

  private hasNoBody({ statusCode }: IncomingMessage): boolean {
    return this.wish.method === "HEAD" || statusCode === 204 || statusCode === 304
  }

  private write(part: Uint8Array): Effect.Effect<void, HttpFailure> {
    return Effect.callback<void, HttpFailure>((resume) => {
      const { request } = this
      if (this.failure !== undefined || request === undefined) return resume(Effect.fail(this.failure ?? broken("the exchange is over")))
      if (part.length === 0 || request.write(part)) return resume(Effect.void)
      this.wakeSender = () => resume(this.failure === undefined ? Effect.void : Effect.fail(this.failure))
      return Effect.sync(() => this.wakeSender = () => {})
    })
  }

  private end(): void {
    this.sent = true
    this.request?.end()
  }

  /** Waits until there is something, or a failure. */
  private until<A>(look: () => A | undefined): Effect.Effect<A, HttpFailure> {
    return Effect.callback<A, HttpFailure>((resume) => {
      const wake = () => {
        const found = look()
        if (found === undefined && this.failure === undefined) return
        this.wakeReader = () => {}
        resume(found === undefined ? Effect.fail(this.failure ?? broken("the exchange is over")) : Effect.succeed(found))
      }
      this.wakeReader = wake
      wake()
      return Effect.sync(() => this.wakeReader = () => {})
    })
  }

  /** The body, once. */
  private take(response: IncomingMessage): Pull.Pull<readonly [Uint8Array], HttpFailure> {
    if (this.taken) return Effect.die("the body of a response can be read once")
    this.taken = true
    const piece = Effect.suspend(() => {
      const began = performance.now()
      return this.until<Uint8Array | "end">(() => {
        if (!this.isWorthTaking(response, began)) return undefined
        // Without a size Node gives what its connection brought at once, not what has gathered
        const bytes: Uint8Array | null = response.read(Math.min(response.readableLength, gathered) || undefined)
        return bytes ?? (this.ended ? "end" : undefined)
      })
    })
    return Effect.flatMap(piece, (bytes): Pull.Pull<readonly [Uint8Array], HttpFailure> =>
      bytes === "end" ? Cause.done() : Effect.succeed([bytes]))
  }
}
