/** How a process looks in /proc/PID/status and stat (proc_pid_status(5), proc_pid_stat(5)). */
import { current, type Draft } from "../Draft.ts"
import { overflowId, toInside } from "../processes/credentials.ts"
import type { Process } from "../processes/Process.ts"

const baseName = (path: string): string => path.slice(path.lastIndexOf("/") + 1)

/** TASK_COMM_LEN − 1 */
const nameLength = 15

/** A program's comm is the name it was executed by, whatever link or interpreter that is. */
export const nameOf = (process: Process): string =>
  (process.name ?? baseName(process.executable || process.argv[0] || "")).slice(0, nameLength)

const letter = (process: Process): string =>
  process.state === "zombie" ? "Z" : process.state === "stopped" ? "T" : "S"

const mask = (numbers: ReadonlyArray<number>): string =>
  numbers.reduce((bits, number) => bits | (1n << BigInt(number)), 0n).toString(16).padStart(16, "0")

/** Signal n is bit n − 1. */
const signalMask = (numbers: ReadonlyArray<number>): string =>
  mask(numbers.map((number) => number - 1))

/** A pid as the namespace of the proc mount has it; 0 when it does not. */
export const pidIn = (namespace: number, process: Process | undefined): number =>
  process?.pids.find((one) => one.namespace === namespace)?.pid ?? 0

export const status = (draft: Draft, process: Process, namespace: number): string => {
  const viewer = current(draft).namespaces.user
  const uid = toInside(draft, viewer, "uidMap", process.uid) ?? overflowId
  const gid = toInside(draft, viewer, "gidMap", process.gid) ?? overflowId
  const { capabilities: sets, task } = process
  const groups = process.groups.map((group) =>
    toInside(draft, viewer, "gidMap", group) ?? overflowId
  )
  return [
    `Name:\t${nameOf(process)}`,
    `Umask:\t${process.umask.toString(8).padStart(4, "0")}`,
    `State:\t${letter(process)} (${{ Z: "zombie", T: "stopped", S: "sleeping" }[letter(process)]})`,
    `Tgid:\t${pidIn(namespace, process)}`,
    `Pid:\t${pidIn(namespace, process)}`,
    `PPid:\t${pidIn(namespace, draft.processes.get(process.parent))}`,
    "TracerPid:\t0",
    `Uid:\t${[uid, uid, uid, uid].join("\t")}`,
    `Gid:\t${[gid, gid, gid, gid].join("\t")}`,
    `Groups:\t${groups.join(" ")} `,
    `NSpid:\t${process.pids.map((one) => one.pid).reverse().join("\t")}`,
    `VmRSS:\t${String(Math.ceil(process.memory / 1024)).padStart(8)} kB`,
    "Threads:\t1",
    `SigPnd:\t${signalMask(process.pending)}`,
    "SigBlk:\t0000000000000000",
    `SigIgn:\t${signalMask(task._tag === "Program" ? task.ignored : [])}`,
    `SigCgt:\t${signalMask(task._tag === "Program" ? task.caught : [])}`,
    `CapInh:\t${mask(sets.inheritable)}`,
    `CapPrm:\t${mask(sets.permitted)}`,
    `CapEff:\t${mask(sets.effective)}`,
    `CapBnd:\t${mask(sets.bounding)}`,
    `CapAmb:\t${mask(sets.ambient)}`,
    `NoNewPrivs:\t${process.noNewPrivileges ? 1 : 0}`,
    `Seccomp:\t${process.seccomp > 0 ? 2 : 0}`,
    `Seccomp_filters:\t${process.seccomp}`,
    ""
  ].join("\n")
}

/** USER_HZ */
const ticks = 100
export const pageSize = 4096

export const stat = (draft: Draft, process: Process, namespace: number): string => {
  const cpu = Math.floor(process.cpu * ticks / 1_000_000)
  const resident = Math.ceil(process.memory / pageSize)
  return [
    pidIn(namespace, process),
    `(${nameOf(process)})`,
    letter(process),
    pidIn(namespace, draft.processes.get(process.parent)),
    pidIn(namespace, process),
    pidIn(namespace, draft.processes.get(process.session)),
    0,
    -1,
    4194304,
    0,
    0,
    0,
    0,
    cpu,
    0,
    0,
    0,
    20,
    0,
    1,
    0,
    process.startTime,
    process.memory,
    resident,
    "18446744073709551615",
    ...Array.from({ length: 12 }, () => 0),
    17,
    0,
    ...Array.from({ length: 13 }, () => 0)
  ].join(" ") + "\n"
}
