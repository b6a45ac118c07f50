/**
 * The native half, typed: what `native/addon/module.c` exports. A function gives its value or a `Failure`;
 * it never throws. Those that take a callback answer there from a pool thread, or at once without one.
 */
import { existsSync } from "node:fs"
import { constants } from "node:os"
import { fileURLToPath } from "node:url"

export interface Failure {
  /** A positive errno. */
  readonly errno: number
  readonly syscall: string
  /** Place in a batch. */
  readonly index: number
  /** The object at fault when it is not the one asked for, else "". */
  readonly path: string
  /** What the kernel had to say (a file system's log, the BPF verifier's), else "". */
  readonly detail: string
}

/** Set to 1 to stop a task; it then fails with ECANCELED soon. */
export type CancelFlag = Int32Array<ArrayBuffer>
export type Done<A> = (result: A | Failure) => void

declare const opaque: unique symbol
export interface Walk { readonly [opaque]: "Walk" }
export interface Unpack { readonly [opaque]: "Unpack" }
export interface NativeLayer { readonly [opaque]: "Layer" }
export interface NativeDigest { readonly [opaque]: "Digest" }
export interface NativeExpand { readonly [opaque]: "Expand" }

/** st_mode, uid, gid, size, major, minor, target of a link or "". */
export type StatusNumbers = readonly [number, number, number, number, number, number, string]

export interface Addon {
  signalProcess(pid: number, startTime: number, signal: number): number | Failure
  /** An O_PATH descriptor of /proc/PID/root. */
  processRoot(pid: number, startTime: number): number | Failure
  /** A descriptor of a detached mount; read-only when `upper` is "". */
  layersRoot(lower: ReadonlyArray<string>, upper: string, work: string): number | Failure
  clearVolatile(work: string): number | Failure
  sealedFile(name: string, bytes: Uint8Array, executable: boolean): number | Failure
  /** The pid; `channel[0]` becomes the descriptor. */
  spawn(init: number, id: string, spec: Uint8Array, channel: Int32Array): number | Failure
  /** 1: has ended and was waited for, 0: runs. */
  reap(pid: number): number | Failure
  connectChannel(directory: string): number | Failure
  /** Bytes taken without waiting. */
  send(fd: number, bytes: Uint8Array, offset: number): number | Failure
  duplicate(fd: number): number | Failure
  /** 1: taken, 0: somebody else has it. */
  lock(fd: number, shared: boolean): number | Failure
  killCgroup(directory: string): number | Failure
  attachDevices(directory: string, program: Uint8Array): number | Failure
  batch(bytes: Uint8Array, length: number): number | Failure
  batch(bytes: Uint8Array, length: number, cancel: CancelFlag, done: Done<number>): undefined | Failure
  treeSize(path: string, cancel: CancelFlag, done: Done<number>): undefined | Failure
  /** syncfs(2) of the file system that the path is on. */
  syncFilesystem(path: string, cancel: CancelFlag, done: Done<number>): undefined | Failure
  copyTree(from: string, to: string, cancel: CancelFlag, done: Done<number>): undefined | Failure
  makeSubvolume(path: string, cancel: CancelFlag, done: Done<number>): undefined | Failure
  snapshotSubvolume(from: string, to: string, cancel: CancelFlag, done: Done<number>): undefined | Failure
  readInRoot(root: number, path: string, limit: number): Buffer | Failure
  readInRoot(root: number, path: string, limit: number, cancel: CancelFlag, done: Done<Buffer>): undefined | Failure
  statInRoot(root: number, path: string, follow: boolean): StatusNumbers | Failure
  statInRoot(
    root: number, path: string, follow: boolean, cancel: CancelFlag, done: Done<StatusNumbers>
  ): undefined | Failure
  /** Fills the buffer with the pieces, see `read_pieces` in native/addon/addon.h. */
  readPieces(
    root: number, pieces: Uint8Array, buffer: Uint8Array, cancel: CancelFlag, done: Done<number>
  ): undefined | Failure
  /** Takes over `root`, also when it fails. */
  walkOpen(root: number, path: string, name: string, follow: boolean): Walk | Failure
  /** Takes over `root`, also when it fails. The requests are those of `list_open` in native/addon/addon.h. */
  listOpen(root: number, requests: Uint8Array): Walk | Failure
  /** Bytes of whole records, 0 at the end. */
  walkNext(walk: Walk, buffer: Uint8Array, cancel: CancelFlag, done: Done<number>): undefined | Failure
  walkClose(walk: Walk): void
  /** Takes over `root`, also when it fails. */
  unpackOpen(root: number, path: string, strict: boolean, uid: number, gid: number): Unpack | Failure
  unpackRun(
    unpack: Unpack, bytes: Uint8Array, length: number, cancel: CancelFlag, done: Done<number>
  ): undefined | Failure
  unpackClose(unpack: Unpack): void
  /** Takes over `root`, a directory open for reading, also when it fails. Limits: names in a path, implied directories. */
  layerOpen(root: number, flat: boolean, depth: number, implied: number): NativeLayer | Failure
  /**
   * `data`: what pieces of files are taken from. `index` of a failure: of the record, pieces and ends not counted, from
   * 1; 0 for what an earlier run began.
   */
  layerRun(
    layer: NativeLayer, records: Uint8Array, length: number, data: Uint8Array, cancel: CancelFlag, done: Done<number>
  ): undefined | Failure
  /** Directories, the root not counted, that no entry has described yet. */
  layerImplied(layer: NativeLayer): number
  /** Bytes of the regular files. `below`: the root of what the layers below show, or -1. */
  layerFinish(layer: NativeLayer, below: number, cancel: CancelFlag, done: Done<number>): undefined | Failure
  /** 1: it hides all layers below. */
  layerIsOpaque(layer: NativeLayer): number
  layerClose(layer: NativeLayer): void
  digestOpen(algorithm: "sha256" | "sha512"): NativeDigest | Failure
  /** Hexadecimal digits, of what has come so far. */
  digestText(digest: NativeDigest): string | Failure
  /** Writes all of the bytes at the offset and hashes them; what was written of a failure is not hashed. */
  digestWrite(
    digest: NativeDigest, fd: number, offset: number, bytes: Uint8Array, cancel: CancelFlag, done: Done<number>
  ): undefined | Failure
  /** Hashes the rest of a file from the offset on: where it ends. */
  digestFile(
    digest: NativeDigest, fd: number, offset: number, cancel: CancelFlag, done: Done<number>
  ): undefined | Failure
  digestClose(digest: NativeDigest): void
  /** Undoes a compression and hashes what comes out; "none" copies. */
  expandOpen(format: "gzip" | "zstd" | "none"): NativeExpand | Failure
  /**
   * Bytes of the input that were taken, and bytes of the output that were given: all of the input is through when it is
   * taken and room is left. `detail` of a failure says what is wrong with the data.
   */
  expandRun(
    expand: NativeExpand, input: Uint8Array, last: boolean, output: Uint8Array, cancel: CancelFlag,
    done: Done<readonly [taken: number, given: number]>
  ): undefined | Failure
  /** Hexadecimal digits of the sha256 of all that came out. */
  expandDigest(expand: NativeExpand): string | Failure
  expandClose(expand: NativeExpand): void
  /** Bytes written to the terminal reach it unchanged from now on. */
  plainOutput(fd: number): number | Failure
}

export const isFailure = (result: unknown): result is Failure =>
  typeof result === "object" && result !== null && "errno" in result

/** Where each was found. */
const built = new Map<string, string>()

/** `native/build/NAME`, looked for from this file upwards: sources and bundle lie at different depths. */
export const builtFile = (name: string): string => {
  const known = built.get(name)
  if (known !== undefined) return known
  const levels = ["./", "../", "../../", "../../../"]
  const candidates = levels.map((level) => fileURLToPath(new URL(`${level}native/build/${name}`, import.meta.url)))
  const found = candidates.find((path) => existsSync(path))
  if (found !== undefined) built.set(name, found)
  return found ?? candidates.at(-1)!
}

const loaded = new Map<string, Addon>()

/** Loads the addon, once per path; throws as dlopen does. */
export const loadAddon = (path: string): Addon => {
  const earlier = loaded.get(path)
  if (earlier !== undefined) return earlier
  const module = { exports: {} }
  process.dlopen(module, path, constants.dlopen.RTLD_NOW)
  const addon = module.exports as Addon
  loaded.set(path, addon)
  return addon
}
