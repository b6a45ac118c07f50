/** Images and their names as the store has them, with those that the engine came with. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { ContainerError } from "../../domain/container/ContainerError.ts"
import { type Digest, hexOf } from "../../domain/image/Digest.ts"
import { findImage as findAmong, type NamedImage, parseImageLookup } from "../../domain/image/ImageLookup.ts"
import type { BuiltinImage, ImageRecord, NameRecord } from "../../domain/image/ImageRecord.ts"
import { formatReference, parseReference, type Reference } from "../../domain/image/Reference.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { TextError } from "../../domain/text/TextError.ts"
import { Host } from "../Host.ts"
import { type Kernel, perform } from "../Kernel.ts"

export interface StoredImage extends NamedImage {
  readonly record: ImageRecord
  /** The engine's own: without blobs, and not to be removed. */
  readonly builtin: BuiltinImage | undefined
}

/** A user's text that says nothing usable. */
export const invalidText = (operation: string) => ({ cause, cure, object }: TextError): ContainerError =>
  new ContainerError({ operation, object, kind: "invalid", cause, cure })

export const missingImage = (operation: string, text: string): ContainerError =>
  new ContainerError({
    operation, object: text, kind: "missing", cause: `No such image: ${text}`,
    cure: "pull, load or import it, or list the images that are there"
  })

interface Names {
  readonly tags: ReadonlyArray<Reference>
  readonly digests: ReadonlyArray<Reference>
}

/** A name of the store, which wrote it. */
const readName = (key: string): Reference => Result.getOrThrow(parseReference(key))

const divided = (keys: ReadonlyArray<string>): Names => {
  const references = keys.map(readName)
  return {
    tags: references.filter(({ digest }) => digest === undefined),
    digests: references.filter(({ digest }) => digest !== undefined)
  }
}

const withNames = (record: ImageRecord, keys: ReadonlyArray<string>, builtin: BuiltinImage | undefined): StoredImage =>
  ({ id: record.id, record, builtin, ...divided(keys) })

const builtinOf = (builtin: BuiltinImage, taken: ReadonlySet<string>): StoredImage =>
  withNames(builtin.record, builtin.names.filter((name) => !taken.has(name)), builtin)

/** Names by the image they are of. */
const listNames = Effect.map(perform("RecordList", { collection: "names" }), (rows) => {
  const names = new Map<string, Array<string>>()
  for (const { key, value } of rows) {
    const { image } = JSON.parse(value) as NameRecord
    const known = names.get(image)
    if (known === undefined) names.set(image, [key])
    else known.push(key)
  }
  return names
})

/** All images, each once; a name that was given to another image is not the engine's own image's any more. */
export const listImages: Effect.Effect<ReadonlyArray<StoredImage>, KernelError, Kernel | Host> = Effect.gen(function*() {
  const { builtinImages } = yield* Host
  const names = yield* listNames
  const rows = yield* perform("RecordList", { collection: "images" })
  const taken = new Set([...names.values()].flat())
  return [
    ...rows.map(({ value }) => {
      const record = JSON.parse(value) as ImageRecord
      return withNames(record, names.get(record.id) ?? [], undefined)
    }),
    ...builtinImages.map((builtin) => builtinOf(builtin, taken))
  ]
})

export const getImage = (id: Digest): Effect.Effect<ImageRecord | undefined, KernelError, Kernel> =>
  Effect.map(perform("RecordGet", { collection: "images", key: id }), (row) =>
    row === undefined ? undefined : JSON.parse(row.value) as ImageRecord)

export const getName = (reference: Reference): Effect.Effect<Digest | undefined, KernelError, Kernel> =>
  Effect.map(perform("RecordGet", { collection: "names", key: formatReference(reference) }), (row) =>
    row === undefined ? undefined : (JSON.parse(row.value) as NameRecord).image)

/** An image with the names that were looked at on the way only: all that running it needs. */
export interface FoundImage {
  readonly record: ImageRecord
  readonly builtin: BuiltinImage | undefined
}

/**
 * By id, by name, or by the beginning of an id, in this order; undefined when there is none. Of many images one
 * is looked up by its key.
 */
export const lookUpImage = Effect.fnUntraced(function*(
  operation: string, text: string
): Effect.fn.Return<FoundImage | undefined, KernelError | ContainerError, Kernel | Host> {
  const { builtinImages } = yield* Host
  const lookup = yield* Effect.fromResult(parseImageLookup(text)).pipe(Effect.mapError(invalidText(operation)))
  if (lookup.id !== undefined) {
    const builtin = builtinImages.find(({ record }) => record.id === lookup.id)
    const record = builtin?.record ?? (yield* getImage(lookup.id))
    return record === undefined ? undefined : { record, builtin }
  }
  if (lookup.reference !== undefined) {
    const id = yield* getName(lookup.reference)
    const record = id === undefined ? undefined : yield* getImage(id)
    if (record !== undefined) return { record, builtin: undefined }
    const key = formatReference(lookup.reference)
    const builtin = builtinImages.find(({ names }) => names.includes(key))
    if (builtin !== undefined && id === undefined) return { record: builtin.record, builtin }
  }
  if (lookup.idPrefix === undefined && lookup.reference?.digest === undefined) return undefined
  const found = yield* findStored(operation, text).pipe(
    Effect.catchIf((error) => error._tag === "ContainerError" && error.kind === "missing", () => Effect.succeed(undefined))
  )
  return found
})

/** With all its names. */
export const findStored = Effect.fnUntraced(function*(
  operation: string, text: string
): Effect.fn.Return<StoredImage, KernelError | ContainerError, Kernel | Host> {
  yield* Effect.fromResult(parseImageLookup(text)).pipe(Effect.mapError(invalidText(operation)))
  return yield* Effect.fromResult(findAmong(text, yield* listImages)).pipe(
    Effect.mapError((error) => error._tag === "NoSuchImage" ? missingImage(operation, text) : invalidText(operation)(error))
  )
})

export const putImage = (record: ImageRecord): Effect.Effect<void, KernelError, Kernel> =>
  perform("RecordPut", { collection: "images", key: record.id, revision: 0, name: "", value: JSON.stringify(record) }).pipe(
    // The same config makes the same image: whoever was first has stored it
    Effect.catchIf((error) => error.errno === "ESTALE" || error.errno === "EEXIST", () => Effect.void)
  )

/** Gives an image a name, which it takes from whoever had it: that one is told. */
export const putName = Effect.fnUntraced(function*(
  reference: Reference, image: Digest
): Effect.fn.Return<Digest | undefined, KernelError, Kernel> {
  const key = formatReference(reference)
  const value = JSON.stringify({ version: 1, image } satisfies NameRecord)
  for (;;) {
    const row = yield* perform("RecordGet", { collection: "names", key })
    const before = row === undefined ? undefined : (JSON.parse(row.value) as NameRecord).image
    if (before === image) return undefined
    const put = yield* perform("RecordPut", { collection: "names", key, revision: row?.revision ?? 0, name: "", value }).pipe(
      Effect.as(true),
      Effect.catchIf((error) => error.errno === "ESTALE" || error.errno === "EEXIST", () => Effect.succeed(false))
    )
    if (put) return before
  }
})

export const removeName = (reference: Reference): Effect.Effect<void, KernelError, Kernel> =>
  perform("RecordDelete", { collection: "names", key: formatReference(reference) })

/** `sha256:` and twelve digits less the algorithm, as listings have it. */
export const shortId = (id: Digest): string => hexOf(id).slice(0, 12)
