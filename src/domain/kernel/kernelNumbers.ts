/**
 * The kernel's numbers for the names used in plans. All are the same on every architecture that we
 * build for; each table names the header it was taken from.
 */
import type { MountAttribute, NamespaceKind, Propagation, RlimitName } from "./InitOp.ts"

/** CLONE_NEW* of include/uapi/linux/sched.h. */
export const namespaceFlags: { readonly [K in NamespaceKind]: number } = {
  time: 0x00000080,
  mnt: 0x00020000,
  cgroup: 0x02000000,
  uts: 0x04000000,
  ipc: 0x08000000,
  user: 0x10000000,
  pid: 0x20000000,
  net: 0x40000000
}

/**
 * MOUNT_ATTR_* of include/uapi/linux/mount.h; `relatime` is zero in its field, `recursive` is no bit.
 */
export const mountAttributeFlags: { readonly [K in MountAttribute]: number } = {
  ro: 0x00000001,
  nosuid: 0x00000002,
  nodev: 0x00000004,
  noexec: 0x00000008,
  relatime: 0x00000000,
  noatime: 0x00000010,
  strictatime: 0x00000020,
  nodiratime: 0x00000080,
  nosymfollow: 0x00200000,
  recursive: 0x00000000
}

/** MOUNT_ATTR__ATIME of include/uapi/linux/mount.h: a field to be cleared before it is set. */
export const mountAttributeAtimeMask = 0x00000070

/** MS_REC of include/uapi/linux/mount.h. */
const recursive = 0x4000

/** MS_UNBINDABLE, MS_PRIVATE, MS_SLAVE and MS_SHARED of include/uapi/linux/mount.h. */
export const propagationFlags: { readonly [K in Propagation]: number } = {
  unbindable: 1 << 17,
  private: 1 << 18,
  slave: 1 << 19,
  shared: 1 << 20,
  runbindable: 1 << 17 | recursive,
  rprivate: 1 << 18 | recursive,
  rslave: 1 << 19 | recursive,
  rshared: 1 << 20 | recursive
}

/** RLIMIT_* of include/uapi/asm-generic/resource.h. */
export const rlimitNumbers: { readonly [K in RlimitName]: number } = {
  cpu: 0,
  fsize: 1,
  data: 2,
  stack: 3,
  core: 4,
  rss: 5,
  nproc: 6,
  nofile: 7,
  memlock: 8,
  as: 9,
  locks: 10,
  sigpending: 11,
  msgqueue: 12,
  nice: 13,
  rtprio: 14,
  rttime: 15
}

/** SECCOMP_FILTER_FLAG_* of include/uapi/linux/seccomp.h. */
export const seccompFlags = { tsync: 1, log: 2, specAllow: 4 } as const

/** S_IFBLK, S_IFCHR and S_IFIFO of include/uapi/linux/stat.h, by the letters of mknod(1). */
export const nodeTypes = { b: 0o060000, c: 0o020000, p: 0o010000 } as const

/** The union of flags: bits set twice stay set. */
export const combine = <K extends string>(
  flags: { readonly [P in K]: number },
  names: ReadonlyArray<K>
): number => {
  let all = 0
  for (const name of names) all |= flags[name]
  return all >>> 0
}
