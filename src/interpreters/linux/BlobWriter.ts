/**
 * A content on its way into the store: what comes is written and hashed at once, on a pool thread, one call at a time,
 * so that the event loop never waits for a disk.
 */
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { type Algorithm, type Digest, hexOf, makeDigest, readDigest } from "../../domain/image/Digest.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { KernelTag, Success } from "../../domain/kernel/KernelOp.ts"
import { type Addon, type CancelFlag, type Failure, isFailure, type NativeDigest } from "./addon.ts"
import { attempt, Refusal, type Subject, toKernelError, valueOf } from "./attempt.ts"
import type { Open } from "./Machine.ts"

const { O_CREAT, O_NOCTTY, O_NOFOLLOW, O_NONBLOCK, O_RDWR } = fs.constants

type State = "open" | "busy" | "failed" | "closing" | "closed"

export class BlobWriter implements Open {
  readonly path: string
  private readonly algorithm: Algorithm
  private readonly addon: Addon
  private readonly fd: number
  private digest: NativeDigest
  private size = 0
  private state: State = "open"

  /** Opens the file, or makes it. Throws for `attempt`. What is in it is not hashed yet. */
  constructor(addon: Addon, path: string, algorithm: Algorithm) {
    this.addon = addon
    this.path = path
    this.algorithm = algorithm
    this.digest = valueOf(addon.digestOpen(algorithm))
    this.fd = fs.openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0o600)
    if (fs.fstatSync(this.fd).isFile()) return
    fs.closeSync(this.fd)
    throw new Refusal("open", "EINVAL", "not a regular file")
  }

  /** Hashes what an earlier writer has left. Gives the bytes of it. */
  catchUp(): Effect.Effect<number, KernelError> {
    return this.call(this.subject("BlobOpen"), (cancel, done) =>
      this.addon.digestFile(this.digest, this.fd, 0, cancel, (end) => {
        if (!isFailure(end)) this.size = end
        done(end)
      }))
  }

  append(data: Uint8Array): Effect.Effect<void, KernelError> {
    const subject = this.subject("BlobAppend")
    return Effect.suspend(() => {
      const refusal = this.refusal
      if (refusal !== undefined) return Effect.fail(toKernelError(subject, refusal))
      if (data.length === 0) return Effect.void
      const written = this.call(subject, (cancel, done) =>
        this.addon.digestWrite(this.digest, this.fd, this.size, data, cancel, done))
      const done = Effect.tap(written, () => Effect.sync(() => this.size += data.length))
      // A half of it would be bytes that no hash knows
      const whole = Effect.onError(done, () => Effect.sync(() => {
        this.state = "failed"
        this.cut(this.size)
      }))
      return Effect.uninterruptible(whole)
    })
  }

  truncate(): Effect.Effect<void, KernelError> {
    return attempt(this.subject("BlobTruncate"), () => {
      if (this.state !== "failed" && this.refusal !== undefined) throw this.refusal
      fs.ftruncateSync(this.fd, 0)
      this.addon.digestClose(this.digest)
      this.digest = valueOf(this.addon.digestOpen(this.algorithm))
      this.size = 0
      this.state = "open"
    })
  }

  /** However it ends, there is nothing left to do with it but to close it. */
  commit(directory: string, wanted: string | undefined): Effect.Effect<Success<"BlobCommit">, KernelError> {
    const own = this.subject("BlobCommit")
    return Effect.gen({ self: this }, function*() {
      const digest = yield* attempt(own, () => this.check(wanted))
      const place = `${directory}/${this.algorithm}/${hexOf(digest)}`
      // A name that says what is in it must not be there before that is, not even after a power failure
      yield* this.call(own, (_, done) => fs.fdatasync(this.fd, (error) => done(error ?? 0)))
      yield* attempt({ ...own, path: place }, () => fs.renameSync(this.path, place))
      this.closeNow()
      return { digest, size: this.size }
    })
  }

  close(): void {
    if (this.state === "busy") this.state = "closing"
    else this.closeNow()
  }

  private get refusal(): Refusal | undefined {
    if (this.state === "open") return undefined
    return this.state === "failed"
      ? new Refusal("write", "EBUSY", "an earlier write failed")
      : new Refusal("write", "EBUSY", "another operation on the blob is under way")
  }

  private subject(op: KernelTag): Subject {
    return { op, path: this.path }
  }

  /** The digest of what has come, which must be the wanted one. Throws for `attempt`. */
  private check(wanted: string | undefined): Digest {
    if (this.refusal !== undefined) throw this.refusal
    if (wanted !== undefined && readDigest(wanted) === undefined) throw new Refusal("commit", "EINVAL", `no digest: ${wanted}`)
    if (wanted !== undefined && !wanted.startsWith(`${this.algorithm}:`)) {
      throw new Refusal("commit", "EINVAL", `${wanted} is wanted of a blob that was opened for ${this.algorithm}`)
    }
    const found = makeDigest(this.algorithm, valueOf(this.addon.digestText(this.digest)))
    this.requireName()
    if (wanted === undefined || wanted === found) return found
    fs.unlinkSync(this.path)
    throw new Refusal("commit", "EBADMSG", `wanted ${wanted}, found ${found} in ${this.size} bytes`)
  }

  /** Whoever removed or replaced the file meanwhile would have us give the place to another content. */
  private requireName(): void {
    const held = fs.fstatSync(this.fd, { bigint: true })
    const named = fs.lstatSync(this.path, { bigint: true })
    if (named.ino !== held.ino || named.dev !== held.dev) {
      throw new Refusal("rename", "ESTALE", "the name has gone to another file")
    }
  }

  /**
   * A call on a pool thread. The descriptor stays open until it is over, whoever goes away meanwhile; that he has gone
   * is told by the flag.
   */
  private call(
    subject: Subject, start: (cancel: CancelFlag, done: (result: number | Error | Failure) => void) => undefined | void | Failure
  ): Effect.Effect<number, KernelError> {
    return Effect.callback<number, KernelError>((resume) => {
      if (this.state === "closed") {
        return resume(Effect.fail(toKernelError(subject, new Refusal("handle", "EBADF", "the blob was closed meanwhile"))))
      }
      const cancel: CancelFlag = new Int32Array(1)
      const done = (result: number | Error | Failure) => {
        if (this.state === "closing") this.closeNow()
        else this.state = "open"
        resume(typeof result === "number" ? Effect.succeed(result) : Effect.fail(toKernelError(subject, result)))
      }
      this.state = "busy"
      const refused = start(cancel, done)
      if (refused !== undefined) done(refused)
      return Effect.sync(() => void Atomics.store(cancel, 0, 1))
    })
  }

  private cut(size: number): void {
    try {
      fs.ftruncateSync(this.fd, size)
    } catch {
      // The failure that led here is the one to be told
    }
  }

  private closeNow(): void {
    if (this.state === "closed") return
    this.state = "closed"
    this.addon.digestClose(this.digest)
    fs.closeSync(this.fd)
  }
}
