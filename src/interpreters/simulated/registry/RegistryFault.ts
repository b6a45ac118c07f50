/** What may go wrong between a client and a simulated registry, and when. */
import { makeDraw } from "../../../domain/random/mulberry32.ts"
import type { Method, RequestFields } from "../../../domain/registry/HttpMessage.ts"
import type { TransportFailure } from "../../../domain/registry/Retry.ts"

/** The part of the API that a request is for; `token` is the token server, `store` where blobs are redirected to. */
export type Route =
  | "ping" | "manifest" | "blob" | "upload" | "tags" | "catalog" | "referrers" | "search" | "token" | "store" | "other"

export type FaultEffect =
  /** Nothing happens for so many milliseconds, then all goes on. */
  | { readonly kind: "latency"; readonly millis: number }
  /** There is no connection: nothing happened at the registry. */
  | { readonly kind: "refuse"; readonly failure: TransportFailure }
  /** An answer in place of the registry's: nothing happened there. */
  | { readonly kind: "status"; readonly status: number; readonly retryAfter?: string; readonly code?: string }
  /** The connection breaks after so many bytes of the response's body. */
  | { readonly kind: "break"; readonly after: number }
  /** The connection breaks after so many bytes of the request's body: those arrived. */
  | { readonly kind: "breakRequest"; readonly after: number }
  /** It takes effect, and the answer is lost. */
  | { readonly kind: "loseAnswer" }
  /** The body ends cleanly after so many bytes, its length not announced. */
  | { readonly kind: "truncate"; readonly after: number }
  /** So many bytes more than there are, the length not announced. */
  | { readonly kind: "append"; readonly count: number }
  /** One byte of the body is another, if it has as many. */
  | { readonly kind: "corrupt"; readonly at: number }
  /** A header field says something else, or is not there. */
  | { readonly kind: "field"; readonly name: string; readonly value: string | undefined }
  | { readonly kind: "redirect"; readonly location: string }
  /** All of a content in place of the range that was asked for. */
  | { readonly kind: "ignoreRange" }
  /** Another range than the one that was asked for, and says so. */
  | { readonly kind: "shiftRange" }
  /** Pieces of so many bytes, so many milliseconds apart. */
  | { readonly kind: "slow"; readonly piece: number; readonly millis: number }
  /** Nothing more comes after so many bytes of the body, and the connection stays open. */
  | { readonly kind: "stall"; readonly after: number }
  /** All tokens end now. */
  | { readonly kind: "expireTokens" }
  /** All upload sessions are forgotten. */
  | { readonly kind: "forgetUploads" }

export interface Selected {
  readonly route: Route
  readonly method: Method
  readonly url: string
  readonly headers: RequestFields
}

export interface RegistryFault {
  readonly route?: Route
  readonly method?: Method
  readonly matches?: (request: Selected) => boolean
  /** From 0 to 1: how often of the requests that are meant. */
  readonly probability?: number
  /** How often at most; for ever when absent. */
  readonly times?: number
  /** So many requests that are meant go well before. */
  readonly after?: number
  readonly effect: FaultEffect
}

/** The faults that befall a request: all that mean it, each as often as it may. */
export const makeFaults = (faults: ReadonlyArray<RegistryFault>, seed: number) => {
  const draw = makeDraw(seed)
  const seen = faults.map(() => 0)
  const happened = faults.map(() => 0)
  return (request: Selected): ReadonlyArray<FaultEffect> =>
    faults.flatMap((fault, index) => {
      const meant = (fault.route === undefined || fault.route === request.route) &&
        (fault.method === undefined || fault.method === request.method) &&
        (fault.matches === undefined || fault.matches(request))
      if (!meant || (happened[index] ?? 0) >= (fault.times ?? Number.POSITIVE_INFINITY)) return []
      const count = seen[index] = (seen[index] ?? 0) + 1
      if (count <= (fault.after ?? 0)) return []
      if (fault.probability !== undefined && draw() >= fault.probability) return []
      happened[index] = (happened[index] ?? 0) + 1
      return [fault.effect]
    })
}
