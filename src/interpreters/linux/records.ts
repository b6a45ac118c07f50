/** Handlers for records: SQLite's answers as errors of ours, and patience with other writers. */
import * as Effect from "effect/Effect"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { KernelTag } from "../../domain/kernel/KernelOp.ts"
import type { Interpreter } from "../../programs/Kernel.ts"
import { attempt, backOff, pause, Refusal } from "./attempt.ts"
import type { Machine } from "./Machine.ts"
import { monotonicNow } from "./monotonicNow.ts"
import { RecordStore } from "./RecordStore.ts"

/** Milliseconds after which a writer that does not end is reported. */
const patience = 10_000

/** Result codes of SQLite (sqlite3.h): the low byte of an extended code is the primary one. */
const primary: { readonly [code: number]: readonly [errno: string, hint: string] } = {
  3: ["EACCES", "the engine may not open its records"],
  5: ["EAGAIN", "another process is writing records and does not end"],
  6: ["EAGAIN", "another process is writing records and does not end"],
  7: ["ENOMEM", "no memory for the records"],
  8: ["EROFS", "the records are on a read-only file system"],
  10: ["EIO", "the disk of the records fails: see dmesg"],
  11: ["EIO", "the file of the records is damaged: fx-engine system check tells more, or restore it from a backup"],
  13: ["ENOSPC", "the disk of the records is full: make room"],
  14: ["ENOENT", "the file of the records can't be opened: does its directory exist?"],
  26: ["EIO", "the file of the records is no database: restore it from a backup"]
}
const constraintPrimaryKey = 1555
const constraintUnique = 2067

const fromSqlite = (cause: unknown): unknown => {
  const { code, errcode, message } = cause as { code?: unknown; errcode?: unknown; message?: unknown }
  if (code !== "ERR_SQLITE_ERROR" || typeof errcode !== "number") return cause
  if (errcode === constraintPrimaryKey) {
    return new Refusal("sqlite", "ESTALE", "a record with this key was made meanwhile")
  }
  if (errcode === constraintUnique) return new Refusal("sqlite", "EEXIST", "another record has this name")
  const [errno, hint] = primary[errcode & 0xff] ?? ["EIO", "an unexpected answer of SQLite"]
  return new Refusal("sqlite", errno, `${hint} (${String(message)}, code ${errcode})`)
}

/** Tries until no other process is in the way; each try is short, and the event loop runs in between. */
const patiently = <A>(op: KernelTag, path: string, body: () => A): Effect.Effect<A, KernelError> => {
  const once = attempt({ op, path }, () => {
    try {
      return body()
    } catch (cause) {
      throw fromSqlite(cause)
    }
  })
  const began = monotonicNow()
  const round = (count: number): Effect.Effect<A, KernelError> =>
    Effect.catch(once, (error) =>
      error.errno !== "EAGAIN" || monotonicNow() - began > patience
        ? Effect.fail(error)
        : Effect.andThen(pause(backOff(count)), Effect.suspend(() => round(count + 1))))
  return round(0)
}

type Tags = "RecordPut" | "RecordDelete" | "RecordGet" | "RecordList"

export const records = (machine: Machine): Pick<Interpreter, Tags> => {
  const store = new RecordStore(machine.options)
  machine.own(store)
  const perform = <A>(op: KernelTag, body: () => A) => Effect.suspend(() => patiently(op, store.path, body))
  return {
    RecordPut: (payload) => perform("RecordPut", () => store.put(payload)),
    RecordDelete: ({ collection, key }) => perform("RecordDelete", () => store.delete(collection, key)),
    RecordGet: ({ collection, key }) => perform("RecordGet", () => store.get(collection, key)),
    RecordList: ({ collection }) => perform("RecordList", () => store.list(collection))
  }
}
