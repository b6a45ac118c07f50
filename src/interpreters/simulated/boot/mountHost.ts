/** The mounts of a host after boot: its root, /proc, /sys, /dev and /run, and the nodes in /dev. */
import { alter, type Draft } from "../Draft.ts"
import { createAt, ensureDirectory, makeSymlink } from "../files/fileCalls.ts"
import { resolve, resolveEntry } from "../files/resolve.ts"
import { newInode } from "../files/treeDriver.ts"
import { openFilesystem } from "../mounts/filesystemTypes.ts"
import {
  alterMount, graft, makeFilesystem, makeMount, noFlags, withAttributes
} from "../mounts/mountTree.ts"
import { setPropagation } from "../mounts/propagation.ts"
import { alterNamespace } from "../processes/namespaces.ts"
import type { MountFlags } from "../World.ts"

const directory = (draft: Draft): number =>
  newInode(draft, { type: "directory", mode: 0o755, uid: 0, gid: 0 }, 0)

const put = (draft: Draft, mount: number, path: string): void => {
  ensureDirectory(draft, path, 0o755)
  const place = resolve(draft, path, true)
  graft(draft, mount, place.mount, place.node)
}

/** A tree with a type and an options text of its own. */
const treeMount = (draft: Draft, type: string, options: string, flags: MountFlags): number => {
  const root = directory(draft)
  const id = makeFilesystem(draft, {
    type,
    source: type,
    options,
    root,
    content: { _tag: "Tree", limit: 0, used: 0 }
  })
  return makeMount(draft, id, root, flags)
}

/** What a root file system holds: its directory, and the bytes in use. */
export interface RootTree {
  readonly root: number
  readonly used: number
}

const mountRoot = (draft: Draft, { root, used }: RootTree): void => {
  const id = makeFilesystem(draft, {
    type: draft.host.rootFilesystem,
    source: "/dev/vda",
    options: "discard",
    device: draft.host.rootFilesystem === "btrfs" ? "0:25" : "254:0",
    root,
    content: { _tag: "Tree", limit: 0, used }
  })
  const mount = makeMount(draft, id, root, noFlags)
  alterMount(draft, mount, { namespace: draft.initial.mnt })
  alterNamespace(draft, "mnt", draft.initial.mnt, { root: mount })
  const place = { mount, node: root }
  alter(draft, 1, { root: place, directory: place })
}

/** name, major, minor, mode (Documentation/admin-guide/devices.txt). */
const nodes = [
  ["null", 1, 3, 0o666],
  ["zero", 1, 5, 0o666],
  ["full", 1, 7, 0o666],
  ["random", 1, 8, 0o666],
  ["urandom", 1, 9, 0o666],
  ["tty", 5, 0, 0o666],
  ["console", 5, 1, 0o600],
  ["ptmx", 5, 2, 0o666],
  ["kmsg", 1, 11, 0o644],
  ["fuse", 10, 229, 0o666]
] as const

const makeDevices = (draft: Draft): void => {
  const node = (
    name: string,
    type: "character" | "block",
    major: number,
    minor: number,
    mode: number
  ) =>
    createAt(draft, resolveEntry(draft, `/dev/${name}`, false), name, {
      type, major, minor, mode, uid: 0, gid: 0
    })
  for (const [name, major, minor, mode] of nodes) node(name, "character", major, minor, mode)
  for (const disk of draft.host.disks) node(disk.name, "block", disk.major, disk.minor, 0o660)
  for (
    const [name, target] of [["fd", "/proc/self/fd"], ["stdin", "/proc/self/fd/0"], [
      "stdout",
      "/proc/self/fd/1"
    ], ["stderr", "/proc/self/fd/2"]] as const
  ) {
    makeSymlink(draft, target, `/dev/${name}`)
  }
}

const nosuid = withAttributes(noFlags, ["nosuid", "nodev", "noexec"])

/** On an empty disk, or one that is there already. */
export const mountHost = (draft: Draft, tree?: RootTree): void => {
  const namespaces = makeFilesystem(draft, {
    type: "nsfs",
    source: "nsfs",
    options: "",
    root: 0,
    content: { _tag: "Namespaces" }
  })
  draft.namespaceMount = makeMount(draft, namespaces, 0, noFlags)
  mountRoot(draft, tree ?? { root: directory(draft), used: 0 })
  put(draft, openFilesystem(draft, "proc", "proc", [], nosuid, "/proc"), "/proc")
  put(draft, treeMount(draft, "sysfs", "", nosuid), "/sys")
  for (
    const path of [
      "block", "class/net", "devices/system/cpu", "devices/virtual/powercap", "firmware",
      "fs/cgroup", "kernel/security"
    ]
  ) {
    ensureDirectory(draft, `/sys/${path}`, 0o755)
  }
  put(draft, treeMount(draft, "devtmpfs", "mode=755", withAttributes(noFlags, ["nosuid"])), "/dev")
  makeDevices(draft)
  put(
    draft,
    openFilesystem(
      draft,
      "devpts",
      "devpts",
      [
        { key: "gid", value: "5" },
        { key: "mode", value: "620" },
        { key: "ptmxmode", value: "000" }
      ],
      withAttributes(noFlags, ["nosuid", "noexec"]),
      "/dev/pts"
    ),
    "/dev/pts"
  )
  put(
    draft,
    openFilesystem(
      draft,
      "tmpfs",
      "tmpfs",
      [{ key: "mode", value: "1777" }],
      withAttributes(noFlags, ["nosuid", "nodev"]),
      "/dev/shm"
    ),
    "/dev/shm"
  )
  put(draft, openFilesystem(draft, "mqueue", "mqueue", [], nosuid, "/dev/mqueue"), "/dev/mqueue")
  put(
    draft,
    openFilesystem(
      draft,
      "tmpfs",
      "tmpfs",
      [{ key: "mode", value: "755" }],
      withAttributes(noFlags, ["nosuid", "nodev"]),
      "/run"
    ),
    "/run"
  )
  if (draft.host.sharedRoot) setPropagation(draft, draft.processes.get(1)!.root.mount, "rshared")
}
