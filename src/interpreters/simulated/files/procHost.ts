/** The files at the top of /proc that tell about the machine (proc(5)). */
import type { Draft } from "../Draft.ts"

const megabyte = 1024

const meminfo = (draft: Draft): string => {
  const total = Math.floor(draft.host.memoryTotal / megabyte)
  const used = Math.ceil(
    draft.processes.values().reduce((sum, process) => sum + process.memory, 0) / megabyte
  )
  const row = (name: string, value: number) =>
    `${`${name}:`.padEnd(16)}${String(value).padStart(8)} kB\n`
  return row("MemTotal", total) + row("MemFree", total - used) + row("MemAvailable", total - used) +
    row("Buffers", 0) + row("Cached", 0) + row("SwapTotal", 0) + row("SwapFree", 0)
}

const seconds = (micros: number): string => (micros / 1_000_000).toFixed(2)

const cgroups = (draft: Draft): string => {
  const names = [
    "cpuset", "cpu", "cpuacct", "blkio", "memory", "devices", "freezer", "net_cls", "perf_event",
    "net_prio", "hugetlb", "pids", "rdma", "misc"
  ]
  const rows = names.map((name) => {
    const unified = name === "blkio" ? "io" : name
    const index = draft.hierarchies.findIndex((one) =>
      one.version === 1 && one.controllers.includes(name)
    )
    const home = index >= 0
      ? index
      : draft.hierarchies.findIndex((one) => one.version === 2 && one.controllers.includes(unified))
    const count = draft.cgroups.values().filter((cgroup) =>
      cgroup.hierarchy === Math.max(home, 0)
    ).length
    return `${name}\t${index >= 0 ? index + 1 : 0}\t${count}\t1\n`
  })
  return `#subsys_name\thierarchy\tnum_cgroups\tenabled\n${rows.join("")}`
}

const cpuinfo = (draft: Draft): string =>
  Array.from(
    { length: draft.host.cpus },
    (_, cpu) => `processor\t: ${cpu}\nmodel name\t: simulated\ncpu MHz\t\t: 1000.000\n\n`
  ).join("")

const stat = (draft: Draft): string => {
  const busy = Math.floor(
    draft.cgroups.values().reduce((sum, cgroup) => sum + cgroup.cpu, 0) / 10_000
  )
  const idle = Math.floor((draft.now - draft.bootedAt) / 10_000) * draft.host.cpus
  const row = (name: string, user: number, rest: number) =>
    `${name} ${user} 0 0 ${Math.max(0, rest - user)} 0 0 0 0 0 0\n`
  return row("cpu ", busy, idle) +
    Array.from(
      { length: draft.host.cpus },
      (_, cpu) => row(`cpu${cpu}`, 0, Math.floor(idle / draft.host.cpus))
    ).join("") +
    `btime ${Math.floor(draft.bootedAt / 1_000_000)}\nprocesses ${draft.processes.size}\n`
}

/** Types without a block device. */
const filesystems = ["sysfs", "tmpfs", "proc", "cgroup", "cgroup2", "devpts", "mqueue", "overlay"]

const texts: { readonly [name: string]: (draft: Draft) => string } = {
  cgroups,
  cmdline: () => "console=ttyS0\n",
  cpuinfo,
  devices: () =>
    "Character devices:\n  1 mem\n  5 /dev/tty\n136 pts\n\nBlock devices:\n254 virtblk\n",
  filesystems: () => filesystems.map((type) => `nodev\t${type}\n`).join("") + "\text4\n",
  interrupts: () => "",
  kcore: () => "",
  keys: () => "",
  "latency_stats": () => "",
  loadavg: (draft) => `0.00 0.00 0.00 1/${draft.processes.size} 1\n`,
  meminfo,
  partitions: (draft) =>
    [
      "major minor  #blocks  name\n\n",
      ...draft.host.disks.map((one) => ` ${one.major}        ${one.minor}    8388608 ${one.name}\n`)
    ].join(""),
  stat,
  swaps: () => "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n",
  "sysrq-trigger": () => "",
  timer_list: () => "",
  uptime: ({ now, bootedAt, host }) =>
    `${seconds(now - bootedAt)} ${seconds((now - bootedAt) * host.cpus)}\n`,
  version: (draft) => `Linux version ${draft.host.kernelRelease} (simulated)\n`
}

export const hostFiles: ReadonlyArray<string> = Object.keys(texts)

export const readHostFile = (draft: Draft, name: string): string | undefined => texts[name]?.(draft)

/** Directories that are there for the masks of containers; empty. */
export const hostDirectories: ReadonlyArray<string> = [
  "acpi", "asound", "bus", "driver", "fs", "irq", "scsi", "tty"
]
