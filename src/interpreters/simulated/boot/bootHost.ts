/**
 * Switches a host on: its file systems, control groups, and the processes it always has. What its disk
 * holds and its records are those of before when it is switched on again.
 */
import { builtins } from "../behaviours/builtins.ts"
import { alter, close, type Draft, open } from "../Draft.ts"
import type { HostProfile } from "../HostProfile.ts"
import { withoutUnsynced } from "../files/syncing.ts"
import { fullCapabilities } from "../processes/credentials.ts"
import { noDescriptors } from "../processes/descriptors.ts"
import { fork } from "../processes/fork.ts"
import type { Process } from "../processes/Process.ts"
import { cancel } from "../processes/schedule.ts"
import * as Sorted from "../Sorted.ts"
import { Table } from "../Table.ts"
import type { Inode, InitialNamespaces, Namespace, Records, World } from "../World.ts"
import { bootCgroups } from "./bootCgroups.ts"
import { mountHost, type RootTree } from "./mountHost.ts"

/** Microseconds the host has been up. */
const uptime = 100_000_000

const noRecords: Records = { rows: Sorted.empty(), names: Sorted.empty() }

/** Numbers of the first namespaces; they come before anything that takes a number. */
const initial: InitialNamespaces = {
  user: 1, mnt: 2, uts: 3, ipc: 4, net: 5, pid: 6, cgroup: 7, time: 8
}

const everyId = [{ inside: 0, outside: 0, count: 2 ** 32 - 1 }]

const firstNamespaces = (host: HostProfile): ReadonlyArray<Namespace> => {
  const common = (id: number) => ({ id, owner: 0, references: 1 })
  return [
    {
      ...common(initial.user),
      kind: "user",
      parent: 0,
      creator: 0,
      uidMap: everyId,
      gidMap: everyId
    },
    { ...common(initial.mnt), kind: "mnt", root: 0 },
    { ...common(initial.uts), kind: "uts", hostname: host.hostname, domainname: "" },
    { ...common(initial.ipc), kind: "ipc", sysctls: {} },
    { ...common(initial.net), kind: "net", loopback: true, sysctls: {} },
    { ...common(initial.pid), kind: "pid", parent: 0, init: 1, dead: false, next: 2 },
    { ...common(initial.cgroup), kind: "cgroup", roots: [] },
    { ...common(initial.time), kind: "time", monotonic: 0, boottime: 0 }
  ]
}

/** A host that is being switched on: its kernel has namespaces and nothing else. */
const emptyWorld = ({ host, now, random }: Pick<World, "host" | "now" | "random">): World => ({
  host,
  now,
  bootedAt: now - uptime,
  random,
  nextId: 20,
  nextInode: 2,
  nextDevice: 20,
  inodes: Table.empty(),
  filesystems: Table.empty(),
  mounts: Table.empty(),
  namespaces: Table.from(firstNamespaces(host).map((one) => [one.id, one])),
  hierarchies: [],
  cgroups: Table.empty(),
  processes: Table.empty(),
  timers: [],
  pipes: Table.empty(),
  terminals: Table.empty(),
  channels: Table.empty(),
  handles: Table.empty(),
  records: {
    containers: noRecords, images: noRecords, names: noRecords, layers: noRecords, leases: noRecords, execs: noRecords
  },
  sysctls: {},
  commands: [],
  initFaults: [],
  initial,
  namespaceMount: 0
})

/** The host's init: everything descends from it. */
const firstProcess = (draft: Draft): Process => ({
  pid: 1,
  parent: 0,
  children: [],
  pids: [{ namespace: initial.pid, pid: 1 }],
  startTime: 1,
  startedAt: draft.bootedAt,
  task: { _tag: "Idle" },
  state: "running",
  due: false,
  pending: [],
  argv: ["/sbin/init"],
  environment: [],
  executable: "/sbin/init",
  namespaces: initial,
  pidForChildren: initial.pid,
  timeForChildren: initial.time,
  root: { mount: 0, node: 0 },
  directory: { mount: 0, node: 0 },
  umask: 0o022,
  uid: 0,
  gid: 0,
  groups: [],
  capabilities: fullCapabilities(draft),
  noNewPrivileges: false,
  seccomp: 0,
  limits: {},
  oomScoreAdjust: 0,
  keyring: "",
  personality: 0,
  cgroups: [],
  memory: 0,
  cpu: 0,
  stdio: noDescriptors,
  pipes: [],
  terminal: 0,
  session: 1
})

const daemons: ReadonlyArray<ReadonlyArray<string>> = [["/lib/systemd/systemd-journald"], [
  "/usr/sbin/sshd",
  "-D"
]]

const startDaemons = (draft: Draft): void => {
  for (const argv of daemons) {
    const pid = fork(draft, 1, { task: { _tag: "Idle" } })
    cancel(draft, pid)
    alter(draft, pid, { argv, executable: argv[0]!, session: pid })
  }
}

/** `prepare` puts files where they are to be before anything runs. */
export const bootHost = (
  options: Pick<World, "host" | "now" | "random">, prepare: (draft: Draft) => void
): World => {
  const empty = emptyWorld(options)
  const draft = open(empty, 1, builtins)
  draft.processes = draft.processes.set(1, firstProcess(draft))
  mountHost(draft)
  bootCgroups(draft)
  prepare(draft)
  startDaemons(draft)
  return close(draft, empty)
}

/** The directory and all below it. */
const reachable = (inodes: Table<Inode>, root: number): Table<Inode> => {
  const found = new Map<number, Inode>()
  const waiting = [root]
  for (let number = waiting.pop(); number !== undefined; number = waiting.pop()) {
    const inode = inodes.get(number)
    if (inode === undefined || found.has(number)) continue
    // Nobody listens any more
    found.set(number, inode.type === "socket" ? { ...inode, listener: 0 } : inode)
    if (inode.type === "directory") waiting.push(...inode.entries.values)
  }
  return Table.from([...found].sort(([one], [other]) => one - other))
}

const rootTreeOf = (world: World): RootTree => {
  const namespace = world.namespaces.get(world.initial.mnt)
  const mount = namespace?.kind === "mnt" ? world.mounts.get(namespace.root) : undefined
  const filesystem = mount === undefined ? undefined : world.filesystems.get(mount.filesystem)
  if (filesystem?.content._tag !== "Tree" || typeof filesystem.root !== "number") {
    throw new Error("a host's root file system is a tree of inodes")
  }
  return { root: filesystem.root, used: filesystem.content.used }
}

/** Microseconds from the loss of power to where a host is up again. */
const downtime = 30_000_000

/**
 * The power fails and the host comes up again: processes, mounts, control groups, locks and what lay in
 * memory have gone, of layers what nobody has synced; the rest of the disk and the records are as they were, the boot
 * id is another.
 */
export const reboot = (world: World): World => {
  const { inodes, lost } = withoutUnsynced(world.inodes)
  const tree = rootTreeOf(world)
  const empty: World = {
    ...emptyWorld({ host: world.host, now: world.now + downtime + uptime, random: world.random }),
    nextInode: world.nextInode,
    inodes: reachable(inodes, tree.root),
    records: world.records,
    commands: world.commands
  }
  const draft = open(empty, 1, builtins)
  draft.processes = draft.processes.set(1, firstProcess(draft))
  mountHost(draft, { ...tree, used: Math.max(0, tree.used - lost) })
  bootCgroups(draft)
  startDaemons(draft)
  return close(draft, empty)
}
