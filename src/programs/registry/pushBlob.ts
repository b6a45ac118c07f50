/**
 * Brings a blob into a repository: not at all where it is there, by a mount from another repository, or in one or
 * more pieces of an upload session that is taken up again where it broke.
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Pull from "effect/Pull"
import * as Stream from "effect/Stream"
import { readDigest } from "../../domain/image/Digest.ts"
import { headerContradicts } from "../../domain/registry/headerContradicts.ts"
import { blobUrl, type Endpoint, isRepositoryName, uploadUrl } from "../../domain/registry/Endpoint.ts"
import { single } from "../../domain/registry/HttpMessage.ts"
import { type RegistryError, registryError, type Subject } from "../../domain/registry/RegistryError.ts"
import { repositoryScope, type Scope } from "../../domain/registry/Scope.ts"
import {
  afterBegin, afterChunk, afterClose, afterQuestion, closeUrl, nextPiece, type Piece, pieceFields, type Session,
  type UploadDecision
} from "../../domain/registry/Upload.ts"
import { type Client, nameOf, type Repository } from "./Client.ts"
import { checkRepository, ownEndpoint } from "./endpoints.ts"
import { type Document, type Exchange, exchangeDocument, tryShort } from "./exchange.ts"
import { type HttpBody, HttpFailure } from "./Http.ts"
import type { BlobDescriptor } from "./fetchBlob.ts"
import { finalSetback, holdOn, Setback } from "./Setback.ts"
import { errorBodyLimit, errorOfResponse } from "../../domain/registry/ErrorBody.ts"

export interface BlobSource<E> extends BlobDescriptor {
  /** The bytes from `offset` to the end. Run again when a piece has to be sent again. */
  readonly open: (offset: number) => Stream.Stream<Uint8Array, E>
}

export interface PushOptions {
  /** A repository of the same registry that has the blob. */
  readonly mountFrom?: string
}

export type Pushed = "exists" | "mounted" | "uploaded"

/** The first `length` bytes of a stream; one that ends before is a failure, so that the registry never sees a lie. */
const exactly = (
  data: Stream.Stream<Uint8Array, HttpFailure>, length: number
): Stream.Stream<Uint8Array, HttpFailure> =>
  Stream.transformPull(data, (pull) => {
    let left = length
    type Next = Pull.Pull<Arr.NonEmptyReadonlyArray<Uint8Array>, HttpFailure>
    const next: Next = Effect.suspend((): Next =>
      left === 0
        ? Cause.done()
        : Effect.matchEffect(pull, {
          onSuccess: (parts): Next =>
            Effect.succeed(Arr.map(parts, (part) => {
              const taken = part.subarray(0, left)
              left -= taken.length
              return taken
            })),
          onFailure: (failure): Next =>
            Effect.fail(Cause.isDone(failure)
              ? new HttpFailure({ kind: "source", cause: "the content is shorter than its size" })
              : failure)
        }))
    return Effect.succeed(next)
  })

const pieceBody = <E>(source: BlobSource<E>, piece: Piece, onFailure: (error: E) => void): HttpBody => {
  const length = piece.end - piece.start
  if (length === 0) return { kind: "bytes", bytes: new Uint8Array() }
  const data = Stream.suspend(() => source.open(piece.start)).pipe(
    Stream.mapError((error) => {
      onFailure(error)
      return new HttpFailure({ kind: "source", cause: "the content could not be read" })
    })
  )
  return { kind: "stream", length, data: exactly(data, length) }
}

class Upload<E> {
  private readonly client: Client
  private readonly endpoint: Endpoint
  private readonly repository: Repository
  private readonly source: BlobSource<E>
  private readonly subject: Subject
  private readonly scopes: ReadonlyArray<Scope>
  private mountFrom: string | undefined
  private session: Session | undefined
  /** Bytes that were sent in this session at most. */
  private sent = 0
  /** The most that the registry ever had: only what goes beyond it counts as progress. */
  private reached = 0
  private failures = 0
  private sourceFailure: { readonly error: E } | undefined

  constructor(
    client: Client, endpoint: Endpoint, repository: Repository, source: BlobSource<E>, subject: Subject,
    mountFrom: string | undefined
  ) {
    this.client = client
    this.endpoint = endpoint
    this.repository = repository
    this.source = source
    this.subject = subject
    this.mountFrom = mountFrom
    this.scopes = [
      repositoryScope(repository.path, "pull", "push"),
      ...(mountFrom === undefined ? [] : [repositoryScope(mountFrom, "pull")])
    ]
  }

  private request(request: Pick<Exchange, "method" | "url" | "headers" | "body">): Effect.Effect<Document, Setback> {
    return tryShort(this.client, {
      ...this.subject, endpoint: this.endpoint, scopes: this.scopes, ...request,
      accepts: (status) => (status >= 200 && status < 300) || status === 404 || status === 416
    })
  }

  /** An answer that the protocol has no place for. */
  private unexpected(document: Document): Setback {
    return finalSetback(errorOfResponse(this.subject, {
      host: this.endpoint.host, status: document.status, body: document.bytes, authenticated: this.client.challenges.size > 0
    }))
  }

  get exists(): Effect.Effect<boolean, RegistryError> {
    return Effect.map(
      exchangeDocument(this.client, {
        ...this.subject,
        endpoint: this.endpoint,
        method: "HEAD",
        url: blobUrl(this.endpoint, this.repository.path, this.source.digest),
        scopes: this.scopes,
        accepts: (status) => status === 200 || status === 404
      }, errorBodyLimit),
      ({ status }) => status === 200
    )
  }

  /** Until the blob is there, or patience is at its end. */
  run(): Effect.Effect<Pushed, RegistryError | E> {
    return Effect.gen({ self: this }, function*() {
      for (;;) {
        const pushed = yield* Effect.catch(this.step(), (setback) => this.endure(setback))
        if (pushed !== undefined) return pushed
      }
    })
  }

  private step(): Effect.Effect<Pushed | undefined, Setback> {
    return this.session === undefined ? this.begin() : this.send(this.session)
  }

  private begin(): Effect.Effect<Pushed | undefined, Setback> {
    const from = this.mountFrom
    // A registry that will not mount from there opens a session instead; asking again would not change that
    this.mountFrom = undefined
    const url = uploadUrl(
      this.endpoint, this.repository.path, from === undefined ? undefined : { digest: this.source.digest, from }
    )
    const fields = { "content-length": "0" }
    return this.request({ method: "POST", url, headers: fields, body: { kind: "bytes", bytes: new Uint8Array() } }).pipe(
      Effect.flatMap((document) => {
        this.sent = 0
        const decision = afterBegin(document.status, document.headers, url)
        return decision.kind === "done"
          ? Effect.as(this.checked(document), from === undefined ? "uploaded" : "mounted")
          : Effect.as(this.take(decision, document), undefined)
      })
    )
  }

  private send(session: Session): Effect.Effect<Pushed | undefined, Setback> {
    const piece = nextPiece(session, this.source.size, this.client.chunk)
    const url = piece.last ? closeUrl(session, this.source.digest) : session.url
    this.sent = Math.max(this.sent, piece.end)
    const body = pieceBody(this.source, piece, (error) => this.sourceFailure = { error })
    return this.request({ method: piece.last ? "PUT" : "PATCH", url, headers: pieceFields(piece), body }).pipe(
      Effect.flatMap((document): Effect.Effect<Pushed | undefined, Setback> => {
        const decision = piece.last
          ? afterClose(document.status)
          : afterChunk(document.status, document.headers, session, piece.end)
        return decision.kind === "done"
          ? Effect.as(this.checked(document), "uploaded" as const)
          : Effect.as(this.take(decision, document), undefined)
      })
    )
  }

  private checked(document: Document): Effect.Effect<void, Setback> {
    const header = single(document.headers, "docker-content-digest")
    return headerContradicts(header, this.source.digest)
      ? Effect.fail(finalSetback(registryError(
        this.subject, "corrupt", `the registry took it as ${header}`, "push again; if it stays, the registry is broken"
      )))
      : Effect.void
  }

  private trouble(cause: string): Setback {
    return new Setback({
      mishap: { kind: "failure", failure: "broken" },
      error: registryError(this.subject, "unavailable", cause, "push again; what is there already is kept")
    })
  }

  private take(decision: UploadDecision, document: Document): Effect.Effect<void, Setback> {
    switch (decision.kind) {
      case "session": {
        const { session } = decision
        const before = this.session
        this.session = session
        if (session.offset > this.reached) {
          this.reached = session.offset
          this.failures = 0
        } else if (before !== undefined && session.offset <= before.offset) {
          return Effect.fail(this.trouble("the registry takes nothing of what is sent"))
        }
        return Effect.void
      }
      case "lost":
        if (this.session === undefined) return Effect.fail(this.unexpected(document))
        this.session = undefined
        return Effect.fail(this.trouble("the registry does not know the upload any more"))
      case "outOfStep":
        return Effect.fail(this.trouble("the registry has another part of it than it said"))
      case "broken":
        return Effect.fail(finalSetback(registryError(
          this.subject, "refused", decision.cause, "the registry is broken: tell its operator"
        )))
      default:
        return Effect.fail(this.unexpected(document))
    }
  }

  /** After a failure: waits, then finds out how far the registry is. */
  private endure(setback: Setback): Effect.Effect<Pushed | undefined, RegistryError | E> {
    return Effect.gen({ self: this }, function*() {
      if (this.sourceFailure !== undefined) return yield* Effect.fail(this.sourceFailure.error)
      this.failures++
      yield* holdOn(this.client, this.client.retry, setback, this.failures)
      const { session } = this
      if (session !== undefined) {
        const decision = yield* this.ask(session)
        this.session = decision.kind === "session" ? decision.session : undefined
        if (this.session !== undefined) return undefined
      }
      // The last request may have done it, though its answer was lost
      return this.sent >= this.source.size && (yield* this.exists) ? "uploaded" as const : undefined
    })
  }

  /** A session that cannot be asked for is as good as lost. */
  private ask(session: Session): Effect.Effect<UploadDecision> {
    return this.request({ method: "GET", url: session.url }).pipe(
      Effect.map(({ headers, status }) => afterQuestion(status, headers, session, this.sent)),
      Effect.orElseSucceed((): UploadDecision => ({ kind: "lost" }))
    )
  }
}

/**
 * Uploads to the registry itself, never to a mirror. `exists` and `mounted`: nothing was sent. Fails with the source's
 * own error when that is what ended it.
 */
export const pushBlob = Effect.fnUntraced(function*<E>(
  client: Client, repository: Repository, source: BlobSource<E>, options: PushOptions = {}
): Effect.fn.Return<Pushed, RegistryError | E> {
  const subject: Subject = { operation: "push blob", object: `${nameOf(repository)}@${source.digest}` }
  yield* checkRepository(subject, repository)
  if (readDigest(source.digest) === undefined) {
    return yield* registryError(subject, "invalid", "it has no usable digest", "name it by sha256: or sha512: and all digits")
  }
  const { mountFrom } = options
  const endpoint = yield* ownEndpoint(client, subject, repository.domain)
  const usable = mountFrom !== undefined && isRepositoryName(mountFrom) && mountFrom !== repository.path ? mountFrom : undefined
  const upload = new Upload(client, endpoint, repository, source, subject, usable)
  return (yield* upload.exists) ? "exists" : yield* upload.run()
})
