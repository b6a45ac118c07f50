/**
 * Asking a token server (distribution, "Token Authentication Specification" and "OAuth2 Token Authentication"):
 * the request as data, the answer as a token with its end.
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { basicAuthorization, type Credential, isToken } from "./Credential.ts"
import { readUrl, type RequestFields } from "./HttpMessage.ts"

export interface TokenWish {
  /** URL of the token server, checked with `checkRealm`. */
  readonly realm: string
  /** Empty where the challenge names none. */
  readonly service: string
  /** As `mergeScopes` gives them; none to find out whether the credential is right. */
  readonly scopes: ReadonlyArray<string>
  readonly credential: Credential | undefined
  /** Ask for a refresh token too: for `login`. */
  readonly offline?: boolean
}

export interface TokenRequest {
  readonly method: "GET" | "POST"
  readonly url: string
  readonly headers: RequestFields
  readonly body?: string
}

/** Name by which token servers know us. */
export const clientId = "fx-engine"

/**
 * The realm that a challenge names gets the user's credential, so it must be as safe as the registry: https unless
 * the registry itself is reached by http. Fails with the cause.
 */
export const checkRealm = (realm: string, registryUrl: string): Result.Result<string, string> => {
  const url = readUrl(realm)
  if (url === undefined) return Result.fail("the address of its token server is not a usable http or https URL")
  if (url.protocol === "http:" && !registryUrl.startsWith("http:")) {
    return Result.fail(`its token server ${url.origin} is not protected by TLS`)
  }
  url.hash = ""
  return Result.succeed(url.href)
}

const form = (parameters: ReadonlyArray<readonly [string, string]>): string => new URLSearchParams(
  parameters.filter(([, value]) => value !== "").map(([name, value]): [string, string] => [name, value])
).toString()

/** The OAuth2 form: a POST. Only this one takes a refresh token. */
export const oauthRequest = (wish: TokenWish): TokenRequest => {
  const grant: ReadonlyArray<readonly [string, string]> = wish.credential?.kind === "password"
    ? [["grant_type", "password"], ["username", wish.credential.username], ["password", wish.credential.password]]
    : [["grant_type", "refresh_token"], ["refresh_token", wish.credential?.token ?? ""]]
  return {
    method: "POST",
    url: wish.realm,
    headers: { "content-type": "application/x-www-form-urlencoded", accept: "application/json" },
    body: form([
      ...grant,
      ["service", wish.service],
      ["client_id", clientId],
      ["access_type", wish.offline === true ? "offline" : ""],
      ["scope", wish.scopes.join(" ")]
    ])
  }
}

/** The older form, which every token server has: a GET, with name and password in the header. */
export const getRequest = (wish: TokenWish): TokenRequest => {
  const { credential } = wish
  const url = new URL(wish.realm)
  const add = (name: string, value: string) => {
    if (value !== "") url.searchParams.append(name, value)
  }
  add("service", wish.service)
  for (const scope of wish.scopes) add("scope", scope)
  if (credential?.kind === "password") add("account", credential.username)
  if (wish.offline === true) add("offline_token", "true")
  add("client_id", clientId)
  return {
    method: "GET",
    url: url.href,
    headers: {
      accept: "application/json",
      ...(credential?.kind === "password"
        ? { authorization: basicAuthorization(credential.username, credential.password) }
        : {})
    }
  }
}

/** The form that suits the credential. */
export const tokenRequest = (wish: TokenWish): TokenRequest =>
  wish.credential?.kind === "identity" ? oauthRequest(wish) : getRequest(wish)

export interface Token {
  readonly value: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
  readonly refreshToken?: string
}

/** Bytes of an answer that are read. */
export const tokenAnswerLimit = 1_048_576

/** What the specification gives a token that names no lifetime, and the least that it lets one have. */
const shortestLifetime = 60

/** Longer ones are asked for again all the same: a mistaken number must not pin a token for ever. */
const longestLifetime = 24 * 3600

/** A token is not used in its last seconds: the request has to arrive, too. Milliseconds. */
const margin = 5000

const optionalText = Schema.optionalKey(Schema.NullOr(Schema.String))

const Answer = Schema.fromJsonString(Schema.Struct({
  token: optionalText,
  access_token: optionalText,
  refresh_token: optionalText,
  issued_at: optionalText,
  expires_in: Schema.optionalKey(Schema.NullOr(Schema.Finite))
}))

const decodeAnswer = Schema.decodeUnknownOption(Answer)

/**
 * The token of an answer that came at `now` (milliseconds since the epoch). A start that lies ahead, or so far back
 * that nothing would be left, shows a clock that differs from ours: then the lifetime starts now. Fails with the
 * cause.
 */
export const readTokenAnswer = (bytes: Uint8Array, now: number): Result.Result<Token, string> => {
  if (bytes.length > tokenAnswerLimit) return Result.fail("its token server sent a longer answer than any token needs")
  const answer = decodeAnswer(new TextDecoder().decode(bytes))
  if (Option.isNone(answer)) return Result.fail("its token server sent something that is not a token answer")
  const value = answer.value.token || answer.value.access_token || ""
  if (!isToken(value)) return Result.fail("its token server sent no usable token")
  const seconds = Math.min(longestLifetime, Math.max(shortestLifetime, answer.value.expires_in ?? 0))
  const issued = Date.parse(answer.value.issued_at ?? "")
  const start = issued <= now && issued + seconds * 1000 > now + margin ? issued : now
  const refreshToken = answer.value.refresh_token ?? ""
  return Result.succeed({
    value,
    expiresAt: start + seconds * 1000,
    ...(isToken(refreshToken) ? { refreshToken } : {})
  })
}

export const isFresh = (token: Token, now: number): boolean => now + margin < token.expiresAt
