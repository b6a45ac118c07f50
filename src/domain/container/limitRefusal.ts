/** Says in a user's words which limit of a container the kernel has refused, and what can be done about it. */
import { errnoMeaning, errnoNumber } from "../kernel/errno.ts"
import type { KernelError } from "../kernel/KernelError.ts"
import type { ContainerConfig, ResourceConfig } from "./ContainerConfig.ts"
import { ContainerError } from "./ContainerError.ts"

type Written = ReadonlyArray<string>

interface ControlFile {
  readonly file: RegExp
  /** What was asked for that this file is written for, as options are written. */
  readonly options: (resources: ResourceConfig, config: ContainerConfig) => Written
  /** By errno; "" for all others. */
  readonly cures: { readonly [errno: string]: string }
}

const option = (name: string, value: number | string | undefined): Written =>
  value === undefined || value === 0 || value === "" ? [] : [`--${name} ${value}`]

const throttle = (name: string, devices: ResourceConfig["blkioDeviceReadBps"]): Written =>
  (devices ?? []).map(({ path, rate }) => `--${name} ${path}:${rate}`)

const throttles = (resources: ResourceConfig): Written => [
  ...throttle("device-read-bps", resources.blkioDeviceReadBps),
  ...throttle("device-write-bps", resources.blkioDeviceWriteBps),
  ...throttle("device-read-iops", resources.blkioDeviceReadIOps),
  ...throttle("device-write-iops", resources.blkioDeviceWriteIOps)
]

const weightDevices = ({ blkioWeightDevice }: ResourceConfig): Written =>
  (blkioWeightDevice ?? []).map(({ path, weight }) => `--blkio-weight-device ${path}:${weight}`)

const bandwidth = ({ cpuPeriod, cpuQuota, nanoCpus }: ResourceConfig): Written =>
  nanoCpus === undefined || nanoCpus === 0
    ? [...option("cpu-period", cpuPeriod), ...option("cpu-quota", cpuQuota)]
    : option("cpus", nanoCpus / 1e9)

const memory = ({ memory, memorySwap }: ResourceConfig): Written =>
  [...option("memory", memory), ...option("memory-swap", memorySwap)]

const taken = "another control group has some of them for itself"
const badBandwidth =
  "the period is 1000 to 1000000 microseconds, the quota at least 1000, and both within the parent's share"
const inUse = "the container uses more than that: have it use less first, or allow more"
const noDevice = "the kernel limits whole disks that are there: name one, such as /dev/sda, not a partition"
const noScheduler = "the disk needs a scheduler that knows weights, such as bfq: see /sys/block/*/queue/scheduler"
/** kernel/sched/rt.c, tg_rt_schedulable: a group's share fits into its parent's, which new groups have none of. */
const noRealtime = "real-time CPU time must be within the period and within what the parent control group has in " +
  "cpu.rt_runtime_us, which is nothing unless somebody gave it some"

/** Both versions' files; the first that matches counts. */
const controlFiles: ReadonlyArray<ControlFile> = [
  {
    file: /^cpu\.rt_(runtime|period)_us$/,
    cures: { EBUSY: "the container has real-time processes: end them first", "": noRealtime },
    options: ({ cpuRealtimePeriod, cpuRealtimeRuntime }) =>
      [...option("cpu-rt-runtime", cpuRealtimeRuntime), ...option("cpu-rt-period", cpuRealtimePeriod)]
  },
  {
    file: /^cpu\.(cfs_quota_us|cfs_period_us|max)$/, options: bandwidth,
    cures: { EINVAL: badBandwidth }
  },
  { file: /^cpu\.(shares|weight)$/, options: ({ cpuShares }) => option("cpu-shares", cpuShares), cures: {} },
  {
    file: /^cpuset\.cpus$/, options: ({ cpusetCpus }) => option("cpuset-cpus", cpusetCpus),
    cures: { EBUSY: taken, "": "name CPUs that cpuset.cpus of the parent has" }
  },
  {
    file: /^cpuset\.mems$/, options: ({ cpusetMems }) => option("cpuset-mems", cpusetMems),
    cures: { EBUSY: taken, "": "name nodes that cpuset.mems of the parent has" }
  },
  {
    file: /^memory\.(limit_in_bytes|memsw\.limit_in_bytes|max|swap\.max)$/, options: memory,
    cures: { EBUSY: inUse, EINVAL: "memory and swap together, --memory-swap, cannot be less than --memory" }
  },
  {
    file: /^memory\.(soft_limit_in_bytes|low)$/, cures: {},
    options: ({ memoryReservation }) => option("memory-reservation", memoryReservation)
  },
  {
    file: /^memory\.swappiness$/, cures: { EINVAL: "write 0 to 100" },
    options: ({ memorySwappiness }) =>
      memorySwappiness === undefined ? [] : [`--memory-swappiness ${memorySwappiness}`]
  },
  {
    file: /^memory\.oom_control$/, cures: {},
    options: ({ oomKillDisable }) => oomKillDisable === true ? ["--oom-kill-disable"] : []
  },
  {
    file: /^pids\.max$/, options: ({ pidsLimit }) => option("pids-limit", pidsLimit),
    // PID_MAX_LIMIT of linux/threads.h on 64 bits
    cures: { EINVAL: "no more than 4194304 processes can be: ask for less, or -1 for no limit" }
  },
  {
    file: /^(blkio|io)\.(bfq\.)?weight(_device)?$/,
    cures: { EINVAL: noScheduler, ENOTSUP: noScheduler, ENODEV: noDevice },
    options: (resources) => [...option("blkio-weight", resources.blkioWeight), ...weightDevices(resources)]
  },
  {
    file: /^(blkio\.throttle\..*|io\.max)$/, options: throttles,
    cures: { ENODEV: noDevice, EINVAL: noDevice, ENXIO: noDevice }
  },
  {
    file: /^devices\.(allow|deny)$/,
    cures: { EPERM: "the parent control group does not let these devices be used: leave them out" },
    options: (_, { deviceCgroupRules, devices, privileged }) => [
      ...(privileged ? ["--privileged"] : []), ...devices.map(({ pathOnHost }) => `--device ${pathOnHost}`),
      ...deviceCgroupRules.map((rule) => `--device-cgroup-rule '${rule}'`)
    ]
  }
]

/** The file may not be written at all, by this user or by anybody: that says nothing of the value. */
const isOfTheFile = ({ errno, syscall }: KernelError): boolean =>
  syscall.startsWith("open") && (errno === "EACCES" || errno === "EPERM" || errno === "EROFS")

const directoryOf = (path: string): string => path.slice(0, path.lastIndexOf("/"))

/** A cure where none is known: what the kernel has to say of it is all there is. */
const unknownCure = (file: string): string =>
  `see what ${file} takes in the kernel's documentation of control groups, or leave the limit out`

/**
 * `error` with the user's options where it is a refused write to a control file of the container's; any other is left
 * as it is. `resources`: what was being put into force.
 */
export const limitRefusal = (
  operation: "start" | "update", name: string, id: string, config: ContainerConfig, resources: ResourceConfig,
  error: KernelError
): KernelError | ContainerError => {
  const { errno, op, path } = error
  // A number that is none of the kernel's: we were cut off, and nothing was refused
  if (op !== "CgroupWrite" || path === undefined || errnoNumber(errno) === 0 || isOfTheFile(error)) return error
  const directory = directoryOf(path)
  const file = path.slice(directory.length + 1)
  const known = controlFiles.find((one) => one.file.test(file))
  const mine = directory.endsWith(`/${id}`)
  const written = mine ? known?.options(resources, config) ?? [] : []
  const where = written.length === 0 ? path : file
  const what = written.length === 0 ? "a setting of control groups" : written.join(" ")
  const cure = known?.cures[errno] ?? known?.cures[""] ?? unknownCure(file)
  return new ContainerError({
    operation, object: name, kind: "failed", cause: `the kernel refuses ${what} (${where}: ${errnoMeaning(errno)})`,
    cure: mine ? cure : `look at the control group ${directory}, which containers share`
  })
}
