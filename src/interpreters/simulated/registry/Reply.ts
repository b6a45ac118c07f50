/** What a simulated server gets and gives: whole messages; the network between breaks them. */
import type { Method, RequestFields } from "../../../domain/registry/HttpMessage.ts"

export interface Incoming {
  readonly method: Method
  readonly url: URL
  readonly headers: RequestFields
  readonly body: Uint8Array
  /** The connection broke: `body` is what had arrived. Nobody will see the reply. */
  readonly interrupted: boolean
  /** Milliseconds since the epoch. */
  readonly now: number
}

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

const nothing: Uint8Array = new Uint8Array()

export const reply = (status: number, headers: Readonly<Record<string, string>> = {}, body = nothing): Reply => ({
  status, body, headers: { ...headers, "content-length": headers["content-length"] ?? String(body.length) }
})

export const jsonReply = (status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Reply =>
  reply(status, { "content-type": "application/json", ...headers }, new TextEncoder().encode(JSON.stringify(value)))

/** An error as distribution-spec has it. */
export const refusal = (
  status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}
): Reply => jsonReply(status, { errors: [{ code, message, detail: null }] }, headers)
