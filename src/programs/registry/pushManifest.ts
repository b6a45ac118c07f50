/** Puts a manifest under a tag or its digest. Repeating it changes nothing, so that it is repeated freely. */
import * as Effect from "effect/Effect"
import { algorithmOf, readDigest } from "../../domain/image/Digest.ts"
import { headerContradicts } from "../../domain/registry/headerContradicts.ts"
import { isManifestReference, manifestUrl } from "../../domain/registry/Endpoint.ts"
import { errorBodyLimit } from "../../domain/registry/ErrorBody.ts"
import { single } from "../../domain/registry/HttpMessage.ts"
import { type RegistryError, registryError, type Subject } from "../../domain/registry/RegistryError.ts"
import { repositoryScope } from "../../domain/registry/Scope.ts"
import { type Client, nameOf, type Repository } from "./Client.ts"
import { digestOf } from "./Digester.ts"
import { checkRepository, ownEndpoint } from "./endpoints.ts"
import { exchangeDocument } from "./exchange.ts"

export interface PushedManifest {
  readonly digest: string
  /** What the registry says it lists this manifest as a referrer of; undefined where it has no such lists. */
  readonly subject: string | undefined
}

/** `reference`: a tag, or the digest of the bytes. Its blobs have to be there before. */
export const pushManifest = Effect.fnUntraced(function*(
  client: Client, repository: Repository, reference: string,
  manifest: { readonly mediaType: string; readonly bytes: Uint8Array }
): Effect.fn.Return<PushedManifest, RegistryError> {
  const separator = readDigest(reference) === undefined ? ":" : "@"
  const subject: Subject = { operation: "push manifest", object: `${nameOf(repository)}${separator}${reference}` }
  yield* checkRepository(subject, repository)
  const digest = digestOf(client.digester, algorithmOf(reference), manifest.bytes)
  if (!isManifestReference(reference) || (separator === "@" && reference !== digest)) {
    return yield* registryError(
      subject, "invalid", separator === "@" ? `its digest is ${digest}` : "this is neither a tag nor a digest",
      "name it by a tag or by the digest of its bytes"
    )
  }
  const endpoint = yield* ownEndpoint(client, subject, repository.domain)
  const { headers } = yield* exchangeDocument(client, {
    ...subject,
    endpoint,
    method: "PUT",
    url: manifestUrl(endpoint, repository.path, reference),
    headers: { "content-type": manifest.mediaType },
    body: { kind: "bytes", bytes: manifest.bytes },
    scopes: [repositoryScope(repository.path, "pull", "push")],
    accepts: (status) => status === 201 || status === 200 || status === 202
  }, errorBodyLimit)
  const said = single(headers, "docker-content-digest")
  if (headerContradicts(said, digest)) {
    return yield* registryError(
      subject, "corrupt", `the registry took it as ${said}`, "push again; if it stays, the registry or a proxy in between is broken"
    )
  }
  return { digest, subject: single(headers, "oci-subject") }
})
