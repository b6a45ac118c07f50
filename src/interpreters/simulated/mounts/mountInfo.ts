/** /proc/PID/mountinfo as proc_pid_mountinfo(5) gives it. */
import type { Draft } from "../Draft.ts"
import { pathOf } from "../files/resolve.ts"
import { entryOf } from "../files/treeDriver.ts"
import { namespaceLink } from "../processes/namespaces.ts"
import type { Process } from "../processes/Process.ts"
import type { Filesystem, Mount, MountFlags, Node, Place } from "../World.ts"
import { mountAt } from "./mountTree.ts"

const flagNames = (flags: MountFlags): string => {
  const names = [flags.ro ? "ro" : "rw"]
  for (const one of ["nosuid", "nodev", "noexec"] as const) if (flags[one]) names.push(one)
  if (flags.time === "noatime") names.push("noatime")
  if (flags.nodiratime) names.push("nodiratime")
  if (flags.time === "relatime") names.push("relatime")
  if (flags.nosymfollow) names.push("nosymfollow")
  return names.join(",")
}

/** Space, tab, newline and backslash in octal. */
const escape = (text: string): string =>
  text.replace(
    /[ \t\n\\]/g,
    (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`
  )

const treePath = (draft: Draft, filesystem: Filesystem, node: number): string => {
  const names: Array<string> = []
  for (let at = node; at !== filesystem.root;) {
    const entry = entryOf(draft, filesystem, at)
    if (entry === undefined) return "//deleted"
    names.push(entry.name)
    at = entry.directory
  }
  return `/${names.reverse().join("/")}`
}

/** A cgroup mount's root as seen from a cgroup namespace whose root is `top`. */
const seenFrom = (top: string, path: string): string => {
  if (path === top) return "/"
  if (path.startsWith(`${top}/`)) return path.slice(top.length)
  const ups = top.split("/").slice(1)
  const own = path.split("/").slice(1)
  while (ups.length > 0 && own.length > 0 && ups[0] === own[0]) {
    ups.shift()
    own.shift()
  }
  return `/${[...ups.map(() => ".."), ...own].join("/")}`
}

const rootPath = (draft: Draft, filesystem: Filesystem, node: Node, reader: Process): string => {
  if (typeof node === "number") {
    if (filesystem.content._tag === "Namespaces") {
      return namespaceLink(draft.namespaces.get(node)?.kind ?? "", node)
    }
    return treePath(draft, filesystem, node)
  }
  if (filesystem.content._tag !== "Cgroup") return node === "" ? "/" : node
  const namespace = draft.namespaces.get(reader.namespaces.cgroup)
  const top = namespace?.kind === "cgroup"
    ? namespace.roots[filesystem.content.hierarchy]
    : undefined
  return seenFrom(top === undefined ? "" : cgroupPath(draft, top), node)
}

/** The path of a cgroup from the root of its hierarchy, "" for that. */
export const cgroupPath = (draft: Draft, id: number): string => {
  const cgroup = draft.cgroups.get(id)
  return cgroup === undefined || cgroup.parent === 0
    ? ""
    : `${cgroupPath(draft, cgroup.parent)}/${cgroup.name}`
}

const line = (draft: Draft, mount: Mount, point: string, reader: Process): string => {
  const filesystem = draft.filesystems.get(mount.filesystem)!
  const optional = [
    ...(mount.peers === 0 ? [] : [`shared:${mount.peers}`]),
    ...(mount.master === 0 ? [] : [`master:${mount.master}`]),
    ...(mount.unbindable ? ["unbindable"] : [])
  ]
  const options = [
    filesystem.readOnly ? "ro" : "rw",
    ...(filesystem.options === "" ? [] : [filesystem.options])
  ]
  return [
    mount.id,
    mount.parent === 0 ? 1 : mount.parent,
    filesystem.device,
    escape(rootPath(draft, filesystem, mount.root, reader)),
    escape(point),
    flagNames(mount.flags),
    ...optional,
    "-",
    filesystem.type,
    escape(mount.source || filesystem.source),
    options.join(",")
  ].join(" ")
}

/** The mounts below a process's root, in the order they were made. */
export const mountsSeenBy = (draft: Draft, process: Process): ReadonlyArray<
  { readonly mount: Mount; readonly point: string; readonly filesystem: Filesystem }
> => {
  const seen: Array<{ mount: Mount; point: string; filesystem: Filesystem }> = []
  const visit = (id: number) => {
    const mount = mountAt(draft, id)
    const place: Place = mount.id === process.root.mount
      ? process.root
      : { mount: mount.parent, node: mount.at }
    const point = pathOf(draft, place, process.root)
    if (!point.startsWith("(")) {
      seen.push({ mount, point, filesystem: draft.filesystems.get(mount.filesystem)! })
    }
    for (const child of mount.children) visit(child)
  }
  visit(process.root.mount)
  return seen.sort((one, other) => one.mount.id - other.mount.id)
}

export const mountInfo = (draft: Draft, process: Process): string =>
  mountsSeenBy(draft, process).map(({ mount, point }) => `${line(draft, mount, point, process)}\n`)
    .join("")

/** /proc/PID/mounts, fstab(5) fields. */
export const mountTable = (draft: Draft, process: Process): string =>
  mountsSeenBy(draft, process).map(({ mount, point, filesystem }) => {
    const options = [
      flagNames(mount.flags),
      ...(filesystem.options === "" ? [] : [filesystem.options])
    ]
    const source = escape(mount.source || filesystem.source)
    return `${source} ${escape(point)} ${filesystem.type} ${options.join(",")} 0 0\n`
  }).join("")
