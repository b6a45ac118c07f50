/** Whether, and when, a request that failed is made again. */
import { readHttpDate } from "./HttpDate.ts"

/**
 * What became of a request without a response. `unknown`: there is no such host. `name`: nobody could say. `refused`:
 * nobody listens. `tls`: the other end cannot prove who it is. `broken`: the connection ended. `timeout`: nothing came.
 * `proxy`: the proxy would not connect us. `source`: what we wanted to send failed to come.
 */
export type TransportFailure = "unknown" | "name" | "refused" | "tls" | "broken" | "timeout" | "proxy" | "source"

export interface RetryPolicy {
  /** Requests in all, the first included. */
  readonly attempts: number
  /** Milliseconds before the first repetition; doubled each time. */
  readonly first: number
  /** Milliseconds: no wait of ours is longer. */
  readonly longest: number
  /** Milliseconds: a registry that asks for more is not waited for. */
  readonly longestAsked: number
}

export const defaultRetryPolicy: RetryPolicy = { attempts: 6, first: 500, longest: 30_000, longestAsked: 300_000 }

export type Mishap =
  | { readonly kind: "response"; readonly status: number; readonly retryAfter: string | undefined }
  | { readonly kind: "failure"; readonly failure: TransportFailure }

export type RetryDecision =
  | { readonly kind: "wait"; readonly millis: number }
  | { readonly kind: "giveUp"; readonly reason: "final" | "exhausted" | "tooLong"; readonly asked?: number }

/** Answers that another try may change: RFC 9110 §15.5.9, RFC 8470, RFC 6585 §4, and a server's or gateway's fault. */
const passing: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504])

const passingFailures: ReadonlySet<TransportFailure> = new Set(["name", "refused", "broken", "timeout", "proxy"])

export const isPassing = (mishap: Mishap): boolean =>
  mishap.kind === "response" ? passing.has(mishap.status) : passingFailures.has(mishap.failure)

/** `Retry-After` in milliseconds from `now`: seconds or a date (RFC 9110 §10.2.3); undefined when it is neither. */
export const readRetryAfter = (text: string | undefined, now: number): number | undefined => {
  if (text === undefined) return undefined
  if (/^[0-9]{1,9}$/.test(text)) return Number(text) * 1000
  const date = readHttpDate(text, now)
  return date === undefined ? undefined : Math.max(0, date - now)
}

/**
 * `failures`: how many requests have failed so far, this one included. `random`: from 0 to below 1; spreads the
 * clients that failed together. Never before the time that the registry asks for.
 */
export const decideRetry = (
  policy: RetryPolicy, mishap: Mishap, failures: number, now: number, random: number
): RetryDecision => {
  if (!isPassing(mishap)) return { kind: "giveUp", reason: "final" }
  if (failures >= policy.attempts) return { kind: "giveUp", reason: "exhausted" }
  const step = Math.min(policy.longest, policy.first * 2 ** Math.min(30, failures - 1))
  const spread = Math.round(step * (0.5 + random / 2))
  const asked = mishap.kind === "response" ? readRetryAfter(mishap.retryAfter, now) : undefined
  if (asked === undefined) return { kind: "wait", millis: spread }
  if (asked > policy.longestAsked) return { kind: "giveUp", reason: "tooLong", asked }
  return { kind: "wait", millis: Math.max(spread, asked + Math.round(random * policy.first)) }
}
