/**
 * Names of images, `[domain/]path[:tag][@digest]` (distribution/reference), with what docker leaves out put in: every
 * Reference here is normalised, so that equal images have equal names.
 */
import * as Result from "effect/Result"
import { refuse, textError, type TextError } from "../text/TextError.ts"
import { type Digest, parseDigest } from "./Digest.ts"

export interface Reference {
  /** Host and optional port: always there. */
  readonly domain: string
  /** `library/debian` */
  readonly path: string
  readonly tag?: string
  readonly digest?: Digest
}

/** What a name without a host means to everybody who learnt from docker, and the name it had before. */
export const defaultDomain = "docker.io"
const formerDefaultDomain = `index.${defaultDomain}`
const officialPrefix = "library/"
export const defaultTag = "latest"

/** Characters. */
export const referenceLimits = {
  /** distribution/reference, RepositoryNameTotalLengthMax */
  path: 255,
  /** A host name of the DNS (RFC 1035, 2.3.4) with a port */
  domain: 261,
  tag: 128,
  /** Of a whole text: the parts with the longest digest, and room to spare for what is longer than allowed. */
  text: 1024
}

const alphanumeric = "[a-z0-9]+"
const component = `${alphanumeric}(?:(?:[._]|__|-+)${alphanumeric})*`
const pathPattern = `${component}(?:/${component})*`
const label = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
const domainPattern = `(?:${label}(?:\\.${label})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`
const tagPattern = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"

const domainForm = new RegExp(`^${domainPattern}$`)
const pathForm = new RegExp(`^${pathPattern}$`)
const tagForm = new RegExp(`^${tagPattern}$`)

const operation = "parse reference"
const cure = "write [HOST[:PORT]/]NAME[:TAG][@sha256:…] with the name in lower case, such as debian:13"
const invalid = (text: string, cause: string) => refuse(operation, text, `invalid reference format${cause}`, cure)

/** Whether the first part of a name is a host and no part of the path. */
const isDomain = (first: string): boolean =>
  first === "localhost" || /[.:]/.test(first) || first.toLowerCase() !== first

/** `a/b` → domain and the rest. */
const splitDomain = (text: string): readonly [domain: string, remainder: string] => {
  const slash = text.indexOf("/")
  const first = text.slice(0, Math.max(0, slash))
  const explicit = slash >= 0 && isDomain(first)
  const domain = !explicit || first === formerDefaultDomain ? defaultDomain : first
  const remainder = explicit ? text.slice(slash + 1) : text
  return [domain, domain === defaultDomain && !remainder.includes("/") ? officialPrefix + remainder : remainder]
}

/** `path[:tag][@digest]` in three; what is wrong with the parts is found later. */
const splitRemainder = (text: string) => {
  const at = text.indexOf("@")
  const named = at < 0 ? text : text.slice(0, at)
  const colon = named.indexOf(":")
  return {
    path: colon < 0 ? named : named.slice(0, colon),
    tag: colon < 0 ? undefined : named.slice(colon + 1),
    digest: at < 0 ? undefined : text.slice(at + 1)
  }
}

/**
 * A name as a user or a document writes it: `debian`, `localhost:5000/team/app:1`, `[::1]:5000/a@sha256:…`. No tag is
 * put in, see `withDefaultTag`. Wording of docker.
 */
export const parseReference = (text: string): Result.Result<Reference, TextError> => {
  if (text.length > referenceLimits.text) {
    return invalid(text, `: it has ${text.length} characters, more than the ${referenceLimits.text} allowed`)
  }
  if (/^[0-9a-f]{64}$/.test(text)) {
    return refuse(
      operation, text, `invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`,
      "write sha256: before it to name an image by its id"
    )
  }
  const [domain, remainder] = splitDomain(text)
  const { digest, path, tag } = splitRemainder(remainder)
  if (path.toLowerCase() !== path) return invalid(text, `: repository name (${path}) must be lowercase`)
  if (!domainForm.test(domain) || !pathForm.test(path) || (tag !== undefined && !tagForm.test(tag))) return invalid(text, "")
  if (path.length > referenceLimits.path) {
    return refuse(operation, text, `repository name must not be more than ${referenceLimits.path} characters`, cure)
  }
  if (domain.length > referenceLimits.domain) {
    return refuse(operation, text, `the host must not have more than ${referenceLimits.domain} characters`, cure)
  }
  const named = { domain, path, ...(tag === undefined ? {} : { tag }) }
  if (digest === undefined) return Result.succeed(named)
  if (digest === "") return invalid(text, "")
  return parseDigest(digest).pipe(
    Result.map((parsed) => ({ ...named, digest: parsed })),
    Result.mapError(({ cause, cure }) => textError(operation, text, cause, cure))
  )
}

export const isTag = (text: string): boolean => tagForm.test(text)

/** `domain/path` */
export const repositoryOf = ({ domain, path }: Reference): string => `${domain}/${path}`

const suffixOf = ({ digest, tag }: Reference): string =>
  `${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`

/** In full: host, path, tag and digest. */
export const formatReference = (reference: Reference): string => repositoryOf(reference) + suffixOf(reference)

/**
 * The name as docker shows it: `debian`. What docker would show ambiguously (its own `localhost/x`, or 64 hexadecimal
 * digits) stays in full, so that every shown name can be typed.
 */
export const familiarName = (reference: Reference): string => {
  const full = repositoryOf(reference)
  if (reference.domain !== defaultDomain) return full
  const { path } = reference
  const official = path.startsWith(officialPrefix) && !path.slice(officialPrefix.length).includes("/")
  const short = official ? path.slice(officialPrefix.length) : path
  const parsed = parseReference(short)
  return Result.isSuccess(parsed) && repositoryOf(parsed.success) === full ? short : full
}

/** `debian:13` */
export const familiarReference = (reference: Reference): string => familiarName(reference) + suffixOf(reference)

/** `latest` where neither a tag nor a digest is given. */
export const withDefaultTag = (reference: Reference): Reference =>
  reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: defaultTag } : reference

/** The digest decides when both are given: then the tag says nothing (docker's ParseDockerRef). */
export const withoutIdleTag = ({ tag, ...reference }: Reference): Reference =>
  tag === undefined || reference.digest !== undefined ? reference : { ...reference, tag }

export const equalReferences = (one: Reference, other: Reference): boolean =>
  formatReference(one) === formatReference(other)
