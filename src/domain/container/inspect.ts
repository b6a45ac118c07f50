/** What `inspect` shows of a container: Docker's JSON, built from the record and the state seen. */
import type { ContainerConfig } from "./ContainerConfig.ts"
import { commandLine, maskedPaths, readonlyPaths } from "./compile.ts"
import type { ContainerRecord, ContainerState } from "./ContainerRecord.ts"
import { driverOf, isFlat } from "../layer/StorageDriver.ts"
import * as Paths from "./Paths.ts"

const never = "0001-01-01T00:00:00Z"

const stateView = (record: ContainerRecord, state: ContainerState) => ({
  Status: state.name,
  Running: state.process !== undefined,
  Paused: state.name === "paused",
  Restarting: false,
  OOMKilled: state.exit?.oomKilled ?? false,
  Dead: state.name === "dead",
  Pid: state.process?.pid ?? 0,
  ExitCode: state.process === undefined ? state.exit?.code ?? 0 : 0,
  Error: state.error,
  StartedAt: state.startedAt ?? record.startedAt ?? never,
  FinishedAt: state.finishedAt ?? record.finishedAt ?? never
})

const orNull = <A>(list: ReadonlyArray<A>): ReadonlyArray<A> | null => list.length === 0 ? null : list

const throttles = (devices: ReadonlyArray<{ readonly path: string; readonly rate: number }> | undefined) =>
  (devices ?? []).map((device) => ({ Path: device.path, Rate: device.rate }))

const resourcesView = ({ resources }: ContainerConfig) => ({
  CpuShares: resources.cpuShares ?? 0,
  Memory: resources.memory ?? 0,
  NanoCpus: resources.nanoCpus ?? 0,
  BlkioWeight: resources.blkioWeight ?? 0,
  BlkioWeightDevice: (resources.blkioWeightDevice ?? []).map((device) => ({ Path: device.path, Weight: device.weight })),
  BlkioDeviceReadBps: throttles(resources.blkioDeviceReadBps),
  BlkioDeviceWriteBps: throttles(resources.blkioDeviceWriteBps),
  BlkioDeviceReadIOps: throttles(resources.blkioDeviceReadIOps),
  BlkioDeviceWriteIOps: throttles(resources.blkioDeviceWriteIOps),
  CpuPeriod: resources.cpuPeriod ?? 0,
  CpuQuota: resources.cpuQuota ?? 0,
  CpuRealtimePeriod: resources.cpuRealtimePeriod ?? 0,
  CpuRealtimeRuntime: resources.cpuRealtimeRuntime ?? 0,
  CpusetCpus: resources.cpusetCpus ?? "",
  CpusetMems: resources.cpusetMems ?? "",
  MemoryReservation: resources.memoryReservation ?? 0,
  // Docker stores what it sets: twice the memory where nothing was said of swap
  MemorySwap: resources.memorySwap ?? (resources.memory ?? 0) * 2,
  MemorySwappiness: resources.memorySwappiness ?? null,
  OomKillDisable: resources.oomKillDisable ?? false,
  PidsLimit: resources.pidsLimit ?? null
})

const binds = (config: ContainerConfig): ReadonlyArray<string> =>
  config.mounts.flatMap((mount) => {
    if (mount._tag !== "Bind") return []
    const options = [
      ...(mount.readonly ? ["ro"] : []), ...(mount.propagation === "" ? [] : [mount.propagation])
    ]
    return [`${mount.source}:${mount.target}${options.length === 0 ? "" : `:${options.join(",")}`}`]
  })

const hostConfigView = (config: ContainerConfig) => ({
  Binds: orNull(binds(config)),
  ContainerIDFile: "",
  LogConfig: {
    Type: config.log.driver,
    Config: config.log.driver === "none"
      ? {}
      : { "max-size": String(config.log.maxSize), "max-file": String(config.log.maxFiles) }
  },
  NetworkMode: config.networkMode,
  PortBindings: {},
  RestartPolicy: { Name: config.restart.name, MaximumRetryCount: config.restart.maximumRetryCount },
  AutoRemove: config.autoRemove,
  VolumeDriver: "",
  VolumesFrom: null,
  ConsoleSize: config.consoleSize,
  CapAdd: orNull(config.capAdd),
  CapDrop: orNull(config.capDrop),
  CgroupnsMode: config.cgroupnsMode,
  Dns: config.dns,
  DnsOptions: config.dnsOptions,
  DnsSearch: config.dnsSearch,
  ExtraHosts: orNull(config.extraHosts),
  GroupAdd: orNull(config.groupAdd),
  IpcMode: config.ipcMode,
  Cgroup: "",
  Links: null,
  OomScoreAdj: config.oomScoreAdj,
  PidMode: config.pidMode,
  Privileged: config.privileged,
  PublishAllPorts: false,
  ReadonlyRootfs: config.readonlyRootfs,
  SecurityOpt: orNull(config.securityOptions),
  ...(Object.keys(config.sysctls).length === 0 ? {} : { Sysctls: config.sysctls }),
  Tmpfs: Object.fromEntries(
    config.mounts.flatMap((mount) => mount._tag === "Tmpfs" ? [[mount.target, mount.options.join(",")]] : [])
  ),
  UTSMode: config.utsMode,
  UsernsMode: config.usernsMode,
  ShmSize: config.shmSize,
  Runtime: "fx-engine",
  Isolation: "",
  CgroupParent: config.cgroupParent,
  ...resourcesView(config),
  Devices: config.devices.map((device) => ({
    PathOnHost: device.pathOnHost, PathInContainer: device.pathInContainer, CgroupPermissions: device.permissions
  })),
  DeviceCgroupRules: orNull(config.deviceCgroupRules),
  DeviceRequests: null,
  Ulimits: config.ulimits.map((limit) => ({ Name: limit.name, Soft: limit.soft, Hard: limit.hard })),
  Init: config.init ? true : null,
  MaskedPaths: config.privileged || !config.confineSystemPaths ? [] : maskedPaths,
  ReadonlyPaths: config.privileged || !config.confineSystemPaths ? [] : readonlyPaths
})

const healthcheckView = ({ healthcheck }: ContainerConfig) =>
  healthcheck === undefined ? {} : {
    Healthcheck: {
      Test: healthcheck.test,
      ...(healthcheck.interval === undefined ? {} : { Interval: healthcheck.interval }),
      ...(healthcheck.timeout === undefined ? {} : { Timeout: healthcheck.timeout }),
      ...(healthcheck.startPeriod === undefined ? {} : { StartPeriod: healthcheck.startPeriod }),
      ...(healthcheck.startInterval === undefined ? {} : { StartInterval: healthcheck.startInterval }),
      ...(healthcheck.retries === undefined ? {} : { Retries: healthcheck.retries })
    }
  }

/** Go's sets: names with nothing behind them. */
const namedOrNull = (names: ReadonlyArray<string> | undefined) =>
  names === undefined || names.length === 0 ? null : Object.fromEntries(names.map((name) => [name, {}]))

const configView = ({ config, id, image }: ContainerRecord) => ({
  Hostname: config.hostname === "" ? id.slice(0, 12) : config.hostname,
  Domainname: config.domainname,
  User: config.user || image.user,
  AttachStdin: config.attachStdin,
  AttachStdout: config.attachStdout,
  AttachStderr: config.attachStderr,
  Tty: config.tty,
  OpenStdin: config.openStdin,
  StdinOnce: config.stdinOnce,
  ...(image.exposedPorts === undefined ? {} : { ExposedPorts: namedOrNull(image.exposedPorts) }),
  Env: [...image.env, ...config.env],
  Cmd: orNull(config.command.length > 0 || config.entrypoint !== undefined ? config.command : image.command),
  ...healthcheckView(config),
  Image: config.image,
  Volumes: namedOrNull(image.volumes),
  WorkingDir: config.workingDirectory || image.workingDirectory,
  Entrypoint: orNull(config.entrypoint ?? image.entrypoint),
  OnBuild: null,
  Labels: config.labels,
  ...(config.stopSignal === "" ? {} : { StopSignal: config.stopSignal }),
  ...(config.stopTimeout === undefined ? {} : { StopTimeout: config.stopTimeout })
})

const mountsView = (config: ContainerConfig) =>
  config.mounts.map((mount) =>
    mount._tag === "Bind"
      ? {
        Type: "bind", Source: mount.source, Destination: mount.target, Mode: mount.readonly ? "ro" : "",
        RW: !mount.readonly, Propagation: mount.propagation || "rprivate"
      }
      : { Type: "tmpfs", Source: "", Destination: mount.target, Mode: mount.options.join(","), RW: true, Propagation: "" })

export const inspectView = (record: ContainerRecord, state: ContainerState, paths: Paths.Paths) => {
  const args = commandLine(record.config, record.image)
  const files = Paths.filesDirectory(paths, record.id)
  return {
    Id: record.id,
    Created: record.createdAt,
    Path: args[0] ?? "",
    Args: args.slice(1),
    State: stateView(record, state),
    Image: record.imageId,
    ResolvConfPath: `${files}/resolv.conf`,
    HostnamePath: `${files}/hostname`,
    HostsPath: `${files}/hosts`,
    LogPath: record.config.log.driver === "none" ? "" : Paths.logFile(paths, record.id),
    Name: `/${record.name}`,
    RestartCount: record.restartCount,
    Driver: driverOf(record),
    Platform: "linux",
    MountLabel: "",
    ProcessLabel: "",
    AppArmorProfile: "",
    ExecIDs: null,
    HostConfig: hostConfigView(record.config),
    GraphDriver: {
      Name: driverOf(record),
      Data: isFlat(driverOf(record)) ? null : {
        LowerDir: record.layers.join(":"), UpperDir: Paths.upperDirectory(paths, record.id),
        WorkDir: Paths.workDirectory(paths, record.id)
      }
    },
    Mounts: mountsView(record.config),
    Config: configView(record),
    NetworkSettings: { Ports: {}, Networks: {} }
  }
}
export type InspectView = ReturnType<typeof inspectView>
