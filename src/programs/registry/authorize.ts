/** The `Authorization` that a registry wants, by the challenge that it sent before. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Wanted } from "../../domain/registry/Challenge.ts"
import { basicOf, bearerAuthorization, type Credential } from "../../domain/registry/Credential.ts"
import type { Endpoint } from "../../domain/registry/Endpoint.ts"
import { type RegistryError, registryError, type Subject } from "../../domain/registry/RegistryError.ts"
import { mergeScopes, readScopes, type Scope } from "../../domain/registry/Scope.ts"
import { checkRealm, type TokenWish } from "../../domain/registry/TokenRequest.ts"
import type { Client } from "./Client.ts"
import { sharedToken } from "./tokens.ts"

export interface Authorization {
  /** Undefined where we have nothing to show. */
  readonly value: string | undefined
  /** Whether it speaks for a user. */
  readonly personal: boolean
}

export const anonymous: Authorization = { value: undefined, personal: false }

/** The request for a token that answers a challenge. */
export const tokenWish = (
  subject: Subject, endpoint: Endpoint, wanted: Wanted & { readonly scheme: "bearer" }, scopes: ReadonlyArray<Scope>,
  credential: Credential | undefined
): Result.Result<TokenWish, RegistryError> =>
  Result.mapBoth(checkRealm(wanted.realm, endpoint.url), {
    onFailure: (cause) =>
      registryError(subject, "refused", `${endpoint.host}: ${cause}`, "the registry is not safe to log in to: tell its operator"),
    onSuccess: (realm) => ({
      realm, service: wanted.service, credential, scopes: mergeScopes([...scopes, ...readScopes(wanted.scope)])
    })
  })

/** `rejected`: the value that the registry did not take just now. */
export const authorize = Effect.fnUntraced(function*(
  client: Client, subject: Subject, endpoint: Endpoint, wanted: Wanted, scopes: ReadonlyArray<Scope>,
  rejected: string | undefined
): Effect.fn.Return<Authorization, RegistryError> {
  const credential = yield* client.credentials.find(endpoint.host)
  const personal = credential !== undefined
  if (wanted.scheme === "basic") return { value: basicOf(credential), personal }
  if (credential?.kind === "registry") return { value: bearerAuthorization(credential.token), personal }
  const wish = yield* Effect.fromResult(tokenWish(subject, endpoint, wanted, scopes, credential))
  const token = yield* sharedToken(client, subject, endpoint, wish, rejected?.replace(/^Bearer /, ""))
  return { value: bearerAuthorization(token.value), personal }
})

/** What is kept of a challenge: its scope belongs to one request and is not asked for with others. */
export const withoutScope = (wanted: Wanted): Wanted => wanted.scheme === "basic" ? wanted : { ...wanted, scope: "" }
