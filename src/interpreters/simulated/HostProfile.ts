/**
 * What kind of machine is simulated. All of it is data, so that a test says in one place on what
 * host its programs run.
 */

/** A block device that io limits can name. */
export interface Disk {
  readonly major: number
  readonly minor: number
  readonly name: string
}

/** A mounted tree of control groups. */
export interface HostHierarchy {
  readonly version: 1 | 2
  /** v1 without controllers: `systemd` for `name=systemd`; otherwise "". */
  readonly name: string
  /** As the kernel names them in that version. */
  readonly controllers: ReadonlyArray<string>
  /** Below /sys/fs/cgroup; "" for a cgroup2 that is mounted there and the only one. */
  readonly directory: string
}

export interface HostProfile {
  /**
   * `v2`: one cgroup2 on /sys/fs/cgroup. `v1`: a directory per controller. `hybrid`: that, and a
   * cgroup2 without controllers on /sys/fs/cgroup/unified.
   */
  readonly cgroups: "v1" | "v2" | "hybrid"
  /** Where they are not those that are usual for `cgroups`. */
  readonly hierarchies?: ReadonlyArray<HostHierarchy>
  readonly kernelRelease: string
  readonly machine: string
  readonly hostname: string
  readonly cpus: number
  /** Bytes. */
  readonly memoryTotal: number
  readonly lastCapability: number
  readonly disks: ReadonlyArray<Disk>
  readonly rootFilesystem: "ext4" | "btrfs"
  /** Whether the root mount is shared, as systemd makes it. */
  readonly sharedRoot: boolean
  /** The user the engine runs as. */
  readonly user: number
  readonly resolvConf: string
  readonly hosts: string
}

export const defaultHost: HostProfile = {
  cgroups: "v2",
  kernelRelease: "6.18.44",
  machine: "x86_64",
  hostname: "simulated",
  cpus: 2,
  memoryTotal: 8 * 2 ** 30,
  lastCapability: 40,
  disks: [{ major: 254, minor: 0, name: "vda" }],
  rootFilesystem: "ext4",
  sharedRoot: true,
  user: 0,
  resolvConf: "nameserver 192.0.2.53\n",
  hosts: "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
}
