/** One request along its redirects, with the proxy that the environment wants and an eye on connections that stall. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type Method, type RequestFields, type ResponseFields, single } from "../../domain/registry/HttpMessage.ts"
import { proxyFor } from "../../domain/registry/Proxy.ts"
import { decideRedirect, fieldsFor } from "../../domain/registry/Redirect.ts"
import { registryError, type Subject } from "../../domain/registry/RegistryError.ts"
import type { Client } from "./Client.ts"
import { type HttpBody, HttpFailure, type HttpRequest, type HttpResponse } from "./Http.ts"
import { finalSetback, Setback, setbackOfFailure } from "./Setback.ts"

export interface Outgoing {
  readonly method: Method
  readonly url: string
  readonly headers: RequestFields
  readonly body?: HttpBody
  readonly verifyTls: boolean
}

export interface Answer {
  readonly status: number
  readonly headers: ResponseFields
  readonly body: Stream.Stream<Uint8Array, HttpFailure>
  /** Who answered in the end. */
  readonly url: string
}

const stalled = (millis: number): HttpFailure =>
  new HttpFailure({ kind: "timeout", cause: `nothing came for ${Math.round(millis / 1000)} s` })

/** Fails when the stream has nothing to say for too long. */
const watched = (body: HttpResponse["body"], millis: number): HttpResponse["body"] =>
  Stream.transformPull(body, (pull) =>
    Effect.succeed(Effect.timeoutOrElse(pull, { duration: millis, orElse: () => Effect.fail(stalled(millis)) })))

/** Waits for the head of the response; the clock starts anew with each piece of a body that is sent. */
const patient = Effect.fnUntraced(function*(
  client: Client, request: HttpRequest
): Effect.fn.Return<HttpResponse, HttpFailure, Scope.Scope> {
  const { body } = request
  if (body?.kind !== "stream") {
    return yield* Effect.timeoutOrElse(client.http.send(request), {
      duration: client.stall, orElse: () => Effect.fail(stalled(client.stall))
    })
  }
  const { currentTimeMillisUnsafe } = yield* Clock.Clock
  let moved = currentTimeMillisUnsafe()
  const data = Stream.tap(body.data, () => Effect.sync(() => moved = currentTimeMillisUnsafe()))
  const watch: Effect.Effect<never, HttpFailure> = Effect.suspend(() => {
    const left = moved + client.stall - currentTimeMillisUnsafe()
    return left <= 0 ? Effect.fail(stalled(client.stall)) : Effect.andThen(Effect.sleep(left), watch)
  })
  return yield* Effect.raceFirst(client.http.send({ ...request, body: { ...body, data } }), watch)
})

const sendOne = Effect.fnUntraced(function*(
  client: Client, subject: Subject, outgoing: Outgoing
): Effect.fn.Return<HttpResponse, Setback, Scope.Scope> {
  const { verifyTls, ...request } = outgoing
  const proxy = yield* Effect.mapError(Effect.fromResult(proxyFor(client.environment, request.url)), finalSetback)
  const response = yield* Effect.mapError(
    patient(client, { ...request, tls: { verify: verifyTls }, ...(proxy === undefined ? {} : { proxy }) }),
    (failure) => setbackOfFailure(subject, new URL(request.url).host, failure)
  )
  return { ...response, body: watched(response.body, client.stall) }
})

/** Runs in a scope of its own that ends with `scope`, or before: when `use` fails or `release` is run. */
export const openIn = <A, E, R>(
  scope: Scope.Scope, use: Effect.Effect<A, E, R>
): Effect.Effect<{ readonly value: A; readonly release: Effect.Effect<void> }, E, Exclude<R, Scope.Scope>> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Scope.fork(scope), (own) =>
      restore(Scope.provide(use, own)).pipe(
        Effect.onError((cause) => Scope.close(own, Exit.failCause(cause))),
        Effect.map((value) => ({ value, release: Scope.close(own, Exit.void) }))
      ))) as never

/**
 * Sends, and follows redirects. What is secret stays with the origin it was meant for; once dropped it does not come
 * back.
 */
export const transfer = Effect.fnUntraced(function*(
  client: Client, subject: Subject, first: Outgoing
): Effect.fn.Return<Answer, Setback, Scope.Scope> {
  const scope = yield* Scope.Scope
  let outgoing = first
  for (let followed = 0;; followed++) {
    const { release, value: response } = yield* openIn(scope, sendOne(client, subject, outgoing))
    const { method, url } = outgoing
    const location = single(response.headers, "location")
    const decision = decideRedirect({ method, url, status: response.status, location, followed })
    if (decision.kind === "final") return { ...response, url }
    yield* release
    if (decision.kind === "refuse") {
      return yield* finalSetback(registryError(subject, "refused", decision.cause, decision.cure, { status: response.status }))
    }
    outgoing = { ...outgoing, url: decision.url, headers: fieldsFor(outgoing.headers, url, decision.url) }
  }
})

/** The whole of a body that is meant to be small; undefined when it is longer than `limit` bytes. */
export const readBody = (
  body: Answer["body"], limit: number
): Effect.Effect<Uint8Array | undefined, HttpFailure> =>
  Effect.suspend(() => {
    const parts: Array<Uint8Array> = []
    let length = 0
    return body.pipe(
      Stream.takeUntil((part) => {
        length += part.length
        if (length <= limit) parts.push(part)
        return length > limit
      }),
      Stream.runDrain,
      Effect.map(() => {
        if (length > limit) return undefined
        const whole = new Uint8Array(length)
        let at = 0
        for (const part of parts) {
          whole.set(part, at)
          at += part.length
        }
        return whole
      })
    )
  })
