/**
 * The one thing that talking to a registry takes: a request that is answered. Redirects, authentication and retries
 * are the programs' part: an interpreter follows nothing and repeats nothing.
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { Method, RequestFields, ResponseFields } from "../../domain/registry/HttpMessage.ts"
import type { Proxy } from "../../domain/registry/Proxy.ts"
import type { TransportFailure } from "../../domain/registry/Retry.ts"

export class HttpFailure extends Data.TaggedError("HttpFailure")<{
  readonly kind: TransportFailure
  /** What was seen: `connection reset by peer`, … */
  readonly cause: string
}> {}

export type HttpBody =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  /** Exactly `length` bytes; run once per request. A failure of it ends the request. */
  | { readonly kind: "stream"; readonly length: number; readonly data: Stream.Stream<Uint8Array, HttpFailure> }

export interface HttpRequest {
  readonly method: Method
  /** Absolute, http or https, without fragment and credentials. */
  readonly url: string
  /** `host`, `content-length` of a body of bytes and what concerns the connection are the interpreter's. */
  readonly headers: RequestFields
  readonly body?: HttpBody
  readonly tls: {
    /** False: any certificate will do. */
    readonly verify: boolean
  }
  /** The way to the host; the direct one when absent. */
  readonly proxy?: Proxy
}

export interface HttpResponse {
  /** The final one: 1xx are not shown. */
  readonly status: number
  readonly headers: ResponseFields
  /**
   * As sent, no content coding undone. Ends cleanly only where the message ends (`broken` when the connection ends
   * before its Content-Length or last chunk). Can be run once.
   */
  readonly body: Stream.Stream<Uint8Array, HttpFailure>
}

export class Http extends Context.Service<Http, {
  /**
   * Gives the response when its head is there. Closing the scope ends the exchange: what was not read is thrown
   * away, together with the connection where that is cheaper.
   */
  readonly send: (request: HttpRequest) => Effect.Effect<HttpResponse, HttpFailure, Scope.Scope>
}>()("fx/programs/registry/Http") {}
