/** Our side of the comparison: command lines read by our grammar, configurations in the words of Docker's API. */
import * as Result from "effect/Result"
import { findCommand } from "../../../src/cli/argv/findCommand.ts"
import { parseArguments } from "../../../src/cli/argv/parseArguments.ts"
import { readCommand } from "../../../src/cli/argv/readCommand.ts"
import { containerFlags } from "../../../src/cli/commands/run/containerFlags.ts"
import { toConfig } from "../../../src/cli/commands/run/toConfig.ts"
import type { ContainerConfig, Mount } from "../../../src/domain/container/ContainerConfig.ts"
import recorded from "./recorded.json" with { type: "json" }
import { type Body, environment, fileContents, type Recorded } from "./Recorded.ts"

export const oracle = recorded as unknown as Recorded

/** As docker lays out help where it knows no terminal. */
const width = () => 80

/** What a command line comes to before anything is done. */
export const read = async (argv: ReadonlyArray<string>) => {
  const found = findCommand(argv, width)
  return found._tag === "Answer" ? found : readCommand(await found.entry.load(), found, width)
}

/** The configuration that `create` makes of its arguments. */
export const configOf = (argv: ReadonlyArray<string>, detached = false): Result.Result<ContainerConfig, string> => {
  const files = new Map(Object.entries(fileContents).map(([name, text]) => [name, new TextEncoder().encode(text)]))
  return Result.flatMap(parseArguments(containerFlags, argv, { interspersed: false }), (line) =>
    toConfig(line, detached, {
      environment, workingDirectory: "/cwd", files, host: { os: "linux", architecture: "amd64" }
    }))
}

const orNull = <A>(list: ReadonlyArray<A>) => list.length === 0 ? null : list

const bindText = (mount: Extract<Mount, { _tag: "Bind" }>): string => {
  const options = [...(mount.readonly ? ["ro"] : []), ...(mount.propagation === "" ? [] : [mount.propagation])]
  return [mount.source, mount.target, ...(options.length === 0 ? [] : [options.join(",")])].join(":")
}

const throttles = (list: ReadonlyArray<{ readonly path: string; readonly rate: number }> = []) =>
  list.map(({ path, rate }) => ({ Path: path, Rate: rate }))

const health = (check: ContainerConfig["healthcheck"]) =>
  check === undefined ? undefined : {
    ...(check.test.length === 0 ? {} : { Test: check.test }),
    ...(check.interval === undefined ? {} : { Interval: check.interval }),
    ...(check.timeout === undefined ? {} : { Timeout: check.timeout }),
    ...(check.startPeriod === undefined ? {} : { StartPeriod: check.startPeriod }),
    ...(check.startInterval === undefined ? {} : { StartInterval: check.startInterval }),
    ...(check.retries === undefined ? {} : { Retries: check.retries })
  }

/** The body that docker's client would send for a configuration of ours. Mounts of --mount are compared apart. */
export const bodyOf = (config: ContainerConfig): Body => {
  const { resources } = config
  const created = config.mounts.filter((mount) => mount._tag === "Bind").filter((mount) => mount.createSource)
  const tmpfs = config.mounts.filter((mount) => mount._tag === "Tmpfs")
  const check = health(config.healthcheck)
  return {
    Config: {
      Hostname: config.hostname, Domainname: config.domainname, User: config.user,
      AttachStdin: config.attachStdin, AttachStdout: config.attachStdout, AttachStderr: config.attachStderr,
      Tty: config.tty, OpenStdin: config.openStdin, StdinOnce: config.stdinOnce,
      Env: orNull(config.env), Cmd: orNull(config.command), Image: config.image, WorkingDir: config.workingDirectory,
      // docker says [""] for "none at all"
      Entrypoint: config.entrypoint === undefined ? null : config.entrypoint.length === 0 ? [""] : config.entrypoint,
      Labels: config.labels,
      ...(config.stopSignal === "" ? {} : { StopSignal: config.stopSignal }),
      ...(config.stopTimeout === undefined ? {} : { StopTimeout: config.stopTimeout }),
      ...(check === undefined ? {} : { Healthcheck: check })
    },
    HostConfig: {
      Binds: orNull(created.map(bindText)),
      ...(tmpfs.length === 0 ? {} : { Tmpfs: Object.fromEntries(tmpfs.map(({ options, target }) =>
        [target, options.join(",")])) }),
      NetworkMode: config.networkMode,
      RestartPolicy: { Name: config.restart.name, MaximumRetryCount: config.restart.maximumRetryCount },
      AutoRemove: config.autoRemove,
      LogDriver: config.log.driver,
      CapAdd: orNull(config.capAdd), CapDrop: orNull(config.capDrop),
      CgroupnsMode: config.cgroupnsMode, Dns: config.dns, DnsOptions: config.dnsOptions, DnsSearch: config.dnsSearch,
      ExtraHosts: orNull(config.extraHosts), GroupAdd: orNull(config.groupAdd),
      IpcMode: config.ipcMode, PidMode: config.pidMode, UTSMode: config.utsMode, UsernsMode: config.usernsMode,
      OomScoreAdj: config.oomScoreAdj, Privileged: config.privileged, ReadonlyRootfs: config.readonlyRootfs,
      SecurityOpt: orNull(config.securityOptions),
      ...(Object.keys(config.sysctls).length === 0 ? {} : { Sysctls: config.sysctls }),
      ...(Object.keys(config.annotations).length === 0 ? {} : { Annotations: config.annotations }),
      ShmSize: config.shmSize, CgroupParent: config.cgroupParent,
      ...(config.init ? { Init: true } : {}),
      Memory: resources.memory ?? 0, NanoCpus: resources.nanoCpus ?? 0, CpuShares: resources.cpuShares ?? 0,
      BlkioWeight: resources.blkioWeight ?? 0,
      BlkioWeightDevice: (resources.blkioWeightDevice ?? []).map(({ path, weight }) =>
        ({ Path: path, Weight: weight })),
      BlkioDeviceReadBps: throttles(resources.blkioDeviceReadBps),
        BlkioDeviceWriteBps: throttles(resources.blkioDeviceWriteBps),
      BlkioDeviceReadIOps: throttles(resources.blkioDeviceReadIOps),
        BlkioDeviceWriteIOps: throttles(resources.blkioDeviceWriteIOps),
      CpuPeriod: resources.cpuPeriod ?? 0, CpuQuota: resources.cpuQuota ?? 0,
      CpuRealtimePeriod: resources.cpuRealtimePeriod ?? 0, CpuRealtimeRuntime: resources.cpuRealtimeRuntime ?? 0,
      CpusetCpus: resources.cpusetCpus ?? "", CpusetMems: resources.cpusetMems ?? "",
      Devices: config.devices.map((device) => ({
        PathOnHost: device.pathOnHost, PathInContainer: device.pathInContainer, CgroupPermissions: device.permissions
      })),
      DeviceCgroupRules: orNull(config.deviceCgroupRules),
      MemoryReservation: resources.memoryReservation ?? 0, MemorySwap: resources.memorySwap ?? 0,
      MemorySwappiness: resources.memorySwappiness ?? -1, OomKillDisable: resources.oomKillDisable ?? false,
      PidsLimit: resources.pidsLimit ?? 0,
      Ulimits: config.ulimits.map(({ hard, name, soft }) => ({ Name: name, Hard: hard, Soft: soft }))
    }
  }
}
