/** Where a redirect may lead, and what may go along: a registry sends us to blob stores that it does not own. */
import { type Method, originOf, readUrl, type RequestFields } from "./HttpMessage.ts"
import { printable } from "./printable.ts"

/** Redirects that are followed for one request. */
export const redirectLimit = 10

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

export type RedirectDecision =
  /** Not a redirect. */
  | { readonly kind: "final" }
  | { readonly kind: "follow"; readonly url: string }
  | { readonly kind: "refuse"; readonly cause: string; readonly cure: string }

export interface Redirected {
  readonly method: Method
  /** Of the request that was answered. */
  readonly url: string
  readonly status: number
  readonly location: string | undefined
  /** How many were followed before. */
  readonly followed: number
}

const tellOperator = "the registry is broken: tell its operator"

const refuse = (cause: string, cure: string): RedirectDecision => ({ kind: "refuse", cause, cure })

export const decideRedirect = ({ followed, location, method, status, url }: Redirected): RedirectDecision => {
  if (!redirects.has(status)) return { kind: "final" }
  if (method !== "GET" && method !== "HEAD") {
    return refuse(`it was redirected by ${status}, which a ${method} does not follow`, "use the address that the registry names")
  }
  if (followed >= redirectLimit) return refuse(`more than ${redirectLimit} redirects`, tellOperator)
  if (location === undefined) return refuse(`a redirect (${status}) without one Location`, tellOperator)
  const target = readUrl(location, url)
  if (target === undefined) {
    return refuse(`a redirect to something that is no usable URL: ${printable(location)}`, tellOperator)
  }
  if (url.startsWith("https:") && target.protocol === "http:") {
    return refuse(
      `a redirect from https to ${target.origin}, which is not protected`,
      "let the registry redirect to https, or let it serve blobs itself"
    )
  }
  target.hash = ""
  return { kind: "follow", url: target.href }
}

/** Whoever gets these fields may act for the user. */
const secretFields: ReadonlySet<string> = new Set([
  "authorization", "proxy-authorization", "cookie", "x-registry-auth", "x-registry-config"
])

/** The fields for a request to `to` that were meant for `from`: what is secret stays with its origin. */
export const fieldsFor = (fields: RequestFields, from: string, to: string): RequestFields => {
  const origin = originOf(from)
  return origin !== undefined && origin === originOf(to)
    ? fields
    : Object.fromEntries(Object.entries(fields).filter(([name]) => !secretFields.has(name.toLowerCase())))
}
