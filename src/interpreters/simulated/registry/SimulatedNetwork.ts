/**
 * The network between the client and simulated registries: an Http in memory that delays, breaks and falsifies as
 * its faults say, and remembers what passed.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type { Method, RequestFields } from "../../../domain/registry/HttpMessage.ts"
import { Http, type HttpBody, HttpFailure, type HttpRequest, type HttpResponse } from "../../../programs/registry/Http.ts"
import { type FaultEffect, makeFaults, type RegistryFault, type Route } from "./RegistryFault.ts"
import { type Incoming, refusal, reply, type Reply } from "./Reply.ts"
import { joinBytes } from "../../../domain/bytes/joinBytes.ts"
import type { SimulatedRegistry } from "./SimulatedRegistry.ts"

/** A request that was made, and what became of it. */
export interface Passage {
  readonly method: Method
  readonly url: string
  readonly origin: string
  readonly route: Route
  readonly headers: RequestFields
  readonly proxy: string | undefined
  readonly verifyTls: boolean
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Undefined where no answer came. */
  status: number | undefined
  /** Bytes of bodies that arrived at the other side. */
  sent: number
  received: number
}

export interface NetworkOptions {
  readonly registries: ReadonlyArray<SimulatedRegistry>
  readonly faults?: ReadonlyArray<RegistryFault>
  readonly seed?: number
  /** Bytes of a piece of a body. */
  readonly piece?: number
}

type Of<K extends FaultEffect["kind"]> = FaultEffect & { readonly kind: K }

class Faults {
  private readonly effects: ReadonlyArray<FaultEffect>

  constructor(effects: ReadonlyArray<FaultEffect>) {
    this.effects = effects
  }

  /** The first of a kind. */
  of<K extends FaultEffect["kind"]>(kind: K): Of<K> | undefined {
    return this.effects.find((effect): effect is Of<K> => effect.kind === kind)
  }

  all<K extends FaultEffect["kind"]>(kind: K): ReadonlyArray<Of<K>> {
    return this.effects.filter((effect): effect is Of<K> => effect.kind === kind)
  }
}

const broken = new HttpFailure({ kind: "broken", cause: "connection reset by peer" })

export class SimulatedNetwork {
  readonly passages: Array<Passage> = []
  private readonly byOrigin = new Map<string, SimulatedRegistry>()
  private readonly draw: ReturnType<typeof makeFaults>
  private readonly piece: number

  constructor(options: NetworkOptions) {
    for (const registry of options.registries) {
      for (const origin of registry.origins) this.byOrigin.set(origin, registry)
    }
    this.draw = makeFaults(options.faults ?? [], options.seed ?? 0)
    this.piece = options.piece ?? 4096
  }

  get layer(): Layer.Layer<Http> {
    return Layer.succeed(Http, { send: (request) => this.send(request) })
  }

  /** Requests for a part of the API, by method if named. */
  requests(route: Route, method?: Method): ReadonlyArray<Passage> {
    return this.passages.filter((passage) => passage.route === route && (method === undefined || passage.method === method))
  }

  private send(request: HttpRequest): Effect.Effect<HttpResponse, HttpFailure> {
    return Effect.gen({ self: this }, function*() {
      const url = new URL(request.url)
      const registry = this.byOrigin.get(url.origin)
      const passage = this.note(request, url, registry?.routeOf(url) ?? "other", yield* Clock.currentTimeMillis)
      const faults = new Faults(this.draw(passage))
      for (const { millis } of faults.all("latency")) yield* Effect.sleep(millis)
      const refused = faults.of("refuse")
      if (refused !== undefined) return yield* new HttpFailure({ kind: refused.failure, cause: `injected ${refused.failure} failure` })
      if (registry === undefined) return yield* this.nobody(url)
      const now = yield* Clock.currentTimeMillis
      if (faults.of("expireTokens") !== undefined) registry.expireTokens(now)
      if (faults.of("forgetUploads") !== undefined) registry.forgetUploads()
      const body = yield* this.arrive(request.body, faults.of("breakRequest")?.after, passage)
      const interrupted = body.length < declared(request.body)
      const incoming = falsifyRequest({ method: request.method, url, headers: passage.headers, body, interrupted, now }, faults)
      const answer = instead(faults) ?? registry.handle(incoming)
      if (interrupted || faults.of("loseAnswer") !== undefined) return yield* broken
      passage.status = answer.status
      return this.respond(request.method, falsify(answer, faults), faults, passage)
    })
  }

  private note(request: HttpRequest, url: URL, route: Route, at: number): Passage {
    const passage: Passage = {
      method: request.method, url: request.url, origin: url.origin, route, at,
      headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value])),
      proxy: request.proxy?.url, verifyTls: request.tls.verify, status: undefined, sent: 0, received: 0
    }
    this.passages.push(passage)
    return passage
  }

  private nobody(url: URL): HttpFailure {
    const known = [...this.byOrigin.keys()].map((origin) => new URL(origin))
    // The port is there, but what answers does not speak as the scheme wants
    if (known.some(({ host }) => host === url.host)) return new HttpFailure({ kind: "tls", cause: "wrong version number" })
    return known.some(({ hostname }) => hostname === url.hostname)
      ? new HttpFailure({ kind: "refused", cause: "connection refused" })
      : new HttpFailure({ kind: "unknown", cause: "no such host" })
  }

  private arrive(
    body: HttpBody | undefined, breaksAfter: number | undefined, passage: Passage
  ): Effect.Effect<Uint8Array, HttpFailure> {
    const limit = breaksAfter ?? Number.POSITIVE_INFINITY
    const parts: Array<Uint8Array> = []
    const data = body === undefined ? Stream.empty : body.kind === "bytes" ? Stream.succeed(body.bytes) : body.data
    return data.pipe(
      Stream.takeWhile(() => passage.sent < limit),
      Stream.runForEach((part) =>
        Effect.sync(() => {
          const taken = part.slice(0, Math.max(0, limit - passage.sent))
          passage.sent += taken.length
          parts.push(taken)
        })),
      Effect.map(() => joinBytes(parts))
    )
  }

  private respond(method: Method, answer: Reply, faults: Faults, passage: Passage): HttpResponse {
    const headers = Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, [value]]))
    if (method === "HEAD") return { status: answer.status, headers, body: Stream.empty }
    const slow = faults.of("slow")
    const piece = slow?.piece ?? this.piece
    const limit = Math.min(faults.of("break")?.after ?? Infinity, faults.of("stall")?.after ?? Infinity)
    const shown = Math.min(limit, answer.body.length)
    const pieces = Array.from({ length: Math.ceil(shown / piece) }, (_, index) =>
      answer.body.slice(index * piece, Math.min(shown, (index + 1) * piece)))
    const body = Stream.fromIterable(pieces).pipe(
      Stream.rechunk(1),
      Stream.mapEffect((bytes) =>
        Effect.andThen(
          slow === undefined ? Effect.void : Effect.sleep(slow.millis),
          Effect.sync(() => {
            passage.received += bytes.length
            return bytes
          })
        )),
      Stream.concat(this.ending(answer, faults, limit))
    )
    return { status: answer.status, headers, body }
  }

  private ending(answer: Reply, faults: Faults, limit: number): Stream.Stream<never, HttpFailure> {
    if (limit <= answer.body.length && faults.of("stall")?.after === limit) return Stream.never
    if (limit <= answer.body.length) return Stream.fail(broken)
    const announced = answer.headers["content-length"]
    // A message shorter than its head said does not end: the connection does
    return announced !== undefined && Number(announced) > answer.body.length ? Stream.fail(broken) : Stream.empty
  }
}

const declared = (body: HttpBody | undefined): number =>
  body === undefined ? 0 : body.kind === "bytes" ? body.bytes.length : body.length

/** What answers in place of the registry. */
const instead = (faults: Faults): Reply | undefined => {
  const redirect = faults.of("redirect")
  if (redirect !== undefined) return reply(307, { location: redirect.location })
  const status = faults.of("status")
  if (status === undefined) return undefined
  const fields = status.retryAfter === undefined ? {} : { "retry-after": status.retryAfter }
  return refusal(status.status, status.code ?? "UNKNOWN", "injected", fields)
}

const falsifyRequest = (incoming: Incoming, faults: Faults): Incoming => {
  const { range, ...others } = incoming.headers
  if (range === undefined) return incoming
  if (faults.of("ignoreRange") !== undefined) return { ...incoming, headers: others }
  return faults.of("shiftRange") === undefined
    ? incoming
    : { ...incoming, headers: { ...others, range: range.replace(/[0-9]+/, (start) => String(Math.max(0, Number(start) - 1))) } }
}

const withoutLength = ({ body, headers, status }: Reply, changed: Uint8Array = body): Reply => {
  const { "content-length": _, ...others } = headers
  return { status, headers: others, body: changed }
}

const falsify = (answer: Reply, faults: Faults): Reply => {
  let falsified = answer
  for (const { after } of faults.all("truncate")) {
    if (after < falsified.body.length) falsified = withoutLength(falsified, falsified.body.slice(0, after))
  }
  for (const { count } of faults.all("append")) falsified = withoutLength(falsified, joinBytes([falsified.body, new Uint8Array(count)]))
  for (const { at } of faults.all("corrupt")) {
    if (at >= falsified.body.length) continue
    const body = falsified.body.slice()
    body[at] = (body[at] ?? 0) ^ 1
    falsified = { ...falsified, body }
  }
  for (const { name, value } of faults.all("field")) {
    const { [name]: _, ...others } = falsified.headers
    falsified = { ...falsified, headers: value === undefined ? others : { ...others, [name]: value } }
  }
  return falsified
}
