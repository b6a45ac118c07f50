/** Who the user is to a registry, and the `Authorization` field that says so. */
import * as Base64 from "effect/encoding/Base64"

export type Credential =
  | { readonly kind: "password"; readonly username: string; readonly password: string }
  /** A refresh token that `login` got: changed for short tokens at the token server. */
  | { readonly kind: "identity"; readonly token: string }
  /** A token that is sent to the registry as it is. */
  | { readonly kind: "registry"; readonly token: string }

/** RFC 7617: UTF-8, a colon between the two. */
export const basicAuthorization = (username: string, password: string): string =>
  `Basic ${Base64.encode(`${username}:${password}`)}`

export const bearerAuthorization = (token: string): string => `Bearer ${token}`

/** What a registry that asks for name and password can be given; undefined when we have none. */
export const basicOf = (credential: Credential | undefined): string | undefined =>
  credential?.kind === "password" ? basicAuthorization(credential.username, credential.password) : undefined

/** A token that can stand in a header: visible ASCII, of a size that servers take. */
export const isToken = (text: string): boolean => text.length <= 65_536 && /^[\u0021-\u007e]+$/.test(text)
