/**
 * What the store keeps of a container, and what a user is told of it. The record says what was wanted
 * and how far the engine got; the supervisor's status says what happened since. The state shown is a
 * pure function of both, so a container that ended while no engine ran needs no one to notice.
 */
import * as Schema from "effect/Schema"
import { ProcessIdentity } from "../kernel/InitOp.ts"
import { ExitStatus, type SupervisorStatus } from "../kernel/Supervisor.ts"
import { ContainerConfig } from "./ContainerConfig.ts"
import { ImageDefaults } from "../image/Defaults.ts"
import { StorageDriver } from "../layer/LayerRecord.ts"

/**
 * How far the engine got. `launched` is written before the first effect of a start: from then on the
 * supervisor's status says what happened. `ended` is written when that status has been taken over into
 * the record, `removing` before the first effect of a removal. Recovery finishes what it finds half done.
 */
export const Phase = Schema.Literals(["created", "launched", "ended", "removing"])
export type Phase = typeof Phase.Type

export const ContainerRecord = Schema.Struct({
  version: Schema.Literal(1),
  /** 64 hexadecimal digits. */
  id: Schema.String,
  name: Schema.String,
  /** RFC 3339 with nanoseconds, UTC. */
  createdAt: Schema.String,
  config: ContainerConfig,
  /** Host directories of the layers, top first. */
  layers: Schema.Array(Schema.String),
  /** How its root is made of them; absent: overlay2. */
  driver: Schema.optionalKey(StorageDriver),
  /** Id of the image, `sha256:…`; "" with --rootfs. */
  imageId: Schema.String,
  /** What the image says where the configuration does not, as it was at creation. */
  image: ImageDefaults,
  phase: Phase,
  /** Absolute cgroup directories made for the present run, one per hierarchy. */
  cgroups: Schema.Array(Schema.String),
  /** Directory of cgroup2 or of the v1 freezer, for freeze and kill. */
  control: Schema.optionalKey(Schema.Struct({ directory: Schema.String, version: Schema.Literals([1, 2]) })),
  /** Where and when the present run was begun: `boot` is the host's boot id, `at` as createdAt. */
  launch: Schema.optionalKey(Schema.Struct({ boot: Schema.String, at: Schema.String })),
  /** An update was begun: its limits may or may not be in force yet. */
  limitsPending: Schema.Boolean,
  /** The user asked for the end: kill, stop or rm. No restart policy acts then. */
  stopRequested: Schema.Boolean,
  startedAt: Schema.optionalKey(Schema.String),
  finishedAt: Schema.optionalKey(Schema.String),
  exit: Schema.optionalKey(ExitStatus),
  /** Why the last start failed, or "". */
  error: Schema.String,
  restartCount: Schema.Int
})
export type ContainerRecord = typeof ContainerRecord.Type

/** Docker's names of states. */
export type StateName = "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead"

export interface ContainerState {
  readonly name: StateName
  readonly process?: ProcessIdentity
  readonly startedAt?: string
  readonly finishedAt?: string
  readonly exit?: ExitStatus
  readonly error: string
}

/** Nanoseconds since the epoch as RFC 3339 with nanoseconds, as Docker prints them. */
export const formatTime = (nanoseconds: bigint): string => {
  const seconds = nanoseconds / 1_000_000_000n
  const fraction = (nanoseconds % 1_000_000_000n).toString().padStart(9, "0").replace(/0+$/, "")
  const date = new Date(Number(seconds) * 1000).toISOString().slice(0, 19)
  return fraction === "" ? `${date}Z` : `${date}.${fraction}Z`
}

/** A container whose supervisor vanished without a word: Docker's code for "unknown". */
export const lostExit: ExitStatus = { code: 137, signal: 9, oomKilled: false }

/** Of what ran when its host went down nobody can tell how it ended: Docker's code after a reboot. */
export const rebootExit: ExitStatus = { code: 255, signal: 0, oomKilled: false }

/** Whether the host has been booted since the present run was begun: `boot` is the id of the boot that is. */
export const isOfAnotherBoot = ({ launch }: ContainerRecord, boot: string): boolean =>
  launch !== undefined && launch.boot !== boot

/** What can be seen of a launched container. */
export interface Observation {
  /** The supervisor's status file, or its durable copy; absent when there is neither. */
  readonly status: SupervisorStatus | undefined
  /** Whether the init of the status lives (pid and start time), or its supervisor has yet to tell of its end. */
  readonly alive: boolean
  readonly frozen: boolean
  /** Whether it may have run when the host went down: nothing of that run lives, whatever its files say. */
  readonly rebooted: boolean
}

/** The end of its last run, as the record has it. */
const ended = (record: ContainerRecord) => ({
  name: "exited" as const,
  ...(record.startedAt === undefined ? {} : { startedAt: record.startedAt }),
  ...(record.finishedAt === undefined ? {} : { finishedAt: record.finishedAt }),
  exit: record.exit ?? lostExit,
  error: record.error
})

/** Whether a run has been taken over into the record. */
export const hasRun = (record: ContainerRecord): boolean => record.finishedAt !== undefined

/** The state of one that does not run: a start that came to nothing has changed nothing but the reason. */
const beforeStart = (record: ContainerRecord): ContainerState =>
  hasRun(record)
    ? ended(record)
    : { name: "created", error: record.error, ...(record.exit === undefined ? {} : { exit: record.exit }) }

/** Whether the program of the present run was started. A run that left no trace before a reboot counts as begun. */
export const hasBegun = ({ rebooted, status }: Observation): boolean =>
  status === undefined ? rebooted : status.startedAt !== undefined

/** The state to show. */
export const observe = (record: ContainerRecord, seen: Observation): ContainerState => {
  const { alive, frozen, rebooted, status } = seen
  switch (record.phase) {
    case "removing":
      return { ...ended(record), name: "removing" }
    case "created":
      return beforeStart(record)
    case "ended":
      return ended(record)
    case "launched": {
      if (status?.exited !== undefined) {
        return {
          ...ended(record), exit: status.exited.status, finishedAt: formatTime(status.exited.at),
          ...(status.startedAt === undefined ? {} : { startedAt: formatTime(status.startedAt) })
        }
      }
      if (status?.init !== undefined && status.startedAt !== undefined && alive) {
        return {
          name: frozen ? "paused" : "running", process: status.init, startedAt: formatTime(status.startedAt), error: ""
        }
      }
      // Begun by an engine that is still at it or died: to a user it has not started (again)
      if (!hasBegun(seen)) return beforeStart(record)
      const startedAt = status?.startedAt === undefined ? record.launch?.at : formatTime(status.startedAt)
      return {
        ...ended(record), ...(startedAt === undefined ? {} : { startedAt }), exit: rebooted ? rebootExit : lostExit
      }
    }
  }
}
