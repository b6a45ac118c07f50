/**
 * Programs for tests, as a planner would make them: the least that gives a container of its own, and
 * one like docker's default.
 */
import { mkdirSync, mkdtempSync } from "node:fs"
import { join } from "node:path"
import type { InitOp } from "../../src/domain/kernel/InitOp.ts"

const environment = [
  "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  "HOME=/root"
]

export const exec = (
  argv: readonly [string, ...Array<string>],
  options: { reaper?: boolean; env?: ReadonlyArray<string> } = {}
): InitOp => ({
  _tag: "Exec",
  argv,
  env: options.env ?? environment,
  reaper: options.reaper ?? false
})

export const shell = (script: string): InitOp => exec(["/bin/sh", "-c", script])

/** A writable layer over `rootfs`, pivoted into. */
export const rootOperations = (base: string, rootfs: string): ReadonlyArray<InitOp> => {
  const layer = mkdtempSync(join(base, "layer-"))
  for (const name of ["upper", "work", "at"]) mkdirSync(join(layer, name))
  return [
    { _tag: "MountPropagation", path: "/", propagation: "rprivate" },
    {
      _tag: "RootOverlay",
      at: join(layer, "at"),
      lower: [rootfs],
      upper: join(layer, "upper"),
      work: join(layer, "work"),
      volatile: true
    },
    { _tag: "PivotRoot", at: join(layer, "at") }
  ]
}

export const mountProc: InitOp = {
  _tag: "MountFilesystem",
  type: "proc",
  source: "proc",
  target: "/proc",
  strict: true,
  options: [],
  attributes: ["nosuid", "nodev", "noexec"],
  copyUp: false
}

const devices = [
  ["null", 1, 3],
  ["zero", 1, 5],
  ["full", 1, 7],
  ["random", 1, 8],
  ["urandom", 1, 9],
  ["tty", 5, 0]
] as const

export const devOperations = (console: boolean): ReadonlyArray<InitOp> => [
  {
    _tag: "MountFilesystem",
    type: "tmpfs",
    source: "tmpfs",
    target: "/dev",
    strict: true,
    options: [
      { key: "mode", value: "755" },
      { key: "size", value: "65536k" }
    ],
    attributes: ["nosuid", "strictatime"],
    copyUp: false
  },
  {
    _tag: "MountDevpts",
    target: "/dev/pts",
    options: [
      { key: "ptmxmode", value: "0666" },
      { key: "mode", value: "0620" },
      { key: "gid", value: "5" }
    ],
    console
  },
  {
    _tag: "MountFilesystem",
    type: "tmpfs",
    source: "shm",
    target: "/dev/shm",
    strict: true,
    options: [
      { key: "mode", value: "1777" },
      { key: "size", value: "65536k" }
    ],
    attributes: ["nosuid", "nodev", "noexec"],
    copyUp: false
  },
  {
    _tag: "MountFilesystem",
    type: "mqueue",
    source: "mqueue",
    target: "/dev/mqueue",
    strict: true,
    options: [],
    attributes: ["nosuid", "nodev", "noexec"],
    copyUp: false
  },
  ...devices.map(([name, major, minor]): InitOp => ({
    _tag: "NodeMake",
    path: `/dev/${name}`,
    type: "c",
    mode: 0o666,
    major,
    minor,
    uid: 0,
    gid: 0
  })),
  ...(
    [
      ["fd", "/proc/self/fd"],
      ["stdin", "/proc/self/fd/0"],
      ["stdout", "/proc/self/fd/1"],
      ["stderr", "/proc/self/fd/2"],
      ["ptmx", "pts/ptmx"]
    ] as const
  ).map(([name, target]): InitOp => ({ _tag: "SymlinkMake", target, path: `/dev/${name}` }))
]

/** Docker's fourteen: moby's oci/caps/defaults.go. */
export const defaultCapabilities = [0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31]

export const maskedPaths = [
  "/proc/asound",
  "/proc/acpi",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/sys/firmware",
  "/sys/devices/virtual/powercap"
]

export const readonlyPaths = [
  "/proc/bus",
  "/proc/fs",
  "/proc/irq",
  "/proc/sys",
  "/proc/sysrq-trigger"
]

export interface Likeness {
  readonly terminal?: boolean
  readonly uid?: number
  readonly attach?: ReadonlyArray<string>
  readonly extra?: ReadonlyArray<InitOp>
}

/** All that docker does by default but for the seccomp filter and the files of /etc. */
export const dockerLike = (
  base: string,
  rootfs: string,
  last: ReadonlyArray<InitOp>,
  { attach = [], extra = [], terminal = false, uid = 0 }: Likeness = {}
): ReadonlyArray<InitOp> => [
  { _tag: "CgroupAttach", files: attach },
  { _tag: "NamespaceUnshare", kinds: ["cgroup"] },
  { _tag: "OomScoreAdjust", value: 0 },
  { _tag: "Hostname", name: "probe" },
  ...rootOperations(base, rootfs),
  mountProc,
  ...devOperations(terminal),
  {
    _tag: "MountFilesystem",
    type: "sysfs",
    source: "sysfs",
    target: "/sys",
    strict: true,
    options: [],
    attributes: ["nosuid", "nodev", "noexec", "ro"],
    copyUp: false
  },
  { _tag: "Keyring", name: "probe" },
  ...(terminal ? [{ _tag: "Console", open: false, bindConsole: true } as const] : []),
  ...extra,
  { _tag: "ReadonlyPaths", paths: readonlyPaths },
  { _tag: "MaskPaths", paths: maskedPaths },
  { _tag: "Umask", mask: 0o022 },
  { _tag: "Rlimit", resource: "nofile", soft: 1024, hard: 4096 },
  { _tag: "BoundingSet", capabilities: defaultCapabilities },
  { _tag: "NoNewPrivileges" },
  { _tag: "User", uid, gid: uid, groups: uid === 0 ? [0, 1, 2] : [] },
  {
    _tag: "Capabilities",
    effective: uid === 0 ? defaultCapabilities : [],
    permitted: uid === 0 ? defaultCapabilities : [],
    inheritable: [],
    ambient: []
  },
  { _tag: "WorkingDirectory", path: "/", create: false },
  ...last
]
