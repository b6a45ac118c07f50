/** Manifests: what a tag points to, and the document itself, checked against its digest. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { algorithmOf, readDigest } from "../../domain/image/Digest.ts"
import { headerContradicts } from "../../domain/registry/headerContradicts.ts"
import { isManifestReference, manifestUrl } from "../../domain/registry/Endpoint.ts"
import { lines, readLength, single } from "../../domain/registry/HttpMessage.ts"
import { acceptedManifests, readContentType } from "../../domain/image/MediaType.ts"
import { type RegistryError, registryError, type Subject } from "../../domain/registry/RegistryError.ts"
import { repositoryScope } from "../../domain/registry/Scope.ts"
import { type Client, nameOf, type Repository } from "./Client.ts"
import { digestOf } from "./Digester.ts"
import { checkRepository, fromFirst, type Place } from "./endpoints.ts"
import { type Document, exchangeDocument } from "./exchange.ts"

/** Bytes of a manifest: what distribution-spec lets a registry refuse to take more than. */
export const manifestLimit = 4_194_304

export interface ManifestBytes {
  readonly digest: string
  /** Normalised Content-Type. */
  readonly mediaType: string
  readonly bytes: Uint8Array
}

/** A document that cannot be what its media type says: the cause. */
export type Decode<A> = (manifest: ManifestBytes) => Result.Result<A, string>

export const keepBytes: Decode<ManifestBytes> = Result.succeed

export interface ManifestInfo {
  readonly digest: string
  readonly mediaType: string
  readonly size: number
}

const subjectOf = (operation: string, repository: Repository, reference: string): Subject => ({
  operation, object: `${nameOf(repository)}${readDigest(reference) === undefined ? ":" : "@"}${reference}`
})

const checkReference = (subject: Subject, reference: string): Effect.Effect<void, RegistryError> =>
  isManifestReference(reference)
    ? Effect.void
    : Effect.fail(registryError(
      subject, "invalid", `${reference} is neither a tag nor a digest`,
      "a tag has up to 128 letters, digits and . _ -; a digest is sha256: or sha512: with all its digits"
    ))

const corrupt = (subject: Subject, cause: string): RegistryError =>
  registryError(subject, "corrupt", cause, "try again; if it stays, the registry or a proxy in between is broken")

const ask = (
  client: Client, subject: Subject, { endpoint, policy }: Place, method: "GET" | "HEAD", repository: Repository, reference: string
): Effect.Effect<Document, RegistryError> =>
  exchangeDocument(client, {
    ...subject,
    endpoint,
    method,
    url: manifestUrl(endpoint, repository.path, reference),
    headers: { accept: acceptedManifests.join(", ") },
    scopes: [repositoryScope(repository.path, "pull")],
    accepts: (status) => status === 200
  }, manifestLimit, policy)

/** Whether what came is what was asked for and what it says it is. */
const verified = (
  client: Client, subject: Subject, document: Document, reference: string
): Result.Result<ManifestBytes, RegistryError> => {
  const { bytes, headers } = document
  const wanted = readDigest(reference) === undefined ? undefined : reference
  const digest = digestOf(client.digester, algorithmOf(wanted ?? single(headers, "docker-content-digest") ?? ""), bytes)
  if (wanted !== undefined && digest !== wanted) {
    return Result.fail(corrupt(subject, `what came has the digest ${digest}`))
  }
  if (lines(headers, "docker-content-digest").some((header) => headerContradicts(header, digest))) {
    return Result.fail(corrupt(subject, `what came has the digest ${digest}, but its header says another`))
  }
  const mediaType = readContentType(single(headers, "content-type"))
  return mediaType === undefined
    ? Result.fail(corrupt(subject, "it came without a usable Content-Type"))
    : Result.succeed({ digest, mediaType, bytes })
}

/**
 * Gets a manifest or index by tag or digest, verified, as `decode` reads it. `decode` also decides whether media type
 * and document agree.
 */
export const fetchManifest = Effect.fnUntraced(function*<A>(
  client: Client, repository: Repository, reference: string, decode: Decode<A>
): Effect.fn.Return<{ readonly manifest: ManifestBytes; readonly value: A }, RegistryError> {
  const subject = subjectOf("fetch manifest", repository, reference)
  yield* checkRepository(subject, repository)
  yield* checkReference(subject, reference)
  return yield* fromFirst(client, subject, repository.domain, (place) =>
    Effect.flatMap(ask(client, subject, place, "GET", repository, reference), (document) =>
      Effect.fromResult(Result.flatMap(verified(client, subject, document, reference), (manifest) =>
        Result.mapBoth(decode(manifest), {
          onFailure: (cause) => corrupt(subject, cause),
          onSuccess: (value) => ({ manifest, value })
        })))))
})

/** From the head alone; undefined when the registry does not say enough there. */
const readHead = ({ headers }: Document, reference: string): ManifestInfo | undefined => {
  const digest = single(headers, "docker-content-digest")
  const mediaType = readContentType(single(headers, "content-type"))
  const size = readLength(single(headers, "content-length"))
  if (digest === undefined || readDigest(digest) === undefined || mediaType === undefined || size === undefined) return undefined
  return readDigest(reference) !== undefined && headerContradicts(digest, reference) ? undefined : { digest, mediaType, size }
}

/** What a tag points to, without the document where the registry's head says enough. */
export const resolve = Effect.fnUntraced(function*(
  client: Client, repository: Repository, reference: string
): Effect.fn.Return<ManifestInfo, RegistryError> {
  const subject = subjectOf("resolve", repository, reference)
  yield* checkRepository(subject, repository)
  yield* checkReference(subject, reference)
  const whole = Effect.map(fetchManifest(client, repository, reference, keepBytes), ({ manifest }): ManifestInfo =>
    ({ digest: manifest.digest, mediaType: manifest.mediaType, size: manifest.bytes.length }))
  return yield* fromFirst(client, subject, repository.domain, (place) =>
    Effect.flatMap(ask(client, subject, place, "HEAD", repository, reference), (document) => {
      const info = readHead(document, reference)
      return info === undefined ? whole : Effect.succeed(info)
    }))
})
