/** Handlers for files that a supervisor writes on: reading from where one stopped, and waiting for more. */
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { dirname } from "node:path"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { Payload, Success } from "../../domain/kernel/KernelOp.ts"
import type { Interpreter } from "../../programs/Kernel.ts"
import { attempt, Refusal, toKernelError } from "./attempt.ts"

const { O_NOCTTY, O_NONBLOCK, O_RDONLY } = fs.constants

const readRange = (
  { inode, limit, offset, path }: Payload<"FileReadRange">
): Success<"FileReadRange"> => {
  const fd = fs.openSync(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
  try {
    const status = fs.fstatSync(fd)
    if (!status.isFile()) throw new Refusal("read", status.isDirectory() ? "EISDIR" : "EINVAL", "not a regular file")
    if (inode !== 0 && inode !== status.ino) throw new Refusal("read", "ESTALE", "the name has gone to another file")
    const wanted = Math.max(0, Math.min(limit, status.size - offset))
    const buffer = Buffer.allocUnsafe(wanted)
    const count = wanted === 0 ? 0 : fs.readSync(fd, buffer, 0, wanted, offset)
    return { data: buffer.subarray(0, count), inode: status.ino }
  } finally {
    fs.closeSync(fd)
  }
}

/** Milliseconds between looks in case the file system tells nothing (NFS, or no inotify watch was left). */
const lookInterval = 1000
const lookIntervalUnwatched = 100

const hasChanged = ({ inode, path, size }: Payload<"FileAwait">): boolean => {
  const status = fs.statSync(path, { throwIfNoEntry: false })
  return status === undefined || status.ino !== inode || status.size > size
}

/** Watches the directory: a rename over the file is then seen as well as its growth. */
const watchDirectory = (path: string, changed: () => void): fs.FSWatcher | undefined => {
  try {
    return fs.watch(dirname(path), changed).on("error", changed)
  } catch {
    return undefined
  }
}

const awaitChange = (payload: Payload<"FileAwait">): Effect.Effect<void, KernelError> =>
  Effect.callback<void, KernelError>((resume) => {
    let timer: NodeJS.Timeout | undefined
    let watcher: fs.FSWatcher | undefined
    const stop = () => {
      clearInterval(timer)
      watcher?.close()
    }
    const look = () => {
      try {
        if (!hasChanged(payload)) return
        stop()
        resume(Effect.void)
      } catch (cause) {
        stop()
        resume(Effect.fail(toKernelError({ op: "FileAwait", path: payload.path }, cause)))
      }
    }
    watcher = watchDirectory(payload.path, look)
    timer = setInterval(look, watcher === undefined ? lookIntervalUnwatched : lookInterval)
    // Only now: what changed before the watch began would never be told.
    look()
    return Effect.sync(stop)
  })

export const growingFiles: Pick<Interpreter, "FileReadRange" | "FileAwait"> = {
  FileReadRange: (payload) => attempt({ op: "FileReadRange", path: payload.path }, () => readRange(payload)),
  FileAwait: awaitChange
}
