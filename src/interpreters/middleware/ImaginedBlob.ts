/** A content that is only imagined to come: its bytes while they are few, else their number. */
import { sha256, sha512 } from "../../domain/hash/sha2.ts"
import { joinBytes } from "../../domain/bytes/joinBytes.ts"
import { type Algorithm, type Digest, makeDigest } from "../../domain/image/Digest.ts"

/** Bytes of one content that are kept in memory: more than a manifest or a config has, less than many a layer. */
export const keptBytes = 64 << 20

export class ImaginedBlob {
  readonly path: string
  readonly algorithm: Algorithm
  size: number
  /** Undefined once there were too many. */
  private parts: Array<Uint8Array> | undefined

  /** `data`: what an earlier writer has left, undefined for too much of it. */
  constructor(path: string, algorithm: Algorithm, size: number, data: Uint8Array | undefined) {
    this.path = path
    this.algorithm = algorithm
    this.size = size
    this.parts = data === undefined ? undefined : [data]
  }

  append(data: Uint8Array): void {
    this.size += data.length
    if (this.size > keptBytes) this.parts = undefined
    else this.parts?.push(data.slice())
  }

  truncate(): void {
    this.size = 0
    this.parts = []
  }

  get data(): Uint8Array | undefined {
    return this.parts === undefined ? undefined : joinBytes(this.parts)
  }

  /** Undefined of too many bytes. */
  get digest(): Digest | undefined {
    const { data } = this
    if (data === undefined) return undefined
    return makeDigest(this.algorithm, this.algorithm === "sha256" ? sha256(data) : sha512(data))
  }
}
