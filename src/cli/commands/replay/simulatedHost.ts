/** The machine that a trace is of, as far as it says. */
import { parseLayout } from "../../../domain/cgroup/CgroupLayout.ts"
import { cgroupMounts } from "../../../domain/cgroup/CgroupMounts.ts"
import type { HostTexts } from "../../../domain/kernel/KernelOp.ts"
import { defaultHost, type HostHierarchy, type HostProfile } from "../../../interpreters/simulated/HostProfile.ts"
import type { TraceEntry } from "../../../interpreters/middleware/TraceEntry.ts"
import { hostTextsOf } from "./worldBefore.ts"

const top = "/sys/fs/cgroup"
const named = "name="

/** Undefined where they are mounted in other ways than a simulated machine can. */
const hierarchiesOf = ({ controllers, mountinfo }: HostTexts): ReadonlyArray<HostHierarchy> | undefined => {
  const found = cgroupMounts(mountinfo)
    .filter(({ mount }) => mount === top || mount.startsWith(`${top}/`))
    .map(({ mount, options, version }): HostHierarchy => ({
      version,
      name: options.find((option) => option.startsWith(named))?.slice(named.length) ?? "",
      controllers: version === 2
        ? controllers.split(/\s+/).filter((name) => name !== "")
        : options.filter((option) => !option.startsWith(named)),
      directory: mount.slice(top.length + 1)
    }))
  const together = found.filter(({ directory }) => directory === "").length
  return found.length === 0 || together > 0 && found.length > 1 ? undefined : found
}

export const simulatedHost = (entries: ReadonlyArray<TraceEntry>): HostProfile => {
  const texts = hostTextsOf(entries)
  if (texts === undefined) return defaultHost
  const layout = parseLayout(texts)
  const legacy = layout.hierarchies.some(({ version }) => version === 1)
  const hierarchies = hierarchiesOf(texts)
  return {
    ...defaultHost,
    cgroups: !legacy ? "v2" : layout.unified === undefined ? "v1" : "hybrid",
    ...(hierarchies === undefined ? {} : { hierarchies }),
    kernelRelease: texts.kernelRelease, machine: texts.machine, hostname: texts.hostname, cpus: texts.cpus,
    memoryTotal: texts.memoryTotal, resolvConf: texts.resolvConf, hosts: texts.hosts, user: texts.user
  }
}
