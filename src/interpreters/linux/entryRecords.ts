/** What the addon's walk finds, see `native/addon/addon.h` (records), as entries of an archive and their data. */
import { type EntryRecord, recordKinds, RecordReader } from "../../domain/layer/EntryRecord.ts"
import type { EntryType, TarEntry } from "../../domain/layer/TarEntry.ts"

export type WalkRecord =
  | { readonly _tag: "Entry"; readonly entry: TarEntry }
  /** A view into what was read. */
  | { readonly _tag: "Data"; readonly bytes: Uint8Array }

const toTarEntry = (record: EntryRecord): TarEntry => ({
  ...record,
  // A walk for an archive leaves sockets out.
  type: record.type as EntryType, size: record.type === "file" ? record.size : 0, uname: "", gname: "", sparse: null
})

/** The records that a walk has written; they are whole, and ours. */
export const readWalkRecords = (bytes: Uint8Array): ReadonlyArray<WalkRecord> => {
  const records: Array<WalkRecord> = []
  const reader = new RecordReader(bytes)
  while (reader.hasMore) {
    records.push(
      reader.u32() === recordKinds.entry
        ? { _tag: "Entry", entry: toTarEntry(reader.entry()) }
        : { _tag: "Data", bytes: reader.value() }
    )
  }
  return records
}
