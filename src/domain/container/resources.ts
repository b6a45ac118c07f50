/** Docker's resource flags → OCI resources. */
import * as Result from "effect/Result"
import type { Resources } from "../cgroup/Resources.ts"
import type { ResourceConfig } from "./ContainerConfig.ts"

/** A device node of the host, as stat(2) tells. */
export interface DeviceNode {
  readonly type: "block" | "character"
  readonly major: number
  readonly minor: number
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

type Nodes = { readonly [path: string]: DeviceNode }
type BlockIo = NonNullable<Resources["blockIO"]>

/** Keeps only the keys that have a value: absent means "not asked". */
const present = <T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never

const blockIo = (config: ResourceConfig, nodes: Nodes): Result.Result<BlockIo, string> => {
  const unknown: Array<string> = []
  const numbers = (path: string) => {
    const node = nodes[path]
    if (node === undefined || node.type !== "block") unknown.push(path)
    return { major: node?.major ?? 0, minor: node?.minor ?? 0 }
  }
  const throttle = (devices: ResourceConfig["blkioDeviceReadBps"]) =>
    devices?.map((device) => ({ ...numbers(device.path), rate: device.rate }))
  const compiled = present({
    weight: config.blkioWeight === 0 ? undefined : config.blkioWeight,
    weightDevice: config.blkioWeightDevice?.map((device) => ({ ...numbers(device.path), weight: device.weight })),
    throttleReadBpsDevice: throttle(config.blkioDeviceReadBps),
    throttleWriteBpsDevice: throttle(config.blkioDeviceWriteBps),
    throttleReadIOPSDevice: throttle(config.blkioDeviceReadIOps),
    throttleWriteIOPSDevice: throttle(config.blkioDeviceWriteIOps)
  })
  return unknown.length > 0
    ? Result.fail(`${unknown[0]} is not a block device of this host`)
    : Result.succeed(compiled as BlockIo)
}

/** CPUs × 10⁹ as quota over the usual period of 100 ms (moby daemon/daemon_unix.go). */
const cpuTime = (config: ResourceConfig) =>
  config.nanoCpus !== undefined && config.nanoCpus > 0
    ? { period: 100_000, quota: Math.round(config.nanoCpus / 10_000) }
    : { period: config.cpuPeriod, quota: config.cpuQuota }

/** Docker's zero value (0 or "") asks for nothing. */
const asked = <A extends number | string>(value: A | undefined): A | undefined =>
  value === 0 || value === "" ? undefined : value

/** Fails with a device path that is no block device. */
export const compileResources = (
  config: ResourceConfig, nodes: Nodes
): Result.Result<Resources, string> => {
  const io = blockIo(config, nodes)
  if (Result.isFailure(io)) return Result.fail(io.failure)
  const memory = present({
    limit: asked(config.memory),
    // Docker doubles the limit where nothing was said of swap (moby daemon_unix.go, adaptContainerSettings)
    swap: asked(config.memorySwap) ?? (asked(config.memory) === undefined ? undefined : config.memory! * 2),
    reservation: asked(config.memoryReservation),
    swappiness: config.memorySwappiness === -1 ? undefined : config.memorySwappiness,
    disableOOMKiller: config.oomKillDisable === true ? true : undefined
  })
  const time = cpuTime(config)
  const cpu = present({
    shares: asked(config.cpuShares),
    quota: asked(time.quota),
    period: asked(time.period),
    realtimeRuntime: asked(config.cpuRealtimeRuntime),
    realtimePeriod: asked(config.cpuRealtimePeriod),
    cpus: asked(config.cpusetCpus),
    mems: asked(config.cpusetMems)
  })
  const some = (fields: object) => Object.keys(fields).length > 0
  return Result.succeed({
    ...(some(memory) ? { memory } : {}),
    ...(some(cpu) ? { cpu } : {}),
    ...(asked(config.pidsLimit) === undefined ? {} : { pids: { limit: config.pidsLimit! } }),
    ...(some(io.success) ? { blockIO: io.success } : {})
  } as Resources)
}
