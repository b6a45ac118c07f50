/** What the engine asks about the host, as the real one would read it. */
import { controllersOf } from "../cgroups/cgroupTree.ts"
import { formatRanges } from "../cgroups/values.ts"
import { current, type Draft, Failure } from "../Draft.ts"
import { textOf } from "../files/Driver.ts"
import { readFile } from "../files/fileCalls.ts"
import { bootIdOf } from "../files/sysctls.ts"
import { namespaceAt } from "../processes/namespaces.ts"
import type { Handlers } from "./Step.ts"

const optional = (draft: Draft, path: string): string => {
  try {
    return textOf(readFile(draft, path))
  } catch (failure) {
    if (failure instanceof Failure) return ""
    throw failure
  }
}

/** cgroup.controllers at the root of the cgroup2 mount. */
const unifiedControllers = (draft: Draft): string => {
  const unified = draft.hierarchies.find((one) => one.version === 2)
  return unified === undefined
    ? ""
    : `${controllersOf(draft, draft.cgroups.get(unified.root)!).join(" ")}\n`
}

export const hostSteps: Handlers<"HostRead"> = {
  HostRead: (draft) => {
    const { kernelRelease, machine, cpus, memoryTotal, lastCapability } = draft.host
    return {
      mountinfo: optional(draft, "/proc/self/mountinfo"),
      cgroups: optional(draft, "/proc/cgroups"),
      controllers: unifiedControllers(draft),
      selfCgroup: optional(draft, "/proc/self/cgroup"),
      bootId: bootIdOf(draft),
      kernelRelease,
      machine,
      cpus,
      memoryTotal,
      lastCapability,
      capabilities: Array.from({ length: lastCapability + 1 }, (_, number) => number),
      hostname: namespaceAt(draft, "uts", current(draft).namespaces.uts).hostname,
      cpuList: formatRanges(Array.from({ length: cpus }, (_, cpu) => cpu)),
      memoryNodes: "0",
      resolvConf: optional(draft, "/etc/resolv.conf"),
      hosts: optional(draft, "/etc/hosts"),
      user: current(draft).uid
    }
  }
}
