/**
 * Where a registry keeps no list of referrers, whoever pushes one keeps it under a tag (distribution-spec, "Pushing
 * Manifests with Subject"). Two who do so at the same moment may lose one entry: the protocol has no lock.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { readDigest } from "../../domain/image/Digest.ts"
import { referrersTag } from "../../domain/registry/Endpoint.ts"
import { ociIndex } from "../../domain/image/MediaType.ts"
import type { RegistryError } from "../../domain/registry/RegistryError.ts"
import type { Client, Repository } from "./Client.ts"
import { fetchManifest, type ManifestBytes } from "./fetchManifest.ts"
import { Referrer } from "./listings.ts"
import { pushManifest } from "./pushManifest.ts"

const optionalText = Schema.optionalKey(Schema.NullOr(Schema.String))

const decodeReferring = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Struct({
  subject: Schema.Struct({ digest: Schema.String }),
  artifactType: optionalText,
  config: Schema.optionalKey(Schema.Struct({ mediaType: optionalText })),
  annotations: Schema.optionalKey(Schema.NullOr(Schema.Record(Schema.String, Schema.String)))
})))

const decodeIndex = Schema.decodeUnknownOption(
  Schema.fromJsonString(Schema.Struct({ manifests: Schema.optionalKey(Schema.NullOr(Schema.Array(Referrer))) }))
)

/** The subject of a manifest and the entry for it in that subject's list; undefined when it has no subject. */
export const referrerOf = (
  manifest: ManifestBytes
): { readonly subject: string; readonly entry: Referrer } | undefined => {
  const read = decodeReferring(new TextDecoder().decode(manifest.bytes))
  if (Option.isNone(read) || readDigest(read.value.subject.digest) === undefined) return undefined
  const { annotations, artifactType, config, subject } = read.value
  // Before artifact types had a field of their own, the config's media type was one
  const type = artifactType || config?.mediaType
  return {
    subject: subject.digest,
    entry: {
      mediaType: manifest.mediaType, digest: manifest.digest, size: manifest.bytes.length,
      ...(type ? { artifactType: type } : {}),
      ...(annotations ? { annotations } : {})
    }
  }
}

const readList = ({ bytes }: ManifestBytes): Result.Result<ReadonlyArray<Referrer>, string> =>
  Option.match(decodeIndex(new TextDecoder().decode(bytes)), {
    onNone: () => Result.fail("the list of referrers is not an index"),
    onSome: ({ manifests }) => Result.succeed(manifests ?? [])
  })

/** Adds an entry to the list of `subject`, unless it is there. */
export const recordReferrer = Effect.fnUntraced(function*(
  client: Client, repository: Repository, subject: string, entry: Referrer
): Effect.fn.Return<void, RegistryError> {
  const tag = referrersTag(subject) ?? subject
  const known = yield* fetchManifest(client, repository, tag, readList).pipe(
    Effect.map(({ value }) => value),
    Effect.catchIf((error) => error.kind === "missing", () => Effect.succeed([]))
  )
  if (known.some(({ digest }) => digest === entry.digest)) return
  const index = { schemaVersion: 2, mediaType: ociIndex, manifests: [...known, entry] }
  yield* pushManifest(client, repository, tag, {
    mediaType: ociIndex, bytes: new TextEncoder().encode(JSON.stringify(index))
  })
})

/** Pushes a manifest, and sees to it that it is found by its subject. */
export const pushReferring = Effect.fnUntraced(function*(
  client: Client, repository: Repository, reference: string, manifest: Omit<ManifestBytes, "digest">
) {
  const pushed = yield* pushManifest(client, repository, reference, manifest)
  const referrer = referrerOf({ ...manifest, digest: pushed.digest })
  if (referrer !== undefined && pushed.subject === undefined) {
    yield* recordReferrer(client, repository, referrer.subject, referrer.entry)
  }
  return pushed
})
