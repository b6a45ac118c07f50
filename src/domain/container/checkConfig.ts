/** What can be said of a configuration before any container exists: everything that does not need its root. */
import * as Result from "effect/Result"
import { parseCgroupParent } from "../cgroup/CgroupPath.ts"
import type { Resources } from "../cgroup/Resources.ts"
import { validateCpus, validateResources } from "../cgroup/validateResources.ts"
import type { HostTexts } from "../kernel/KernelOp.ts"
import { capabilitySet } from "./Capability.ts"
import type { ContainerConfig, Mount, ResourceConfig } from "./ContainerConfig.ts"
import { compileResources, type DeviceNode } from "./resources.ts"
import { resolveSeccomp } from "./securityProfile.ts"
import { checkSysctls } from "./sysctl.ts"

type Host = Pick<HostTexts, "cpus" | "cpuList" | "memoryNodes" | "machine" | "capabilities" | "kernelRelease">

/** Docker's checks of sizes, weights and lists; gives warnings. */
export const checkResources = (
  resources: Resources, host: Pick<Host, "cpus" | "cpuList" | "memoryNodes">
): Result.Result<ReadonlyArray<string>, string> => {
  const problems = validateResources(resources, {
    cpuCount: host.cpus, cpus: host.cpuList, memoryNodes: host.memoryNodes
  })
  const error = problems.find((problem) => problem.severity === "error")
  return error === undefined ? Result.succeed(problems.map((problem) => problem.reason)) : Result.fail(error.reason)
}

/** A number of CPUs that this host has, or a quota, and not both. */
export const checkCpus = (
  { cpuPeriod, cpuQuota, nanoCpus }: ResourceConfig, host: Pick<Host, "cpus">
): Result.Result<void, string> => {
  const problem = validateCpus({
    ...(nanoCpus === undefined ? {} : { nanoCpus }),
    ...(cpuQuota === undefined ? {} : { quota: cpuQuota }),
    ...(cpuPeriod === undefined ? {} : { period: cpuPeriod })
  }, host.cpus).find(({ severity }) => severity === "error")
  return problem === undefined ? Result.void : Result.fail(problem.reason)
}

/** user_namespaces(7): what mounts /proc, /sys and the queues must own the namespaces that these are of. */
const checkUserNamespace = (config: ContainerConfig): string | undefined => {
  if (config.usernsMode !== "private") return undefined
  const modes = { network: config.networkMode, PID: config.pidMode, IPC: config.ipcMode }
  const shared = Object.entries(modes).find(([, mode]) => mode === "host" || mode.startsWith("container:"))
  return shared === undefined
    ? undefined
    : `cannot share the ${shared[0]} namespace of ${shared[1]} when user namespaces are enabled: ` +
      "leave --userns private out, or let the container have its own"
}

/** Docker puts the bridge's address in place of it. */
const checkHosts = (hosts: ReadonlyArray<string>): string | undefined => {
  const gateway = hosts.find((pair) => pair.endsWith(":host-gateway"))
  return gateway === undefined
    ? undefined
    : `unable to derive the IP value for host-gateway in ${gateway}: there are no bridge networks yet, write an address`
}

const checkMounts = (mounts: ReadonlyArray<Mount>): string | undefined => {
  const seen = new Set<string>()
  for (const { target } of mounts) {
    if (!target.startsWith("/")) return `invalid mount path: '${target}' must be absolute`
    const clean = `/${target.split("/").filter((part) => part !== "" && part !== ".").join("/")}`
    if (clean.split("/").includes("..")) return `invalid mount path: '${target}' must not contain '..'`
    if (clean === "/") return `invalid specification: destination can't be '/'`
    if (seen.has(clean)) return `Duplicate mount point: ${target}`
    seen.add(clean)
  }
  return undefined
}

/** Devices are looked up at the start: here any path stands for a block device. */
const anyDevice: { readonly [path: string]: DeviceNode } = new Proxy({}, {
  get: () => ({ type: "block", major: 0, minor: 0, mode: 0, uid: 0, gid: 0 })
})

/** Fails with what is wrong; succeeds with warnings. */
export const checkConfig = (
  config: ContainerConfig, host: Host
): Result.Result<ReadonlyArray<string>, string> => Result.gen(function*() {
  const mounts = checkMounts(config.mounts)
  const refusal = mounts ?? checkUserNamespace(config) ?? checkHosts(config.extraHosts)
  if (refusal !== undefined) return yield* Result.fail(refusal)
  const [, major, minor] = /^([0-9]+)\.([0-9]+)/.exec(host.kernelRelease) ?? []
  const capabilities = yield* Result.mapError(
    capabilitySet({ add: config.capAdd, drop: config.capDrop, privileged: config.privileged, held: host.capabilities }),
    (name) => `unknown capability to add or drop: "${name}": see capabilities(7) for the names`
  )
  yield* checkSysctls(config.sysctls, {
    net: config.networkMode !== "host" && !config.networkMode.startsWith("container:"),
    ipc: config.ipcMode !== "host" && !config.ipcMode.startsWith("container:"),
    uts: config.utsMode !== "host"
  })
  yield* resolveSeccomp(config, {
    machine: host.machine, capabilities, kernelVersion: { major: Number(major ?? 0), minor: Number(minor ?? 0) }
  })
  if (config.cgroupParent !== "") {
    yield* Result.mapError(parseCgroupParent(config.cgroupParent), (error) => error.message)
  }
  yield* checkCpus(config.resources, host)
  if (config.oomScoreAdj < -1000 || config.oomScoreAdj > 1000) {
    return yield* Result.fail(`invalid value ${config.oomScoreAdj}, range for oom score adj is [-1000, 1000]`)
  }
  if (config.shmSize < 0) return yield* Result.fail("SHM size can not be less than 0")
  const resources = yield* compileResources(config.resources, anyDevice)
  return yield* checkResources(resources, host)
})
