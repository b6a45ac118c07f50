/**
 * What a user asks for: the configuration of a container, with Docker's meaning field by field (the
 * `Config` and `HostConfig` of its Engine API in one). It is stored as it is; `compile` turns it into
 * an OCI runtime spec.
 */
import * as Schema from "effect/Schema"

const UInt = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2 ** 32 - 1 }))
/** Bytes, nanoseconds and the like: −1 often means "unlimited". */
const Quantity = Schema.Int

export const Mount = Schema.TaggedUnion({
  Bind: {
    source: Schema.String, target: Schema.String, readonly: Schema.Boolean,
    /** Whether mounts below the source come along, and whether they become read-only too. */
    recursive: Schema.Literals(["enabled", "disabled", "writable", "readonly"]),
    propagation: Schema.String,
    /** `-v` makes a missing source directory, `--mount` refuses. */
    createSource: Schema.Boolean
  },
  Tmpfs: {
    target: Schema.String,
    /** Options as after the colon of `--tmpfs /run:size=64k,mode=1777`. */
    options: Schema.Array(Schema.String)
  }
})
export type Mount = typeof Mount.Type

/** A device node of the host, as `--device HOST[:CONTAINER[:PERMISSIONS]]`. */
export const DeviceMapping = Schema.Struct({
  pathOnHost: Schema.String, pathInContainer: Schema.String, permissions: Schema.String
})
export type DeviceMapping = typeof DeviceMapping.Type

/** Bytes or operations per second on the block device `path`. */
export const ThrottleDevice = Schema.Struct({ path: Schema.String, rate: Quantity })
export type ThrottleDevice = typeof ThrottleDevice.Type

export const WeightDevice = Schema.Struct({ path: Schema.String, weight: UInt })
export type WeightDevice = typeof WeightDevice.Type

export const Ulimit = Schema.Struct({ name: Schema.String, soft: Quantity, hard: Quantity })
export type Ulimit = typeof Ulimit.Type

/** Fields are absent where the user said nothing: Docker's zero value. */
export const ResourceConfig = Schema.Struct({
  /** Bytes. */
  memory: Schema.optionalKey(Quantity),
  /** Memory plus swap, bytes; −1: unlimited swap. */
  memorySwap: Schema.optionalKey(Quantity),
  memoryReservation: Schema.optionalKey(Quantity),
  memorySwappiness: Schema.optionalKey(Quantity),
  oomKillDisable: Schema.optionalKey(Schema.Boolean),
  /** CPUs × 10⁹. */
  nanoCpus: Schema.optionalKey(Quantity),
  cpuShares: Schema.optionalKey(Quantity),
  /** Microseconds. */
  cpuPeriod: Schema.optionalKey(Quantity),
  cpuQuota: Schema.optionalKey(Quantity),
  cpuRealtimePeriod: Schema.optionalKey(Quantity),
  cpuRealtimeRuntime: Schema.optionalKey(Quantity),
  cpusetCpus: Schema.optionalKey(Schema.String),
  cpusetMems: Schema.optionalKey(Schema.String),
  pidsLimit: Schema.optionalKey(Quantity),
  blkioWeight: Schema.optionalKey(UInt),
  blkioWeightDevice: Schema.optionalKey(Schema.Array(WeightDevice)),
  blkioDeviceReadBps: Schema.optionalKey(Schema.Array(ThrottleDevice)),
  blkioDeviceWriteBps: Schema.optionalKey(Schema.Array(ThrottleDevice)),
  blkioDeviceReadIOps: Schema.optionalKey(Schema.Array(ThrottleDevice)),
  blkioDeviceWriteIOps: Schema.optionalKey(Schema.Array(ThrottleDevice))
})
export type ResourceConfig = typeof ResourceConfig.Type

/** Durations in nanoseconds, as Docker stores them. */
export const Healthcheck = Schema.Struct({
  /** `["NONE"]`, `["CMD", …]` or `["CMD-SHELL", command]`. */
  test: Schema.Array(Schema.String),
  interval: Schema.optionalKey(Quantity),
  timeout: Schema.optionalKey(Quantity),
  startPeriod: Schema.optionalKey(Quantity),
  startInterval: Schema.optionalKey(Quantity),
  retries: Schema.optionalKey(Quantity)
})

export const RestartPolicy = Schema.Struct({
  name: Schema.Literals(["no", "always", "unless-stopped", "on-failure"]),
  maximumRetryCount: UInt
})

export const LogConfig = Schema.Struct({
  driver: Schema.Literals(["json-file", "none"]),
  /** Bytes; 0: never rotated. */
  maxSize: Quantity,
  maxFiles: UInt
})

export const ContainerConfig = Schema.Struct({
  /** The image as the user named it, or the directory of `--rootfs`. */
  image: Schema.String,
  /** Absent for a container of an image. */
  rootfs: Schema.optionalKey(Schema.String),
  platform: Schema.String,

  // The process
  entrypoint: Schema.optionalKey(Schema.Array(Schema.String)),
  command: Schema.Array(Schema.String),
  env: Schema.Array(Schema.String),
  workingDirectory: Schema.String,
  user: Schema.String,
  groupAdd: Schema.Array(Schema.String),
  tty: Schema.Boolean,
  /** Rows and columns of the first terminal size; 0 leaves the kernel's. */
  consoleSize: Schema.Tuple([UInt, UInt]),
  openStdin: Schema.Boolean,
  stdinOnce: Schema.Boolean,
  attachStdin: Schema.Boolean,
  attachStdout: Schema.Boolean,
  attachStderr: Schema.Boolean,
  init: Schema.Boolean,
  stopSignal: Schema.String,
  /** Seconds; −1: wait for ever. */
  stopTimeout: Schema.optionalKey(Schema.Int),
  ulimits: Schema.Array(Ulimit),
  oomScoreAdj: Schema.Int,
  labels: Schema.Record(Schema.String, Schema.String),
  annotations: Schema.Record(Schema.String, Schema.String),
  healthcheck: Schema.optionalKey(Healthcheck),
  restart: RestartPolicy,
  autoRemove: Schema.Boolean,
  log: LogConfig,

  // Names
  /** "" stands for the short id. */
  hostname: Schema.String,
  domainname: Schema.String,
  dns: Schema.Array(Schema.String),
  dnsSearch: Schema.Array(Schema.String),
  dnsOptions: Schema.Array(Schema.String),
  /** `name:address` */
  extraHosts: Schema.Array(Schema.String),

  // Namespaces: "" is the default (private), else `host`, `container:X`, and what each allows
  networkMode: Schema.String,
  pidMode: Schema.String,
  /** `private`, `shareable`, `none`, `host`, `container:X` */
  ipcMode: Schema.String,
  utsMode: Schema.String,
  /** `host` (default) or `private`: container root is an unprivileged user of the host. */
  usernsMode: Schema.String,
  cgroupnsMode: Schema.String,
  /** `private` makes a time namespace. */
  timeMode: Schema.String,

  // Files
  mounts: Schema.Array(Mount),
  readonlyRootfs: Schema.Boolean,
  /** Bytes of /dev/shm. */
  shmSize: Quantity,
  devices: Schema.Array(DeviceMapping),
  deviceCgroupRules: Schema.Array(Schema.String),

  // Rights
  privileged: Schema.Boolean,
  capAdd: Schema.Array(Schema.String),
  capDrop: Schema.Array(Schema.String),
  noNewPrivileges: Schema.Boolean,
  /** `default`, `unconfined`, or the JSON text of a profile. */
  seccomp: Schema.String,
  /** False with `--security-opt systempaths=unconfined`. */
  confineSystemPaths: Schema.Boolean,
  securityOptions: Schema.Array(Schema.String),
  sysctls: Schema.Record(Schema.String, Schema.String),

  // Limits
  cgroupParent: Schema.String,
  resources: ResourceConfig
})
export type ContainerConfig = typeof ContainerConfig.Type

/** `docker run IMAGE` with no flags at all. */
export const defaultConfig = (image: string): ContainerConfig => ({
  image, platform: "",
  command: [], env: [], workingDirectory: "", user: "", groupAdd: [], tty: false, consoleSize: [0, 0],
  openStdin: false, stdinOnce: false, attachStdin: false, attachStdout: true, attachStderr: true, init: false,
  stopSignal: "", ulimits: [], oomScoreAdj: 0, labels: {}, annotations: {},
  restart: { name: "no", maximumRetryCount: 0 }, autoRemove: false,
  log: { driver: "json-file", maxSize: 20_000_000, maxFiles: 5 },
  hostname: "", domainname: "", dns: [], dnsSearch: [], dnsOptions: [], extraHosts: [],
  networkMode: "none", pidMode: "", ipcMode: "private", utsMode: "", usernsMode: "", cgroupnsMode: "private", timeMode: "",
  mounts: [], readonlyRootfs: false, shmSize: 64 * 1024 * 1024, devices: [], deviceCgroupRules: [],
  privileged: false, capAdd: [], capDrop: [], noNewPrivileges: false, seccomp: "default", confineSystemPaths: true,
  securityOptions: [], sysctls: {},
  cgroupParent: "", resources: {}
})
