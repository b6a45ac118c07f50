/** The records: rows with revisions, each change whole or not at all. They outlive every engine. */
import type { Collection, RecordRow } from "../../../domain/kernel/KernelOp.ts"
import { type Draft, fail } from "../Draft.ts"
import * as Sorted from "../Sorted.ts"
import type { Handlers } from "./Step.ts"

const put = (draft: Draft, collection: Collection, row: RecordRow): void => {
  const { rows, names } = draft.records[collection]
  const before = Sorted.get(rows, row.key)
  if ((before?.revision ?? 0) !== row.revision) {
    fail(
      "ESTALE",
      row.key,
      before === undefined || row.revision !== 0
        ? `${collection} ${row.key} was changed or removed meanwhile`
        : "a record with this key was made meanwhile"
    )
  }
  const holder = row.name === "" ? undefined : Sorted.get(names, row.name)
  if (holder !== undefined && holder !== row.key) {
    fail("EEXIST", row.key, "another record has this name")
  }
  const free = before === undefined || before.name === ""
    ? names
    : Sorted.remove(names, before.name)
  draft.records = {
    ...draft.records,
    [collection]: {
      rows: Sorted.set(rows, row.key, { ...row, revision: row.revision + 1 }),
      names: row.name === "" ? free : Sorted.set(free, row.name, row.key)
    }
  }
}

const remove = (draft: Draft, collection: Collection, key: string): void => {
  const { rows, names } = draft.records[collection]
  const before = Sorted.get(rows, key)
  if (before === undefined) return
  draft.records = {
    ...draft.records,
    [collection]: {
      rows: Sorted.remove(rows, key),
      names: before.name === "" ? names : Sorted.remove(names, before.name)
    }
  }
}

export const recordSteps: Handlers<"RecordPut" | "RecordDelete" | "RecordGet" | "RecordList"> = {
  RecordPut: (draft, { collection, key, revision, name, value }) => {
    draft.syscall = "sqlite"
    put(draft, collection, { key, revision, name, value })
  },
  RecordDelete: (draft, { collection, key }) => remove(draft, collection, key),
  RecordGet: (draft, { collection, key }) => Sorted.get(draft.records[collection].rows, key),
  RecordList: (draft, { collection }) => [...draft.records[collection].rows.values]
}
