/** Manifests, blobs and the lists of them at a simulated registry. */
import { isTag, referrersTag } from "../../../domain/registry/Endpoint.ts"
import { algorithmOf, readDigest } from "../../../domain/image/Digest.ts"
import type { RegistryState, Repository } from "./RegistryState.ts"
import { type Incoming, jsonReply, refusal, reply, type Reply } from "./Reply.ts"
import { digestBytes } from "./sha2.ts"

const nameUnknown = refusal(404, "NAME_UNKNOWN", "repository name not known to registry")
const manifestUnknown = refusal(404, "MANIFEST_UNKNOWN", "manifest unknown")

export const getManifest = (state: RegistryState, incoming: Incoming, name: string, reference: string): Reply => {
  const repository = state.repositories.get(name)
  if (repository === undefined) return nameUnknown
  const digest = readDigest(reference) === undefined ? repository.tags.get(reference) : reference
  const manifest = digest === undefined ? undefined : repository.manifests.get(digest)
  if (digest === undefined || manifest === undefined) return manifestUnknown
  const accepted = (incoming.headers["accept"] ?? "").split(",").map((type) => type.trim())
  if (!accepted.includes(manifest.mediaType)) {
    return refusal(404, "MANIFEST_UNKNOWN", `${manifest.mediaType} found, but accept header does not support it`)
  }
  return reply(200, { "content-type": manifest.mediaType, "docker-content-digest": digest }, manifest.bytes)
}

interface Named {
  readonly digest?: unknown
}

interface ManifestDocument {
  readonly config?: Named
  readonly layers?: ReadonlyArray<Named>
  readonly manifests?: ReadonlyArray<Named>
  readonly subject?: Named
}

const readManifest = (bytes: Uint8Array): ManifestDocument | undefined => {
  try {
    const document: unknown = JSON.parse(new TextDecoder().decode(bytes))
    return typeof document === "object" && document !== null ? document : undefined
  } catch {
    return undefined
  }
}

/** What the manifest names and the repository lacks. */
const lacking = (repository: Repository, document: ManifestDocument): string | undefined =>
  [
    ...[document.config, ...document.layers ?? []].filter((part) => part !== undefined)
      .map(({ digest }) => ({ digest: String(digest), there: repository.blobs.has(String(digest)) })),
    ...(document.manifests ?? [])
      .map(({ digest }) => ({ digest: String(digest), there: repository.manifests.has(String(digest)) }))
  ].find(({ there }) => !there)?.digest

export const putManifest = (state: RegistryState, incoming: Incoming, name: string, reference: string): Reply => {
  if (incoming.interrupted) return refusal(400, "MANIFEST_INVALID", "unexpected end of the document")
  const digest = digestBytes(incoming.body, algorithmOf(reference))
  const document = readManifest(incoming.body)
  const mediaType = incoming.headers["content-type"]
  if (document === undefined || mediaType === undefined) return refusal(400, "MANIFEST_INVALID", "manifest invalid")
  if (!isTag(reference) && reference !== digest) return refusal(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
  const repository = state.repository(name)
  const missing = lacking(repository, document)
  if (missing !== undefined) return refusal(400, "MANIFEST_BLOB_UNKNOWN", `blob unknown to registry: ${missing}`)
  const subject = document.subject === undefined ? undefined : String(document.subject.digest)
  repository.manifests.set(digest, { mediaType, bytes: incoming.body, subject })
  if (isTag(reference)) repository.tags.set(reference, digest)
  return reply(201, {
    location: `/v2/${name}/manifests/${digest}`,
    "docker-content-digest": digest,
    ...(subject !== undefined && state.setup.referrers ? { "oci-subject": subject } : {})
  })
}

/** A content, or the range of it that is asked for; only `bytes=N-` and `bytes=N-M` are known. */
export const serveContent = (incoming: Incoming, content: Uint8Array, headers: Readonly<Record<string, string>>): Reply => {
  const match = /^bytes=([0-9]+)-([0-9]*)$/.exec(incoming.headers["range"] ?? "")
  if (match === null) return reply(200, { ...headers, "accept-ranges": "bytes" }, content)
  const first = Number(match[1])
  const last = match[2] === "" ? content.length - 1 : Math.min(content.length - 1, Number(match[2]))
  if (first >= content.length || last < first) return reply(416, { "content-range": `bytes */${content.length}` })
  return reply(206, { ...headers, "content-range": `bytes ${first}-${last}/${content.length}` }, content.slice(first, last + 1))
}

export const getBlob = (state: RegistryState, incoming: Incoming, name: string, digest: string): Reply => {
  const content = state.repositories.get(name)?.blobs.get(digest)
  if (content === undefined) return refusal(404, "BLOB_UNKNOWN", "blob unknown to registry")
  const headers = { "content-type": "application/octet-stream", "docker-content-digest": digest }
  if (incoming.method === "HEAD") return reply(200, { ...headers, "content-length": String(content.length) })
  const { blobStore } = state.setup
  return blobStore === undefined
    ? serveContent(incoming, content, headers)
    : reply(307, { location: `${blobStore}/${name}/${digest}?signature=${state.fresh("s")}` })
}

/** The store of another owner that blobs are redirected to: like those of the clouds it will not have two authorizations. */
export const serveStore = (state: RegistryState, incoming: Incoming): Reply => {
  if (incoming.headers["authorization"] !== undefined) {
    return reply(400, {}, new TextEncoder().encode("<Error><Code>InvalidArgument</Code></Error>"))
  }
  const [, name = "", digest = ""] = /^\/(.+)\/([^/]+)$/.exec(decodeURIComponent(incoming.url.pathname)) ?? []
  const content = state.repositories.get(name)?.blobs.get(digest)
  return content === undefined || !incoming.url.searchParams.has("signature") ? reply(403) : serveContent(incoming, content, {})
}

/** A page of sorted names behind `last`, and where the next one is. */
const page = (state: RegistryState, incoming: Incoming, names: ReadonlyArray<string>) => {
  const { searchParams } = incoming.url
  const last = searchParams.get("last") ?? ""
  const size = Math.min(state.setup.pageSize, Number(searchParams.get("n") ?? state.setup.pageSize))
  const behind = [...names].sort().filter((name) => name > last)
  const shown = behind.slice(0, size)
  const end = shown.at(-1)
  const headers: Readonly<Record<string, string>> = end === undefined || behind.length <= size
    ? {}
    : { link: `<${incoming.url.pathname}?last=${encodeURIComponent(end)}&n=${size}>; rel="next"` }
  return { shown, headers }
}

export const getTags = (state: RegistryState, incoming: Incoming, name: string): Reply => {
  const repository = state.repositories.get(name)
  if (repository === undefined) return nameUnknown
  const { headers, shown } = page(state, incoming, [...repository.tags.keys()])
  return jsonReply(200, { name, tags: shown.length === 0 ? null : shown }, headers)
}

export const getCatalog = (state: RegistryState, incoming: Incoming): Reply => {
  if (!state.setup.catalog) return refusal(404, "UNSUPPORTED", "page not found")
  const { headers, shown } = page(state, incoming, [...state.repositories.keys()])
  return jsonReply(200, { repositories: shown }, headers)
}

export const getReferrers = (state: RegistryState, incoming: Incoming, name: string, digest: string): Reply => {
  if (!state.setup.referrers || referrersTag(digest) === undefined) return reply(404)
  const manifests = [...state.repositories.get(name)?.manifests ?? []].flatMap(([own, { bytes, mediaType, subject }]) => {
    if (subject !== digest) return []
    const { artifactType } = JSON.parse(new TextDecoder().decode(bytes)) as { readonly artifactType?: string }
    return [{ mediaType, digest: own, size: bytes.length, ...(artifactType === undefined ? {} : { artifactType }) }]
  })
  const wanted = incoming.url.searchParams.get("artifactType")
  const listed = manifests.filter(({ artifactType }) => wanted === null || artifactType === wanted)
  return jsonReply(200, { schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: listed }, {
    "content-type": "application/vnd.oci.image.index.v1+json",
    ...(wanted === null ? {} : { "oci-filters-applied": "artifactType" })
  })
}

export const getSearch = (state: RegistryState, incoming: Incoming): Reply => {
  if (!state.setup.search) return reply(404)
  const term = incoming.url.searchParams.get("q") ?? ""
  const limit = Number(incoming.url.searchParams.get("n") ?? 25)
  const names = [...state.repositories.keys()].filter((name) => name.includes(term)).slice(0, limit)
  return jsonReply(200, {
    num_results: names.length, query: term,
    results: names.map((name) => ({ name, description: `about ${name}`, star_count: 1, is_official: false }))
  })
}
