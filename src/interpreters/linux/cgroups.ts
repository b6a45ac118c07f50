/** Handlers for control groups of both versions. What takes its time (dying, freezing) is looked at again and again. */
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { Payload } from "../../domain/kernel/KernelOp.ts"
import type { Interpreter } from "../../programs/Kernel.ts"
import { attempt, Refusal, type Subject, until, valueOf } from "./attempt.ts"
import { runNow, runSimple } from "./batch.ts"
import { readText } from "./files.ts"
import type { Machine } from "./Machine.ts"

/** Milliseconds after which waiting for the kernel is given up. */
const patience = 10_000
/** More than any file of a control group has: cgroup.procs of a million processes. */
const textLimit = 16 << 20

/** errno numbers as the addon gives them. */
const noEntry = 2
const busy = 16
const noDevice = 19

const codeOf = (cause: unknown): unknown => (cause as { code?: unknown }).code

/** The files of a group that vanishes meanwhile are not there (ENOENT before, ENODEV after the open). */
const isGone = (cause: unknown): boolean => codeOf(cause) === "ENOENT" || codeOf(cause) === "ENODEV"

const readIfThere = (path: string): string | undefined => {
  try {
    return readText(path, textLimit)
  } catch (cause) {
    if (isGone(cause)) return undefined
    throw cause
  }
}

/** The directory and all below, itself first; none when it does not exist. */
const withChildren = (directory: string): ReadonlyArray<string> => {
  const found: Array<string> = []
  const visit = (path: string): void => {
    let entries: ReadonlyArray<fs.Dirent>
    try {
      entries = fs.readdirSync(path, { withFileTypes: true })
    } catch (cause) {
      if (isGone(cause)) return
      throw cause
    }
    found.push(path)
    for (const entry of entries) if (entry.isDirectory()) visit(`${path}/${entry.name}`)
  }
  visit(directory)
  return found
}

const pidsOf = (directory: string): ReadonlyArray<number> => {
  try {
    const text = readIfThere(`${directory}/cgroup.procs`) ?? ""
    return text.split("\n").filter((line) => line !== "").map(Number)
  } catch (cause) {
    // A threaded group of version 2 has its processes in the domain above.
    if (codeOf(cause) === "EOPNOTSUPP" || codeOf(cause) === "ENOTSUP") return []
    throw cause
  }
}

const processesIn = (directory: string): ReadonlyArray<number> => {
  const pids = new Set(withChildren(directory).flatMap(pidsOf))
  return [...pids].sort((left, right) => left - right)
}

const readAll = ({ directory, files }: Payload<"CgroupRead">): Record<string, string> => {
  const texts: Record<string, string> = {}
  for (const file of files) {
    if (file.includes("/")) throw new Refusal("openat", "EINVAL", `${file} is no name of a file`)
    const text = readIfThere(`${directory}/${file}`)
    if (text !== undefined) texts[file] = text
  }
  return texts
}

const write = (path: string, value: string): void => {
  const fd = fs.openSync(path, fs.constants.O_WRONLY)
  try {
    fs.writeSync(fd, value)
  } finally {
    fs.closeSync(fd)
  }
}

const freezeV1 = (directory: string, frozen: boolean): boolean => {
  const wanted = frozen ? "FROZEN" : "THAWED"
  const path = `${directory}/freezer.state`
  // Asked for again at each look: a process that was just born holds a v1 freezer up (FREEZING).
  write(path, wanted)
  return readText(path, textLimit).trim() === wanted
}

const isFrozenV2 = (directory: string, frozen: boolean): boolean =>
  readText(`${directory}/cgroup.events`, textLimit).includes(`frozen ${frozen ? 1 : 0}\n`)

const freeze = ({ directory, frozen, version }: Payload<"CgroupFreeze">): Effect.Effect<void, KernelError> => {
  const subject: Subject = { op: "CgroupFreeze", path: directory }
  const late = () =>
    new Refusal("write", "EBUSY", `still not ${frozen ? "frozen" : "thawed"}: a process in it waits for a device`)
  if (version === 1) return until(subject, patience, () => freezeV1(directory, frozen), late)
  return Effect.andThen(
    attempt(subject, () => write(`${directory}/cgroup.freeze`, frozen ? "1" : "0")),
    until(subject, patience, () => isFrozenV2(directory, frozen), late)
  )
}

/** One blow at all in the group and its children; true when none was left. `again`: the first blows were not enough. */
const killOnce = (machine: Machine, directory: string, version: 1 | 2, again: boolean): boolean => {
  if (version === 2) {
    const events = readIfThere(`${directory}/cgroup.events`)
    if (events === undefined || events.includes("populated 0\n")) return true
    try {
      write(`${directory}/cgroup.kill`, "1")
      return false
    } catch (cause) {
      // cgroup.kill came with Linux 5.14.
      if (!isGone(cause)) throw cause
    }
  }
  // So that nothing is born while the others are killed.
  if (version === 1 && again) setFreezer(directory, "FROZEN")
  const groups = withChildren(directory)
  const seen = groups.map((group) => machine.addon.killCgroup(group)).filter((count) => {
    if (typeof count === "number") return count > 0
    if (count.errno === noEntry || count.errno === noDevice) return false
    throw count
  })
  if (version === 1) for (const group of groups) setFreezer(group, "THAWED")
  return seen.length === 0
}

/** A frozen process of version 1 dies only when thawed. Other groups than the freezer's have no such file. */
const setFreezer = (group: string, state: "FROZEN" | "THAWED"): void => {
  try {
    write(`${group}/freezer.state`, state)
  } catch (cause) {
    if (!isGone(cause)) throw cause
  }
}

const kill = (machine: Machine, { directory, version }: Payload<"CgroupKill">): Effect.Effect<void, KernelError> =>
  Effect.suspend(() => {
    let blows = 0
    return until(
      { op: "CgroupKill", path: directory },
      patience,
      () => killOnce(machine, directory, version, ++blows > 2),
      () => {
        const processes = processesIn(directory).join(" ")
        return new Refusal("kill", "EBUSY", `processes ${processes} do not die: they wait for a device`)
      }
    )
  })

const removeOnce = (machine: Machine, payload: Payload<"CgroupRemove">): boolean => {
  const failure = runNow(machine, [{ tag: "CgroupRemove", payload }])
  if (failure === undefined) return true
  if (failure.errno !== busy) throw failure
  if (payload.kill !== undefined) killOnce(machine, payload.directory, payload.kill, true)
  return false
}

const remove = (machine: Machine, payload: Payload<"CgroupRemove">): Effect.Effect<void, KernelError> =>
  until({ op: "CgroupRemove", path: payload.directory }, patience, () => removeOnce(machine, payload), () => {
    const processes = processesIn(payload.directory).join(" ")
    const hint = processes === "" ? "still in use" : `processes ${processes} are in it: kill them`
    return new Refusal("rmdir", "EBUSY", hint)
  })

type Tags =
  | "CgroupMake" | "CgroupEnsure" | "CgroupWrite" | "CgroupRead" | "CgroupProcesses" | "CgroupFreeze" | "CgroupKill"
  | "CgroupRemove" | "CgroupDevices"

export const cgroups = (machine: Machine): Pick<Interpreter, Tags> => ({
  CgroupMake: (payload) => runSimple(machine, { tag: "CgroupMake", payload }),
  CgroupEnsure: (payload) => runSimple(machine, { tag: "CgroupEnsure", payload }),
  CgroupWrite: (payload) => runSimple(machine, { tag: "CgroupWrite", payload }),
  CgroupRead: (payload) => attempt({ op: "CgroupRead", path: payload.directory }, () => readAll(payload)),
  CgroupProcesses: ({ directory }) =>
    attempt({ op: "CgroupProcesses", path: directory }, () => processesIn(directory)),
  CgroupFreeze: freeze,
  CgroupKill: (payload) => kill(machine, payload),
  CgroupRemove: (payload) => remove(machine, payload),
  CgroupDevices: ({ directory, program }) =>
    attempt({ op: "CgroupDevices", path: directory }, () => {
      valueOf(machine.addon.attachDevices(directory, program))
    })
})
