/** Options of file systems: which each type takes, and how their values are read. */
import { current, type Draft, fail } from "../Draft.ts"
import { toHost } from "../processes/credentials.ts"

export interface FilesystemOption {
  readonly key: string
  readonly value?: string
}

/** Parts of an option as errors name it. */
export const describeOption = (target: string, option: FilesystemOption): string =>
  `${target} (${option.key}${option.value === undefined ? "" : `=${option.value}`})`

export type Options = Map<string, string>

export const known: { readonly [type: string]: ReadonlyArray<string> } = {
  tmpfs: [
    "size", "nr_blocks", "nr_inodes", "mode", "uid", "gid", "huge", "mpol", "inode32", "inode64",
    "noswap"
  ],
  proc: ["hidepid", "gid", "subset"],
  sysfs: [],
  mqueue: [],
  devpts: ["mode", "uid", "gid", "ptmxmode", "max", "newinstance"],
  cgroup2: [
    "nsdelegate", "favordynmods", "nofavordynmods", "memory_localevents", "memory_recursiveprot"
  ],
  cgroup: [
    "none", "name", "xattr", "noprefix", "clone_children", "cpuset_v2_mode", "release_agent", "all",
    "cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids", "hugetlb",
    "net_cls", "net_prio", "perf_event", "rdma", "misc"
  ]
}

/** Flags that every super block takes (fs/fs_context.c). */
export const common: ReadonlySet<string> = new Set([
  "ro", "rw", "sync", "async", "dirsync", "lazytime", "nolazytime", "mand", "nomand"
])

/** Bytes: a number with a suffix, or a percentage of the host's memory. */
export const parseSize = (draft: Draft, text: string): number => {
  const match = /^(\d+)([kmgtpe%]?)$/i.exec(text) ?? fail("EINVAL")
  const number = Number(match[1])
  const unit = match[2]!.toLowerCase()
  return unit === "%"
    ? Math.floor(draft.host.memoryTotal * number / 100)
    : number * 1024 ** " kmgtpe".indexOf(unit || " ")
}

export const parseOctal = (text: string): number =>
  /^[0-7]+$/.test(text) ? parseInt(text, 8) & 0o7777 : fail("EINVAL")

export const parseId = (draft: Draft, kind: "uidMap" | "gidMap", text: string): number => {
  if (!/^\d+$/.test(text)) fail("EINVAL")
  return toHost(draft, current(draft).namespaces.user, kind, Number(text)) ?? fail("EINVAL")
}
