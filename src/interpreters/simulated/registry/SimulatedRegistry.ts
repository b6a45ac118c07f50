/** A registry in memory: distribution-spec 1.1 with the habits of real ones, its token server and its blob store. */
import { isRepositoryName } from "../../../domain/registry/Endpoint.ts"
import { type Access, checkAccess, issueToken } from "./authentication.ts"
import { getBlob, getCatalog, getManifest, getReferrers, getSearch, getTags, putManifest, serveStore } from "./contents.ts"
import type { Route } from "./RegistryFault.ts"
import { defaultSetup, type RegistrySetup, RegistryState } from "./RegistryState.ts"
import { type Incoming, refusal, reply, type Reply } from "./Reply.ts"
import { beginUpload, closeUpload, getUpload, patchUpload } from "./uploads.ts"

/** Which part of the API a path is for, and what it names there. */
interface Target {
  readonly route: Route
  readonly name: string
  /** Tag, digest or session. */
  readonly item: string
}

const patterns: ReadonlyArray<{ readonly route: Route; readonly pattern: RegExp }> = [
  { route: "ping", pattern: /^\/v2\/?()()$/ },
  { route: "catalog", pattern: /^\/v2\/_catalog()()$/ },
  { route: "search", pattern: /^\/v1\/search()()$/ },
  { route: "tags", pattern: /^\/v2\/(.+)\/tags\/list()$/ },
  { route: "manifest", pattern: /^\/v2\/(.+)\/manifests\/([^/]+)$/ },
  { route: "referrers", pattern: /^\/v2\/(.+)\/referrers\/([^/]+)$/ },
  { route: "upload", pattern: /^\/v2\/(.+)\/blobs\/uploads\/([^/]*)$/ },
  { route: "blob", pattern: /^\/v2\/(.+)\/blobs\/([^/]+)$/ }
]

export class SimulatedRegistry {
  readonly state: RegistryState

  constructor(setup: Partial<RegistrySetup> & { readonly url: string }) {
    this.state = new RegistryState({ ...defaultSetup, ...setup })
  }

  /** Origins that it answers at: its own, its token server's and its blob store's. */
  get origins(): ReadonlyArray<string> {
    const { authentication, blobStore, url } = this.state.setup
    return [
      url,
      ...(authentication.kind === "bearer" ? [new URL(authentication.realm).origin] : []),
      ...(blobStore === undefined ? [] : [blobStore])
    ]
  }

  private target(url: URL): Target {
    const { authentication, blobStore } = this.state.setup
    if (authentication.kind === "bearer" && `${url.origin}${url.pathname}` === authentication.realm) {
      return { route: "token", name: "", item: "" }
    }
    if (url.origin === blobStore) return { route: "store", name: "", item: "" }
    if (url.origin !== this.state.setup.url) return { route: "other", name: "", item: "" }
    const path = decodeURIComponent(url.pathname)
    for (const { pattern, route } of patterns) {
      const match = pattern.exec(path)
      if (match !== null) return { route, name: match[1] ?? "", item: match[2] ?? "" }
    }
    return { route: "other", name: "", item: "" }
  }

  routeOf(url: URL): Route {
    return this.target(url).route
  }

  /** All tokens end. */
  expireTokens(now: number): void {
    for (const token of this.state.tokens.values()) token.expiresAt = Math.min(token.expiresAt, now)
  }

  forgetUploads(): void {
    this.state.uploads.clear()
  }

  handle(incoming: Incoming): Reply {
    const target = this.target(incoming.url)
    const { authentication } = this.state.setup
    if (target.route === "token" && authentication.kind === "bearer") return issueToken(this.state, incoming, authentication.lifetime)
    if (target.route === "store") return serveStore(this.state, incoming)
    if (target.route === "search") return getSearch(this.state, incoming)
    if (target.route === "other") return reply(404)
    const sentAway = checkAccess(this.state, incoming, wantedFor(target, incoming))
    if (sentAway !== undefined) return sentAway
    if (target.name !== "" && !isRepositoryName(target.name)) return refusal(400, "NAME_INVALID", "invalid repository name")
    return this.serve(target, incoming)
  }

  private serve({ item, name, route }: Target, incoming: Incoming): Reply {
    const { method } = incoming
    const reading = method === "GET" || method === "HEAD"
    if (route === "ping") return reply(200, { "docker-distribution-api-version": "registry/2.0" })
    if (route === "catalog" && reading) return getCatalog(this.state, incoming)
    if (route === "tags" && reading) return getTags(this.state, incoming, name)
    if (route === "referrers" && reading) return getReferrers(this.state, incoming, name, item)
    if (route === "manifest" && reading) return getManifest(this.state, incoming, name, item)
    if (route === "manifest" && method === "PUT") return putManifest(this.state, incoming, name, item)
    if (route === "blob" && reading) return getBlob(this.state, incoming, name, item)
    if (route === "upload") return this.upload(incoming, name, item)
    return refusal(405, "UNSUPPORTED", "the operation is unsupported")
  }

  private upload(incoming: Incoming, name: string, id: string): Reply {
    if (incoming.method === "POST" && id === "") {
      const from = incoming.url.searchParams.get("from")
      const mayMount = from !== null && checkAccess(this.state, incoming, [{ repository: from, action: "pull" }]) === undefined
      return beginUpload(this.state, incoming, name, mayMount)
    }
    if (incoming.method === "GET") return getUpload(this.state, id)
    if (incoming.method === "PATCH") return patchUpload(this.state, incoming, id)
    if (incoming.method === "PUT") return closeUpload(this.state, incoming, id)
    return refusal(405, "UNSUPPORTED", "the operation is unsupported")
  }
}

const wantedFor = ({ name, route }: Target, { method }: Incoming): ReadonlyArray<Access> => {
  if (route === "ping") return []
  if (route === "catalog") return [{ repository: "", action: "*" }]
  const pull: Access = { repository: name, action: "pull" }
  return method === "GET" && route !== "upload" || method === "HEAD" ? [pull] : [pull, { repository: name, action: "push" }]
}
