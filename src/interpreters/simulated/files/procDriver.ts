/** proc: nodes are paths, everything is computed when it is looked at (proc(5)). */
import { current, type Draft, fail } from "../Draft.ts"
import { namespaceLink } from "../processes/namespaces.ts"
import type { Descriptor, Process } from "../processes/Process.ts"
import type { Filesystem, Node } from "../World.ts"
import { type Attributes, type Driver, textOf } from "./Driver.ts"
import { pidIn } from "./processStatus.ts"
import { writeProcessFile } from "./processWrites.ts"
import { hostDirectories, hostFiles, readHostFile } from "./procHost.ts"
import {
  isWritableProcessFile, namespaceFiles, namespaceOfFile, processFiles, readProcessFile
} from "./procProcess.ts"
import { isSysctl, isWritableSysctl, readSysctl, sysctlNames, writeSysctl } from "./sysctls.ts"

const namespaceOf = (filesystem: Filesystem): number =>
  filesystem.content._tag === "Proc" ? filesystem.content.pidNamespace : fail("EIO")

/** The process that a number means in the namespace of the mount. */
const processAt = (draft: Draft, namespace: number, text: string): Process | undefined => {
  if (!/^[1-9][0-9]*$/.test(text)) return undefined
  const pid = Number(text)
  if (namespace === draft.initial.pid) return draft.processes.get(pid)
  return draft.processes.values().find((one) => pidIn(namespace, one) === pid)
}

const topLinks: { readonly [name: string]: string } = { mounts: "self/mounts", net: "self/net" }

const processLinks = ["cwd", "exe", "root"] as const
const processDirectories = ["ns", "fd", "net", "attr"] as const

const describe = (descriptor: Descriptor): string => {
  switch (descriptor._tag) {
    case "Null":
      return "/dev/null"
    case "PipeRead":
    case "PipeWrite":
      return `pipe:[${descriptor.pipe}]`
    case "Terminal":
      return "/dev/pts/0"
    case "File":
      return `file:[${descriptor.node}]`
  }
}

type Found =
  | {
    readonly _tag: "Directory"
    readonly names: () => ReadonlyArray<string>
    readonly mode?: number
  }
  | {
    readonly _tag: "Text"
    readonly mode: number
    readonly read: () => string
    readonly write?: (text: string) => void
  }
  | {
    readonly _tag: "Link"
    readonly target: string
    readonly process?: Process
    readonly name?: string
  }

const directory = (names: ReadonlyArray<string>): Found => ({
  _tag: "Directory",
  names: () => names
})

const findInProcess = (
  draft: Draft,
  process: Process,
  namespace: number,
  names: ReadonlyArray<string>
): Found | undefined => {
  const [name = "", inner, ...more] = names
  if (more.length > 0) return undefined
  if (names.length === 0) {
    return directory([...processFiles, ...processLinks, ...processDirectories].sort())
  }
  if (inner === undefined) {
    if (processFiles.includes(name)) {
      const writable = isWritableProcessFile(name)
      return {
        _tag: "Text",
        mode: name === "environ" ? 0o400 : writable ? 0o644 : 0o444,
        read: () => readProcessFile(draft, process, namespace, name),
        ...(writable
          ? { write: (text: string) => writeProcessFile(draft, process, name, text) }
          : {})
      }
    }
    if ((processLinks as ReadonlyArray<string>).includes(name)) {
      return { _tag: "Link", target: name === "exe" ? process.executable : "/", process, name }
    }
    if (name === "ns") return directory(namespaceFiles)
    if (name === "fd") return directory(["0", "1", "2"])
    return name === "net" || name === "attr" ? directory([]) : undefined
  }
  if (name === "ns" && namespaceFiles.includes(inner)) {
    const kind = inner.replace("_for_children", "")
    return {
      _tag: "Link",
      target: namespaceLink(kind, namespaceOfFile(process, inner)),
      process,
      name: inner
    }
  }
  if (name === "fd" && /^[012]$/.test(inner)) {
    return { _tag: "Link", target: describe(process.stdio[Number(inner) as 0 | 1 | 2]) }
  }
  return undefined
}

const findSysctl = (draft: Draft, key: string): Found | undefined => {
  if (isSysctl(key)) {
    const writable = isWritableSysctl(key)
    return {
      _tag: "Text",
      mode: writable ? 0o644 : 0o444,
      read: () => readSysctl(draft, key),
      ...(writable ? { write: (text: string) => writeSysctl(draft, key, text) } : {})
    }
  }
  const names = sysctlNames(key)
  return names === undefined ? undefined : directory(names)
}

const find = (draft: Draft, filesystem: Filesystem, node: Node): Found | undefined => {
  const namespace = namespaceOf(filesystem)
  const [top = "", ...rest] = (node as string).split("/").slice(1)
  if (top === "") {
    const pids = draft.processes.values().map((one) => pidIn(namespace, one)).filter((pid) =>
      pid !== 0
    )
    return directory(
      [
        ...pids.map(String),
        ...hostFiles,
        ...hostDirectories,
        "self",
        "thread-self",
        "sys",
        ...Object.keys(topLinks)
      ].sort()
    )
  }
  if (top === "self" || top === "thread-self") {
    const pid = pidIn(namespace, current(draft))
    return rest.length > 0 || pid === 0
      ? undefined
      : { _tag: "Link", target: top === "self" ? `${pid}` : `${pid}/task/${pid}` }
  }
  if (top === "sys") return findSysctl(draft, rest.join("/"))
  const process = processAt(draft, namespace, top)
  if (process !== undefined) return findInProcess(draft, process, namespace, rest)
  if (rest.length > 0) return undefined
  if (topLinks[top] !== undefined) return { _tag: "Link", target: topLinks[top] }
  if (hostDirectories.includes(top)) return directory([])
  return hostFiles.includes(top)
    ? {
      _tag: "Text",
      mode: top === "sysrq-trigger" ? 0o200 : top === "kcore" ? 0o400 : 0o444,
      read: () => readHostFile(draft, top)!
    }
    : undefined
}

const owner = (
  draft: Draft,
  filesystem: Filesystem,
  node: Node
): { readonly uid: number; readonly gid: number } => {
  const process = processAt(draft, namespaceOf(filesystem), (node as string).split("/")[1] ?? "")
  return process === undefined ? { uid: 0, gid: 0 } : { uid: process.uid, gid: process.gid }
}

const refuse = (): never => fail("EPERM")

export const procDriver: Driver = {
  lookup: (draft, filesystem, parent, name) => {
    const found = find(draft, filesystem, parent) ?? fail("ENOENT")
    if (found._tag !== "Directory") fail("ENOTDIR")
    const node = `${parent}/${name}`
    return find(draft, filesystem, node) === undefined ? undefined : node
  },
  parent: (_draft, _filesystem, node) =>
    (node as string).slice(0, Math.max(0, (node as string).lastIndexOf("/"))),
  attributes: (draft, filesystem, node): Attributes => {
    const found = find(draft, filesystem, node) ?? fail("ENOENT")
    const common = {
      ...owner(draft, filesystem, node),
      links: 1,
      size: 0,
      modified: draft.now,
      major: 0,
      minor: 0
    }
    switch (found._tag) {
      case "Directory":
        return { ...common, type: "directory", mode: found.mode ?? 0o555, links: 2 }
      case "Text":
        return { ...common, type: "file", mode: found.mode }
      case "Link":
        return { ...common, type: "symlink", mode: 0o777, target: found.target }
    }
  },
  list: (draft, filesystem, node) => {
    const found = find(draft, filesystem, node) ?? fail("ENOENT")
    return found._tag === "Directory" ? found.names() : fail("ENOTDIR")
  },
  read: (draft, filesystem, node) => {
    const found = find(draft, filesystem, node) ?? fail("ENOENT")
    return found._tag === "Text"
      ? found.read()
      : fail(found._tag === "Directory" ? "EISDIR" : "EINVAL")
  },
  write: (draft, filesystem, node, content) => {
    const found = find(draft, filesystem, node) ?? fail("ENOENT")
    if (found._tag !== "Text") return fail("EISDIR")
    // A write to sysrq-trigger or the like is taken and comes to nothing here
    found.write?.(textOf(content))
  },
  create: () => fail("ENOENT"),
  link: refuse,
  remove: refuse,
  rename: refuse,
  change: refuse,
  readAttribute: () => undefined,
  writeAttribute: refuse,
  listAttributes: () => [],
  jump: (draft, filesystem, node) => {
    const found = find(draft, filesystem, node)
    if (found?._tag !== "Link" || found.process === undefined) return undefined
    const { process, name } = found
    if (name === "root") return process.state === "zombie" ? fail("ENOENT") : process.root
    if (name === "cwd") return process.state === "zombie" ? fail("ENOENT") : process.directory
    // exe leads by its text: nothing here is executed through it
    if (name === "exe") return undefined
    if (process.state === "zombie") fail("ENOENT")
    return { mount: draft.namespaceMount, node: namespaceOfFile(process, name!) }
  }
}
