/**
 * InitOps that set a property of the process: limits, ids, capabilities, filters, the directory,
 * the program.
 */
import { alter, current, type Draft, fail } from "../Draft.ts"
import { attributesOf, execute, filesystemOf, requireAccess } from "../files/access.ts"
import { writeFile } from "../files/fileCalls.ts"
import { limitOf } from "../files/processLimits.ts"
import { pathOf, resolve } from "../files/resolve.ts"
import { capability, hasCapability, requireCapability, toHost } from "../processes/credentials.ts"
import type { Place } from "../World.ts"
import { alterInit, type Op } from "./InitState.ts"
import { lookFor, reach } from "./reach.ts"

export const oomScoreAdjust = (draft: Draft, { value }: Op<"OomScoreAdjust">): void => {
  draft.syscall = "write"
  writeFile(draft, "/proc/self/oom_score_adj", String(value), { mode: 0, create: false })
}

/**
 * sysctl(8): with a dot first, dots separate and slashes stand for dots; with a slash first both
 * are themselves.
 */
const sysctlPath = (key: string): string => {
  if (/^[^.]*\//.test(key) || !key.includes(".")) return key
  return key.replace(/[./]/g, (separator) => separator === "." ? "/" : ".")
}

export const sysctl = (draft: Draft, { key, value }: Op<"Sysctl">): void => {
  const directory = lookFor(draft, "/proc/sys", true) ?? fail("ENOENT", "/proc/sys")
  draft.syscall = "fstatfs"
  if (filesystemOf(draft, directory).content._tag !== "Proc") fail("ENODEV", "/proc/sys")
  draft.syscall = "openat2"
  const path = sysctlPath(key)
  if (path.split("/").includes("..")) fail("EXDEV", key)
  const found = lookFor(draft, `/proc/sys/${path}`, true) ?? fail("ENOENT", key)
  if (attributesOf(draft, found).type === "directory") fail("EISDIR", key)
  draft.syscall = "write"
  writeFile(draft, `/proc/sys/${path}`, value, { mode: 0, create: false })
}

const order = (limit: number | "unlimited"): number =>
  limit === "unlimited" ? Number.POSITIVE_INFINITY : limit

/** NR_OPEN: the most that RLIMIT_NOFILE may be (fs.nr_open). */
const openFilesLimit = 1_048_576

export const rlimit = (draft: Draft, { resource, soft, hard }: Op<"Rlimit">): void => {
  draft.syscall = "prlimit64"
  const process = current(draft)
  if (order(soft) > order(hard)) fail("EINVAL", resource)
  if (resource === "nofile" && order(hard) > openFilesLimit) fail("EPERM", resource)
  const raises = order(hard) > order(limitOf(process, resource).hard)
  if (raises && !hasCapability(draft, process, capability.sysResource, draft.initial.user)) {
    fail("EPERM", resource)
  }
  alter(draft, process.pid, { limits: { ...process.limits, [resource]: { soft, hard } } })
}

/** 0xffffffff only asks; every other value is taken. */
export const personality = (draft: Draft, { persona }: Op<"Personality">): void => {
  draft.syscall = "personality"
  if (persona !== 0xffffffff) alter(draft, draft.current, { personality: persona })
}

export const umask = (draft: Draft, { mask }: Op<"Umask">): void => {
  alter(draft, draft.current, { umask: mask & 0o777 })
  alterInit(draft, { umaskSet: true })
}

/** BPF_MAXINSNS, and the size of struct sock_filter. */
const instructionLimit = 4096
const instructionSize = 8

export const seccomp = (draft: Draft, { filter }: Op<"Seccomp">): void => {
  draft.syscall = "seccomp"
  const process = current(draft)
  const count = filter.length / instructionSize
  if (!Number.isInteger(count) || count === 0 || count > instructionLimit) fail("EINVAL")
  if (
    !process.noNewPrivileges &&
    !hasCapability(draft, process, capability.sysAdmin, process.namespaces.user)
  ) fail("EACCES")
  alter(draft, process.pid, { seccomp: process.seccomp + 1 })
}

export const boundingSet = (draft: Draft, { capabilities }: Op<"BoundingSet">): void => {
  draft.syscall = "prctl"
  const process = current(draft)
  const { bounding } = process.capabilities
  const left = bounding.filter((one) => capabilities.includes(one))
  if (left.length < bounding.length) requireCapability(draft, process, capability.setpcap)
  alter(draft, process.pid, { capabilities: { ...process.capabilities, bounding: left } })
}

/**
 * setgroups(2), setresgid(2), setresuid(2) with PR_SET_KEEPCAPS: the effective set goes, the
 * permitted stays.
 */
export const user = (draft: Draft, { uid, gid, groups }: Op<"User">): void => {
  const process = current(draft)
  const namespace = process.namespaces.user
  const inHost = (kind: "uidMap" | "gidMap", id: number): number =>
    toHost(draft, namespace, kind, id) ?? fail("EINVAL", String(id))
  draft.syscall = "setgroups"
  requireCapability(draft, process, capability.setgid)
  const hostGroups = groups.map((group) => inHost("gidMap", group))
  draft.syscall = "setresgid"
  const hostGid = inHost("gidMap", gid)
  draft.syscall = "setresuid"
  const hostUid = inHost("uidMap", uid)
  if (hostUid !== process.uid) requireCapability(draft, process, capability.setuid)
  const root = toHost(draft, namespace, "uidMap", 0)
  const leavesRoot = process.uid === root && hostUid !== root
  alter(draft, process.pid, {
    uid: hostUid,
    gid: hostGid,
    groups: hostGroups,
    capabilities: leavesRoot
      ? { ...process.capabilities, effective: [], ambient: [] }
      : process.capabilities
  })
}

const isWithin = (some: ReadonlyArray<number>, all: ReadonlyArray<number>): boolean =>
  some.every((one) => all.includes(one))

/** capset(2), then the ambient set. */
export const capabilities = (draft: Draft, wanted: Op<"Capabilities">): void => {
  draft.syscall = "capset"
  const process = current(draft)
  const { permitted, bounding, inheritable } = process.capabilities
  const setpcap = process.capabilities.effective.includes(capability.setpcap)
  if (!isWithin(wanted.permitted, permitted) || !isWithin(wanted.effective, wanted.permitted)) {
    fail("EPERM")
  }
  // Without CAP_SETPCAP only what is permitted or inherited may become inheritable, never beyond
  // the bounding set
  if (!setpcap && !isWithin(wanted.inheritable, [...inheritable, ...permitted])) fail("EPERM")
  if (!isWithin(wanted.inheritable, [...inheritable, ...bounding])) fail("EPERM")
  draft.syscall = "prctl"
  if (
    !isWithin(wanted.ambient, wanted.permitted) || !isWithin(wanted.ambient, wanted.inheritable)
  ) fail("EPERM")
  const { effective, ambient } = wanted
  alter(draft, process.pid, {
    capabilities: {
      effective,
      permitted: wanted.permitted,
      inheritable: wanted.inheritable,
      ambient,
      bounding
    }
  })
}

const directoryAt = (draft: Draft, path: string, create: boolean): Place => {
  const found = lookFor(draft, path, false)
  draft.syscall = "chdir"
  if (found !== undefined) return found
  // A file on the way is no missing directory
  if (!create) return resolve(draft, path, true)
  return reach(draft, path, { kind: "directory", mode: 0o755, strict: false })
}

export const workingDirectory = (draft: Draft, { path, create }: Op<"WorkingDirectory">): void => {
  draft.syscall = "chdir"
  const place = directoryAt(draft, path, create)
  draft.syscall = "chdir"
  const attributes = attributesOf(draft, place)
  if (attributes.type !== "directory") fail("ENOTDIR", path)
  requireAccess(draft, attributes, execute, path)
  draft.syscall = "getcwd"
  const process = current(draft)
  if (!pathOf(draft, place, process.root).startsWith("/")) fail("ENOENT", path)
  alter(draft, process.pid, { directory: place })
}
