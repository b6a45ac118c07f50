/**
 * Ids and capabilities: a process's uid and gid are kept as the host's; user namespaces map them
 * (user_namespaces(7)), and a capability counts in its own namespace and those below it.
 */
import { type Draft, fail } from "../Draft.ts"
import type { IdRange, NamespaceOf } from "../World.ts"
import type { CapabilitySets, Process } from "./Process.ts"

/** Numbers from include/uapi/linux/capability.h that the simulated kernel asks for. */
export const capability = {
  chown: 0, dacOverride: 1, dacReadSearch: 2, fowner: 3, kill: 5, setgid: 6, setuid: 7, setpcap: 8,
  netAdmin: 12, sysAdmin: 21, sysResource: 24, mknod: 27
} as const

/** Overflow ids: what an unmapped id looks like from inside (/proc/sys/kernel/overflowuid). */
export const overflowId = 65534

export const allCapabilities = (draft: Draft): ReadonlyArray<number> =>
  Array.from({ length: draft.host.lastCapability + 1 }, (_, number) => number)

export const fullCapabilities = (draft: Draft): CapabilitySets => {
  const all = allCapabilities(draft)
  return { effective: all, permitted: all, inheritable: [], bounding: all, ambient: [] }
}

export const noCapabilities = (bounding: ReadonlyArray<number>): CapabilitySets => ({
  effective: [],
  permitted: [],
  inheritable: [],
  bounding,
  ambient: []
})

export const userNamespace = (draft: Draft, id: number): NamespaceOf<"user"> => {
  const namespace = draft.namespaces.get(id)
  return namespace?.kind === "user" ? namespace : fail("EINVAL")
}

const outside = (ranges: ReadonlyArray<IdRange>, id: number): number | undefined => {
  for (const range of ranges) {
    if (id >= range.inside && id < range.inside + range.count) {
      return range.outside + id - range.inside
    }
  }
  return undefined
}

const inside = (ranges: ReadonlyArray<IdRange>, id: number): number | undefined => {
  for (const range of ranges) {
    if (id >= range.outside && id < range.outside + range.count) {
      return range.inside + id - range.outside
    }
  }
  return undefined
}

type Kind = "uidMap" | "gidMap"

/** The host's id for one of a user namespace; `undefined` when it is not mapped. */
export const toHost = (draft: Draft, user: number, kind: Kind, id: number): number | undefined => {
  const namespace = userNamespace(draft, user)
  const above = outside(namespace[kind], id)
  return above === undefined || namespace.parent === 0
    ? above
    : toHost(draft, namespace.parent, kind, above)
}

/** A host id as a user namespace sees it; `undefined` when it is not mapped. */
export const toInside = (
  draft: Draft,
  user: number,
  kind: Kind,
  id: number
): number | undefined => {
  const namespace = userNamespace(draft, user)
  const above = namespace.parent === 0 ? id : toInside(draft, namespace.parent, kind, id)
  return above === undefined ? undefined : inside(namespace[kind], above)
}

/** Whether both ids of a file exist in the user namespace. */
export const mapsToInside = (draft: Draft, user: number, uid: number, gid: number): boolean =>
  draft.initial.user === user ||
  (toInside(draft, user, "uidMap", uid) !== undefined &&
    toInside(draft, user, "gidMap", gid) !== undefined)

/** ns_capable(9): in its own namespace and, as owner or with the capability, in those below. */
export const hasCapability = (
  draft: Draft,
  process: Process,
  number: number,
  user: number
): boolean => {
  let at = user
  for (;;) {
    if (process.namespaces.user === at) return process.capabilities.effective.includes(number)
    const namespace = userNamespace(draft, at)
    if (namespace.parent === 0) return false
    if (namespace.parent === process.namespaces.user && namespace.creator === process.uid) {
      return true
    }
    at = namespace.parent
  }
}

export const requireCapability = (
  draft: Draft,
  process: Process,
  number: number,
  user: number = process.namespaces.user
): void => {
  if (!hasCapability(draft, process, number, user)) fail("EPERM")
}

/** Whether `sender` may signal `target` (kill(2)). */
export const maySignal = (draft: Draft, sender: Process, target: Process): boolean =>
  sender.uid === target.uid || hasCapability(draft, sender, capability.kill, target.namespaces.user)
