/**
 * What operations would have made that were not performed: files, records, values, and handles of
 * nothing.
 */
import type { ProcessIdentity } from "../../domain/kernel/InitOp.ts"
import type { Collection, FileStatus, KernelOp, RecordRow } from "../../domain/kernel/KernelOp.ts"
import {
  type ExitStatus, formatStatus, parseStatus, type SupervisorSpec
} from "../../domain/kernel/Supervisor.ts"
import { ImaginedBlob } from "./ImaginedBlob.ts"

/** The container that was never started: a number above every pid (PID_MAX_LIMIT is 2^22). */
export const imaginedProcess: ProcessIdentity = { pid: 2 ** 22 + 1, startTime: 1 }

/** Above the handles of any interpreter. */
const firstHandle = 2 ** 31

type Entry = { readonly _tag: "Directory"; readonly mode: number } | {
  readonly _tag: "File"
  readonly mode: number
  readonly text: string
} | {
  readonly _tag: "Blob"
  readonly mode: number
  readonly size: number
  /** Undefined for too many bytes. */
  readonly data: Uint8Array | undefined
} | { readonly _tag: "Removed" }

const parentOf = (path: string): string => path.slice(0, Math.max(1, path.lastIndexOf("/")))

/**
 * Signals that end no program unless it wants to: CHLD, CONT, STOP, TSTP, TTIN, TTOU, URG, WINCH
 * (signal(7)).
 */
const harmless: ReadonlySet<number> = new Set([17, 18, 19, 20, 21, 22, 23, 28])

const processKey = ({ pid, startTime }: ProcessIdentity): string => `${pid} ${startTime}`

/** What a supervisor would have left: a program that has run and ended with 0. */
const finalStatus = (): string =>
  formatStatus({
    supervisor: imaginedProcess,
    init: imaginedProcess,
    startedAt: 1n,
    exited: { at: 1n, status: { code: 0, signal: 0, oomKilled: false } }
  })

export class Imagined {
  private readonly entries = new Map<string, Entry>()
  private readonly values = new Map<string, string>()
  private readonly rows = new Map<string, RecordRow | "removed">()
  private readonly supervisors = new Set<string>()
  private readonly used = new Set<number>()
  /** Signals by which real processes would have ended. */
  private readonly ended = new Map<string, number>()
  private readonly blobs = new Map<number, ImaginedBlob>()
  private nextHandle = firstHandle

  takeHandle(): number {
    return this.nextHandle++
  }

  ownsHandle(handle: number): boolean {
    return handle >= firstHandle
  }

  /** True once for every handle. */
  firstUse(handle: number): boolean {
    if (this.used.has(handle)) return false
    this.used.add(handle)
    return true
  }

  apply(op: KernelOp): void {
    switch (op.tag) {
      case "DirMake":
      case "DirEnsure":
        return this.put(op.payload.path, { _tag: "Directory", mode: op.payload.mode })
      case "SubvolumeMake":
      case "DirEnsureLike":
        return this.put(op.payload.path, { _tag: "Directory", mode: 0o755 })
      case "TreeCopy":
      case "SubvolumeSnapshot":
        return this.put(op.payload.to, { _tag: "Directory", mode: 0o755 })
      case "CgroupMake":
      case "CgroupEnsure":
        return this.put(op.payload.directory, { _tag: "Directory", mode: 0o755 })
      case "FileWrite":
        return this.put(op.payload.path, {
          _tag: "File",
          mode: op.payload.mode,
          text: op.payload.text
        })
      case "FileRemove":
      case "TreeRemove":
        return this.removeBelow(op.payload.path)
      case "CgroupRemove":
        return this.removeBelow(op.payload.directory)
      case "CgroupWrite":
        this.values.set(`${op.payload.directory}/${op.payload.file}`, op.payload.value)
        return
      case "SupervisorStart":
        return this.start(op.payload.spec)
      case "RecordPut": {
        const { collection, key, name, revision, value } = op.payload
        this.rows.set(`${collection}/${key}`, { key, name, value, revision: revision + 1 })
        return
      }
      case "ProcessSignal":
        if (!harmless.has(op.payload.signal)) {
          this.ended.set(processKey(op.payload.process), op.payload.signal)
        }
        return
      case "BlobAppend":
        return this.blobs.get(op.payload.blob)?.append(op.payload.data)
      case "BlobTruncate":
        return this.blobs.get(op.payload.blob)?.truncate()
      case "BlobClose":
        return this.closeBlob(op.payload.blob)
      case "RecordDelete":
        this.rows.set(`${op.payload.collection}/${op.payload.key}`, "removed")
        return
      default:
        return
    }
  }

  /** How a process would have ended, undefined for one that was left alone. */
  endOf(process: ProcessIdentity): ExitStatus | undefined {
    const signal = this.ended.get(processKey(process))
    return signal === undefined ? undefined : { code: 128 + signal, signal, oomKilled: false }
  }

  /** The text of a real status file, with the end that its container would have come to. */
  statusText(text: string): { readonly text: string; readonly exit: ExitStatus | undefined } {
    const status = parseStatus(text)
    const exit = status?.init === undefined || status.exited !== undefined
      ? undefined
      : this.endOf(status.init)
    return status === undefined || exit === undefined
      ? { text, exit: undefined }
      : {
        text: formatStatus({ ...status, exited: { at: status.startedAt ?? 1n, status: exit } }),
        exit
      }
  }

  textOf(path: string): string | undefined {
    const entry = this.entries.get(path)
    if (entry?._tag === "Blob" && entry.data !== undefined) return new TextDecoder().decode(entry.data)
    return entry?._tag === "File" ? entry.text : undefined
  }

  /** Of a file that would be there: its bytes, undefined where they were too many. */
  bytesOf(path: string): { readonly data: Uint8Array | undefined } | undefined {
    const entry = this.entries.get(path)
    if (entry?._tag === "Blob") return { data: entry.data }
    return entry?._tag === "File" ? { data: new TextEncoder().encode(entry.text) } : undefined
  }

  openBlob(blob: ImaginedBlob): number {
    const handle = this.takeHandle()
    this.blobs.set(handle, blob)
    return handle
  }

  blobAt(handle: number): ImaginedBlob | undefined {
    return this.blobs.get(handle)
  }

  /** It has its place, and the name that it came under is free. */
  placeBlob(handle: number, path: string): void {
    const blob = this.blobs.get(handle)
    if (blob === undefined) return
    this.put(path, { _tag: "Blob", mode: 0o600, size: blob.size, data: blob.data })
    this.put(blob.path, { _tag: "Removed" })
    this.blobs.delete(handle)
  }

  isDirectory(path: string): boolean {
    return this.entries.get(path)?._tag === "Directory"
  }

  isRemoved(path: string): boolean {
    for (let at = path; at.length > 1; at = parentOf(at)) {
      const entry = this.entries.get(at)
      if (entry !== undefined) return entry._tag === "Removed"
    }
    return false
  }

  statusOf(path: string): FileStatus | undefined {
    const entry = this.entries.get(path)
    if (entry === undefined || entry._tag === "Removed") return undefined
    const directory = entry._tag === "Directory"
    return {
      type: directory ? "directory" : "file",
      mode: entry.mode,
      uid: 0,
      gid: 0,
      major: 0,
      minor: 0,
      size: directory
        ? 4096
        : entry._tag === "Blob"
        ? entry.size
        : new TextEncoder().encode(entry.text).length
    }
  }

  /** Names that would be in a directory besides the real ones. */
  namesIn(directory: string): ReadonlyArray<string> {
    const prefix = directory.endsWith("/") ? directory : `${directory}/`
    return [...this.entries].flatMap(([path, entry]) =>
      entry._tag !== "Removed" && path.startsWith(prefix) &&
        !path.slice(prefix.length).includes("/")
        ? [path.slice(prefix.length)]
        : []
    )
  }

  valuesOf(directory: string, files: ReadonlyArray<string>): Record<string, string> {
    return Object.fromEntries(files.flatMap((file) => {
      const value = this.values.get(`${directory}/${file}`)
      return value === undefined ? [] : [[file, `${value}\n`]]
    }))
  }

  hasSupervisor(directory: string): boolean {
    return this.supervisors.has(directory)
  }

  rowOf(collection: Collection, key: string): RecordRow | "removed" | undefined {
    return this.rows.get(`${collection}/${key}`)
  }

  mergeRows(collection: Collection, real: ReadonlyArray<RecordRow>): ReadonlyArray<RecordRow> {
    const rows = new Map(real.map((row) => [row.key, row]))
    for (const [path, row] of this.rows) {
      if (!path.startsWith(`${collection}/`)) continue
      if (row === "removed") rows.delete(path.slice(collection.length + 1))
      else rows.set(row.key, row)
    }
    return [...rows.values()].sort((one, other) => one.key < other.key ? -1 : 1)
  }

  private closeBlob(handle: number): void {
    const blob = this.blobs.get(handle)
    if (blob === undefined) return
    this.put(blob.path, { _tag: "Blob", mode: 0o600, size: blob.size, data: blob.data })
    this.blobs.delete(handle)
  }

  private put(path: string, entry: Entry): void {
    this.entries.set(path, entry)
  }

  private removeBelow(path: string): void {
    for (const known of this.entries.keys()) {
      if (known.startsWith(`${path}/`)) this.entries.delete(known)
    }
    this.entries.set(path, { _tag: "Removed" })
  }

  private start(spec: SupervisorSpec): void {
    this.supervisors.add(spec.directory)
    const status: Entry = { _tag: "File", mode: 0o600, text: finalStatus() }
    this.put(`${spec.directory}/status`, status)
    if (spec.exitFile !== undefined) this.put(spec.exitFile, status)
  }
}
