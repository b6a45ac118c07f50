/**
 * Just enough of a Docker daemon for docker's own command line to talk to: it keeps what `create` was asked for
 * and answers the rest with fixed data. With it docker is the oracle for our grammar, defaults and tables.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"

export interface Asked {
  readonly method: string
  readonly url: string
  readonly body: unknown
}

export interface FakeDaemon {
  readonly asked: Array<Asked>
  readonly close: () => Promise<void>
}

export type Answers = (method: string, path: string) => { readonly status: number; readonly body: unknown } | undefined

const readBody = async (request: IncomingMessage): Promise<unknown> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString()
  try {
    return text === "" ? undefined : JSON.parse(text)
  } catch {
    return text
  }
}

const id = "4c01db0b339c4c01db0b339c4c01db0b339c4c01db0b339c4c01db0b339c4c01"

const answer = (method: string, path: string): { readonly status: number; readonly body: unknown } => {
  if (path === "/_ping") return { status: 200, body: "OK" }
  if (path === "/containers/create") return { status: 201, body: { Id: id, Warnings: [] } }
  if (method === "POST" && path.endsWith("/wait")) return { status: 200, body: { StatusCode: 0 } }
  if (method === "POST" && /\/(start|stop|kill|resize)$/.test(path)) return { status: 204, body: undefined }
  if (method === "POST" && path.endsWith("/update")) return { status: 200, body: { Warnings: [] } }
  return { status: 404, body: { message: `no answer for ${method} ${path}` } }
}

/** Serves on the unix socket `path` until closed. */
export const serve = async (path: string, answers: Answers = () => undefined): Promise<FakeDaemon> => {
  const asked: Array<Asked> = []
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const url = (request.url ?? "").replace(/^\/v1\.[0-9]+/, "")
    const method = request.method ?? ""
    asked.push({ method, url, body: await readBody(request) })
    const { body, status } = answers(method, url.replace(/\?.*/, "")) ?? answer(method, url.replace(/\?.*/, ""))
    response.writeHead(status, { "API-Version": "1.50", "OSType": "linux", "Content-Type": "application/json" })
    response.end(body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body))
  }
  const server: Server = createServer((request, response) => void handle(request, response))
  // attach: an upgraded connection that ends at once
  server.on("upgrade", (request, socket) => {
    asked.push({ method: request.method ?? "", url: (request.url ?? "").replace(/^\/v1\.[0-9]+/, ""), body: undefined })
    const headers = "Content-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp"
    socket.end(`HTTP/1.1 101 UPGRADED\r\n${headers}\r\n\r\n`)
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return { asked, close: () => new Promise((resolve) => server.close(() => resolve())) }
}
