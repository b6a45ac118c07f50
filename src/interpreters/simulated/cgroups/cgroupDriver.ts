/**
 * cgroup and cgroup2 file systems: a directory is a control group, its files are what the
 * controllers give.
 */
import { type Draft, fail } from "../Draft.ts"
import { type Attributes, type Driver, textOf } from "../files/Driver.ts"
import * as Sorted from "../Sorted.ts"
import type { Cgroup, Filesystem, Node } from "../World.ts"
import type { CgroupFile, CgroupFiles } from "./CgroupFile.ts"
import { controllersOf, hierarchyOf, makeCgroup, removeCgroup } from "./cgroupTree.ts"
import { coreFilesV1, coreFilesV2, freezerFilesV1, rootFilesV1 } from "./coreFiles.ts"
import { hugetlbFiles, miscFiles, pidsFiles, rdmaFiles } from "./countedFiles.ts"
import { cpuacctFiles, cpuFilesV1, cpuFilesV2 } from "./cpuFiles.ts"
import { cpusetFilesV1, cpusetFilesV2 } from "./cpusetFiles.ts"
import { deviceFilesV1 } from "./deviceFiles.ts"
import { blkioFilesV1, ioFilesV2 } from "./ioFiles.ts"
import { memoryFilesV1, memoryFilesV2 } from "./memoryFiles.ts"

const none: CgroupFiles = {}
const hugetlbV1 = hugetlbFiles(1)
const hugetlbV2 = hugetlbFiles(2)

const controllerFiles = (controller: string, version: 1 | 2): CgroupFiles => {
  switch (controller) {
    case "cpu":
      return version === 1 ? cpuFilesV1 : cpuFilesV2
    case "cpuacct":
      return cpuacctFiles
    case "cpuset":
      return version === 1 ? cpusetFilesV1 : cpusetFilesV2
    case "memory":
      return version === 1 ? memoryFilesV1 : memoryFilesV2
    case "pids":
      return pidsFiles
    case "devices":
      return deviceFilesV1
    case "freezer":
      return freezerFilesV1
    case "blkio":
      return blkioFilesV1
    case "io":
      return ioFilesV2
    case "hugetlb":
      return version === 1 ? hugetlbV1 : hugetlbV2
    case "misc":
      return miscFiles
    case "rdma":
      return rdmaFiles
    default:
      return none
  }
}

const collections = (draft: Draft, cgroup: Cgroup): ReadonlyArray<CgroupFiles> => {
  const { version } = hierarchyOf(draft, cgroup)
  const core = version === 2
    ? [coreFilesV2]
    : cgroup.parent === 0
    ? [coreFilesV1, rootFilesV1]
    : [coreFilesV1]
  return [
    ...core,
    ...controllersOf(draft, cgroup).map((controller) => controllerFiles(controller, version))
  ]
}

const fileOf = (draft: Draft, cgroup: Cgroup, name: string): CgroupFile | undefined => {
  for (const files of collections(draft, cgroup)) {
    const file = files[name]
    if (file !== undefined && (file.root || cgroup.parent !== 0)) return file
  }
  return undefined
}

interface Found {
  readonly cgroup: Cgroup
  /** "" for the directory itself. */
  readonly name: string
}

/** The cgroup of a node, or the cgroup and file. */
const find = (draft: Draft, filesystem: Filesystem, node: Node): Found => {
  const { content } = filesystem
  const hierarchy = content._tag === "Cgroup" ? draft.hierarchies[content.hierarchy]! : fail("EIO")
  let cgroup = draft.cgroups.get(hierarchy.root) ?? fail("EIO")
  const names = (node as string).split("/").slice(1)
  for (const [index, name] of names.entries()) {
    const child = Sorted.get(cgroup.children, name)
    if (child !== undefined) {
      cgroup = draft.cgroups.get(child) ?? fail("ENOENT")
      continue
    }
    return index === names.length - 1 && fileOf(draft, cgroup, name) !== undefined
      ? { cgroup, name }
      : fail("ENOENT")
  }
  return { cgroup, name: "" }
}

const directoryOf = (draft: Draft, filesystem: Filesystem, node: Node): Cgroup => {
  const { cgroup, name } = find(draft, filesystem, node)
  return name === "" ? cgroup : fail("ENOTDIR")
}

/**
 * The number of a cgroup by the path of its directory in a hierarchy; for those who hold a place.
 */
export const cgroupOfNode = (draft: Draft, filesystem: Filesystem, node: Node): number =>
  directoryOf(draft, filesystem, node).id

const modeOf = (file: CgroupFile): number =>
  (file.read === undefined ? 0 : 0o444) | (file.write === undefined ? 0 : 0o200)

const refuse = (): never => fail("EPERM")

export const cgroupDriver: Driver = {
  lookup: (draft, filesystem, directory, name) => {
    const cgroup = directoryOf(draft, filesystem, directory)
    return Sorted.get(cgroup.children, name) !== undefined ||
        fileOf(draft, cgroup, name) !== undefined
      ? `${directory}/${name}`
      : undefined
  },
  parent: (_draft, _filesystem, directory) =>
    (directory as string).slice(0, Math.max(0, (directory as string).lastIndexOf("/"))),
  attributes: (draft, filesystem, node): Attributes => {
    const { cgroup, name } = find(draft, filesystem, node)
    const common = { uid: 0, gid: 0, size: 0, modified: draft.bootedAt, major: 0, minor: 0 }
    if (name === "") {
      return { ...common, type: "directory", mode: 0o755, links: 2 + cgroup.children.keys.length }
    }
    return { ...common, type: "file", mode: modeOf(fileOf(draft, cgroup, name)!), links: 1 }
  },
  list: (draft, filesystem, directory) => {
    const cgroup = directoryOf(draft, filesystem, directory)
    const names = new Set(cgroup.children.keys)
    for (const files of collections(draft, cgroup)) {
      for (const [name, file] of Object.entries(files)) {
        if (file.root || cgroup.parent !== 0) names.add(name)
      }
    }
    return [...names].sort()
  },
  read: (draft, filesystem, node) => {
    const { cgroup, name } = find(draft, filesystem, node)
    if (name === "") return fail("EISDIR")
    const file = fileOf(draft, cgroup, name)!
    return file.read === undefined ? fail("EINVAL") : file.read(draft, cgroup)
  },
  write: (draft, filesystem, node, content) => {
    const { cgroup, name } = find(draft, filesystem, node)
    if (name === "") return fail("EISDIR")
    const file = fileOf(draft, cgroup, name)!
    if (file.write === undefined) return fail("EINVAL")
    file.write(draft, cgroup, textOf(content).trim())
  },
  create: (draft, filesystem, directory, name, made) => {
    if (made.type !== "directory") return fail(made.type === "file" ? "EACCES" : "EPERM")
    const cgroup = directoryOf(draft, filesystem, directory)
    makeCgroup(draft, cgroup.id, name)
    return `${directory}/${name}`
  },
  link: refuse,
  remove: (draft, filesystem, directory, name) => {
    const child = Sorted.get(directoryOf(draft, filesystem, directory).children, name)
    if (child === undefined) return fail("EPERM")
    removeCgroup(draft, child)
  },
  rename: refuse,
  change: () => undefined,
  readAttribute: () => undefined,
  writeAttribute: refuse,
  listAttributes: () => []
}
