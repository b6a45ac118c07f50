/**
 * A door that only looks: operations that change something are collected and answered as if all
 * went well, and what they would have made is there for the operations after them.
 */
import * as Effect from "effect/Effect"
import { joinBytes } from "../../domain/bytes/joinBytes.ts"
import { exitedFrame, startedFrame } from "../../domain/kernel/frames.ts"
import { KernelError } from "../../domain/kernel/KernelError.ts"
import {
  type KernelOp, type KernelTag, type Payload, reads, type RootSource, type Success
} from "../../domain/kernel/KernelOp.ts"
import type { ExitStatus } from "../../domain/kernel/Supervisor.ts"
import type { Middleware, Perform } from "../../programs/Kernel.ts"
import { Imagined, imaginedProcess } from "./Imagined.ts"
import { ImaginedBlob, keptBytes } from "./ImaginedBlob.ts"

const isMissing = (error: KernelError): boolean =>
  error.errno === "ENOENT" || error.errno === "ENOTDIR"

const refuse = (op: KernelTag, syscall: string, errno: string, path: string) =>
  Effect.fail(new KernelError({ op, syscall, errno, path }))

type Answers = {
  readonly [T in KernelTag]?: (payload: Payload<T>) => Effect.Effect<Success<T>, KernelError>
}

const missing = (op: KernelTag, path: string) => refuse(op, "open", "ENOENT", path)

const tooMuch = (op: KernelTag, path: string) =>
  Effect.fail(new KernelError({
    op, syscall: "read", errno: "EFBIG", path,
    hint: `only imagined, of more than the ${keptBytes} bytes that a plan keeps of a content`
  }))

/** Reading files: what was only imagined comes first. */
const fileAnswers = (next: Perform, world: Imagined): Answers => ({
  FileRead: (payload) => {
    const text = world.textOf(payload.path)
    if (text !== undefined) return Effect.succeed(text)
    if (world.isRemoved(payload.path)) return missing("FileRead", payload.path)
    const real = next("FileRead", payload)
    return payload.path.endsWith("/status")
      ? Effect.map(real, (status) => world.statusText(status).text)
      : real
  },
  FileReadRange: (payload) => {
    const bytes = world.bytesOf(payload.path)
    if (bytes === undefined) {
      return world.isRemoved(payload.path)
        ? missing("FileReadRange", payload.path)
        : next("FileReadRange", payload)
    }
    return bytes.data === undefined ? tooMuch("FileReadRange", payload.path) : Effect.succeed({
      data: bytes.data.slice(payload.offset, payload.offset + payload.limit),
      inode: 1
    })
  },
  FileStat: (payload) => {
    const status = world.statusOf(payload.path)
    if (status !== undefined) return Effect.succeed(status)
    return world.isRemoved(payload.path)
      ? missing("FileStat", payload.path)
      : next("FileStat", payload)
  },
  DirList: (payload) => {
    const names = world.namesIn(payload.path)
    const real = next("DirList", payload)
    const known = world.isDirectory(payload.path)
      ? Effect.catchIf(real, isMissing, () => Effect.succeed([]))
      : real
    return Effect.map(
      known,
      (list) =>
        [
          ...new Set([
            ...list.filter((name) => !world.isRemoved(`${payload.path}/${name}`)),
            ...names
          ])
        ].sort()
    )
  },
  TreeSize: (payload) =>
    Effect.catchIf(
      next("TreeSize", payload),
      (error) => isMissing(error) && world.isDirectory(payload.path),
      () => Effect.succeed(0)
    ),
  // Taking a lock makes its file
  LockAcquire: () => Effect.succeed(world.takeHandle()),
  LockTry: () => Effect.succeed(world.takeHandle()),
  LockRelease: () => Effect.void
})

const cgroupAnswers = (next: Perform, world: Imagined): Answers => ({
  CgroupRead: (payload) =>
    Effect.map(
      next("CgroupRead", payload),
      (texts) => ({ ...texts, ...world.valuesOf(payload.directory, payload.files) })
    ),
  CgroupProcesses: (payload) =>
    Effect.catchIf(next("CgroupProcesses", payload), isMissing, () => Effect.succeed([]))
})

/**
 * What is told on a channel that is only imagined, by its handle; a supervisor's own is told of a
 * start first.
 */
type Endings = Map<number, ExitStatus>

const channelAnswers = (next: Perform, world: Imagined, endings: Endings): Answers => ({
  ChannelOpen: (payload) => {
    if (world.hasSupervisor(payload.directory)) {
      return Effect.succeed({ channel: world.takeHandle() })
    }
    const status = Effect.catch(
      next("FileRead", { path: `${payload.directory}/status`, limit: 16_384 }),
      () => Effect.succeed("")
    )
    return Effect.flatMap(status, (text) => {
      const { exit } = world.statusText(text)
      if (exit === undefined) return next("ChannelOpen", payload)
      const channel = world.takeHandle()
      endings.set(channel, exit)
      return Effect.succeed({ channel })
    })
  },
  ChannelRead: (payload) => {
    if (!world.ownsHandle(payload.channel)) return next("ChannelRead", payload)
    if (!world.firstUse(payload.channel)) return Effect.succeed(new Uint8Array(0))
    const ending = endings.get(payload.channel)
    return Effect.succeed(
      ending === undefined
        ? joinBytes([
          startedFrame(imaginedProcess),
          exitedFrame({ code: 0, signal: 0, oomKilled: false })
        ])
        : exitedFrame(ending)
    )
  },
  ChannelClose: (payload) =>
    world.ownsHandle(payload.channel) ? Effect.void : next("ChannelClose", payload)
})

/**
 * Layers whose upper directory is only imagined have nothing in it: the lower ones are looked at
 * alone.
 */
const realRoot = (world: Imagined, root: RootSource): RootSource =>
  root._tag === "Layers" && world.isDirectory(root.upper) ? { ...root, upper: "", work: "" } : root

/** Whether the root is a directory that is only imagined: what is in it is not known, so nothing. */
const isEmptyRoot = (world: Imagined, root: RootSource): boolean =>
  root._tag === "Directory" && world.isDirectory(root.path)

/** A listing of nothing has no record at all. */
const emptyListing = new Uint8Array(0)

const rootAnswers = (next: Perform, world: Imagined): Answers => ({
  TreeList: (payload) =>
    isEmptyRoot(world, payload.root)
      ? Effect.succeed(emptyListing)
      : next("TreeList", { ...payload, root: realRoot(world, payload.root) }),
  TreeLook: (payload) =>
    isEmptyRoot(world, payload.root)
      ? Effect.succeed(emptyListing)
      : next("TreeLook", { ...payload, root: realRoot(world, payload.root) }),
  ArchiveDigest: (payload) =>
    world.bytesOf(payload.path) === undefined
      ? next("ArchiveDigest", payload)
      : Effect.succeed({ diffId: payload.expected }),
  FilesRead: (payload) => next("FilesRead", { ...payload, root: realRoot(world, payload.root) }),
  RootRead: (payload) => next("RootRead", { ...payload, root: realRoot(world, payload.root) }),
  RootStat: (payload) => next("RootStat", { ...payload, root: realRoot(world, payload.root) }),
  ArchiveRead: (payload) =>
    next("ArchiveRead", { ...payload, root: realRoot(world, payload.root) }),
  ArchiveClose: (payload) =>
    world.ownsHandle(payload.archive) ? Effect.void : next("ArchiveClose", payload)
})

const recordAnswers = (next: Perform, world: Imagined): Answers => ({
  RecordGet: (payload) => {
    const row = world.rowOf(payload.collection, payload.key)
    return row === undefined
      ? next("RecordGet", payload)
      : Effect.succeed(row === "removed" ? undefined : row)
  },
  RecordList: (payload) =>
    Effect.map(next("RecordList", payload), (rows) => world.mergeRows(payload.collection, rows))
})

/** What an unfinished content has: imagined, or really there, or nothing. */
const earlierBytes = (next: Perform, world: Imagined, path: string) => {
  const nothing = { data: new Uint8Array(0), size: 0 }
  const size = world.statusOf(path)?.size
  if (size !== undefined) return Effect.succeed({ data: world.bytesOf(path)?.data, size })
  if (world.isRemoved(path)) return Effect.succeed(nothing)
  return Effect.gen(function*() {
    const { size } = yield* next("FileStat", { path, follow: false })
    if (size > keptBytes) return { data: undefined, size }
    const { data } = yield* next("FileReadRange", { path, inode: 0, offset: 0, limit: size })
    return { data, size: data.length }
  }).pipe(Effect.catchIf(isMissing, () => Effect.succeed(nothing)))
}

/** Contents that are brought: later operations may read them. */
const blobAnswers = (next: Perform, world: Imagined): Answers => ({
  BlobOpen: ({ algorithm, path }) =>
    Effect.map(earlierBytes(next, world, path), ({ data, size }) => ({
      blob: world.openBlob(new ImaginedBlob(path, algorithm, size, data)), size
    })),
  BlobCommit: ({ blob, digest: wanted, directory }) => {
    const found = world.blobAt(blob)
    if (found === undefined) return refuse("BlobCommit", "handle", "EBADF", directory)
    const { algorithm, path, size } = found
    const digest = wanted ?? found.digest
    if (digest === undefined) return tooMuch("BlobCommit", path)
    world.placeBlob(blob, `${directory}/${algorithm}/${digest.slice(algorithm.length + 1)}`)
    return Effect.succeed({ digest, size })
  }
})

/** Archives that are written go nowhere; everything else has no answer but that it is done. */
const pretend = (world: Imagined, op: KernelOp): unknown => {
  switch (op.tag) {
    case "SupervisorStart":
      return { channel: world.takeHandle(), pid: imaginedProcess.pid }
    case "ArchiveWrite":
    case "LayerWrite":
      return { archive: world.takeHandle() }
    case "LayerFinish":
      // Nothing was unpacked: it is taken for what it should be
      return { diffId: op.payload.expected ?? "", size: 0, contents: 0, opaque: false }
    default:
      return undefined
  }
}

/** Signal 0 asks whether a process is there: one that would have been killed is not. */
const askAlive = (next: Perform, world: Imagined, payload: Payload<"ProcessSignal">) =>
  world.endOf(payload.process) === undefined
    ? next("ProcessSignal", payload)
    : refuse("ProcessSignal", "pidfd_send_signal", "ESRCH", `/proc/${payload.process.pid}`)

/**
 * Performs what only looks, and gives the rest to `collect`. A started program is imagined to run
 * and to end with 0 at once.
 */
export const dryRun = (collect: (op: KernelOp) => Effect.Effect<void>): Middleware => (next) => {
  const world = new Imagined()
  const answers: Answers = {
    ...fileAnswers(next, world),
    ...cgroupAnswers(next, world),
    ...channelAnswers(next, world, new Map()),
    ...rootAnswers(next, world),
    ...recordAnswers(next, world),
    ...blobAnswers(next, world)
  }
  const perform = (tag: KernelTag, payload: unknown): Effect.Effect<unknown, KernelError> =>
    Effect.suspend(() => {
      const op = { tag, payload } as KernelOp
      if (op.tag === "ProcessSignal" && op.payload.signal === 0) {
        return askAlive(next, world, op.payload)
      }
      const answer = answers[tag] as
        | ((payload: unknown) => Effect.Effect<unknown, KernelError>)
        | undefined
      if (reads.has(tag)) {
        return answer === undefined ? next(tag, payload as never) : answer(payload)
      }
      world.apply(op)
      return answer === undefined
        ? Effect.as(collect(op), pretend(world, op))
        : Effect.andThen(collect(op), Effect.suspend(() => answer(payload)))
    })
  return perform as Perform
}
