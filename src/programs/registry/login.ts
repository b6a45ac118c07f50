/** Whether a registry is there, and whether it takes a credential. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { chooseChallenge, type Wanted } from "../../domain/registry/Challenge.ts"
import { basicOf, bearerAuthorization, type Credential } from "../../domain/registry/Credential.ts"
import { type Endpoint, pingUrl } from "../../domain/registry/Endpoint.ts"
import { errorBodyLimit, errorOfResponse } from "../../domain/registry/ErrorBody.ts"
import { single } from "../../domain/registry/HttpMessage.ts"
import { type RegistryError, registryError, type Subject } from "../../domain/registry/RegistryError.ts"
import { tokenWish } from "./authorize.ts"
import type { Client } from "./Client.ts"
import { ownEndpoint } from "./endpoints.ts"
import { persist, Setback } from "./Setback.ts"
import { askToken } from "./tokens.ts"
import { type Answer, readBody, transfer } from "./transfer.ts"

export interface Ping {
  /** Of the endpoint that answered. */
  readonly url: string
  /** How it asks for authentication; `unknown` is a way that we do not know. */
  readonly authentication: "none" | "basic" | "bearer" | "unknown"
  /** `registry/2.0` where the API is the one that we speak. */
  readonly version: string | undefined
}

const visitOnce = Effect.fnUntraced(function*(
  client: Client, subject: Subject, endpoint: Endpoint, authorization: string | undefined
): Effect.fn.Return<Answer, Setback, Scope.Scope> {
  const answer = yield* transfer(client, subject, {
    method: "GET",
    url: pingUrl(endpoint),
    headers: authorization === undefined ? {} : { authorization },
    verifyTls: endpoint.verifyTls
  })
  if (answer.status === 200 || answer.status === 401) return answer
  const body = yield* Effect.orElseSucceed(readBody(answer.body, errorBodyLimit), () => undefined)
  const error = answer.status === 404
    ? registryError(subject, "unsupported", `${endpoint.host} does not speak the distribution API`, "check the registry's name", {
      status: 404
    })
    : errorOfResponse(subject, {
      host: endpoint.host, status: answer.status, body: body ?? new Uint8Array(), authenticated: authorization !== undefined
    })
  return yield* new Setback({
    mishap: { kind: "response", status: answer.status, retryAfter: single(answer.headers, "retry-after") }, error
  })
})

/** Asks for the root of the API, with nothing but what is given. */
const visit = (client: Client, subject: Subject, endpoint: Endpoint, authorization?: string): Effect.Effect<Answer, RegistryError> =>
  persist(client, Effect.scoped(visitOnce(client, subject, endpoint, authorization)))

export const ping = Effect.fnUntraced(function*(client: Client, domain: string): Effect.fn.Return<Ping, RegistryError> {
  const subject: Subject = { operation: "reach the registry", object: domain }
  const endpoint = yield* ownEndpoint(client, subject, domain)
  const { headers, status } = yield* visit(client, subject, endpoint)
  return {
    url: endpoint.url,
    authentication: status === 200 ? "none" : chooseChallenge(headers)?.scheme ?? "unknown",
    version: single(headers, "docker-distribution-api-version")
  }
})

const wrong = (subject: Subject, host: string): RegistryError =>
  registryError(
    subject, "denied", `${host} does not take this name and password`,
    "check both; some registries want an access token as the password", { status: 401 }
  )

/** What the registry gets to see, and the refresh token that comes with it. */
const show = Effect.fnUntraced(function*(
  client: Client, subject: Subject, endpoint: Endpoint, wanted: Wanted, credential: Credential
): Effect.fn.Return<{ readonly authorization: string | undefined; readonly refreshToken?: string }, RegistryError> {
  if (wanted.scheme === "basic") return { authorization: basicOf(credential) }
  if (credential.kind === "registry") return { authorization: bearerAuthorization(credential.token) }
  const wish = yield* Effect.fromResult(tokenWish(subject, endpoint, wanted, [], credential))
  const token = yield* Effect.mapError(
    askToken(client, subject, endpoint, { ...wish, offline: true }),
    (error) => error.kind === "denied" ? wrong(subject, endpoint.host) : error
  )
  return {
    authorization: bearerAuthorization(token.value),
    ...(token.refreshToken === undefined ? {} : { refreshToken: token.refreshToken })
  }
})

/**
 * Whether the registry takes the credential. Gives what should be kept: a refresh token in place of the password where
 * there is one. `checked` is false where the registry lets everybody in and so says nothing about it.
 */
export const login = Effect.fnUntraced(function*(
  client: Client, domain: string, credential: Credential
): Effect.fn.Return<{ readonly credential: Credential; readonly checked: boolean }, RegistryError> {
  const subject: Subject = { operation: "log in to", object: domain }
  const endpoint = yield* ownEndpoint(client, subject, domain)
  const first = yield* visit(client, subject, endpoint)
  if (first.status === 200) return { credential, checked: false }
  const wanted = chooseChallenge(first.headers)
  if (wanted === undefined) {
    return yield* registryError(
      subject, "unsupported", `${endpoint.host} asks for authentication in a way that we do not know`,
      "it takes neither a password nor a token: ask its operator"
    )
  }
  const { authorization, refreshToken } = yield* show(client, subject, endpoint, wanted, credential)
  if (authorization === undefined) return yield* wrong(subject, endpoint.host)
  const second = yield* visit(client, subject, endpoint, authorization)
  if (second.status !== 200) return yield* wrong(subject, endpoint.host)
  return { credential: refreshToken === undefined ? credential : { kind: "identity", token: refreshToken }, checked: true }
})
