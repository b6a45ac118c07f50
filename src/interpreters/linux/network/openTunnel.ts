/** A way through a proxy that it cannot look into: CONNECT (RFC 9110 §9.3.6). */
import type { Socket } from "node:net"
import type { SecureContext } from "node:tls"
import { basicAuthorization } from "../../../domain/registry/Credential.ts"
import type { Proxy } from "../../../domain/registry/Proxy.ts"
import { HttpFailure } from "../../../programs/registry/Http.ts"
import { proxyFailure } from "./failures.ts"
import { http, https } from "./nodeModules.ts"

export interface TunnelWish {
  readonly proxy: Proxy
  /** For a proxy that is itself spoken to by TLS. */
  readonly context: () => SecureContext
  /** `host:port` of the other end. */
  readonly target: string
  /** Whoever wanted it has gone. */
  readonly abandoned: AbortSignal | undefined
}

/** Milliseconds in which a proxy has connected us. */
const patience = 60_000

export const proxyFields = ({ credentials }: Proxy): Readonly<Record<string, string>> =>
  credentials === undefined ? {} : { "proxy-authorization": basicAuthorization(credentials.username, credentials.password) }

const refusals: { readonly [status: number]: string } = {
  403: "it does not connect to this host", 407: "it wants another name and password", 502: "it cannot connect to the host",
  503: "it cannot connect to the host", 504: "the host does not answer it"
}

/** What a proxy answers with when it does not do what we want. */
export const refusedBy = (proxy: Proxy, status: number): HttpFailure =>
  new HttpFailure({ kind: "proxy", cause: `proxy ${proxy.url}: ${refusals[status] ?? "it refuses"} (${status})` })

/** Answers once, with the socket or with why there is none. */
export const openTunnel = (
  { abandoned, context, proxy, target }: TunnelWish, answer: (failure: HttpFailure | undefined, socket?: Socket) => void
): void => {
  const url = new URL(proxy.url)
  const secure = url.protocol === "https:"
  const request = (secure ? https() : http()).request({
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"), port: url.port || (secure ? 443 : 80), method: "CONNECT", path: target,
    headers: { host: target, ...proxyFields(proxy) }, agent: false, ...(secure ? { secureContext: context() } : {})
  })
  const giveUp = () => request.destroy(new Error("no longer wanted"))
  let answered = false
  const settle = (failure: HttpFailure | undefined, socket?: Socket) => {
    abandoned?.removeEventListener("abort", giveUp)
    clearTimeout(timer)
    if (answered) return void socket?.destroy()
    answered = true
    answer(failure, socket)
  }
  const timer = setTimeout(() => {
    settle(new HttpFailure({ kind: "proxy", cause: `proxy ${proxy.url}: it does not answer` }))
    request.destroy()
  }, patience)
  request.once("connect", (response, socket, head) => {
    const status = response.statusCode ?? 0
    if (status < 200 || status > 299) {
      socket.destroy()
      return settle(refusedBy(proxy, status))
    }
    if (head.length > 0) socket.unshift(head)
    settle(undefined, socket as Socket)
  })
  request.on("error", (error) => settle(proxyFailure(proxy.url, error)))
  abandoned?.addEventListener("abort", giveUp)
  request.end()
}
