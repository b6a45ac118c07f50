/**
 * The simulated kernel as one pure function: a world and an operation of an engine give a result,
 * or the kernel's error, or "not yet", and the world after it.
 */
import { KernelError } from "../../domain/kernel/KernelError.ts"
import { type KernelOp, type KernelTag, pathOfRoot } from "../../domain/kernel/KernelOp.ts"
import type { Behaviours } from "./behaviours/Behaviour.ts"
import { close, type Draft, Failure, open } from "./Draft.ts"
import * as processes from "./processes/advance.ts"
import { archiveSteps } from "./steps/archiveSteps.ts"
import { blobSteps } from "./steps/blobSteps.ts"
import { cgroupSteps } from "./steps/cgroupSteps.ts"
import { copySteps } from "./steps/copySteps.ts"
import { fileSteps } from "./steps/fileSteps.ts"
import { hostSteps } from "./steps/hostSteps.ts"
import { layerSteps } from "./steps/layerSteps.ts"
import { lockSteps } from "./steps/lockSteps.ts"
import { processSteps } from "./steps/processSteps.ts"
import { recordSteps } from "./steps/recordSteps.ts"
import { rootSteps } from "./steps/rootSteps.ts"
import type { Handlers } from "./steps/Step.ts"
import type { World } from "./World.ts"

const handlers: Handlers<KernelTag> = {
  ...hostSteps,
  ...fileSteps,
  ...copySteps,
  ...lockSteps,
  ...cgroupSteps,
  ...processSteps,
  ...rootSteps,
  ...archiveSteps,
  ...layerSteps,
  ...blobSteps,
  ...recordSteps
}

/** The object of an operation, as its errors name it. */
const subjectOf = (op: KernelOp): string | undefined => {
  switch (op.tag) {
    case "CgroupWrite":
      return `${op.payload.directory}/${op.payload.file}`
    case "SupervisorStart":
      return op.payload.spec.directory
    case "ChannelOpen":
      return `${op.payload.directory}/attach.sock`
    case "RootStat":
    case "ArchiveRead":
    case "ArchiveWrite":
    case "TreeList":
      return pathOfRoot(op.payload.root, op.payload.path)
    case "TreeCopy":
    case "SubvolumeSnapshot":
      return op.payload.to
    case "BlobCommit":
      return undefined
    case "TreeLook":
      return pathOfRoot(op.payload.root, "/")
    case "FilesRead":
      return pathOfRoot(op.payload.root, op.payload.pieces[0]?.path ?? "/")
    case "ProcessSignal":
      return `/proc/${op.payload.process.pid}`
    default: {
      const { path, directory } = op.payload as {
        readonly path?: string
        readonly directory?: string
      }
      return path ?? directory
    }
  }
}

const toError = (draft: Draft, op: KernelOp, failure: Failure): KernelError => {
  const path = subjectOf(op) ?? failure.path
  return new KernelError({
    op: op.tag,
    syscall: draft.syscall,
    errno: failure.errno,
    ...(path === undefined ? {} : { path }),
    ...(failure.hint === undefined ? {} : { hint: failure.hint })
  })
}

/** What an operation comes to: its success, a KernelError, or `notYet` for one that has to wait. */
export type Outcome = unknown

/**
 * Performs an operation for the engine process with host pid `engine`. A waiting operation may have
 * had effects (a signal sent, a file made); it is to be performed again once the world has changed.
 */
export const step = (
  world: World,
  op: KernelOp,
  engine: number,
  behaviours: Behaviours
): readonly [Outcome, World] => {
  const draft = open(world, engine, behaviours)
  try {
    const handler = handlers[op.tag] as (draft: Draft, payload: unknown) => Outcome
    const result = handler(draft, op.payload)
    return [result, close(draft, world)]
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure
    return [toError(draft, op, failure), close(draft, world)]
  }
}

/** Lets time pass until `until`, microseconds since the epoch; processes do what falls into it. */
export const advance = (world: World, until: number, behaviours: Behaviours): World => {
  const due = processes.nextTurn(world)
  if (until <= world.now && (due === undefined || due > world.now)) return world
  if (due === undefined || due > until) return { ...world, now: until }
  const draft = open(world, 0, behaviours)
  processes.advance(draft, until)
  return close(draft, world)
}

/**
 * When a process has its next turn, microseconds since the epoch; `undefined`: all wait for
 * something else.
 */
export const nextTurn = (world: World): number | undefined => processes.nextTurn(world)

export { notYet } from "./Draft.ts"
