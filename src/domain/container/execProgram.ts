/** The program of an exec: into the container's cgroups and namespaces, then the same last part as its init's. */
import * as Result from "effect/Result"
import type { InitOp, NamespaceKind, ProcessIdentity } from "../kernel/InitOp.ts"
import type { OciProcess } from "../oci/RuntimeSpec.ts"
import type { ContainerConfig } from "./ContainerConfig.ts"
import { type PlanContext, processOps } from "./plan.ts"

/** Where the container's namespaces are the host's there is nothing to enter. */
const namespacesToEnter = (config: ContainerConfig): ReadonlyArray<NamespaceKind> => [
  ...(config.usernsMode === "private" ? ["user" as const] : []),
  "mnt",
  ...(config.networkMode === "host" ? [] : ["net" as const]),
  ...(config.ipcMode === "host" ? [] : ["ipc" as const]),
  ...(config.utsMode === "host" ? [] : ["uts" as const]),
  ...(config.cgroupnsMode === "host" ? [] : ["cgroup" as const]),
  ...(config.timeMode === "private" ? ["time" as const] : [])
]

export const execProgram = (options: {
  readonly id: string
  readonly process: OciProcess
  readonly init: ProcessIdentity
  readonly config: ContainerConfig
  readonly cgroupAttach: ReadonlyArray<string>
  readonly seccomp: PlanContext["seccomp"]
}): Result.Result<ReadonlyArray<InitOp>, string> => {
  const last = processOps(options.process, {
    id: options.id, reaper: false, createDirectory: false, seccomp: options.seccomp
  })
  return Result.map(last, (ops) => [
    ...(options.cgroupAttach.length === 0 ? [] : [{ _tag: "CgroupAttach" as const, files: options.cgroupAttach }]),
    { _tag: "OomScoreAdjust", value: options.process.oomScoreAdj ?? 0 },
    { _tag: "NamespaceEnter", process: options.init, kinds: namespacesToEnter(options.config) },
    ...(options.process.terminal ? [{ _tag: "Console" as const, open: true, bindConsole: false }] : []),
    ...ops
  ])
}
