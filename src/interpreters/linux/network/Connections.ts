/** Connections that are used again: one pool for each way and each kind of security. */
import type { Agent, RequestOptions } from "node:http"
import type { Socket } from "node:net"
import type { ConnectionOptions } from "node:tls"
import type { Proxy } from "../../../domain/registry/Proxy.ts"
import type { HttpRequest } from "../../../programs/registry/Http.ts"
import { http, https, net, tls } from "./nodeModules.ts"
import { openTunnel, proxyFields } from "./openTunnel.ts"
import type { Security, Trust } from "./Trust.ts"

/** Milliseconds after which a connection that nobody uses goes: less than servers have, who would close it under us. */
const idle = 4_000

/** Idle ones that are kept for a host. */
const mostIdle = 8

/** Milliseconds after which the next address of a host is tried: a connection takes longer than Node's 500 on bad lines. */
const nextAddress = 1_000

/** Bytes of a response's head: signed addresses are long. */
const headLimit = 65_536

/** What a request adds to Node's options, for the tunnel that may have to be made for it. */
export interface Abandonable {
  readonly abandoned: AbortSignal
}

type CreateConnection = (
  options: ConnectionOptions & Partial<Abandonable>, created: (error: Error | null, socket?: Socket) => void
) => Socket | undefined

const bare = (hostname: string): string => hostname.replace(/^\[(.*)\]$/, "$1")

/** Bytes of a body that wait to be taken: what is slower than its connection takes them in fewer pieces then. */
const waiting = 512 << 10

const agentOptions = { keepAlive: true, maxFreeSockets: mostIdle, timeout: idle, highWaterMark: waiting }

export class Connections {
  private readonly trust: Trust
  private readonly agents = new Map<string, Agent>()

  constructor(trust: Trust) {
    this.trust = trust
  }

  /** Node's options for a request, its method, fields and body left out. Throws an HttpFailure for unusable certificates. */
  route({ proxy, tls: { verify }, url: text }: HttpRequest): { readonly secure: boolean; readonly options: RequestOptions } {
    const url = new URL(text)
    // Without a limit of its own a connection in use would have that of an idle one
    const common = { autoSelectFamilyAttemptTimeout: nextAddress, maxHeaderSize: headLimit, timeout: 0 }
    if (url.protocol === "http:" && proxy !== undefined) {
      // The proxy makes the request for us, and reads along (RFC 9112 §3.2.2)
      const way = new URL(proxy.url)
      const security = way.protocol === "https:" ? this.trust.securityFor(way.host, true) : undefined
      return {
        secure: security !== undefined,
        options: {
          ...common, host: bare(way.hostname), port: way.port || (security === undefined ? 80 : 443), path: url.href,
          headers: { host: url.host, ...proxyFields(proxy) }, agent: this.agentFor(security, undefined)
        }
      }
    }
    const security = url.protocol === "https:" ? this.trust.securityFor(url.host, verify) : undefined
    return {
      secure: security !== undefined,
      options: {
        ...common, host: bare(url.hostname), port: url.port || (security === undefined ? 80 : 443),
        path: `${url.pathname}${url.search}`, headers: { host: url.host },
        agent: this.agentFor(security, security === undefined ? undefined : proxy)
      }
    }
  }

  close(): void {
    for (const agent of this.agents.values()) agent.destroy()
    this.agents.clear()
  }

  private agentFor(security: Security | undefined, proxy: Proxy | undefined): Agent {
    const key = JSON.stringify([security?.key, proxy])
    const known = this.agents.get(key)
    if (known !== undefined) return known
    const agent = security === undefined
      ? new (http().Agent)(agentOptions)
      : new (https().Agent)({ ...agentOptions, secureContext: security.context, rejectUnauthorized: security.verify })
    if (proxy !== undefined) (agent as unknown as { createConnection: CreateConnection }).createConnection = this.tunnelled(proxy)
    this.agents.set(key, agent)
    return agent
  }

  private tunnelled(proxy: Proxy): CreateConnection {
    const context = () => this.trust.securityFor(new URL(proxy.url).host, true).context
    return (options, created) => {
      const host = options.host ?? ""
      const target = `${net().isIPv6(host) ? `[${host}]` : host}:${options.port}`
      openTunnel({ proxy, context, target, abandoned: options.abandoned }, (failure, socket) => {
        if (socket === undefined) return created(failure as unknown as Error)
        created(null, tls().connect({ ...options, socket }))
      })
      return undefined
    }
  }
}
