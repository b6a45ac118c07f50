/**
 * What can be seen of a simulated host from outside, for checks: files, control groups, processes
 * by name.
 */
import { type Draft, open } from "../Draft.ts"
import { textOf } from "../files/Driver.ts"
import { driverOf } from "../files/drivers.ts"
import { readFile } from "../files/fileCalls.ts"
import { cgroupPath } from "../mounts/mountInfo.ts"
import { namespaceAt } from "../processes/namespaces.ts"
import type { Process } from "../processes/Process.ts"
import type { Filesystem, Node, World } from "../World.ts"

/** The host's own processes look: pid 1 may see everything. */
const asHost = (world: World): Draft => open(world, 1, {})

/** The text of a file, as the host's root reads it; `undefined` when it can't be read. */
export const hostText = (world: World, path: string): string | undefined => {
  try {
    return textOf(readFile(asHost(world), path))
  } catch {
    return undefined
  }
}

const below = (
  draft: Draft,
  filesystem: Filesystem,
  node: Node,
  path: string,
  paths: Array<string>
): void => {
  const driver = driverOf(filesystem)
  if (driver.attributes(draft, filesystem, node).type !== "directory") return
  for (const name of driver.list(draft, filesystem, node)) {
    const child = driver.lookup(draft, filesystem, node, name)
    if (child === undefined) continue
    paths.push(`${path}/${name}`)
    below(draft, filesystem, child, `${path}/${name}`, paths)
  }
}

/** Every path that the host's own file systems hold (trees, each at its first mount), sorted. */
export const hostPaths = (world: World): ReadonlyArray<string> => {
  const draft = asHost(world)
  const { root } = namespaceAt(draft, "mnt", draft.initial.mnt)
  const paths: Array<string> = []
  const visit = (id: number, point: string): void => {
    const mount = draft.mounts.get(id)!
    const filesystem = draft.filesystems.get(mount.filesystem)!
    if (filesystem.content._tag === "Tree") below(draft, filesystem, mount.root, point, paths)
    for (const child of mount.children) {
      visit(child, mountPoint(draft, child, point, mount.filesystem))
    }
  }
  visit(root, "")
  return [...new Set(paths)].sort()
}

/** Where a mount stands, given where its parent does. */
const mountPoint = (
  draft: Draft,
  id: number,
  parentPoint: string,
  parentFilesystem: number
): string => {
  const { at, parent } = draft.mounts.get(id)!
  if (typeof at === "string") return `${parentPoint}${at}`
  const filesystem = draft.filesystems.get(parentFilesystem)!
  const names: Array<string> = []
  const top = draft.mounts.get(parent)!.root
  for (let node: number = at; node !== top && node !== filesystem.root;) {
    const inode = draft.inodes.get(node)
    const directory = inode === undefined ? undefined : draft.inodes.get(inode.parent)
    if (inode === undefined || directory?.type !== "directory") break
    names.push(directory.entries.keys[directory.entries.values.indexOf(node)] ?? "?")
    node = inode.parent
  }
  return `${parentPoint}${names.reverse().map((name) => `/${name}`).join("")}`
}

/** Paths of all control groups, the hierarchy's number in front: `0:/fx/abc`. */
export const cgroupPaths = (world: World): ReadonlyArray<string> => {
  const draft = asHost(world)
  return draft.cgroups.values().filter((one) => one.parent !== 0)
    .map((one) => `${one.hierarchy}:${cgroupPath(draft, one.id)}`).sort()
}

/** Live processes, engines left out. */
export const liveProcesses = (world: World): ReadonlyArray<Process> =>
  world.processes.values().filter((one) => one.state !== "zombie" && one.task._tag !== "Engine")

/** A process in words, for findings. */
export const describeProcess = (process: Process): string =>
  `${process.pid} ${process.argv.join(" ")} (${process.task._tag})`
