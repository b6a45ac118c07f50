/** Handlers for files of the store: what is quick is done at once, trees of strangers on a pool thread. */
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import type { FileStatus } from "../../domain/kernel/KernelOp.ts"
import type { Interpreter } from "../../programs/Kernel.ts"
import { attempt, awaitTask, Refusal } from "./attempt.ts"
import { runSimple } from "./batch.ts"
import { fileStatus } from "./fileStatus.ts"
import { type Looks, looking } from "./looks.ts"
import type { Machine } from "./Machine.ts"

const { O_NOCTTY, O_NONBLOCK, O_RDONLY } = fs.constants

/**
 * Reads to the end, whatever size the file claims to have: files of proc and cgroup say 0. Throws EFBIG beyond
 * `limit` bytes, EINVAL for what is not a regular file: opening a FIFO never blocks here.
 */
export const readText = (path: string, limit: number): string => {
  const fd = fs.openSync(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
  try {
    const status = fs.fstatSync(fd)
    if (status.isDirectory()) throw new Refusal("read", "EISDIR")
    if (!status.isFile()) throw new Refusal("read", "EINVAL", "not a regular file")
    let buffer = Buffer.allocUnsafe(Math.min(limit + 1, Math.max(4096, status.size + 1)))
    for (let used = 0;;) {
      const count = fs.readSync(fd, buffer, used, buffer.length - used, null)
      used += count
      if (used > limit) throw new Refusal("read", "EFBIG", `it has more than the ${limit} bytes allowed`)
      if (count === 0) return buffer.toString("utf8", 0, used)
      if (used === buffer.length) buffer = Buffer.concat([buffer], Math.min(limit + 1, buffer.length * 2))
    }
  } finally {
    fs.closeSync(fd)
  }
}

const statusOf = (path: string, follow: boolean): FileStatus => {
  const status = follow ? fs.statSync(path) : fs.lstatSync(path)
  const target = status.isSymbolicLink() ? fs.readlinkSync(path) : ""
  return fileStatus([
    status.mode, status.uid, status.gid, status.size, deviceMajor(status.rdev), deviceMinor(status.rdev), target
  ])
}

/** Device numbers from st_rdev as glibc packs it (sys/sysmacros.h), for 32-bit majors and minors. */
const deviceMajor = (device: number): number => Number((BigInt(device) >> 8n) & 0xfffn)
const deviceMinor = (device: number): number =>
  Number((BigInt(device) & 0xffn) | ((BigInt(device) >> 12n) & 0xffffff00n))

type Tags =
  | "DirMake" | "DirEnsure" | "DirEnsureLike" | "DirList" | "FileWrite" | "FileRead" | "FileStat" | "FileRemove" | "TreeRemove"
  | "TreeSize" | "FilesystemSync"

export const fileLooks: Pick<Looks, "DirList" | "FileRead"> = {
  DirList: { pathOf: ({ path }) => path, answer: ({ path }) => fs.readdirSync(path).sort() },
  FileRead: { pathOf: ({ path }) => path, answer: ({ limit, path }) => readText(path, limit) }
}

export const files = (machine: Machine): Pick<Interpreter, Tags> => ({
  DirMake: (payload) => runSimple(machine, { tag: "DirMake", payload }),
  DirEnsure: (payload) => runSimple(machine, { tag: "DirEnsure", payload }),
  DirEnsureLike: (payload) => runSimple(machine, { tag: "DirEnsureLike", payload }),
  DirList: looking("DirList", fileLooks.DirList),
  FileWrite: (payload) => runSimple(machine, { tag: "FileWrite", payload }),
  FileRead: looking("FileRead", fileLooks.FileRead),
  FileStat: ({ follow, path }) => attempt({ op: "FileStat", path }, () => statusOf(path, follow)),
  FileRemove: (payload) => runSimple(machine, { tag: "FileRemove", payload }),
  TreeRemove: (payload) => runSimple(machine, { tag: "TreeRemove", payload }),
  FilesystemSync: ({ path }) =>
    Effect.flatMap(
      attempt({ op: "FilesystemSync", path }, () => machine.addon),
      (addon) => Effect.asVoid(awaitTask<number>({ op: "FilesystemSync", path }, (cancel, done) =>
        addon.syncFilesystem(path, cancel, done)))
    ),
  TreeSize: ({ path }) =>
    Effect.flatMap(
      attempt({ op: "TreeSize", path }, () => machine.addon),
      (addon) => awaitTask<number>({ op: "TreeSize", path }, (cancel, done) => addon.treeSize(path, cancel, done))
    )
})
