/**
 * What must hold in every world, whatever was done in it: counters agree with what they count,
 * references lead somewhere, and the kernel's own rules are kept. A broken one is a fault of the
 * simulation.
 */
import type { Process } from "../processes/Process.ts"
import type { World } from "../World.ts"
import type { Finding } from "./leaks.ts"

type Check = (world: World) => ReadonlyArray<string>

const subtree = (world: World, id: number): ReadonlyArray<number> => {
  const cgroup = world.cgroups.get(id)
  return cgroup === undefined
    ? []
    : [id, ...cgroup.children.values.flatMap((child) => subtree(world, child))]
}

const cgroupCounters: Check = (world) => {
  const processes = world.processes.values()
  return world.cgroups.values().flatMap((cgroup) => {
    const ids = new Set(subtree(world, cgroup.id))
    const charged = processes.filter((one) => ids.has(one.cgroups[cgroup.hierarchy] ?? -1))
    const alive = charged.filter((one) => one.state !== "zombie")
    const own = alive.filter((one) => one.cgroups[cgroup.hierarchy] === cgroup.id).map((one) =>
      one.pid
    ).sort()
    const memory = alive.reduce((sum, one) => sum + one.memory, 0)
    const name = `cgroup ${cgroup.id} (${cgroup.name})`
    return [
      ...(cgroup.tasks === charged.length
        ? []
        : [`${name}: ${cgroup.tasks} tasks charged instead of ${charged.length}`]),
      ...(cgroup.population === alive.length
        ? []
        : [`${name}: population ${cgroup.population} instead of ${alive.length}`]),
      ...(cgroup.memory === memory ? [] : [`${name}: ${cgroup.memory} bytes instead of ${memory}`]),
      ...(String([...cgroup.processes].sort()) === String(own)
        ? []
        : [`${name}: processes ${cgroup.processes.join(" ")} instead of ${own.join(" ")}`]),
      ...(world.hierarchies[cgroup.hierarchy]!.version === 2 && cgroup.parent !== 0 &&
          cgroup.subtree.length > 0 && own.length > 0
        ? [`${name}: has processes and hands controllers on`] :
        [])
    ]
  })
}

/** Users of every namespace, as its references should count them. */
const namespaceUsers = (world: World): ReadonlyMap<number, number> => {
  const users = new Map<number, number>()
  const use = (id: number) => users.set(id, (users.get(id) ?? 0) + 1)
  for (const process of world.processes.values()) {
    use(process.namespaces.pid)
    if (process.pidForChildren !== process.namespaces.pid) use(process.pidForChildren)
    if (process.state === "zombie") continue
    for (const kind of ["user", "mnt", "uts", "ipc", "net", "cgroup", "time"] as const) {
      use(process.namespaces[kind])
    }
    if (process.timeForChildren !== process.namespaces.time) use(process.timeForChildren)
  }
  for (const namespace of world.namespaces.values()) {
    if (namespace.owner !== 0) use(namespace.owner)
    if ((namespace.kind === "pid" || namespace.kind === "user") && namespace.parent !== 0) {
      use(namespace.parent)
    }
  }
  return users
}

const namespaceReferences: Check = (world) => {
  const users = namespaceUsers(world)
  return world.namespaces.values().flatMap(({ id, kind, references }) => {
    const expected = users.get(id) ?? 0
    return references === expected
      ? []
      : [`${kind} namespace ${id}: ${references} references instead of ${expected}`]
  })
}

const filesystemReferences: Check = (world) => {
  const users = new Map<number, number>()
  const use = (id: number) => users.set(id, (users.get(id) ?? 0) + 1)
  for (const mount of world.mounts.values()) use(mount.filesystem)
  for (const { content } of world.filesystems.values()) {
    if (content._tag !== "Overlay") continue
    for (const layer of content.lower) use(layer.filesystem)
    if (content.upper !== undefined) use(content.upper.filesystem)
  }
  return world.filesystems.values().flatMap((one) =>
    one.references === (users.get(one.id) ?? 0)
      ? []
      : [`${one.type} ${one.id}: ${one.references} references instead of ${users.get(one.id) ?? 0}`]
  )
}

const mountTree: Check = (world) =>
  world.mounts.values().flatMap((mount) => {
    const parent = world.mounts.get(mount.parent)
    if (mount.parent !== 0 && parent?.children.includes(mount.id) !== true) {
      return [`mount ${mount.id}: not a child of ${mount.parent}`]
    }
    if (parent !== undefined && parent.namespace !== mount.namespace) {
      return [`mount ${mount.id}: in another namespace than its parent`]
    }
    const lost = mount.children.filter((child) => world.mounts.get(child)?.parent !== mount.id)
    return lost.map((child) => `mount ${mount.id}: child ${child} stands elsewhere`)
  })

const inodeLinks: Check = (world) => {
  const names = new Map<number, number>()
  const missing: Array<string> = []
  world.inodes.forEach((inode, number) => {
    if (inode.type !== "directory") return
    for (const [index, child] of inode.entries.values.entries()) {
      names.set(child, (names.get(child) ?? 0) + 1)
      if (world.inodes.get(child) === undefined) {
        missing.push(`directory ${number}: ${inode.entries.keys[index]} leads nowhere`)
      }
    }
  })
  world.inodes.forEach((inode, number) => {
    if (inode.type !== "directory" && inode.links !== (names.get(number) ?? 0)) {
      missing.push(`inode ${number}: ${inode.links} links, ${names.get(number) ?? 0} names`)
    }
  })
  return missing
}

const processTree: Check = (world) =>
  world.processes.values().flatMap((process) => {
    const parent = world.processes.get(process.parent)
    const found: Array<string> = []
    if (process.parent !== 0 && parent?.children.includes(process.pid) !== true) {
      found.push(`process ${process.pid}: not a child of ${process.parent}`)
    }
    for (const child of process.children) {
      if (world.processes.get(child)?.parent !== process.pid) {
        found.push(`process ${process.pid}: child ${child} is another's`)
      }
    }
    return found
  })

const timers: Check = (world) => {
  const seen = new Set<number>()
  return world.timers.flatMap((timer, index) => {
    const before = world.timers[index - 1]
    const found: Array<string> = []
    if (seen.has(timer.pid)) found.push(`process ${timer.pid} has two turns to come`)
    seen.add(timer.pid)
    if (
      before !== undefined &&
      (before.at > timer.at || (before.at === timer.at && before.tie > timer.tie))
    ) found.push("turns are out of order")
    return found
  })
}

const pipes: Check = (world) => {
  const ends = new Map<string, number>()
  const add = (pipe: number, end: string) =>
    ends.set(`${pipe} ${end}`, (ends.get(`${pipe} ${end}`) ?? 0) + 1)
  for (const process of world.processes.values()) {
    for (const one of process.stdio) {
      if (one._tag === "PipeRead") add(one.pipe, "readers")
      if (one._tag === "PipeWrite") add(one.pipe, "writers")
    }
    for (const id of process.pipes) {
      add(id, "readers")
      add(id, "writers")
    }
    for (const [pipe, end] of supervisorEnds(process)) add(pipe, end)
  }
  return world.pipes.values().flatMap((pipe) =>
    (["readers", "writers"] as const).flatMap((end) => {
      const expected = ends.get(`${pipe.id} ${end}`) ?? 0
      return pipe[end] === expected
        ? []
        : [`pipe ${pipe.id}: ${pipe[end]} ${end} instead of ${expected}`]
    })
  )
}

const supervisorEnds = (
  process: Process
): ReadonlyArray<readonly [number, "readers" | "writers"]> => {
  if (process.task._tag !== "Supervisor" || process.state === "zombie") return []
  const { stdin, stdout, stderr } = process.task
  return [[stdin, "writers"], [stdout, "readers"], [stderr, "readers"]]
}

/** Exclusive locks exclude, names are the index of the rows. */
const locks: Check = (world) => {
  const held = world.handles.values().filter((one) => one._tag === "Lock")
  return held.flatMap((one) =>
    held.some((other) =>
        other.id > one.id && other.filesystem === one.filesystem && other.node === one.node &&
        !(one.shared && other.shared)
      )
      ? [`lock on ${one.path} is held twice`]
      : []
  )
}

/** Names of records are unique, and each leads to the row that has it. */
export const namesUnique: Check = (world) =>
  Object.entries(world.records).flatMap(([collection, { rows, names }]) => {
    const named = rows.values.filter((row) => row.name !== "")
    const twice = named.filter((row, index) =>
      named.findIndex((other) => other.name === row.name) !== index
    )
    const wrong = names.keys.filter((name, index) =>
      !named.some((row) => row.name === name && row.key === names.values[index])
    )
    return [
      ...twice.map((row) => `${collection}: the name ${row.name} is taken twice`),
      ...wrong.map((name) => `${collection}: the name ${name} leads to no row`),
      ...(names.keys.length === named.length
        ? []
        : [`${collection}: ${names.keys.length} names for ${named.length} rows`])
    ]
  })

const checks: { readonly [kind: string]: Check } = {
  "cgroup counters": cgroupCounters, "namespace references": namespaceReferences,
  "file system references": filesystemReferences, mounts: mountTree, inodes: inodeLinks,
  processes: processTree, timers, pipes, locks, records: namesUnique
}

/** Everything that does not hold. */
export const brokenInvariants = (world: World): ReadonlyArray<Finding> =>
  Object.entries(checks).flatMap(([kind, check]) => check(world).map((what) => ({ kind, what })))
