/** The kernel's resource controllers, under one name whichever version of control groups they are on. */

/** v2's names (cgroup-v2.rst), and v1's for what v2 does without a controller. `io` is v1's blkio. */
export const controllers = [
  "cpuset", "cpu", "cpuacct", "io", "memory", "devices", "freezer", "pids", "hugetlb", "rdma", "misc",
  "net_cls", "net_prio", "perf_event"
] as const

export type Controller = typeof controllers[number]

const named: ReadonlyMap<string, Controller> = new Map([
  ...controllers.map((controller) => [controller, controller] as const),
  ["blkio", "io"]
])

/** The controller that the kernel calls so, in mount options, /proc/cgroups or cgroup.controllers. */
export const controllerNamed = (kernelName: string): Controller | undefined => named.get(kernelName)

/** Its name on v1 and in /proc/cgroups (include/linux/cgroup_subsys.h with the v1 legacy name). */
export const legacyName = (controller: Controller): string => controller === "io" ? "blkio" : controller

/**
 * What every cgroup2 directory can do with nothing enabled: accounting of CPU time (cpu.stat), freezing and
 * killing (core interface files), device access (BPF), perf events.
 */
export const implicitControllers: ReadonlyArray<Controller> = ["cpuacct", "devices", "freezer", "perf_event"]

/**
 * What a container's ancestors hand down on cgroup2: the controllers that have a limit or a statistic here.
 * rdma and misc are not among them: nothing in a container's resources uses them.
 */
export const delegatedControllers: ReadonlyArray<Controller> = ["cpuset", "cpu", "io", "memory", "hugetlb", "pids"]
