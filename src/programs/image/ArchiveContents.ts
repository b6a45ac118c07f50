/**
 * An archive of images on its way in: documents are kept, contents go to the store as they come, in whatever order
 * the archive has them.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { joinBytes } from "../../domain/bytes/joinBytes.ts"
import { ContainerError } from "../../domain/container/ContainerError.ts"
import type { Digest } from "../../domain/image/Digest.ts"
import { blob } from "../../domain/image/marking.ts"
import { layerMediaType } from "../../domain/image/MediaType.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { layerCompression, lengthened } from "../../domain/layer/compression.ts"
import * as TarDecoder from "../../domain/layer/TarDecoder.ts"
import type { TarEntry } from "../../domain/layer/TarEntry.ts"
import type { Host } from "../Host.ts"
import { type Kernel, perform } from "../Kernel.ts"
import { commitBlob, newIngestInScope, type OpenBlob } from "./blobs.ts"
import type { Hold } from "./leases.ts"

/** A file that has come whole. */
export interface ArrivedFile {
  readonly digest: Digest
  readonly size: number
  /** What it is as a layer. */
  readonly mediaType: string
}

/** Bytes up to which a file is also kept, since it may be a document; and of all such files. */
const documentBytes = 4 << 20
const allDocumentBytes = 64 << 20
/** Entries of an archive: one of a thousand layers has three thousand. Each that is a file costs a file of the store. */
const mostEntries = 20_000
/** Files with names that no tool gives to parts of images: layers of a docker archive may be called anything. */
const mostStrangers = 500

interface Arriving {
  readonly entry: TarEntry
  readonly scope: Scope.Closeable
  readonly open: OpenBlob
  readonly kept: Array<Uint8Array>
  head: Uint8Array
}

/** A path as the archive's own documents name it. */
const cleaned = (path: string): string => path.replace(/^(?:\.?\/)+/, "").replace(/\/+$/, "")

/** Where a symbolic link in an archive leads, seen from its directory. */
const linkedPath = (path: string, target: string): string => {
  const parts = path.split("/").slice(0, -1)
  for (const part of target.split("/")) {
    if (part === "..") parts.pop()
    else if (part !== "." && part !== "") parts.push(part)
  }
  return parts.join("/")
}

const isDocument = ({ size }: TarEntry): boolean => size <= documentBytes

const closed = Exit.void

/** Whether tools give such a name to a part of an image: most others tell that the archive is of something else. */
const isOfImage = (path: string): boolean =>
  /(?:^|\/)(?:blobs\/[^/]+\/[^/]+|VERSION|json|repositories|oci-layout)$|\.(?:json|tar|tgz)(?:\.\w+)?$|[0-9a-f]{64}/.test(path)

export class ArchiveContents {
  readonly files = new Map<string, ArrivedFile>()
  readonly documents = new Map<string, Uint8Array>()
  private readonly links = new Map<string, string>()
  private readonly source: string
  private readonly hold: Hold
  private documentSize = 0
  private entries = 0
  private strangers = 0
  private arriving: Arriving | undefined

  constructor(source: string, hold: Hold) {
    this.source = source
    this.hold = hold
  }

  /** The path that a path of a document means, after links of the archive. */
  resolve(path: string): string {
    let at = cleaned(path)
    for (let left = 10; left > 0; left--) {
      const next = this.links.get(at)
      if (next === undefined) break
      at = next
    }
    return at
  }

  file(path: string): ArrivedFile | undefined {
    return this.files.get(this.resolve(path))
  }

  document(path: string): Uint8Array | undefined {
    return this.documents.get(this.resolve(path))
  }

  /** Takes in a whole archive. */
  read<E, R>(
    data: Stream.Stream<Uint8Array, E, R>
  ): Effect.Effect<void, E | KernelError | ContainerError, R | Kernel | Host> {
    let decoder = TarDecoder.start()
    const step = (piece: Uint8Array) =>
      Effect.suspend(() => {
        const [events, next] = TarDecoder.step(decoder, piece)
        decoder = next
        return this.takeAll(events)
      })
    return Stream.runForEach(data, step).pipe(
      Effect.andThen(Effect.suspend(() => this.takeAll(TarDecoder.finish(decoder)))),
      Effect.ensuring(Effect.suspend(() => this.abandon()))
    )
  }

  private takeAll(events: ReadonlyArray<TarDecoder.TarEvent>): Effect.Effect<void, KernelError | ContainerError, Kernel | Host> {
    return Effect.forEach(events, (event) => this.take(event), { discard: true })
  }

  private take(event: TarDecoder.TarEvent): Effect.Effect<void, KernelError | ContainerError, Kernel | Host> {
    switch (event._tag) {
      case "Entry":
        return this.begin(event.entry)
      case "Data":
        return this.append(event.bytes)
      case "EntryEnd":
        return this.end()
      case "End":
        return Effect.void
      case "Failed":
        return this.refuse(event.error.message)
    }
  }

  private refuse(cause: string): Effect.Effect<never, ContainerError> {
    return Effect.fail(
      new ContainerError({
        operation: "load", object: this.source, kind: "invalid", cause,
        cure: "load an archive that docker save, or a tool for OCI layouts, has written"
      })
    )
  }

  private begin(entry: TarEntry): Effect.Effect<void, KernelError | ContainerError, Kernel | Host> {
    const path = cleaned(entry.path)
    if (++this.entries > mostEntries) return this.refuse(`the archive has more than the ${mostEntries} entries allowed`)
    if (entry.type === "symlink") this.links.set(path, linkedPath(path, entry.linkpath))
    if (entry.type === "hardlink") this.links.set(path, cleaned(entry.linkpath))
    if (entry.type !== "file") return Effect.void
    if (!isOfImage(path) && ++this.strangers > mostStrangers) {
      return this.refuse(`more than ${mostStrangers} of its files, such as ${path}, have names that no part of an image has`)
    }
    if (entry.sparse !== null) return this.refuse(`${path} is a sparse file, which no archive of images has`)
    return Effect.flatMap(Scope.make(), (scope) =>
      Effect.map(Scope.provide(newIngestInScope(), scope), (open) => {
        this.arriving = { entry: { ...entry, path }, scope, open, kept: [], head: new Uint8Array(0) }
      }).pipe(Effect.onError(() => Scope.close(scope, closed))))
  }

  private append(bytes: Uint8Array): Effect.Effect<void, KernelError | ContainerError, Kernel> {
    const { arriving } = this
    if (arriving === undefined) return Effect.void
    const { entry, head, kept, open } = arriving
    arriving.head = lengthened(head, bytes)
    if (isDocument(entry)) {
      this.documentSize += bytes.length
      if (this.documentSize > allDocumentBytes) return this.refuse("its small files are more than 64 MiB together")
      kept.push(bytes.slice())
    }
    return perform("BlobAppend", { blob: open.blob, data: bytes })
  }

  private end(): Effect.Effect<void, KernelError | ContainerError, Kernel | Host> {
    const { arriving } = this
    if (arriving === undefined) return Effect.void
    this.arriving = undefined
    const { entry, head, kept, open, scope } = arriving
    return Effect.ensuring(
      Effect.map(this.hold(commitBlob(open), ({ digest }) => [blob(digest)]), ({ digest, size }) => {
        this.files.set(entry.path, { digest, size, mediaType: layerMediaType(layerCompression(head)) })
        if (isDocument(entry)) this.documents.set(entry.path, joinBytes(kept))
      }),
      Scope.close(scope, closed)
    )
  }

  /** What was arriving when the archive broke off. */
  private abandon(): Effect.Effect<void> {
    const { arriving } = this
    this.arriving = undefined
    return arriving === undefined ? Effect.void : Scope.close(arriving.scope, closed)
  }
}
