/**
 * A simulated host as it is after boot: files, mounts, control groups, and the processes it always
 * has.
 */
import { builtins } from "./behaviours/builtins.ts"
import { bootCgroups } from "./boot/bootCgroups.ts"
import { hostTree } from "./boot/hostTree.ts"
import { mountHost } from "./boot/mountHost.ts"
import { alter, close, type Draft, open } from "./Draft.ts"
import { bytesOf, type NewNode } from "./files/Driver.ts"
import { createAt, ensureDirectory, makeSymlink, writeFile } from "./files/fileCalls.ts"
import { resolveEntry } from "./files/resolve.ts"
import { defaultHost, type HostProfile } from "./HostProfile.ts"
import { fullCapabilities, noCapabilities } from "./processes/credentials.ts"
import { noDescriptors } from "./processes/descriptors.ts"
import { endProcess } from "./processes/exit.ts"
import { fork } from "./processes/fork.ts"
import type { Process } from "./processes/Process.ts"
import { cancel } from "./processes/schedule.ts"
import * as Sorted from "./Sorted.ts"
import { Table } from "./Table.ts"
import type { Content, InitialNamespaces, Namespace, Records, World } from "./World.ts"

/** A file of the host: its content, or what it is. */
export type HostFile =
  | Content
  | {
    readonly content: Content
    readonly mode?: number
    readonly uid?: number
    readonly gid?: number
  }
  | {
    readonly directory: true
    readonly mode?: number
    readonly uid?: number
    readonly gid?: number
  }
  | { readonly link: string }

export interface WorldOptions {
  readonly host?: Partial<HostProfile>
  /** Microseconds since the epoch. */
  readonly now?: number
  readonly seed?: number
  /** Further files by absolute path; directories above are made. */
  readonly files?: { readonly [path: string]: HostFile }
  /** Directories that get the root file system of the image fx/hello, and of one with busybox. */
  readonly helloImage?: string
  readonly busyboxImage?: string
}

/** 2026-01-01T00:00:00Z */
const defaultNow = 1_767_225_600_000_000

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

const emptyWorld = (options: WorldOptions): World => {
  const host = { ...defaultHost, ...options.host }
  const now = options.now ?? defaultNow
  return {
    host,
    now,
    bootedAt: now - uptime,
    random: (options.seed ?? 0) >>> 0,
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
    records: { containers: noRecords, images: noRecords, execs: noRecords },
    sysctls: {},
    commands: [],
    initFaults: [],
    initial,
    namespaceMount: 0
  }
}

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

const parentOf = (path: string): string => path.replace(/\/[^/]*$/, "") || "/"

const place = (draft: Draft, path: string, file: HostFile): void => {
  ensureDirectory(draft, parentOf(path), 0o755)
  if (typeof file === "string" || file instanceof Uint8Array) {
    return void writeFile(draft, path, file, { mode: 0o644 })
  }
  if ("link" in file) return void makeSymlink(draft, file.link, path)
  const owner = { uid: file.uid ?? 0, gid: file.gid ?? 0 }
  const made: NewNode = "directory" in file
    ? { type: "directory", mode: file.mode ?? 0o755, ...owner }
    : {
      type: "file",
      content: typeof file.content === "string" ? file.content : bytesOf(file.content),
      mode: file.mode ?? 0o644,
      ...owner
    }
  createAt(draft, resolveEntry(draft, path, false), path, made)
}

const placeAll = (
  draft: Draft,
  directory: string,
  files: { readonly [path: string]: HostFile }
): void => {
  for (const [path, file] of Object.entries(files)) place(draft, `${directory}${path}`, file)
}

/** Boots a host. Its processes are pid 1 and two daemons; engines come by `startEngine`. */
export const makeWorld = (options: WorldOptions = {}): World => {
  const empty = emptyWorld(options)
  const draft = open(empty, 1, builtins)
  draft.processes = draft.processes.set(1, firstProcess(draft))
  mountHost(draft)
  bootCgroups(draft)
  placeAll(draft, "", hostTree(draft.host))
  if (options.helloImage !== undefined) {
    placeAll(draft, options.helloImage, { "/hello": { content: "\u007fELF hello", mode: 0o755 } })
  }
  if (options.busyboxImage !== undefined) {
    placeAll(draft, options.busyboxImage, hostTree(draft.host, "image"))
  }
  placeAll(draft, "", options.files ?? {})
  for (const argv of daemons) {
    const pid = fork(draft, 1, { task: { _tag: "Idle" } })
    cancel(draft, pid)
    alter(draft, pid, { argv, executable: argv[0]!, session: pid })
  }
  return close(draft, empty)
}

/** A new engine process, by its host pid: the one who performs operations. */
export const startEngine = (world: World): readonly [pid: number, world: World] => {
  const draft = open(world, 1, builtins)
  const pid = fork(draft, 1, { task: { _tag: "Engine" } })
  cancel(draft, pid)
  const { user } = draft.host
  alter(draft, pid, {
    argv: ["fx-engine"],
    executable: "/usr/bin/fx-engine",
    session: pid,
    uid: user,
    gid: user,
    ...(user === 0 ? {} : { capabilities: noCapabilities(fullCapabilities(draft).bounding) })
  })
  return [pid, close(draft, world)]
}

/**
 * The end of an engine process, by its own choice or not: the kernel takes its locks, channels and
 * archives.
 */
export const endEngine = (world: World, pid: number): World => {
  const draft = open(world, pid, builtins)
  endProcess(draft, pid, { code: 0, signal: 0 })
  return close(draft, world)
}
