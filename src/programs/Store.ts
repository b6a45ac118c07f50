/** Typed access to the records: JSON text in the store, domain types outside. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { ContainerError } from "../domain/container/ContainerError.ts"
import { type ContainerRecord, formatTime } from "../domain/container/ContainerRecord.ts"
import * as Paths from "../domain/container/Paths.ts"
import type { KernelError } from "../domain/kernel/KernelError.ts"
import type { RecordRow } from "../domain/kernel/KernelOp.ts"
import { Host } from "./Host.ts"
import { type Kernel, perform } from "./Kernel.ts"

/** A record with the revision under which it was read: what a later write must still find. */
export interface Stored<A> {
  readonly record: A
  readonly revision: number
}

const parse = <A>(row: RecordRow): Stored<A> => ({ record: JSON.parse(row.value) as A, revision: row.revision })

export const now: Effect.Effect<string> = Effect.map(Clock.currentTimeNanos, formatTime)

export const getContainer = (id: string): Effect.Effect<Stored<ContainerRecord> | undefined, KernelError, Kernel> =>
  Effect.map(
    perform("RecordGet", { collection: "containers", key: id }),
    (row) => row === undefined ? undefined : parse<ContainerRecord>(row)
  )

export const listContainers: Effect.Effect<ReadonlyArray<Stored<ContainerRecord>>, KernelError, Kernel> = Effect
  .map(perform("RecordList", { collection: "containers" }), (rows) => rows.map((row) => parse<ContainerRecord>(row)))

/** Writes a container back; the new revision is the old one plus one. */
export const putContainer = (
  record: ContainerRecord, revision: number
): Effect.Effect<Stored<ContainerRecord>, KernelError, Kernel> =>
  Effect.as(
    perform("RecordPut", {
      collection: "containers", key: record.id, revision, name: record.name, value: JSON.stringify(record)
    }),
    { record, revision: revision + 1 }
  )

/** By full id, then by name, then by a prefix of the id that fits one container only: Docker's order. */
export const findContainer = Effect.fnUntraced(function*(
  operation: string, reference: string
): Effect.fn.Return<Stored<ContainerRecord>, KernelError | ContainerError, Kernel> {
  const refuse = (cause: string) => new ContainerError({ operation, object: reference, kind: "invalid", cause })
  if (reference === "") return yield* refuse("a container's name or id cannot be empty")
  if (/^[0-9a-f]{64}$/.test(reference)) {
    // Not all rows for what programs ask with: the id that they were given
    const found = yield* getContainer(reference)
    if (found !== undefined) return found
  }
  const rows = yield* perform("RecordList", { collection: "containers" })
  const name = reference.startsWith("/") ? reference.slice(1) : reference
  const exact = rows.find((row) => row.key === reference) ?? rows.find((row) => row.name === name)
  if (exact !== undefined) return parse<ContainerRecord>(exact)
  const matching = rows.filter((row) => row.key.startsWith(reference))
  if (matching.length > 1) {
    return yield* refuse(`multiple containers found with provided prefix: ${reference}`)
  }
  if (matching[0] === undefined) return yield* missing(operation, reference)
  return parse<ContainerRecord>(matching[0])
})

/**
 * The record as it is now that its lock is held: it may have gone while we waited. Then our waiting has made
 * the lock's file anew, which goes again while we hold it.
 */
export const refresh = Effect.fnUntraced(function*(
  operation: string, stored: Stored<ContainerRecord>
): Effect.fn.Return<Stored<ContainerRecord>, KernelError | ContainerError, Kernel | Host> {
  const { id, name } = stored.record
  const found = yield* getContainer(id)
  if (found !== undefined) return found
  yield* Effect.ignore(perform("FileRemove", { path: Paths.lockFile((yield* Host).paths, id) }))
  return yield* missing(operation, name)
})

export const missing = (operation: string, reference: string): ContainerError =>
  new ContainerError({ operation, object: reference, kind: "missing", cause: `No such container: ${reference}` })
