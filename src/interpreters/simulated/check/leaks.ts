/**
 * What a run has left on a host that was not there before: the oracle for "clean by construction".
 */
import type { World } from "../World.ts"
import { cgroupPaths, describeProcess, hostPaths } from "./hostView.ts"

export interface Finding {
  readonly kind: string
  readonly what: string
}

export interface LeakOptions {
  /** Directories whose content may change. */
  readonly allowed?: ReadonlyArray<string>
}

const beyond = (
  kind: string,
  before: ReadonlyArray<string>,
  after: ReadonlyArray<string>
): ReadonlyArray<Finding> => {
  const known = new Set(before)
  return after.filter((one) => !known.has(one)).map((what) => ({ kind, what }))
}

const mountsOf = (world: World): ReadonlyArray<string> =>
  world.mounts.values().map((mount) =>
    `${mount.id} in namespace ${mount.namespace}: ${world.filesystems.get(mount.filesystem)?.type}`
  )

const processesOf = (world: World): ReadonlyArray<string> =>
  world.processes.values().filter((one) => one.task._tag !== "Engine").map(describeProcess)

const namespacesOf = (world: World): ReadonlyArray<string> =>
  world.namespaces.values().map((one) => `${one.kind} ${one.id}`)

const filesystemsOf = (world: World): ReadonlyArray<string> =>
  world.filesystems.values().map((one) => `${one.type} ${one.id}`)

const numbers = (
  kind: string,
  table: { readonly values: () => ReadonlyArray<{ readonly id: number }> }
) => table.values().map((one) => `${kind} ${one.id}`)

/** Handles of engines that still live are theirs; of the others there must be none. */
const handlesOf = (world: World): ReadonlyArray<string> =>
  world.handles.values().filter((one) => world.processes.get(one.owner) === undefined).map((one) =>
    `${one._tag} ${one.id} of ${one.owner}`
  )

/** Everything that `after` has and `before` had not. */
export const leaks = (
  before: World,
  after: World,
  options: LeakOptions = {}
): ReadonlyArray<Finding> => {
  const allowed = options.allowed ?? []
  const isAllowed = (path: string) =>
    allowed.some((one) => path === one || path.startsWith(`${one}/`))
  return [
    ...beyond("process", processesOf(before), processesOf(after)),
    ...beyond("mount", mountsOf(before), mountsOf(after)),
    ...beyond("file system", filesystemsOf(before), filesystemsOf(after)),
    ...beyond("namespace", namespacesOf(before), namespacesOf(after)),
    ...beyond("cgroup", cgroupPaths(before), cgroupPaths(after)),
    ...beyond("pipe", numbers("pipe", before.pipes), numbers("pipe", after.pipes)),
    ...beyond(
      "terminal",
      numbers("terminal", before.terminals),
      numbers("terminal", after.terminals)
    ),
    ...beyond("channel", numbers("channel", before.channels), numbers("channel", after.channels)),
    ...beyond("handle", handlesOf(before), handlesOf(after)),
    ...beyond("file", hostPaths(before), hostPaths(after).filter((path) => !isAllowed(path)))
  ]
}
