/** Lists that a registry gives in pages: tags of a repository, repositories, referrers of a manifest; and its search. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { readDigest } from "../../domain/image/Digest.ts"
import { dockerSearchHost, isDockerDomain } from "../../domain/registry/dockerDefaults.ts"
import {
  catalogUrl, type Endpoint, isRepositoryName, isTag, manifestUrl, readEndpoint, referrersTag, referrersUrl, searchUrl, tagsUrl
} from "../../domain/registry/Endpoint.ts"
import { nextPage } from "../../domain/registry/Link.ts"
import { ociIndex } from "../../domain/image/MediaType.ts"
import { printable } from "../../domain/registry/printable.ts"
import { type RegistryError, registryError, type Subject } from "../../domain/registry/RegistryError.ts"
import { catalogScope, repositoryScope, type Scope } from "../../domain/registry/Scope.ts"
import { type Client, nameOf, type Repository } from "./Client.ts"
import { checkRepository, ownEndpoint } from "./endpoints.ts"
import { type Document, exchangeDocument } from "./exchange.ts"

/** Bytes of one page. */
const pageLimit = 8_388_608

/** A listing that goes on for longer does not end. */
const pagesLimit = 10_000

const decodeTags = Schema.decodeUnknownOption(
  Schema.fromJsonString(Schema.Struct({ tags: Schema.optionalKey(Schema.NullOr(Schema.Array(Schema.String))) }))
)

const decodeCatalog = Schema.decodeUnknownOption(
  Schema.fromJsonString(Schema.Struct({ repositories: Schema.optionalKey(Schema.NullOr(Schema.Array(Schema.String))) }))
)

/** A descriptor in a list of referrers; what else it has is in `annotations` and left as it is. */
export const Referrer = Schema.Struct({
  mediaType: Schema.String,
  digest: Schema.String,
  size: Schema.Int,
  artifactType: Schema.optionalKey(Schema.String),
  annotations: Schema.optionalKey(Schema.NullOr(Schema.Record(Schema.String, Schema.String)))
})
export type Referrer = typeof Referrer.Type

const decodeReferrers = Schema.decodeUnknownOption(
  Schema.fromJsonString(Schema.Struct({ manifests: Schema.optionalKey(Schema.NullOr(Schema.Array(Referrer))) }))
)

interface Listing<A> {
  readonly subject: Subject
  readonly endpoint: Endpoint
  readonly scopes: ReadonlyArray<Scope>
  readonly headers?: Readonly<Record<string, string>>
  readonly read: (document: Document) => ReadonlyArray<A> | undefined
}

const broken = (subject: Subject, cause: string): RegistryError =>
  registryError(subject, "corrupt", cause, "the registry is broken: tell its operator")

/** All pages from `url` on, each asked for when the one before is used up. */
const pages = <A>(client: Client, listing: Listing<A>, url: string): Stream.Stream<A, RegistryError> =>
  Stream.paginate({ url, count: 1 }, Effect.fnUntraced(function*({ count, url }) {
    const { endpoint, headers = {}, read, scopes, subject } = listing
    const document = yield* exchangeDocument(client, {
      ...subject, endpoint, method: "GET", url, headers: { accept: "application/json", ...headers }, scopes,
      accepts: (status) => status === 200
    }, pageLimit)
    const items = read(document)
    if (items === undefined) return yield* broken(subject, "the list is not of the form that the specification has")
    const next = yield* Effect.mapError(Effect.fromResult(nextPage(document.headers, url)), (cause) => broken(subject, cause))
    if (next !== undefined && count >= pagesLimit) return yield* broken(subject, `the list has more than ${pagesLimit} pages`)
    return [items, Option.map(Option.fromUndefinedOr(next), (next) => ({ url: next, count: count + 1 }))] as const
  }))

const text = (document: Document): string => new TextDecoder().decode(document.bytes)

/** Tags of a repository, in the registry's order; texts that are no tags are left out. */
export const listTags = (client: Client, repository: Repository): Stream.Stream<string, RegistryError> => {
  const subject: Subject = { operation: "list tags of", object: nameOf(repository) }
  return Stream.unwrap(Effect.gen(function*() {
    yield* checkRepository(subject, repository)
    const endpoint = yield* ownEndpoint(client, subject, repository.domain)
    const read = (document: Document) =>
      Option.getOrUndefined(Option.map(decodeTags(text(document)), ({ tags }) => (tags ?? []).filter(isTag)))
    const listing = { subject, endpoint, read, scopes: [repositoryScope(repository.path, "pull")] }
    return pages(client, listing, tagsUrl(endpoint, repository.path))
  }))
}

/** Names of all repositories, where the registry tells them. */
export const listRepositories = (client: Client, domain: string): Stream.Stream<string, RegistryError> => {
  const subject: Subject = { operation: "list repositories of", object: domain }
  return Stream.unwrap(Effect.gen(function*() {
    const endpoint = yield* ownEndpoint(client, subject, domain)
    const read = (document: Document) =>
      Option.getOrUndefined(Option.map(decodeCatalog(text(document)), ({ repositories }) =>
        (repositories ?? []).filter(isRepositoryName)))
    return pages(client, { subject, endpoint, read, scopes: [catalogScope] }, catalogUrl(endpoint))
  }))
}

const isOf = (artifactType: string | undefined) => (referrer: Referrer): boolean =>
  readDigest(referrer.digest) !== undefined && (artifactType === undefined || referrer.artifactType === artifactType)

/**
 * Manifests whose `subject` is this digest, of one artifact type if named. A registry without the API keeps them under
 * a tag, or has none.
 */
export const listReferrers = (
  client: Client, repository: Repository, digest: string, artifactType?: string
): Stream.Stream<Referrer, RegistryError> => {
  const subject: Subject = { operation: "list referrers of", object: `${nameOf(repository)}@${digest}` }
  return Stream.unwrap(Effect.gen(function*() {
    yield* checkRepository(subject, repository)
    const tag = referrersTag(digest)
    if (tag === undefined) return yield* registryError(subject, "invalid", "this is not a digest", "name it by sha256: and 64 digits")
    const endpoint = yield* ownEndpoint(client, subject, repository.domain)
    const listing = {
      subject,
      endpoint,
      headers: { accept: ociIndex },
      scopes: [repositoryScope(repository.path, "pull")],
      read: (document: Document) =>
        Option.getOrUndefined(Option.map(decodeReferrers(text(document)), ({ manifests }) => manifests ?? []))
    }
    const listed = (url: string) => pages(client, listing, url)
    const isMissing = (error: RegistryError) => error.status === 404
    return listed(referrersUrl(endpoint, repository.path, digest, artifactType)).pipe(
      Stream.catchIf(isMissing, () => listed(manifestUrl(endpoint, repository.path, tag))),
      Stream.catchIf(isMissing, () => Stream.empty),
      // Filtering is the registry's choice, and a tag has them all
      Stream.filter(isOf(artifactType))
    )
  }))
}

export interface Found {
  readonly name: string
  readonly description: string
  readonly stars: number
  readonly official: boolean
}

const decodeSearch = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Struct({
  results: Schema.optionalKey(Schema.NullOr(Schema.Array(Schema.Struct({
    name: Schema.String,
    description: Schema.optionalKey(Schema.NullOr(Schema.String)),
    star_count: Schema.optionalKey(Schema.NullOr(Schema.Finite)),
    is_official: Schema.optionalKey(Schema.NullOr(Schema.Boolean))
  }))))
})))

const readFound = (document: Document): ReadonlyArray<Found> | undefined =>
  Option.getOrUndefined(Option.map(decodeSearch(text(document)), ({ results }) =>
    (results ?? []).map((result) => ({
      name: printable(result.name),
      description: printable(result.description ?? ""),
      stars: result.star_count ?? 0,
      official: result.is_official ?? false
    }))))

/** Docker's registry answers searches at another host than pulls. */
const searchEndpoint = (client: Client, subject: Subject, domain: string): Effect.Effect<Endpoint, RegistryError> => {
  const search = readEndpoint(`https://${dockerSearchHost}`)
  return isDockerDomain(domain) && search !== undefined ? Effect.succeed(search) : ownEndpoint(client, subject, domain)
}

/** Repositories by a word. Where there is no search, the names of all repositories are looked through. */
export const search = Effect.fnUntraced(function*(
  client: Client, domain: string, term: string, limit: number
): Effect.fn.Return<ReadonlyArray<Found>, RegistryError> {
  const subject: Subject = { operation: "search for", object: `${printable(term)} in ${domain}` }
  const endpoint = yield* searchEndpoint(client, subject, domain)
  const document = yield* exchangeDocument(client, {
    ...subject, endpoint, method: "GET", url: searchUrl(endpoint, term, limit), headers: { accept: "application/json" }, scopes: [],
    accepts: (status) => status === 200 || status === 404 || status === 405
  }, pageLimit)
  if (document.status === 200) {
    const found = readFound(document)
    return found === undefined ? yield* broken(subject, "the list is not of the form that searches have") : found.slice(0, limit)
  }
  return yield* listRepositories(client, domain).pipe(
    Stream.filter((name) => name.includes(term.toLowerCase())),
    Stream.map((name) => ({ name, description: "", stars: 0, official: false })),
    Stream.take(limit),
    Stream.runCollect,
    Effect.mapError((error) =>
      error.status === undefined || error.status >= 500
        ? error
        : registryError(
          subject, "unsupported", `it has no search and does not list its repositories (${error.cause})`,
          "name the repository in full", error
        ))
  )
})
