/**
 * Addresses of the distribution API (OCI distribution-spec 1.1, "Endpoints"). Names, tags and digests are checked
 * before they become part of a URL: none of them can name another path or query.
 */
import { algorithmOf, hexOf, readDigest } from "../image/Digest.ts"
import { readUrl } from "./HttpMessage.ts"

/** Where an API is: `https://host:port` or, with a prefix, `https://host/prefix`; no slash at the end. */
export interface Endpoint {
  readonly url: string
  /** Host and, unless it is the scheme's own, port: as the user and the configuration name it. */
  readonly host: string
  /** False: the certificate is not checked, because the user said so. */
  readonly verifyTls: boolean
}

/** Undefined when the text is not the URL of a host, perhaps with a path. */
export const readEndpoint = (text: string, verifyTls = true): Endpoint | undefined => {
  const url = readUrl(text)
  if (url === undefined || url.search !== "" || url.hash !== "") return undefined
  return { url: `${url.origin}${url.pathname.replace(/\/+$/, "")}`, host: url.host, verifyTls }
}

const component = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*"
const namePattern = new RegExp(`^${component}(?:/${component})*$`)

/** distribution-spec, "Pulling manifests": at most 255 characters with the host, so no more without it. */
export const isRepositoryName = (text: string): boolean => text.length <= 255 && namePattern.test(text)

export const isTag = (text: string): boolean => /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/.test(text)

/** A tag or a digest that we can check. */
export const isManifestReference = (text: string): boolean => isTag(text) || readDigest(text) !== undefined

const query = (parameters: ReadonlyArray<readonly [string, string | number | undefined]>): string => {
  const given = parameters.filter(([, value]) => value !== undefined)
  return given.length === 0 ? "" : `?${given.map(([name, value]) => `${name}=${encodeURIComponent(value ?? "")}`).join("&")}`
}

/** Answers 200 or 401 where this API is spoken. */
export const pingUrl = (endpoint: Endpoint): string => `${endpoint.url}/v2/`

export const manifestUrl = (endpoint: Endpoint, repository: string, reference: string): string =>
  `${endpoint.url}/v2/${repository}/manifests/${reference}`

export const blobUrl = (endpoint: Endpoint, repository: string, digest: string): string =>
  `${endpoint.url}/v2/${repository}/blobs/${digest}`

/** To be posted to. `mount`: a blob of the repository `from` that shall be here too. */
export const uploadUrl = (
  endpoint: Endpoint, repository: string, mount?: { readonly digest: string; readonly from: string }
): string =>
  `${endpoint.url}/v2/${repository}/blobs/uploads/${query([["mount", mount?.digest], ["from", mount?.from]])}`

/** `last`: names up to and with this one are left out. */
export interface Page {
  readonly size?: number
  readonly last?: string
}

export const tagsUrl = (endpoint: Endpoint, repository: string, page: Page = {}): string =>
  `${endpoint.url}/v2/${repository}/tags/list${query([["n", page.size], ["last", page.last]])}`

export const catalogUrl = (endpoint: Endpoint, page: Page = {}): string =>
  `${endpoint.url}/v2/_catalog${query([["n", page.size], ["last", page.last]])}`

export const referrersUrl = (endpoint: Endpoint, repository: string, digest: string, artifactType?: string): string =>
  `${endpoint.url}/v2/${repository}/referrers/${digest}${query([["artifactType", artifactType]])}`

/** The search of the first API, which docker's own registry and some others still have. */
export const searchUrl = (endpoint: Endpoint, term: string, limit: number): string =>
  `${endpoint.url}/v1/search${query([["q", term], ["n", limit]])}`

/**
 * Where registries without the referrers API keep the list (distribution-spec, "Referrers tag schema"): the digest
 * with a dash and the digits cut to 64.
 */
export const referrersTag = (digest: string): string | undefined => {
  const read = readDigest(digest)
  return read === undefined ? undefined : `${algorithmOf(read)}-${hexOf(read).slice(0, 64)}`
}
