/** Machines with control groups of each kind. */
import { Machine } from "./SimulatedMachine.ts"

export const v2 = "/sys/fs/cgroup/fx"

export const machineOf = (
  cgroups: "v1" | "v2" | "hybrid",
  directories: ReadonlyArray<string> = []
): Machine => {
  const machine = new Machine({ host: { cgroups } })
  for (const directory of directories) machine.do("CgroupEnsure", { directory })
  return machine
}
