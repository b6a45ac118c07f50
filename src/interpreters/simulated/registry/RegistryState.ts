/** What a simulated registry has, and how it is set up. */
import { digestBytes } from "./sha2.ts"

export interface StoredManifest {
  readonly mediaType: string
  readonly bytes: Uint8Array
  readonly subject: string | undefined
}

export interface Repository {
  readonly blobs: Map<string, Uint8Array>
  readonly manifests: Map<string, StoredManifest>
  readonly tags: Map<string, string>
}

export interface UploadSession {
  readonly repository: string
  received: Uint8Array
  /** A piece below the least size came: no other may follow. */
  lastSeen: boolean
}

export interface IssuedToken {
  expiresAt: number
  /** `repository:name:action`. */
  readonly access: ReadonlySet<string>
}

export type AuthenticationSetup =
  | { readonly kind: "none" }
  | { readonly kind: "basic" }
  /** `realm`: URL of its token server. `lifetime` in seconds. */
  | { readonly kind: "bearer"; readonly realm: string; readonly service: string; readonly lifetime: number }

export interface RegistrySetup {
  /** `https://host:port`. */
  readonly url: string
  readonly authentication: AuthenticationSetup
  /** Passwords by name. */
  readonly users: Readonly<Record<string, string>>
  /** Whether everybody may pull. */
  readonly publicPull: boolean
  /** Origin that blobs are redirected to; served from here when absent. */
  readonly blobStore?: string
  /** `OCI-Chunk-Min-Length`. */
  readonly leastChunk?: number
  readonly absoluteLocations?: boolean
  /** Entries of a page. */
  readonly pageSize: number
  readonly referrers: boolean
  readonly catalog: boolean
  readonly search: boolean
  readonly mount: boolean
}

export const defaultSetup: Omit<RegistrySetup, "url"> = {
  authentication: { kind: "none" }, users: {}, publicPull: true, pageSize: 100, referrers: true, catalog: true, search: false, mount: true
}

export class RegistryState {
  readonly setup: RegistrySetup
  readonly repositories = new Map<string, Repository>()
  readonly uploads = new Map<string, UploadSession>()
  readonly tokens = new Map<string, IssuedToken>()
  readonly refreshTokens = new Map<string, string>()
  private count = 0

  constructor(setup: RegistrySetup) {
    this.setup = setup
  }

  /** Another one each time. */
  fresh(prefix: string): string {
    this.count++
    return `${prefix}${this.count}`
  }

  /** Makes the repository when it is not there. */
  repository(name: string): Repository {
    const known = this.repositories.get(name)
    if (known !== undefined) return known
    const made: Repository = { blobs: new Map(), manifests: new Map(), tags: new Map() }
    this.repositories.set(name, made)
    return made
  }

  /** Puts a blob there; gives its digest. */
  putBlob(name: string, content: Uint8Array): string {
    const digest = digestBytes(content)
    this.repository(name).blobs.set(digest, content)
    return digest
  }

  /** Puts a manifest there; gives its digest. */
  putManifest(name: string, mediaType: string, bytes: Uint8Array, tag?: string): string {
    const digest = digestBytes(bytes)
    const { subject } = JSON.parse(new TextDecoder().decode(bytes)) as { readonly subject?: { readonly digest: string } }
    this.repository(name).manifests.set(digest, { mediaType, bytes, subject: subject?.digest })
    if (tag !== undefined) this.repository(name).tags.set(tag, digest)
    return digest
  }
}
