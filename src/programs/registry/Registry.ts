/** Registries as the engine uses them. One service holds what was learned of all of them: tokens, challenges, endpoints. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Stream from "effect/Stream"
import type { Credential } from "../../domain/registry/Credential.ts"
import type { RegistryError } from "../../domain/registry/RegistryError.ts"
import { type ClientOptions, makeClient, type Repository } from "./Client.ts"
import type { Credentials } from "./Credentials.ts"
import type { Digester } from "./Digester.ts"
import { download } from "./download.ts"
import { type BlobDescriptor, fetchBlob, type FetchOptions } from "./fetchBlob.ts"
import { type Decode, fetchManifest, type ManifestBytes, type ManifestInfo, resolve } from "./fetchManifest.ts"
import type { Http } from "./Http.ts"
import { type Found, listReferrers, listRepositories, listTags, type Referrer, search } from "./listings.ts"
import { login, ping, type Ping } from "./login.ts"
import { type BlobSource, pushBlob, type Pushed, type PushOptions } from "./pushBlob.ts"
import type { PushedManifest } from "./pushManifest.ts"
import { pushReferring } from "./recordReferrer.ts"

/** Pulls ask mirrors first; everything else asks the registry itself. */
export class Registry extends Context.Service<Registry, {
  readonly ping: (domain: string) => Effect.Effect<Ping, RegistryError>
  /** Checks a credential and gives the one to keep. */
  readonly login: (
    domain: string, credential: Credential
  ) => Effect.Effect<{ readonly credential: Credential; readonly checked: boolean }, RegistryError>
  /** What a tag or a digest points to. */
  readonly resolve: (repository: Repository, reference: string) => Effect.Effect<ManifestInfo, RegistryError>
  readonly fetchManifest: <A>(
    repository: Repository, reference: string, decode: Decode<A>
  ) => Effect.Effect<{ readonly manifest: ManifestBytes; readonly value: A }, RegistryError>
  readonly fetchBlob: (
    repository: Repository, blob: BlobDescriptor, options?: FetchOptions
  ) => Stream.Stream<Uint8Array, RegistryError>
  readonly pushBlob: <E>(
    repository: Repository, source: BlobSource<E>, options?: PushOptions
  ) => Effect.Effect<Pushed, RegistryError | E>
  /** One with a subject is found by it afterwards, with or without the registry's help. */
  readonly pushManifest: (
    repository: Repository, reference: string, manifest: { readonly mediaType: string; readonly bytes: Uint8Array }
  ) => Effect.Effect<PushedManifest, RegistryError>
  readonly listTags: (repository: Repository) => Stream.Stream<string, RegistryError>
  readonly listRepositories: (domain: string) => Stream.Stream<string, RegistryError>
  readonly listReferrers: (
    repository: Repository, digest: string, artifactType?: string
  ) => Stream.Stream<Referrer, RegistryError>
  readonly search: (domain: string, term: string, limit: number) => Effect.Effect<ReadonlyArray<Found>, RegistryError>
  /** What is no registry's: any file of the web. */
  readonly download: (url: string) => Stream.Stream<Uint8Array, RegistryError>
}>()("fx/programs/registry/Registry") {
  static readonly layer = (options: ClientOptions): Layer.Layer<Registry, never, Http | Digester | Credentials> =>
    Layer.effect(
      Registry,
      Effect.map(makeClient(options), (client) => ({
        ping: (domain) => ping(client, domain),
        login: (domain, credential) => login(client, domain, credential),
        resolve: (repository, reference) => resolve(client, repository, reference),
        fetchManifest: (repository, reference, decode) => fetchManifest(client, repository, reference, decode),
        fetchBlob: (repository, blob, fetching) => fetchBlob(client, repository, blob, fetching),
        pushBlob: (repository, source, pushing) => pushBlob(client, repository, source, pushing),
        pushManifest: (repository, reference, manifest) => pushReferring(client, repository, reference, manifest),
        listTags: (repository) => listTags(client, repository),
        listRepositories: (domain) => listRepositories(client, domain),
        listReferrers: (repository, digest, artifactType) => listReferrers(client, repository, digest, artifactType),
        search: (domain, term, limit) => search(client, domain, term, limit),
        download: (url) => download(client, url)
      }))
    )
}
