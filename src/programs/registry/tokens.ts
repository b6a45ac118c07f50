/** Tokens: one request to the token server for all who wait for the same one, kept until it ends. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { errorBodyLimit, errorOfResponse } from "../../domain/registry/ErrorBody.ts"
import type { Credential } from "../../domain/registry/Credential.ts"
import type { Endpoint } from "../../domain/registry/Endpoint.ts"
import { single } from "../../domain/registry/HttpMessage.ts"
import { type RegistryError, registryError, type Subject } from "../../domain/registry/RegistryError.ts"
import { isFresh, readTokenAnswer, type Token, tokenAnswerLimit, tokenRequest, type TokenWish } from "../../domain/registry/TokenRequest.ts"
import type { Client } from "./Client.ts"
import { finalSetback, persist, Setback, setbackOfFailure } from "./Setback.ts"
import { readBody, transfer } from "./transfer.ts"

export interface TokenSlot {
  readonly semaphore: Semaphore.Semaphore
  /** Requests that have come to an end. */
  flights: number
  token: Token | undefined
  failure: RegistryError | undefined
}

/** Tokens that are kept; when there are more, those that have ended go. */
const slotLimit = 512

const askOnce = Effect.fnUntraced(function*(
  client: Client, subject: Subject, endpoint: Endpoint, wish: TokenWish
): Effect.fn.Return<Token, Setback, Scope.Scope> {
  const { body, ...request } = tokenRequest(wish)
  const answer = yield* transfer(client, subject, {
    ...request,
    verifyTls: endpoint.verifyTls,
    ...(body === undefined ? {} : { body: { kind: "bytes", bytes: new TextEncoder().encode(body) } })
  })
  const host = new URL(answer.url).host
  const limit = answer.status === 200 ? tokenAnswerLimit : errorBodyLimit
  const bytes = yield* Effect.mapError(readBody(answer.body, limit), (failure) => setbackOfFailure(subject, host, failure))
  if (answer.status !== 200) {
    const mishap = { kind: "response", status: answer.status, retryAfter: single(answer.headers, "retry-after") } as const
    const refusal = {
      host: endpoint.host, status: answer.status, body: bytes ?? new Uint8Array(), authenticated: wish.credential !== undefined
    }
    return yield* new Setback({ mishap, error: errorOfResponse(subject, refusal) })
  }
  const token = readTokenAnswer(bytes ?? new Uint8Array(tokenAnswerLimit + 1), yield* Clock.currentTimeMillis)
  if (Result.isFailure(token)) {
    return yield* finalSetback(registryError(
      subject, "corrupt", `${endpoint.host}: ${token.failure}`, "the registry's token server is broken: tell its operator"
    ))
  }
  return token.success
}, Effect.scoped)

/** A new token, whatever is kept. Waits and repeats as for any request. */
export const askToken = (
  client: Client, subject: Subject, endpoint: Endpoint, wish: TokenWish
): Effect.Effect<Token, RegistryError> => persist(client, askOnce(client, subject, endpoint, wish))

const keyOf = (endpoint: Endpoint, wish: TokenWish, credential: Credential | undefined): string =>
  JSON.stringify([endpoint.url, wish.realm, wish.service, wish.scopes, credential])

const slotOf = (client: Client, key: string, now: number): TokenSlot => {
  const known = client.tokens.get(key)
  if (known !== undefined) return known
  if (client.tokens.size >= slotLimit) {
    for (const [other, { token }] of client.tokens) {
      if (token !== undefined && !isFresh(token, now)) client.tokens.delete(other)
    }
  }
  const slot: TokenSlot = { semaphore: Semaphore.makeUnsafe(1), flights: 0, token: undefined, failure: undefined }
  client.tokens.set(key, slot)
  return slot
}

/**
 * The kept token, or a new one when it has ended or is the one that the registry has just rejected. Who waits for a
 * request gets what it gives, its failure too; a request that is interrupted leaves the next in line to ask.
 */
export const sharedToken = Effect.fnUntraced(function*(
  client: Client, subject: Subject, endpoint: Endpoint, wish: TokenWish, rejected: string | undefined
): Effect.fn.Return<Token, RegistryError> {
  const slot = slotOf(client, keyOf(endpoint, wish, wish.credential), yield* Clock.currentTimeMillis)
  const usable = Effect.map(Clock.currentTimeMillis, (now) =>
    slot.token !== undefined && isFresh(slot.token, now) && slot.token.value !== rejected ? slot.token : undefined)
  const kept = yield* usable
  if (kept !== undefined) return kept
  const seen = slot.flights
  return yield* slot.semaphore.withPermits(1)(Effect.gen(function*() {
    const others = yield* usable
    if (others !== undefined) return others
    if (slot.flights > seen && slot.failure !== undefined) {
      const { cause, cure, kind } = slot.failure
      return yield* registryError(subject, kind, cause, cure, slot.failure)
    }
    const token = yield* Effect.tapError(askToken(client, subject, endpoint, wish), (failure) =>
      Effect.sync(() => {
        slot.flights++
        slot.failure = failure
      }))
    slot.flights++
    slot.failure = undefined
    return slot.token = token
  }))
})
