/** Handler for the facts about the host: a handful of small files, read when asked for. */
import * as os from "node:os"
import type { HostTexts } from "../../domain/kernel/KernelOp.ts"
import type { Interpreter } from "../../programs/Kernel.ts"
import { attempt } from "./attempt.ts"
import { readText } from "./files.ts"

/** A host may have thousands of mounts. */
const textLimit = 16 << 20
/** What resolv.conf and hosts may have at most to be taken over into containers. */
const networkFileLimit = 1 << 20

const optional = (path: string, limit: number): string => {
  try {
    return readText(path, limit)
  } catch {
    return ""
  }
}

/** The mount point of the first cgroup2 file system, from proc_pid_mountinfo(5): field 5, type after " - ". */
const cgroup2MountPoint = (mountinfo: string): string | undefined => {
  const line = mountinfo.split("\n").find((line) => line.includes(" - cgroup2 "))
  const field = line?.split(" ")[4]
  return field?.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)))
}

/** CPUs in a list such as `0-3,6`. */
const countCpus = (list: string): number =>
  list.trim().split(",").reduce((sum, range) => {
    const [first = NaN, last = first] = range.split("-").map(Number)
    return sum + (Number.isNaN(first) ? 0 : last - first + 1)
  }, 0)

/** The permitted set within the bounding set: `CapPrm:\t000001ffffffffff`. */
const heldCapabilities = (status: string): ReadonlyArray<number> => {
  const set = (name: string) => BigInt(`0x${new RegExp(`^${name}:\\s+([0-9a-f]+)$`, "m").exec(status)?.[1] ?? "0"}`)
  const held = set("CapPrm") & set("CapBnd")
  return Array.from({ length: 64 }, (_, number) => number).filter((number) => (held >> BigInt(number) & 1n) === 1n)
}

const read = (): HostTexts => {
  const mountinfo = readText("/proc/self/mountinfo", textLimit)
  const unified = cgroup2MountPoint(mountinfo)
  const cpuList = optional("/sys/devices/system/cpu/online", textLimit).trim()
  const cpus = cpuList === "" ? os.availableParallelism() : countCpus(cpuList)
  return {
    mountinfo,
    cgroups: optional("/proc/cgroups", textLimit),
    controllers: unified === undefined ? "" : optional(`${unified}/cgroup.controllers`, textLimit),
    selfCgroup: optional("/proc/self/cgroup", textLimit),
    bootId: readText("/proc/sys/kernel/random/boot_id", 64).trim(),
    kernelRelease: os.release(),
    machine: os.machine(),
    hostname: os.hostname(),
    cpus,
    cpuList: cpuList === "" ? `0-${cpus - 1}` : cpuList,
    memoryNodes: optional("/sys/devices/system/node/online", textLimit).trim() || "0",
    memoryTotal: os.totalmem(),
    capabilities: heldCapabilities(readText("/proc/self/status", textLimit)),
    lastCapability: Number(readText("/proc/sys/kernel/cap_last_cap", 64)),
    resolvConf: optional("/etc/resolv.conf", networkFileLimit),
    hosts: optional("/etc/hosts", networkFileLimit),
    user: process.geteuid?.() ?? 0
  }
}

export const host: Pick<Interpreter, "HostRead"> = {
  HostRead: () => attempt({ op: "HostRead" }, read)
}
