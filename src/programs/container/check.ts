/** `system check`: where records and kernel disagree, and the mending of it. */
import * as Effect from "effect/Effect"
import { writes } from "../../domain/cgroup/CgroupLimits.ts"
import type { ContainerRecord } from "../../domain/container/ContainerRecord.ts"
import { limitDifferences } from "../../domain/container/limitDifferences.ts"
import { orphans } from "../../domain/container/recovery.ts"
import { compileResources } from "../../domain/container/resources.ts"
import type { ContainerError } from "../../domain/container/ContainerError.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { op } from "../../domain/kernel/KernelOp.ts"
import { Host } from "../Host.ts"
import { type Kernel, perform, performAll } from "../Kernel.ts"
import { late } from "../late.ts"
import { listContainers } from "../Store.ts"
import { deviceNodes } from "./deviceNodes.ts"
import { missingParts } from "./missingParts.ts"
import { isAlive, look } from "./observation.ts"
import { recover, seenLeftovers } from "./recover.ts"
import { cgroupPath } from "./update.ts"

export interface Disagreement {
  /** The container's id, or the path of what belongs to none. */
  readonly object: string
  /** A sentence without its full stop. */
  readonly problem: string
  readonly mended: boolean
}

const runProblem = Effect.fnUntraced(function*(
  record: ContainerRecord
): Effect.fn.Return<string | undefined, KernelError, Kernel | Host> {
  if (record.phase === "removing") return "its removal was begun and not finished"
  if (record.phase !== "launched") return undefined
  const { alive, rebooted, status } = yield* look(record)
  if (rebooted && status?.exited === undefined) return "it ran when the host went down"
  if (status === undefined) return "its start was begun and left no trace"
  if (status.exited !== undefined) return undefined
  const supervised = yield* isAlive(status.supervisor)
  if (alive) return supervised ? undefined : "it runs without its supervisor"
  return supervised ? undefined : "it ended and nobody recorded how"
})

/** Limits in force that are not the record's. */
const limitProblems = Effect.fnUntraced(function*(
  record: ContainerRecord, repair: boolean
): Effect.fn.Return<ReadonlyArray<Disagreement>, KernelError, Kernel | Host> {
  const host = yield* Host
  const { layout } = yield* host.facts
  const seen = yield* look(record)
  if (record.phase !== "launched" || !seen.alive) return []
  const nodes = yield* deviceNodes({ ...record.config, privileged: false, devices: [] }).pipe(
    Effect.catchTag("ContainerError", () => Effect.succeed({}))
  )
  const resources = compileResources(record.config.resources, nodes)
  if (resources._tag === "Failure") return []
  const path = cgroupPath(record, host.paths)
  const interfaceFiles = yield* host.interfaceFiles(path.slice(0, path.lastIndexOf("/")))
  const wanted = writes(layout, path, resources.success, interfaceFiles === undefined ? {} : { interfaceFiles })
  const found: Array<Disagreement> = []
  for (const write of wanted.writes) {
    const texts = yield* perform("CgroupRead", { directory: write.directory, files: [write.file] })
    const difference = limitDifferences(write.file, write.value, texts[write.file])
    if (difference === undefined) continue
    // What has no file cannot be written: its cgroup has gone, or the kernel never had it
    const mends = repair && texts[write.file] !== undefined
    if (mends) yield* performAll([op("CgroupWrite", { directory: write.directory, file: write.file, value: write.value })])
    found.push({ object: record.id, problem: `${write.file} ${difference}`, mended: mends })
  }
  return found
})

const storeChecks = late(() => import("../image/checkStore.ts"))

/** With `repair`, what recovery mends is mended; what it cannot is told as not mended. */
export const check = Effect.fnUntraced(function*(
  options: { readonly repair: boolean }
): Effect.fn.Return<ReadonlyArray<Disagreement>, KernelError | ContainerError, Kernel | Host> {
  const { paths } = yield* Host
  const found: Array<Disagreement> = []
  const containers = yield* listContainers
  for (const { record } of containers) {
    const problem = yield* runProblem(record)
    if (problem !== undefined) found.push({ object: record.id, problem, mended: false })
    const parts = yield* missingParts(record, options.repair)
    found.push(...parts.map((part) => ({ object: record.id, ...part })))
    found.push(...yield* limitProblems(record, options.repair))
  }
  const leftovers = orphans({ paths, ...(yield* seenLeftovers(new Set(containers.map(({ record }) => record.id)))) })
  for (const { payload } of leftovers.operations) {
    const object = "path" in payload ? payload.path : "directory" in payload ? payload.directory : ""
    if (!found.some((one) => one.object === object)) {
      found.push({ object, problem: "it belongs to no container", mended: false })
    }
  }
  const { checkStore } = yield* storeChecks
  found.push(...yield* checkStore(options))
  if (!options.repair || found.every((one) => one.mended)) return found
  yield* recover
  const left = yield* check({ repair: false })
  return found.map((one) => ({
    ...one, mended: one.mended || !left.some((other) => other.object === one.object && other.problem === one.problem)
  }))
})
