/** Who may do what at a simulated registry, and its token server. */
import * as Base64 from "effect/encoding/Base64"
import * as Result from "effect/Result"
import { readScopes } from "../../../domain/registry/Scope.ts"
import type { RegistryState } from "./RegistryState.ts"
import { type Incoming, jsonReply, refusal, type Reply } from "./Reply.ts"

export interface Access {
  readonly repository: string
  readonly action: "pull" | "push" | "*"
}

/** The user of a Basic field; `wrong` when there is one that is not right. */
const basicUser = (state: RegistryState, field: string | undefined): string | undefined | "wrong" => {
  if (field === undefined) return undefined
  const decoded = /^Basic (.*)$/.exec(field)?.[1]
  const pair = decoded === undefined ? undefined : Base64.decodeString(decoded)
  if (pair === undefined || Result.isFailure(pair)) return "wrong"
  const [, name = "", password = ""] = /^([^:]*):(.*)$/s.exec(pair.success) ?? []
  return Object.hasOwn(state.setup.users, name) && state.setup.users[name] === password ? name : "wrong"
}

const mayDo = (state: RegistryState, user: string | undefined, action: string): boolean =>
  user !== undefined || (action === "pull" && state.setup.publicPull)

const keyOf = (type: string, name: string, action: string): string => `${type}:${name}:${action}`

const accessKey = ({ action, repository }: Access): string =>
  action === "*" ? keyOf("registry", "catalog", "*") : keyOf("repository", repository, action)

const scopeText = (wanted: ReadonlyArray<Access>): string =>
  wanted.map(({ action, repository }) =>
    action === "*" ? "registry:catalog:*" : `repository:${repository}:${action === "push" ? "pull,push" : action}`).join(" ")

const challengeOf = (state: RegistryState, wanted: ReadonlyArray<Access>, error: string): string => {
  const { authentication } = state.setup
  if (authentication.kind !== "bearer") return `Basic realm="Registry of \\"${new URL(state.setup.url).host}\\""`
  const scope = wanted.length === 0 ? "" : `,scope="${scopeText(wanted)}"`
  return `Bearer realm="${authentication.realm}",service="${authentication.service}"${scope}${error === "" ? "" : `,error="${error}"`}`
}

const unauthorized = (state: RegistryState, wanted: ReadonlyArray<Access>, error = ""): Reply =>
  refusal(401, "UNAUTHORIZED", "authentication required", { "www-authenticate": challengeOf(state, wanted, error) })

/** The reply that sends a request away, undefined when it may pass. */
export const checkAccess = (
  state: RegistryState, incoming: Incoming, wanted: ReadonlyArray<Access>
): Reply | undefined => {
  const { authentication } = state.setup
  const field = incoming.headers["authorization"]
  if (authentication.kind === "none") return undefined
  if (authentication.kind === "basic") {
    const user = basicUser(state, field)
    if (user === "wrong") return unauthorized(state, wanted)
    const free = wanted.length > 0 && wanted.every(({ action }) => mayDo(state, user, action))
    return user !== undefined || free ? undefined : unauthorized(state, wanted)
  }
  const token = state.tokens.get(/^Bearer (.*)$/.exec(field ?? "")?.[1] ?? "")
  if (token === undefined) return unauthorized(state, wanted)
  if (token.expiresAt <= incoming.now) return unauthorized(state, wanted, "invalid_token")
  return wanted.every((access) => token.access.has(accessKey(access))) ? undefined : unauthorized(state, wanted, "insufficient_scope")
}

interface Grant {
  readonly user: string | undefined | "wrong"
  readonly scopes: string
  readonly offline: boolean
}

const readGrant = (state: RegistryState, incoming: Incoming): Grant => {
  if (incoming.method === "GET") {
    const { searchParams } = incoming.url
    return {
      user: basicUser(state, incoming.headers["authorization"]),
      scopes: searchParams.getAll("scope").join(" "),
      offline: searchParams.get("offline_token") === "true"
    }
  }
  const form = new URLSearchParams(new TextDecoder().decode(incoming.body))
  const refresh = form.get("grant_type") === "refresh_token"
  const named = basicUser(state, `Basic ${Base64.encode(`${form.get("username") ?? ""}:${form.get("password") ?? ""}`)}`)
  return {
    user: refresh ? state.refreshTokens.get(form.get("refresh_token") ?? "") ?? "wrong" : named,
    scopes: form.get("scope") ?? "",
    offline: form.get("access_type") === "offline"
  }
}

/** Gives a token for what the user may do of what was asked for. */
export const issueToken = (state: RegistryState, incoming: Incoming, lifetime: number): Reply => {
  const { offline, scopes, user } = readGrant(state, incoming)
  if (user === "wrong") return jsonReply(401, { details: "incorrect username or password" })
  const access = readScopes(scopes).flatMap(({ actions, name, type }) =>
    actions.filter((action) => mayDo(state, user, action)).map((action) => keyOf(type, name, action)))
  const token = state.fresh("token-")
  state.tokens.set(token, { expiresAt: incoming.now + lifetime * 1000, access: new Set(access) })
  const refresh = offline && user !== undefined ? state.fresh("refresh-") : undefined
  if (refresh !== undefined && user !== undefined) state.refreshTokens.set(refresh, user)
  return jsonReply(200, {
    token,
    expires_in: lifetime,
    issued_at: new Date(incoming.now).toISOString(),
    ...(refresh === undefined ? {} : { refresh_token: refresh })
  })
}
