/**
 * A door that only looks: operations that change something are collected and answered as if all went well,
 * and what they would have made is there for the operations after them.
 */
import * as Effect from "effect/Effect"
import { exitedFrame, startedFrame } from "../../domain/kernel/frames.ts"
import { KernelError } from "../../domain/kernel/KernelError.ts"
import { type KernelOp, type KernelTag, type Payload, type RootSource, reads, type Success } from "../../domain/kernel/KernelOp.ts"
import type { Middleware, Perform } from "../../programs/Kernel.ts"
import { Imagined, imaginedProcess } from "./Imagined.ts"

const isMissing = (error: KernelError): boolean => error.errno === "ENOENT" || error.errno === "ENOTDIR"

const refuse = (op: KernelTag, syscall: string, errno: string, path: string) =>
  Effect.fail(new KernelError({ op, syscall, errno, path }))

type Answers = { readonly [T in KernelTag]?: (payload: Payload<T>) => Effect.Effect<Success<T>, KernelError> }

const missing = (op: KernelTag, path: string) => refuse(op, "open", "ENOENT", path)

/** Reading files: what was only imagined comes first. */
const fileAnswers = (next: Perform, world: Imagined): Answers => ({
  FileRead: (payload) => {
    const text = world.textOf(payload.path)
    if (text !== undefined) return Effect.succeed(text)
    return world.isRemoved(payload.path) ? missing("FileRead", payload.path) : next("FileRead", payload)
  },
  FileReadRange: (payload) => {
    const text = world.textOf(payload.path)
    if (text === undefined) return next("FileReadRange", payload)
    return Effect.succeed({ data: new TextEncoder().encode(text).slice(payload.offset, payload.offset + payload.limit), inode: 1 })
  },
  FileStat: (payload) => {
    const status = world.statusOf(payload.path)
    if (status !== undefined) return Effect.succeed(status)
    return world.isRemoved(payload.path) ? missing("FileStat", payload.path) : next("FileStat", payload)
  },
  DirList: (payload) => {
    const names = world.namesIn(payload.path)
    const real = next("DirList", payload)
    const known = world.isDirectory(payload.path) ? Effect.catchIf(real, isMissing, () => Effect.succeed([])) : real
    return Effect.map(known, (list) =>
      [...new Set([...list.filter((name) => !world.isRemoved(`${payload.path}/${name}`)), ...names])].sort())
  },
  TreeSize: (payload) =>
    Effect.catchIf(next("TreeSize", payload), (error) => isMissing(error) && world.isDirectory(payload.path), () => Effect.succeed(0)),
  LockAcquire: (payload) =>
    Effect.catchIf(next("LockAcquire", payload), isMissing, () => Effect.succeed(world.takeHandle())),
  LockTry: (payload) => Effect.catchIf(next("LockTry", payload), isMissing, () => Effect.succeed(world.takeHandle())),
  LockRelease: (payload) => world.ownsHandle(payload.handle) ? Effect.void : next("LockRelease", payload)
})

const cgroupAnswers = (next: Perform, world: Imagined): Answers => ({
  CgroupRead: (payload) =>
    Effect.map(next("CgroupRead", payload), (texts) => ({ ...texts, ...world.valuesOf(payload.directory, payload.files) })),
  CgroupProcesses: (payload) =>
    Effect.catchIf(next("CgroupProcesses", payload), isMissing, () => Effect.succeed([]))
})

const channelAnswers = (next: Perform, world: Imagined): Answers => ({
  ChannelOpen: (payload) => world.hasSupervisor(payload.directory) ? Effect.succeed({ channel: world.takeHandle() }) : next("ChannelOpen", payload),
  ChannelRead: (payload) => {
    if (!world.ownsHandle(payload.channel)) return next("ChannelRead", payload)
    if (!world.firstUse(payload.channel)) return Effect.succeed(new Uint8Array(0))
    const started = startedFrame(imaginedProcess)
    const exited = exitedFrame({ code: 0, signal: 0, oomKilled: false })
    const frames = new Uint8Array(started.length + exited.length)
    frames.set(started)
    frames.set(exited, started.length)
    return Effect.succeed(frames)
  },
  ChannelClose: (payload) => world.ownsHandle(payload.channel) ? Effect.void : next("ChannelClose", payload)
})

/** Layers whose upper directory is only imagined have nothing in it: the lower ones are looked at alone. */
const realRoot = (world: Imagined, root: RootSource): RootSource =>
  root._tag === "Layers" && world.isDirectory(root.upper) ? { ...root, upper: "", work: "" } : root

const rootAnswers = (next: Perform, world: Imagined): Answers => ({
  RootRead: (payload) => next("RootRead", { ...payload, root: realRoot(world, payload.root) }),
  RootStat: (payload) => next("RootStat", { ...payload, root: realRoot(world, payload.root) }),
  ArchiveRead: (payload) => next("ArchiveRead", { ...payload, root: realRoot(world, payload.root) }),
  ArchiveClose: (payload) => world.ownsHandle(payload.archive) ? Effect.void : next("ArchiveClose", payload)
})

const recordAnswers = (next: Perform, world: Imagined): Answers => ({
  RecordGet: (payload) => {
    const row = world.rowOf(payload.collection, payload.key)
    return row === undefined ? next("RecordGet", payload) : Effect.succeed(row === "removed" ? undefined : row)
  },
  RecordList: (payload) =>
    Effect.map(next("RecordList", payload), (rows) => world.mergeRows(payload.collection, rows))
})

/** Archives that are written go nowhere; everything else has no answer but that it is done. */
const pretend = (world: Imagined, op: KernelOp): unknown => {
  switch (op.tag) {
    case "SupervisorStart":
      return { channel: world.takeHandle(), pid: imaginedProcess.pid }
    case "ArchiveWrite":
      return { archive: world.takeHandle() }
    default:
      return undefined
  }
}

/**
 * Performs what only looks, and gives the rest to `collect`. A started program is imagined to run and to end
 * with 0 at once.
 */
export const dryRun = (collect: (op: KernelOp) => Effect.Effect<void>): Middleware => (next) => {
  const world = new Imagined()
  const answers: Answers = {
    ...fileAnswers(next, world), ...cgroupAnswers(next, world), ...channelAnswers(next, world),
    ...rootAnswers(next, world), ...recordAnswers(next, world)
  }
  const perform = (tag: KernelTag, payload: unknown): Effect.Effect<unknown, KernelError> =>
    Effect.suspend(() => {
      const op = { tag, payload } as KernelOp
      if (reads.has(tag)) {
        const answer = answers[tag] as ((payload: unknown) => Effect.Effect<unknown, KernelError>) | undefined
        return answer === undefined ? next(tag, payload as never) : answer(payload)
      }
      world.apply(op)
      return Effect.as(collect(op), pretend(world, op))
    })
  return perform as Perform
}
