/**
 * fsopen(2) to fsmount(2) of the types a container mounts: which options each takes, and what is in
 * a new one. The result is a detached mount.
 */
import { current, type Draft, fail, Failure } from "../Draft.ts"
import { newInode, treeDriver } from "../files/treeDriver.ts"
import { namespaceAt } from "../processes/namespaces.ts"
import type { FilesystemContent, MountFlags } from "../World.ts"
import {
  common, describeOption, type FilesystemOption, known, type Options, parseId, parseOctal, parseSize
} from "./filesystemOptions.ts"
import { cgroupPath } from "./mountInfo.ts"
import { makeFilesystem, makeMount, noFlags } from "./mountTree.ts"

const ownId = (draft: Draft, kind: "uidMap" | "gidMap", options: Options, key: string): number => {
  const given = options.get(key)
  const process = current(draft)
  return given === undefined
    ? kind === "uidMap" ? process.uid : process.gid
    : parseId(draft, kind, given)
}

const rootDirectory = (draft: Draft, options: Options, mode: number): number => {
  const given = options.get("mode")
  return newInode(draft, {
    type: "directory",
    mode: given === undefined ? mode : parseOctal(given),
    uid: ownId(draft, "uidMap", options, "uid"),
    gid: ownId(draft, "gidMap", options, "gid")
  }, 0)
}

interface Made {
  readonly root: number | string
  readonly content: FilesystemContent
  readonly options: string
}

/** A file system that holds nothing but what it is given. */
const tree = (root: number, limit = 0): Pick<Made, "root" | "content"> => ({
  root,
  content: { _tag: "Tree", limit, used: 0 }
})

const makeTmpfs = (draft: Draft, options: Options): Made => {
  const size = options.get("size")
  const limit = size === undefined ? 0 : parseSize(draft, size)
  const shown = [...options].filter(([key]) => key !== "ro" && key !== "rw").map(([key, value]) =>
    key === "size" ? `size=${Math.ceil(limit / 1024)}k` : value === "" ? key : `${key}=${value}`
  )
  return { ...tree(rootDirectory(draft, options, 0o1777), limit), options: shown.join(",") }
}

/** The multiplexer (5:2); ptys get their nodes when they are opened. */
const makeDevpts = (draft: Draft, options: Options): Made => {
  const root = newInode(draft, {
    type: "directory",
    mode: 0o755,
    uid: current(draft).uid,
    gid: current(draft).gid
  }, 0)
  const mode = options.get("ptmxmode")
  const made = tree(root)
  const filesystem = { content: made.content } as never
  treeDriver.create(draft, filesystem, root, "ptmx", {
    type: "character",
    major: 5,
    minor: 2,
    mode: mode === undefined ? 0 : parseOctal(mode),
    uid: 0,
    gid: 0
  })
  const gid = options.get("gid")
  if (gid !== undefined) parseId(draft, "gidMap", gid)
  const shown = ["gid", "mode", "ptmxmode"].flatMap((key) =>
    options.has(key) ? [`${key}=${options.get(key)!.replace(/^0+(?=.)/, "")}`] : []
  )
  return { ...made, options: shown.join(",") }
}

/**
 * The existing hierarchy of exactly these controllers or this name; its root is that of the cgroup
 * namespace.
 */
const makeCgroup = (draft: Draft, type: string, options: Options): Made => {
  const names = [...options.keys()].filter((key) =>
    key !== "name" && key !== "none" && key !== "xattr" && !common.has(key)
  )
  const index = draft.hierarchies.findIndex((one) =>
    type === "cgroup2"
      ? one.version === 2
      : one.version === 1 && (options.has("name")
        ? one.name === options.get("name")
        : one.controllers.length === names.length &&
          names.every((name) => one.controllers.includes(name)))
  )
  if (index < 0) fail(type === "cgroup2" ? "ENODEV" : "EBUSY")
  const { roots } = namespaceAt(draft, "cgroup", current(draft).namespaces.cgroup)
  const hierarchy = draft.hierarchies[index]!
  const shown = hierarchy.version === 2
    ? ""
    : hierarchy.name === ""
    ? hierarchy.controllers.join(",")
    : `name=${hierarchy.name}`
  return {
    root: cgroupPath(draft, roots[index]!),
    content: { _tag: "Cgroup", hierarchy: index },
    options: shown
  }
}

const makeContent = (draft: Draft, type: string, options: Options): Made => {
  switch (type) {
    case "tmpfs":
      return makeTmpfs(draft, options)
    case "devpts":
      return makeDevpts(draft, options)
    case "mqueue":
      return {
        ...tree(newInode(draft, {
          type: "directory",
          mode: 0o1777,
          uid: current(draft).uid,
          gid: current(draft).gid
        }, 0)),
        options: ""
      }
    case "proc":
      return {
        root: "",
        content: { _tag: "Proc", pidNamespace: current(draft).namespaces.pid },
        options: ""
      }
    case "cgroup":
    case "cgroup2":
      return makeCgroup(draft, type, options)
    default:
      return fail("ENODEV", type)
  }
}

/** sysfs is one and the same tree everywhere. */
const sysfsOf = (draft: Draft): number =>
  draft.filesystems.values().find((one) => one.type === "sysfs")?.id ?? fail("ENODEV", "sysfs")

/** Cgroup file systems are shared by all their mounts. */
const existing = (draft: Draft, made: Made): number | undefined =>
  made.content._tag === "Cgroup"
    ? draft.filesystems.values().find((one) =>
      one.content._tag === "Cgroup" && made.content._tag === "Cgroup" &&
      one.content.hierarchy === made.content.hierarchy
    )?.id
    : undefined

/**
 * A detached mount of a new file system. ENODEV for a type the kernel does not know, EINVAL for an
 * option or value it does not take; `target` only names it in errors.
 */
export const openFilesystem = (
  draft: Draft,
  type: string,
  source: string,
  options: ReadonlyArray<FilesystemOption>,
  flags: MountFlags,
  target: string
): number => {
  draft.syscall = "fsopen"
  const allowed = known[type] ?? fail("ENODEV", type)
  draft.syscall = "fsconfig"
  for (const option of options) {
    if (!allowed.includes(option.key) && !common.has(option.key)) {
      fail("EINVAL", describeOption(target, option))
    }
  }
  const values: Options = new Map(options.map(({ key, value }) => [key, value ?? ""]))
  if (type === "sysfs") {
    const id = sysfsOf(draft)
    return makeMount(draft, id, draft.filesystems.get(id)!.root, flags, source)
  }
  const made = ((): Made => {
    try {
      return makeContent(draft, type, values)
    } catch (failure) {
      if (failure instanceof Failure) return fail(failure.errno, target)
      throw failure
    }
  })()
  const id = existing(draft, made) ?? makeFilesystem(draft, {
    type,
    source: source === "" ? "none" : source,
    options: made.options,
    content: made.content,
    root: made.content._tag === "Cgroup" ? "" : made.root,
    readOnly: values.has("ro")
  })
  draft.syscall = "fsmount"
  return makeMount(draft, id, made.root, flags, source)
}

/** The file system under the masks of directories: empty, and nothing can be put into it. */
export const openEmpty = (draft: Draft): number => {
  const options = [{ key: "mode", value: "0555" }, { key: "nr_inodes", value: "1" }, { key: "ro" }]
  const flags = { ...noFlags, ro: true, nosuid: true, nodev: true, noexec: true }
  return openFilesystem(draft, "tmpfs", "tmpfs", options, flags, "tmpfs")
}
