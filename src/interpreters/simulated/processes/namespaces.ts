/**
 * Namespaces: made by clone and unshare, entered by setns, and freed with their last user
 * (namespaces(7)).
 */
import type { NamespaceKind } from "../../../domain/kernel/InitOp.ts"
import { alter, type Draft, fail, processOf, takeId } from "../Draft.ts"
import { keepOpened } from "../mounts/keepOpened.ts"
import { cloneTree, drop } from "../mounts/mountTree.ts"
import type { Namespace, NamespaceOf, Place } from "../World.ts"
import { capability, fullCapabilities, requireCapability } from "./credentials.ts"
import type { Process } from "./Process.ts"

export const kinds: ReadonlyArray<NamespaceKind> = [
  "user", "mnt", "uts", "ipc", "net", "cgroup", "time", "pid"
]

/** PROC_DYNAMIC_FIRST of include/linux/proc_ns.h: where the numbers of namespaces begin. */
const firstNumber = 0xf0000000

/** What a link of /proc/PID/ns says, `uts:[4026531838]`. */
export const namespaceLink = (kind: string, id: number): string => `${kind}:[${firstNumber + id}]`

export const namespaceAt = <K extends NamespaceKind>(
  draft: Draft,
  kind: K,
  id: number
): NamespaceOf<K> => {
  const namespace = draft.namespaces.get(id)
  return namespace?.kind === kind ? namespace as NamespaceOf<K> : fail("EINVAL")
}

export const alterNamespace = <K extends NamespaceKind>(
  draft: Draft,
  kind: K,
  id: number,
  change: Partial<NamespaceOf<K>>
): void => {
  draft.namespaces = draft.namespaces.set(
    id,
    { ...namespaceAt(draft, kind, id), ...change } as Namespace
  )
}

const refer = (draft: Draft, id: number): void => {
  const namespace = draft.namespaces.get(id)
  if (namespace === undefined) return
  draft.namespaces = draft.namespaces.set(id, {
    ...namespace,
    references: namespace.references + 1
  })
}

/**
 * Gives a reference back; with the last one the namespace goes, and with a mount namespace its
 * mounts.
 */
export const releaseNamespace = (draft: Draft, id: number): void => {
  const namespace = draft.namespaces.get(id)
  if (namespace === undefined) return
  if (namespace.references > 1) {
    draft.namespaces = draft.namespaces.set(id, {
      ...namespace,
      references: namespace.references - 1
    })
    return
  }
  draft.namespaces = draft.namespaces.remove(id)
  if (namespace.kind === "mnt") {
    keepOpened(draft, namespace.root)
    drop(draft, namespace.root)
  }
  if ((namespace.kind === "pid" || namespace.kind === "user") && namespace.parent !== 0) {
    releaseNamespace(draft, namespace.parent)
  }
  if (namespace.owner !== 0) releaseNamespace(draft, namespace.owner)
}

/** A process begins to use its namespaces. */
export const referAll = (draft: Draft, process: Process): void => {
  for (const kind of kinds) refer(draft, process.namespaces[kind])
}

/** A process is gone; its pid namespaces are given back when it is reaped. */
export const releaseAll = (draft: Draft, process: Process): void => {
  for (const kind of kinds) if (kind !== "pid") releaseNamespace(draft, process.namespaces[kind])
  if (process.timeForChildren !== process.namespaces.time) {
    releaseNamespace(draft, process.timeForChildren)
  }
}

/** Sets the namespace that children are born into (pid, time). */
const setForChildren = (
  draft: Draft,
  pid: number,
  field: "pidForChildren" | "timeForChildren",
  id: number
): void => {
  const process = processOf(draft, pid)
  const own = process.namespaces[field === "pidForChildren" ? "pid" : "time"]
  if (id !== own) refer(draft, id)
  if (process[field] !== own) releaseNamespace(draft, process[field])
  alter(draft, pid, { [field]: id })
}

/** Copies the mounts of a namespace; the places of `process` move to the copies. */
const copyMounts = (
  draft: Draft,
  process: Process,
  id: number,
  foreign: boolean
): { root: number; move: (place: Place) => Place } => {
  const source = namespaceAt(draft, "mnt", process.namespaces.mnt)
  const copies = new Map<number, number>()
  const root = cloneTree(draft, source.root, {
    recursive: true,
    bind: false,
    slaves: foreign,
    onClone: (original, clone) => copies.set(original, clone)
  })
  for (const clone of copies.values()) {
    draft.mounts = draft.mounts.set(clone, { ...draft.mounts.get(clone)!, namespace: id })
  }
  return {
    root,
    move: (place) => ({ mount: copies.get(place.mount) ?? place.mount, node: place.node })
  }
}

const common = (id: number, owner: number) => ({ id, owner, references: 0 })

/** A new namespace of a kind other than user and mnt, beginning as a copy of the process's. */
const makeSimple = (draft: Draft, process: Process, kind: NamespaceKind, owner: number): number => {
  const id = takeId(draft)
  const base = common(id, owner)
  const before = draft.namespaces.get(process.namespaces[kind])!
  const made: Namespace = ((): Namespace => {
    switch (before.kind) {
      case "uts":
        return { ...before, ...base }
      case "ipc":
        return { ...base, kind: "ipc", sysctls: {} }
      case "net":
        return { ...base, kind: "net", loopback: false, sysctls: {} }
      case "time":
        return { ...before, ...base }
      case "cgroup":
        return { ...base, kind: "cgroup", roots: process.cgroups }
      case "pid":
        refer(draft, before.id)
        return { ...base, kind: "pid", parent: before.id, init: 0, dead: false, next: 1 }
      default:
        return fail("EINVAL")
    }
  })()
  draft.namespaces = draft.namespaces.set(id, made)
  refer(draft, owner)
  return id
}

const makeUser = (draft: Draft, process: Process): number => {
  const id = takeId(draft)
  const parent = process.namespaces.user
  refer(draft, parent)
  draft.namespaces = draft.namespaces.set(id, {
    ...common(id, 0),
    kind: "user",
    parent,
    creator: process.uid,
    uidMap: [],
    gidMap: []
  })
  return id
}

/** Puts a process into a namespace in place of its own of that kind. */
const swap = (
  draft: Draft,
  pid: number,
  kind: NamespaceKind,
  id: number,
  extra: Partial<Process> = {}
): void => {
  const process = processOf(draft, pid)
  refer(draft, id)
  alter(draft, pid, { ...extra, namespaces: { ...process.namespaces, [kind]: id } })
  releaseNamespace(draft, process.namespaces[kind])
}

/**
 * Gives a process new namespaces: EPERM without CAP_SYS_ADMIN, which a new user namespace brings
 * with it. Pid and time namespaces are for its children (unshare(2)), unless it is just being
 * `born` (clone(2)).
 */
export const unshare = (
  draft: Draft,
  pid: number,
  wanted: ReadonlyArray<NamespaceKind>,
  born: boolean
): void => {
  const parentUser = processOf(draft, pid).namespaces.user
  if (wanted.includes("user")) {
    swap(draft, pid, "user", makeUser(draft, processOf(draft, pid)), {
      capabilities: fullCapabilities(draft)
    })
  }
  const user = processOf(draft, pid).namespaces.user
  for (const kind of kinds) {
    if (kind === "user" || !wanted.includes(kind)) continue
    const process = processOf(draft, pid)
    requireCapability(draft, process, capability.sysAdmin, user)
    if (kind === "mnt") {
      const id = takeId(draft)
      const { root, move } = copyMounts(draft, process, id, user !== parentUser)
      draft.namespaces = draft.namespaces.set(id, { ...common(id, user), kind: "mnt", root })
      refer(draft, user)
      swap(draft, pid, "mnt", id, { root: move(process.root), directory: move(process.directory) })
      continue
    }
    const id = makeSimple(draft, process, kind, user)
    if (!born && kind === "pid") setForChildren(draft, pid, "pidForChildren", id)
    else if (!born && kind === "time") setForChildren(draft, pid, "timeForChildren", id)
    else if (kind === "pid") swap(draft, pid, kind, id, { pidForChildren: id })
    else if (kind === "time") swap(draft, pid, kind, id, { timeForChildren: id })
    else swap(draft, pid, kind, id)
  }
}

/** setns(2): EPERM without CAP_SYS_ADMIN in the namespace's owner and, for mnt, in one's own. */
export const enter = (draft: Draft, pid: number, kind: NamespaceKind, id: number): void => {
  const process = processOf(draft, pid)
  const namespace = namespaceAt(draft, kind, id)
  const owner = namespace.kind === "user" ? namespace.id : namespace.owner
  requireCapability(draft, process, capability.sysAdmin, owner)
  switch (kind) {
    case "pid":
      return setForChildren(draft, pid, "pidForChildren", id)
    case "user":
      if (process.namespaces.user === id) fail("EINVAL")
      return swap(draft, pid, kind, id, { capabilities: fullCapabilities(draft) })
    case "time":
      setForChildren(draft, pid, "timeForChildren", process.namespaces.time)
      return swap(draft, pid, kind, id, { timeForChildren: id })
    case "mnt": {
      requireCapability(draft, process, capability.sysAdmin)
      const { root } = namespaceAt(draft, "mnt", id)
      const place: Place = { mount: root, node: draft.mounts.get(root)!.root }
      return swap(draft, pid, kind, id, { root: place, directory: place })
    }
    default:
      return swap(draft, pid, kind, id)
  }
}
