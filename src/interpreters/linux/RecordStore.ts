/**
 * The rows of the store in one SQLite file that several processes share (WAL). Every change is one statement:
 * compare-and-set needs no transaction of ours.
 */
import { closeSync, constants, existsSync, openSync } from "node:fs"
import type { DatabaseSync, StatementSync } from "node:sqlite"
import type { Collection, Payload, RecordRow } from "../../domain/kernel/KernelOp.ts"
import { Refusal } from "./attempt.ts"
import type { LinuxOptions, Open } from "./Machine.ts"

/** Loaded at the first record: commands that need none start without it. */
const sqlite = (): typeof import("node:sqlite") => process.getBuiltinModule("node:sqlite")

/** Milliseconds that SQLite itself waits for another writer, the event loop with it; the handler waits longer. */
const busyTimeout = 5

/** Of this version: a file of another has a different number there. */
const userVersion = 1

/** Pages after which the log is copied into the file: a process that begins after all others ended reads it whole. */
const logPages = 200

const schema = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE IF NOT EXISTS records (
    collection TEXT NOT NULL,
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    revision INTEGER NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (collection, key)
  ) STRICT;
  CREATE UNIQUE INDEX IF NOT EXISTS record_names ON records (collection, name) WHERE name <> '';
`

interface Statements {
  readonly insert: StatementSync
  readonly update: StatementSync
  readonly remove: StatementSync
  readonly get: StatementSync
  readonly list: StatementSync
}

const prepare = (database: DatabaseSync): Statements => ({
  insert: database.prepare("INSERT INTO records (value, name, revision, collection, key) VALUES (?, ?, ? + 1, ?, ?)"),
  update: database.prepare(
    "UPDATE records SET value = ?, name = ?, revision = revision + 1 WHERE revision = ? AND collection = ? AND key = ?"
  ),
  remove: database.prepare("DELETE FROM records WHERE collection = ? AND key = ?"),
  get: database.prepare("SELECT key, revision, name, value FROM records WHERE collection = ? AND key = ?"),
  list: database.prepare("SELECT key, revision, name, value FROM records WHERE collection = ? ORDER BY key")
})

export class RecordStore implements Open {
  readonly path: string
  private readonly endsWithProcess: boolean
  private database: DatabaseSync | undefined
  private statements: Statements | undefined

  constructor(options: Pick<LinuxOptions, "root" | "endsWithProcess">) {
    this.path = `${options.root}/engine.db`
    this.endsWithProcess = options.endsWithProcess === true
  }

  put({ collection, key, name, revision, value }: Payload<"RecordPut">): void {
    const statement = revision === 0 ? this.open().insert : this.open().update
    const { changes } = statement.run(value, name, revision, collection, key)
    if (Number(changes) === 0) {
      throw new Refusal("sqlite", "ESTALE", `${collection} ${key} was changed or removed meanwhile`)
    }
  }

  delete(collection: Collection, key: string): void {
    if (!this.isThere()) return
    this.open().remove.run(collection, key)
  }

  get(collection: Collection, key: string): RecordRow | undefined {
    if (!this.isThere()) return undefined
    const row = this.open().get.get(collection, key)
    return row === undefined ? undefined : toRow(row)
  }

  list(collection: Collection): ReadonlyArray<RecordRow> {
    return this.isThere() ? this.open().list.all(collection).map(toRow) : []
  }

  /** What a process leaves open when it ends is whole: the next one reads the log as after a crash. */
  close(): void {
    if (this.endsWithProcess) return
    this.database?.close()
    this.database = undefined
    this.statements = undefined
  }

  /** Looking makes no file: a store that was never written to is empty. */
  private isThere(): boolean {
    return this.database !== undefined || existsSync(this.path)
  }

  private open(): Statements {
    if (this.statements !== undefined) return this.statements
    // Records hold environments, and so secrets. SQLite gives its other files the mode of this one.
    closeSync(openSync(this.path, constants.O_RDWR | constants.O_CREAT, 0o600))
    const database = new (sqlite().DatabaseSync)(this.path, { timeout: busyTimeout })
    try {
      const version = Number(database.prepare("PRAGMA user_version").get()?.["user_version"])
      if (version === 0) database.exec(`${schema} PRAGMA user_version = ${userVersion};`)
      else if (version === userVersion) database.exec("PRAGMA synchronous = NORMAL")
      else throw new Refusal("sqlite", "EPROTO", `of another version of fx-engine (format ${version}): use that one`)
      if (this.endsWithProcess) database.exec(`PRAGMA wal_autocheckpoint = ${logPages}`)
      this.statements = prepare(database)
    } catch (cause) {
      database.close()
      throw cause
    }
    this.database = database
    return this.statements
  }
}

const toRow = (row: Record<string, unknown>): RecordRow => ({
  key: String(row["key"]), revision: Number(row["revision"]), name: String(row["name"]), value: String(row["value"])
})
