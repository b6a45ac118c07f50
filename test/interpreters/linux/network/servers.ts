/** Small servers of a test's own, all on loopback and all gone with it. */
import { readFileSync } from "node:fs"
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http"
import { createServer as createSecureServer } from "node:https"
import { connect, createServer as createPlainServer, type AddressInfo, type Server as PlainServer, type Socket } from "node:net"
import { afterEach } from "@effect/vitest"

export interface Listening {
  readonly port: number
  /** `127.0.0.1:PORT` */
  readonly host: string
  readonly url: string
  /** Connections so far, the open ones and the others. */
  readonly sockets: ReadonlyArray<Socket>
}

const closing: Array<() => Promise<void>> = []

/** Servers that tests of this file begin end with the test. */
export const closeAfterEach = (): void => {
  afterEach(async () => {
    for (const close of closing.splice(0)) await close()
  })
}

const listen = async (server: PlainServer): Promise<Listening> => {
  const sockets: Array<Socket> = []
  server.on("connection", (socket: Socket) => {
    sockets.push(socket)
    socket.on("error", () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  closing.push(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(() => resolve()))
  })
  const { port } = server.address() as AddressInfo
  return { port, host: `127.0.0.1:${port}`, url: `http://127.0.0.1:${port}`, sockets }
}

/** Answers as `handle` says. */
export const serve = (handle: RequestListener, prepare: (server: Server) => void = () => {}): Promise<Listening> => {
  const server = createServer(handle)
  prepare(server)
  return listen(server)
}

/** Speaks whatever it likes. */
export const servePlain = (handle: (socket: Socket) => void): Promise<Listening> => listen(createPlainServer(handle))

export const bodyOf = async (request: IncomingMessage): Promise<Buffer> => {
  const parts: Array<Buffer> = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

export interface ProxyServer extends Listening {
  /** `METHOD target Proxy-Authorization` of each request. */
  readonly seen: ReadonlyArray<string>
}

/** Connects to this machine and makes requests to it, for who has the right `authorization`. `tls`: is itself spoken to by TLS. */
export const serveProxy = async (
  authorization?: string, tls?: { readonly certificate: string; readonly key: string }
): Promise<ProxyServer> => {
  const seen: Array<string> = []
  const note = ({ headers, method, url }: IncomingMessage): boolean => {
    seen.push([method, url, headers["proxy-authorization"]].filter((text) => text !== undefined).join(" "))
    return authorization === undefined || headers["proxy-authorization"] === authorization
  }
  const pass = async (request: IncomingMessage, response: ServerResponse) => {
    if (!note(request)) return void response.writeHead(407, { "proxy-authenticate": "Basic" }).end()
    const { host: _, "proxy-authorization": __, ...headers } = request.headers
    const answer = await fetch(request.url!, { method: request.method!, headers: headers as Record<string, string>, redirect: "manual" })
    response.writeHead(answer.status, [...answer.headers].flat()).end(Buffer.from(await answer.arrayBuffer()))
  }
  const handle: RequestListener = (request, response) => void pass(request, response)
  const server = tls === undefined
    ? createServer(handle)
    : createSecureServer({ cert: readFileSync(tls.certificate), key: readFileSync(tls.key) }, handle)
  server.on("connect", (request: IncomingMessage, socket: Socket) => {
    if (!note(request)) return void socket.end("HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n")
    const [host = "", port = ""] = request.url!.split(/:(?=[0-9]+$)/)
    const onward = connect(Number(port), host, () => socket.write("HTTP/1.1 200 Connection established\r\n\r\n"))
    onward.on("error", () => socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n"))
    onward.pipe(socket).pipe(onward)
    onward.on("close", () => socket.destroy())
    socket.on("close", () => onward.destroy())
  })
  const listening = await listen(server)
  return { ...listening, ...(tls === undefined ? {} : { url: `https://${listening.host}` }), seen }
}
