/** A request to a registry, authenticated, and its answer judged. */
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import { chooseChallenge } from "../../domain/registry/Challenge.ts"
import type { Endpoint } from "../../domain/registry/Endpoint.ts"
import { errorBodyLimit, errorOfResponse } from "../../domain/registry/ErrorBody.ts"
import { type Method, originOf, type RequestFields, single } from "../../domain/registry/HttpMessage.ts"
import { type RegistryError, registryError, type Subject } from "../../domain/registry/RegistryError.ts"
import type { Scope as AccessScope } from "../../domain/registry/Scope.ts"
import { anonymous, type Authorization, authorize, withoutScope } from "./authorize.ts"
import type { Client } from "./Client.ts"
import type { HttpBody } from "./Http.ts"
import { finalSetback, persist, Setback, setbackOfFailure } from "./Setback.ts"
import { type Answer, openIn, readBody, transfer } from "./transfer.ts"

export interface Exchange extends Subject {
  readonly endpoint: Endpoint
  readonly method: Method
  readonly url: string
  readonly headers?: RequestFields
  readonly body?: HttpBody
  /** What a token for it has to allow. */
  readonly scopes: ReadonlyArray<AccessScope>
  /** Whether the caller knows what to do with an answer of this status. */
  readonly accepts: (status: number) => boolean
}

const send = (
  client: Client, exchange: Exchange, { value }: Authorization
): Effect.Effect<Answer, Setback, Scope.Scope> => {
  // A session's address may lie elsewhere: our authorization is for the endpoint only
  const own = originOf(exchange.url) === originOf(exchange.endpoint.url)
  return transfer(client, exchange, {
    method: exchange.method,
    url: exchange.url,
    headers: { ...exchange.headers, ...(own && value !== undefined ? { authorization: value } : {}) },
    verifyTls: exchange.endpoint.verifyTls,
    ...(exchange.body === undefined ? {} : { body: exchange.body })
  })
}

/** With the authorization that was wanted last time; once more when that is not enough. */
const authorized = Effect.fnUntraced(function*(
  client: Client, exchange: Exchange
): Effect.fn.Return<{ readonly answer: Answer; readonly personal: boolean }, Setback, Scope.Scope> {
  const { endpoint, scopes } = exchange
  const scope = yield* Scope.Scope
  const known = client.challenges.get(endpoint.url)
  const first = known === undefined
    ? anonymous
    : yield* Effect.mapError(authorize(client, exchange, endpoint, known, scopes, undefined), finalSetback)
  const { release, value: answer } = yield* openIn(scope, send(client, exchange, first))
  const wanted = answer.status === 401 && originOf(answer.url) === originOf(endpoint.url)
    ? chooseChallenge(answer.headers)
    : undefined
  if (wanted === undefined) return { answer, personal: first.personal }
  client.challenges.set(endpoint.url, withoutScope(wanted))
  const second = yield* Effect.mapError(authorize(client, exchange, endpoint, wanted, scopes, first.value), finalSetback)
  if (second.value === undefined || second.value === first.value) return { answer, personal: first.personal }
  yield* release
  return { answer: yield* send(client, exchange, second), personal: second.personal }
})

const judge = Effect.fnUntraced(function*(
  exchange: Exchange, answer: Answer, personal: boolean
): Effect.fn.Return<never, Setback> {
  const { host, origin } = new URL(answer.url)
  const mishap = { kind: "response", status: answer.status, retryAfter: single(answer.headers, "retry-after") } as const
  const elsewhere = origin !== originOf(exchange.endpoint.url)
  if (elsewhere && (answer.status === 401 || answer.status === 403)) {
    const cause = `${host}, where the registry sent us, answered ${answer.status}`
    const error = registryError(exchange, "unavailable", cause, "try again; if it stays, tell the registry's operator", {
      status: answer.status
    })
    return yield* new Setback({ mishap, error })
  }
  const body = exchange.method === "HEAD"
    ? new Uint8Array()
    : yield* Effect.orElseSucceed(readBody(answer.body, errorBodyLimit), () => new Uint8Array())
  return yield* new Setback({
    mishap,
    error: errorOfResponse(exchange, {
      host: elsewhere ? host : exchange.endpoint.host, status: answer.status, body: body ?? new Uint8Array(), authenticated: personal
    })
  })
})

/** One try. The answer's body lives as long as the scope. */
export const tryExchange = Effect.fnUntraced(function*(
  client: Client, exchange: Exchange
): Effect.fn.Return<Answer, Setback, Scope.Scope> {
  const scope = yield* Scope.Scope
  const { release, value: { answer, personal } } = yield* openIn(scope, authorized(client, exchange))
  if (exchange.accepts(answer.status)) return answer
  return yield* Effect.ensuring(judge(exchange, answer, personal), release)
})

export interface Document extends Omit<Answer, "body"> {
  readonly bytes: Uint8Array
}

const tryDocument = Effect.fnUntraced(function*(
  client: Client, exchange: Exchange, limit: number
): Effect.fn.Return<Document, Setback, Scope.Scope> {
  const { body, ...answer } = yield* tryExchange(client, exchange)
  if (exchange.method === "HEAD") return { ...answer, bytes: new Uint8Array() }
  const host = new URL(answer.url).host
  const bytes = yield* Effect.mapError(readBody(body, limit), (failure) => setbackOfFailure(exchange, host, failure))
  if (bytes === undefined) {
    return yield* finalSetback(registryError(
      exchange, "corrupt", `${host} sent more than the ${limit} bytes that this may have`, "the registry is broken: tell its operator"
    ))
  }
  return { ...answer, bytes }
}, Effect.scoped)

/** An answer that is read whole: at most `limit` bytes. Repeated as the policy says. */
export const exchangeDocument = (
  client: Client, exchange: Exchange, limit: number, policy = client.retry
): Effect.Effect<Document, RegistryError> => persist(client, tryDocument(client, exchange, limit), policy)

/** As `exchangeDocument`, once. */
export const tryShort = (client: Client, exchange: Exchange): Effect.Effect<Document, Setback> =>
  tryDocument(client, exchange, errorBodyLimit)
