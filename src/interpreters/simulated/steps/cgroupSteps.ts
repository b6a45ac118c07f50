/**
 * Operations on control groups: plain files and directories, with the waiting that dying processes
 * need.
 */
import type { Payload } from "../../../domain/kernel/KernelOp.ts"
import { cgroupOfNode } from "../cgroups/cgroupDriver.ts"
import { alterCgroup, cgroupAt, processesBelow, subtreeOf } from "../cgroups/cgroupTree.ts"
import { killBelow } from "../cgroups/coreFiles.ts"
import { setFrozen } from "../cgroups/freezing.ts"
import { current, type Draft, fail, Failure, notYet } from "../Draft.ts"
import { attributesOf, filesystemOf } from "../files/access.ts"
import { textOf } from "../files/Driver.ts"
import { remove } from "../files/entryCalls.ts"
import { makeDirectory, readFile, writeFile } from "../files/fileCalls.ts"
import { resolve, resolveDirectory } from "../files/resolve.ts"
import { capability, requireCapability } from "../processes/credentials.ts"
import { signals } from "../processes/signals.ts"
import { ensureDirectory } from "./fileSteps.ts"
import type { Handlers } from "./Step.ts"

const isGone = (failure: unknown): boolean =>
  failure instanceof Failure && failure.errno === "ENOENT"

/** The cgroup of a directory, or none when it does not exist. */
const find = (draft: Draft, directory: string): number | undefined => {
  try {
    const place = resolveDirectory(draft, directory)
    const filesystem = filesystemOf(draft, place)
    return filesystem.content._tag === "Cgroup"
      ? cgroupOfNode(draft, filesystem, place.node)
      : undefined
  } catch (failure) {
    if (isGone(failure)) return undefined
    throw failure
  }
}

const writeValue = (draft: Draft, directory: string, file: string, value: string): void => {
  draft.syscall = "openat"
  const path = `${directory}/${file}`
  if (file === "" || file.includes("/")) fail("EINVAL", path)
  const place = resolve(draft, path, false)
  if (attributesOf(draft, place).type === "symlink") fail("ELOOP", path)
  draft.syscall = "write"
  writeFile(draft, path, value === "" ? "\n" : value, { mode: 0, create: false })
}

const readValues = (
  draft: Draft,
  directory: string,
  files: ReadonlyArray<string>
): Record<string, string> => {
  const texts: Record<string, string> = {}
  for (const file of files) {
    if (file.includes("/")) fail("EINVAL", directory, `${file} is no name of a file`)
    try {
      draft.syscall = "open"
      texts[file] = textOf(readFile(draft, `${directory}/${file}`))
    } catch (failure) {
      if (!isGone(failure)) throw failure
    }
  }
  return texts
}

/** Whether all that is left in a cgroup has its death before it. */
const isDying = (draft: Draft, id: number): boolean =>
  processesBelow(draft, id).every((pid) =>
    draft.processes.get(pid)?.pending.includes(signals.SIGKILL) === true
  )

const freeze = (draft: Draft, directory: string, version: 1 | 2, frozen: boolean): void => {
  writeValue(
    draft,
    directory,
    version === 1 ? "freezer.state" : "cgroup.freeze",
    version === 1 ? frozen ? "FROZEN" : "THAWED" : frozen ? "1" : "0"
  )
}

const kill = (draft: Draft, directory: string, version: 1 | 2): void | typeof notYet => {
  draft.syscall = "kill"
  const id = find(draft, directory)
  if (id === undefined || cgroupAt(draft, id).population === 0) return
  killBelow(draft, id)
  // A process that the v1 freezer holds dies only when thawed
  if (version === 1) { for (const group of subtreeOf(draft, id)) setFrozen(draft, group.id, false) }
  return notYet
}

const removeGroup = (
  draft: Draft, { directory, kill: version }: Payload<"CgroupRemove">
): void | typeof notYet => {
  if (version !== undefined && kill(draft, directory, version) === notYet) return notYet
  draft.syscall = "rmdir"
  const id = find(draft, directory)
  if (id === undefined) return
  if (cgroupAt(draft, id).population > 0) {
    if (isDying(draft, id)) return notYet
    return fail(
      "EBUSY",
      directory,
      `processes ${processesBelow(draft, id).join(" ")} are in it: kill them`
    )
  }
  for (const child of cgroupAt(draft, id).children.keys) removeGroup(draft, { directory: `${directory}/${child}` })
  draft.syscall = "rmdir"
  remove(draft, directory, true)
}

/** The size of struct bpf_insn. */
const instructionSize = 8

type Tags =
  | "CgroupMake"
  | "CgroupEnsure"
  | "CgroupWrite"
  | "CgroupRead"
  | "CgroupProcesses"
  | "CgroupFreeze"
  | "CgroupKill"
  | "CgroupRemove"
  | "CgroupDevices"

export const cgroupSteps: Handlers<Tags> = {
  CgroupMake: (draft, { directory }) => {
    draft.syscall = "mkdir"
    makeDirectory(draft, directory, 0o755)
  },
  CgroupEnsure: (draft, { directory }) => ensureDirectory(draft, directory, 0o755),
  CgroupWrite: (draft, { directory, file, value }) => writeValue(draft, directory, file, value),
  CgroupRead: (draft, { directory, files }) => readValues(draft, directory, files),
  CgroupProcesses: (draft, { directory }) => {
    draft.syscall = "open"
    const id = find(draft, directory)
    return id === undefined ? [] : [...processesBelow(draft, id)].sort((one, other) => one - other)
  },
  CgroupFreeze: (draft, { directory, version, frozen }) =>
    freeze(draft, directory, version, frozen),
  CgroupKill: (draft, { directory, version }) => kill(draft, directory, version),
  CgroupRemove: removeGroup,
  CgroupDevices: (draft, { directory, program }) => {
    draft.syscall = "openat"
    const place = resolveDirectory(draft, directory)
    const filesystem = filesystemOf(draft, place)
    draft.syscall = "bpf"
    requireCapability(draft, current(draft), capability.sysAdmin, draft.initial.user)
    if (program.length === 0 || program.length % instructionSize !== 0) fail("EINVAL", directory)
    const version2 = filesystem.content._tag === "Cgroup" &&
      draft.hierarchies[filesystem.content.hierarchy]!.version === 2
    if (!version2) fail("EBADF", directory)
    alterCgroup(draft, cgroupOfNode(draft, filesystem, place.node), {
      devices: program.length / instructionSize
    })
  }
}
