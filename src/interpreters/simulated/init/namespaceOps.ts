/** InitOps that place the process: control groups and namespaces. */
import type { ProcessIdentity } from "../../../domain/kernel/InitOp.ts"
import { current, type Draft, fail } from "../Draft.ts"
import { filesystemOf } from "../files/access.ts"
import { writeFile } from "../files/fileCalls.ts"
import { resolve } from "../files/resolve.ts"
import { capability, requireCapability } from "../processes/credentials.ts"
import { alterNamespace, enter, namespaceAt, unshare } from "../processes/namespaces.ts"
import type { Process } from "../processes/Process.ts"
import type { Op } from "./InitState.ts"

export const cgroupAttach = (draft: Draft, { files }: Op<"CgroupAttach">): void => {
  for (const path of files) {
    draft.syscall = "openat"
    resolve(draft, path, true)
    draft.syscall = "write"
    writeFile(draft, path, "0", { mode: 0, create: false })
  }
}

export const namespaceUnshare = (draft: Draft, { kinds }: Op<"NamespaceUnshare">): void => {
  draft.syscall = "unshare"
  unshare(draft, draft.current, kinds, false)
}

export const namespaceJoin = (draft: Draft, { kind, path }: Op<"NamespaceJoin">): void => {
  draft.syscall = "openat"
  const place = resolve(draft, path, true)
  draft.syscall = "setns"
  if (filesystemOf(draft, place).content._tag !== "Namespaces") fail("EINVAL", path)
  const namespace = draft.namespaces.get(place.node as number)
  if (namespace?.kind !== kind) fail("EINVAL", path)
  enter(draft, draft.current, kind, place.node as number)
}

/** The process of an identity, if it still is that one: ESRCH otherwise. */
export const processByIdentity = (draft: Draft, { pid, startTime }: ProcessIdentity): Process => {
  draft.syscall = "pidfd_open"
  const found = draft.processes.get(pid)
  return found === undefined || found.state === "zombie" || found.startTime !== startTime
    ? fail("ESRCH")
    : found
}

export const namespaceEnter = (draft: Draft, { process, kinds }: Op<"NamespaceEnter">): void => {
  const other = processByIdentity(draft, process)
  draft.syscall = "setns"
  // The user namespace first: the rights to enter the others come with it
  const ordered = [...kinds].sort((one, two) => Number(two === "user") - Number(one === "user"))
  for (const kind of ordered) {
    if (kind !== "user" || current(draft).namespaces.user !== other.namespaces.user) {
      enter(draft, draft.current, kind, other.namespaces[kind])
    }
  }
}

export const timeNamespace = (draft: Draft, { monotonic, boottime }: Op<"TimeNamespace">): void => {
  draft.syscall = "unshare"
  unshare(draft, draft.current, ["time"], false)
  draft.syscall = "write"
  const id = current(draft).timeForChildren
  const nanoseconds = (
    offset: { readonly seconds: number; readonly nanoseconds: number } | undefined,
    before: number
  ) => offset === undefined ? before : offset.seconds * 1e9 + offset.nanoseconds
  const { monotonic: oldMonotonic, boottime: oldBoottime } = namespaceAt(draft, "time", id)
  const offsets = {
    monotonic: nanoseconds(monotonic, oldMonotonic),
    boottime: nanoseconds(boottime, oldBoottime)
  }
  const uptime = (draft.now - draft.bootedAt) * 1000
  // proc_timens_set_offset: no clock may become negative
  if (uptime + offsets.monotonic < 0 || uptime + offsets.boottime < 0) {
    fail("ERANGE", "/proc/self/timens_offsets")
  }
  alterNamespace(draft, "time", id, offsets)
  draft.syscall = "setns"
  enter(draft, draft.current, "time", id)
}

/** __NEW_UTS_LEN */
const nameLimit = 64

const setName = (
  draft: Draft,
  syscall: string,
  field: "hostname" | "domainname",
  name: string
): void => {
  draft.syscall = syscall
  const process = current(draft)
  const { owner } = namespaceAt(draft, "uts", process.namespaces.uts)
  requireCapability(draft, process, capability.sysAdmin, owner || draft.initial.user)
  if (Buffer.byteLength(name) > nameLimit) fail("EINVAL", name)
  alterNamespace(draft, "uts", process.namespaces.uts, { [field]: name })
}

export const hostname = (draft: Draft, { name }: Op<"Hostname">): void =>
  setName(draft, "sethostname", "hostname", name)

export const domainname = (draft: Draft, { name }: Op<"Domainname">): void =>
  setName(draft, "setdomainname", "domainname", name)

export const loopbackUp = (draft: Draft): void => {
  draft.syscall = "sendto"
  const process = current(draft)
  const { owner } = namespaceAt(draft, "net", process.namespaces.net)
  requireCapability(draft, process, capability.netAdmin, owner || draft.initial.user)
  alterNamespace(draft, "net", process.namespaces.net, { loopback: true })
}
