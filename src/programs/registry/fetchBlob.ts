/**
 * A blob as a stream that goes on where a connection broke, from another place if need be. Size is checked here;
 * the digest by whoever reads, or here with a hasher.
 */
import type * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Pull from "effect/Pull"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { algorithmOf, readDigest } from "../../domain/image/Digest.ts"
import { blobUrl } from "../../domain/registry/Endpoint.ts"
import { type RegistryError, registryError, type Subject } from "../../domain/registry/RegistryError.ts"
import { decideResume, rangeFrom } from "../../domain/registry/Resume.ts"
import { repositoryScope } from "../../domain/registry/Scope.ts"
import { type Client, nameOf, type Repository } from "./Client.ts"
import type { Hasher } from "./Digester.ts"
import { checkRepository, type Place, placesFor } from "./endpoints.ts"
import { tryExchange } from "./exchange.ts"
import type { HttpFailure } from "./Http.ts"
import { finalSetback, holdOn, Setback, setbackOfFailure } from "./Setback.ts"

export interface BlobDescriptor {
  readonly digest: string
  /** Bytes, as the manifest declares them. */
  readonly size: number
}

export interface FetchOptions {
  /** Gets every byte before it is given out; its digest must be the blob's. Without it the reader checks. */
  readonly hasher?: Hasher
  /** Checks with a hasher of the client's own. */
  readonly verify?: boolean
  /** The first byte that is wanted: those before it are here already, and in the hasher. */
  readonly offset?: number
}

type Bytes = Arr.NonEmptyReadonlyArray<Uint8Array>

/** Bytes that a connection must bring before its failure is forgiven: who breaks off more often is given up. */
const forgivenAfter = 1_048_576

/** One connection: what it brings, and how much of it is here already. */
interface Connection {
  readonly pull: Pull.Pull<Bytes, HttpFailure>
  readonly close: Effect.Effect<void>
  readonly host: string
  skip: number
  /** Bytes that are still to come by what its head said. */
  left: number
}

class Download {
  private readonly client: Client
  private readonly subject: Subject
  private readonly repository: Repository
  private readonly blob: BlobDescriptor
  private readonly hasher: Hasher | undefined
  private readonly places: ReadonlyArray<Effect.Effect<Place, RegistryError>>
  private readonly scope: Scope.Scope
  private connection: Connection | undefined
  private place = 0
  private offset: number
  private failures = 0
  private forgivenAt: number
  /** The place ignores what ranges we ask for. */
  private fromStart = false
  private complete: boolean

  constructor(
    client: Client, subject: Subject, repository: Repository, blob: BlobDescriptor, options: FetchOptions,
    places: ReadonlyArray<Effect.Effect<Place, RegistryError>>, scope: Scope.Scope
  ) {
    this.client = client
    this.subject = subject
    this.repository = repository
    this.blob = blob
    this.hasher = options.hasher ??
      (options.verify === true ? client.digester.start(algorithmOf(blob.digest)) : undefined)
    this.offset = options.offset ?? 0
    this.forgivenAt = this.offset + forgivenAfter
    this.complete = this.offset > 0 && this.offset === blob.size
    this.places = places
    this.scope = scope
  }

  /** The next bytes, or the end. */
  get next(): Pull.Pull<Bytes, RegistryError> {
    return Effect.suspend(() => this.complete ? this.finish() : this.step())
  }

  private step(): Pull.Pull<Bytes, RegistryError> {
    const place = this.places[this.place] ?? Effect.die("the registry itself is the last place")
    return Effect.flatMap(place, (found) => {
      const bytes = this.connection === undefined ? this.open(found) : this.read(this.connection)
      return Effect.catchTag(bytes, "Setback", (setback) => Effect.andThen(this.endure(found, setback), this.next))
    }) as Pull.Pull<Bytes, RegistryError>
  }

  private finish(): Pull.Pull<never, RegistryError> {
    const digest = this.hasher?.digest() ?? this.blob.digest
    return digest === this.blob.digest
      ? Cause.done()
      : Effect.fail(registryError(
        this.subject, "corrupt", `what came has the digest ${digest}`,
        "try again; if it stays, the registry or a proxy in between is broken"
      ))
  }

  /** Waits, or goes to the next place, or fails. */
  private endure(place: Place, setback: Setback): Effect.Effect<void, RegistryError> {
    this.failures++
    const { client } = this
    return Effect.andThen(
      this.hangUp(),
      Effect.catch(holdOn(client, place.policy, setback, this.failures), (error) => {
        if (!place.mirror) return Effect.fail(error)
        this.place++
        this.failures = 0
        this.fromStart = false
        return client.observe({ kind: "nextEndpoint", object: this.subject.object, cause: error.cause })
      })
    )
  }

  private hangUp(): Effect.Effect<void> {
    const close = this.connection?.close ?? Effect.void
    this.connection = undefined
    return close
  }

  private setback(cause: string): Setback {
    const kind = "broken"
    return new Setback({
      mishap: { kind: "failure", failure: kind },
      error: registryError(this.subject, "corrupt", cause, "the registry or a proxy in between is broken: tell its operator")
    })
  }

  private corrupt(cause: string): Setback {
    return finalSetback(registryError(
      this.subject, "corrupt", cause, "the manifest or the registry is wrong: tell who published it"
    ))
  }

  private open(place: Place): Pull.Pull<Bytes, RegistryError | Setback> {
    const { blob, client, offset, repository, subject } = this
    const from = this.fromStart ? 0 : offset
    const range = rangeFrom(from)
    return Effect.gen({ self: this }, function*() {
      if (offset > 0) yield* client.observe({ kind: "resume", object: subject.object, offset: from })
      const own = yield* Scope.fork(this.scope)
      const close = Scope.close(own, Exit.void)
      const answer = yield* tryExchange(client, {
        ...subject,
        endpoint: place.endpoint,
        method: "GET",
        url: blobUrl(place.endpoint, repository.path, blob.digest),
        // A coded body would have another length and no resumable ranges
        headers: { "accept-encoding": "identity", ...(range === undefined ? {} : { range }) },
        scopes: [repositoryScope(repository.path, "pull")],
        accepts: (status) => status === 200 || status === 206 || (status === 416 && from > 0)
      }).pipe(Scope.provide(own), Effect.onError((cause) => Scope.close(own, Exit.failCause(cause))))
      const decision = decideResume(from, blob.size, answer.status, answer.headers)
      const host = new URL(answer.url).host
      if (decision.kind === "take") {
        const pull = yield* Scope.provide(Stream.toPull(answer.body), own)
        this.connection = { pull, close, host, skip: decision.skip + offset - from, left: decision.expected }
        return yield* this.next
      }
      yield* close
      if (decision.kind === "complete") {
        this.complete = true
        return yield* this.next
      }
      if (decision.kind === "corrupt") return yield* this.corrupt(decision.cause)
      this.fromStart = true
      return yield* this.setback(`${host} does not answer with the bytes that were asked for`)
    }) as Pull.Pull<Bytes, RegistryError | Setback>
  }

  private read(connection: Connection): Pull.Pull<Bytes, RegistryError | Setback> {
    return Effect.matchEffect(connection.pull, {
      onSuccess: (parts) => this.take(connection, parts),
      onFailure: (failure): Pull.Pull<Bytes, RegistryError | Setback> =>
        // When all is here it does not matter how the connection ends
        Cause.isDone(failure) || this.offset === this.blob.size
          ? this.ended(connection)
          : Effect.fail(setbackOfFailure(this.subject, connection.host, failure))
    })
  }

  private take(connection: Connection, parts: Bytes): Pull.Pull<Bytes, RegistryError | Setback> {
    const kept: Array<Uint8Array> = []
    for (const part of parts) {
      const skipped = Math.min(connection.skip, part.length)
      connection.skip -= skipped
      connection.left -= part.length
      if (skipped < part.length) kept.push(part.subarray(skipped))
    }
    const length = kept.reduce((sum, part) => sum + part.length, 0)
    if (this.offset + length > this.blob.size) {
      return Effect.fail(this.corrupt(`more came than the ${this.blob.size} bytes that were declared`))
    }
    if (connection.left < 0) return Effect.fail(this.setback(`${connection.host} sent more than it announced`))
    this.offset += length
    if (this.offset >= this.forgivenAt) {
      this.failures = 0
      this.forgivenAt = this.offset + forgivenAfter
    }
    for (const part of kept) this.hasher?.update(part)
    const [first, ...rest] = kept
    return first === undefined ? this.read(connection) : Effect.succeed([first, ...rest])
  }

  private ended(connection: Connection): Pull.Pull<Bytes, RegistryError | Setback> {
    this.complete = this.offset === this.blob.size
    if (this.complete) return Effect.andThen(this.hangUp(), this.next)
    return Effect.fail(this.setback(`${connection.host} ended after ${this.offset} of ${this.blob.size} bytes`))
  }
}

/**
 * The bytes of a blob, once and in order, as many as declared. Fails with `corrupt` when there are more or fewer, or
 * when a hasher finds another digest; that may be after bytes were given out.
 */
export const fetchBlob = (
  client: Client, repository: Repository, blob: BlobDescriptor, options: FetchOptions = {}
): Stream.Stream<Uint8Array, RegistryError> => {
  const subject: Subject = { operation: "fetch blob", object: `${nameOf(repository)}@${blob.digest}` }
  return Stream.unwrap(Effect.gen(function*() {
    yield* checkRepository(subject, repository)
    if (readDigest(blob.digest) === undefined || !Number.isSafeInteger(blob.size) || blob.size < 0) {
      return yield* registryError(
        subject, "invalid", "its descriptor has no usable digest and size", "the manifest is wrong: tell who published it"
      )
    }
    const scope = yield* Scope.Scope
    const places = yield* placesFor(client, subject, repository.domain, "pull")
    const download = new Download(client, subject, repository, blob, options, places, scope)
    return Stream.fromPull(Effect.succeed(download.next))
  }))
}
