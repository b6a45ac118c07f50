/** The flags for limits that `run`, `create` and `update` have in common, and the limits that they say. */
import { parseByteLimit, parseByteSize } from "../../../domain/text/ByteSize.ts"
import { parseCpus } from "../../../domain/text/flags/Cpus.ts"
import type { ResourceConfig } from "../../../domain/container/ContainerConfig.ts"
import { integer, text, uint16, value, type Values } from "../../argv/Flag.ts"

export const resourceFlags = {
  "blkio-weight": uint16("Block IO (relative weight), between 10 and 1000, or 0 to disable", { shownDefault: "0" }),
  "cpu-period": integer("Limit CPU CFS (Completely Fair Scheduler) period"),
  "cpu-quota": integer("Limit CPU CFS (Completely Fair Scheduler) quota"),
  "cpu-rt-period": integer("Limit CPU real-time period in microseconds"),
  "cpu-rt-runtime": integer("Limit CPU real-time runtime in microseconds"),
  "cpu-shares": integer("CPU shares (relative weight)", { short: "c" }),
  cpus: value("Number of CPUs", parseCpus, { type: "decimal" }),
  "cpuset-cpus": text("CPUs in which to allow execution (0-3, 0,1)"),
  "cpuset-mems": text("MEMs in which to allow execution (0-3, 0,1)"),
  memory: value("Memory limit", parseByteSize, { short: "m", type: "bytes" }),
  "memory-reservation": value("Memory soft limit", parseByteSize, { type: "bytes" }),
  "memory-swap": value("Swap limit equal to memory plus swap: '-1' to enable unlimited swap", parseByteLimit, {
    type: "bytes"
  }),
  "pids-limit": integer("Tune container pids limit (set -1 for unlimited)")
}

/** As Docker has it, 0 and "" say nothing. */
export const resourcesOf = (values: Values<typeof resourceFlags>): ResourceConfig => {
  const said: { readonly [K in keyof ResourceConfig]: ResourceConfig[K] | undefined } = {
    memory: values.memory,
    memorySwap: values["memory-swap"],
    memoryReservation: values["memory-reservation"],
    nanoCpus: values.cpus,
    cpuShares: values["cpu-shares"],
    cpuPeriod: values["cpu-period"],
    cpuQuota: values["cpu-quota"],
    cpuRealtimePeriod: values["cpu-rt-period"],
    cpuRealtimeRuntime: values["cpu-rt-runtime"],
    cpusetCpus: values["cpuset-cpus"],
    cpusetMems: values["cpuset-mems"],
    pidsLimit: values["pids-limit"],
    blkioWeight: values["blkio-weight"]
  }
  return Object.fromEntries(
    Object.entries(said).filter(([, one]) => one !== undefined && one !== 0 && one !== "")
  ) as ResourceConfig
}
