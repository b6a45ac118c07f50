/**
 * A container's cgroup: one path (`/fx-engine/ID`), one directory of that path in every hierarchy. What has
 * to be made before a container can be put there, as data.
 */
import * as Result from "effect/Result"
import { type CgroupError, refuse } from "./CgroupError.ts"
import type { CgroupLayout, ControllerHome, Hierarchy } from "./CgroupLayout.ts"
import { type Controller, controllers, delegatedControllers, legacyName } from "./Controller.ts"

export const defaultCgroupParent = "/fx-engine"

/** NAME_MAX and PATH_MAX of the kernel. */
const longestName = 255
const longestPath = 4095

/** A directory of such a name would stand in the way of an interface file, now or in a later kernel. */
const interfaceName = new RegExp(
  `^(tasks|notify_on_release|release_agent|(cgroup|${[...controllers, "blkio", "dmem"].join("|")})\\..*)$`
)

/** What is wrong with one component of a path, or undefined. */
const faultOf = (name: string): string | undefined => {
  if (name === "." || name === "..") return "it must not lead out of itself by . or .."
  if (/[\n\0]/.test(name)) return "it has a character that the kernel refuses"
  if (new TextEncoder().encode(name).length > longestName) return `a part of it is longer than ${longestName} bytes`
  return interfaceName.test(name) ? `${name} has the form of a control file's name` : undefined
}

/** `--cgroup-parent` as an absolute path with single slashes: a relative one starts at the root too. */
export const parseCgroupParent = (text: string): Result.Result<string, CgroupError> => {
  const fail = (reason: string) =>
    refuse("use the cgroup parent", text, reason, `give a path such as ${defaultCgroupParent}`)
  const names = text.split("/").filter((name) => name !== "")
  if (names.length === 0) return fail("containers cannot be beside the host's own processes in the root")
  if (text.length > longestPath) return fail("it is too long")
  const fault = names.map(faultOf).find((one) => one !== undefined)
  return fault === undefined ? Result.succeed(`/${names.join("/")}`) : fail(fault)
}

/** `parent` as from parseCgroupParent. */
export const containerCgroup = (parent: string, id: string): Result.Result<string, CgroupError> => {
  const fault = id === "" || id.includes("/") ? "it is not one name" : faultOf(id)
  return fault === undefined
    ? Result.succeed(`${parent}/${id}`)
    : refuse("name a cgroup after the container", id, fault, "use the container's hexadecimal id")
}

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf("/"))

/** `/a/b` → `/a`, `/a/b` */
const ancestry = (path: string): ReadonlyArray<string> => {
  const names = path.split("/").slice(1)
  return names.map((_, index) => `/${names.slice(0, index + 1).join("/")}`)
}

/** The directory of a cgroup in the hierarchy. */
export const cgroupDirectory = (home: Pick<ControllerHome, "mount">, path: string): string =>
  `${home.mount === "/" ? "" : home.mount}${path}`

/** How /proc/PID/cgroup names that cgroup for a reader in the engine's own cgroup namespace. */
export const cgroupInProc = (home: Pick<ControllerHome, "root">, path: string): string =>
  home.root === "/" ? path : `${home.root}${path}`

/** Where a container is frozen and killed: cgroup2 when there is one, else the freezer. */
export const controlHierarchy = (layout: CgroupLayout): ControllerHome | undefined =>
  layout.unified ?? layout.controllers.freezer

/** Joined in this order, whoever is in any of a container's groups can be killed by the first. */
const joinOrder = (layout: CgroupLayout): ReadonlyArray<Hierarchy> => {
  const control = controlHierarchy(layout)
  const isControl = ({ mount }: Hierarchy) => mount === control?.mount
  return [...layout.hierarchies.filter(isControl), ...layout.hierarchies.filter((one) => !isControl(one))]
}

/** The container's directories, one in each hierarchy, that of `controlHierarchy` first. */
export const containerDirectories = (layout: CgroupLayout, path: string): ReadonlyArray<string> =>
  joinOrder(layout).map((hierarchy) => cgroupDirectory(hierarchy, path))

export type DirectoryStep =
  /** mkdir(2). `mayExist`: an ancestor, which other containers share. */
  | { readonly _tag: "MakeDirectory"; readonly directory: string; readonly mayExist: boolean }
  | { readonly _tag: "Write"; readonly directory: string; readonly file: string; readonly value: string }
  /**
   * For each of `files`: when it is empty in `directory`, write there what it says in `from`. A v1 cpuset is
   * born without CPUs and memory nodes, and takes no process until it has some (cpuset(7), ENOSPC).
   */
  | {
    readonly _tag: "Inherit"
    readonly from: string
    readonly directory: string
    readonly files: ReadonlyArray<string>
  }

const cpusetFiles = ["cpuset.cpus", "cpuset.mems"]

/** Parents of the engine's own making: there cgroup.clone_children may be set for good. */
const ownParent = (parent: string): boolean =>
  parent === defaultCgroupParent || parent.startsWith(`${defaultCgroupParent}-`)

const make = (directory: string, mayExist: boolean): DirectoryStep =>
  ({ _tag: "MakeDirectory", directory, mayExist })
const write = (directory: string, file: string, value: string): DirectoryStep =>
  ({ _tag: "Write", directory, file, value })

/**
 * cgroup2: a controller is in a directory only if every ancestor hands it down (cgroup-v2.rst, "Top-down
 * constraint"). One write for all: the kernel takes all or none, so on an error try them one by one.
 */
const handDown = (directory: string, given: ReadonlyArray<Controller>): ReadonlyArray<DirectoryStep> =>
  given.length === 0
    ? []
    : [write(directory, "cgroup.subtree_control", given.map((controller) => `+${controller}`).join(" "))]

const unifiedParent = (
  hierarchy: Hierarchy, parent: string, wanted: ReadonlyArray<Controller>
): ReadonlyArray<DirectoryStep> => {
  const given = wanted.filter((controller) => hierarchy.controllers.includes(controller))
  return [
    ...handDown(hierarchy.mount, given),
    ...ancestry(parent).flatMap((path) => {
      const directory = cgroupDirectory(hierarchy, path)
      return [make(directory, true), ...handDown(directory, given)]
    })
  ]
}

const legacyParent = (hierarchy: Hierarchy, parent: string): ReadonlyArray<DirectoryStep> => {
  const cpuset = hierarchy.controllers.includes("cpuset")
  const steps = ancestry(parent).flatMap((path): ReadonlyArray<DirectoryStep> => {
    const directory = cgroupDirectory(hierarchy, path)
    const from = cgroupDirectory(hierarchy, parentOf(path))
    return cpuset
      ? [make(directory, true), { _tag: "Inherit", from, directory, files: cpusetFiles }]
      : [make(directory, true)]
  })
  // Then the kernel itself fills a new child's cpuset (cgroup-v1/cgroups.rst, "clone_children")
  return cpuset && ownParent(parent)
    ? [...steps, write(cgroupDirectory(hierarchy, parent), "cgroup.clone_children", "1")]
    : steps
}

/**
 * Makes the parent ready for containers. Idempotent: once per engine is enough, and harmless more often.
 * `wanted`: controllers that cgroup2 hands down, of those it offers.
 */
export const parentSteps = (
  layout: CgroupLayout, parent: string, wanted: ReadonlyArray<Controller> = delegatedControllers
): ReadonlyArray<DirectoryStep> =>
  layout.hierarchies.flatMap((hierarchy) =>
    hierarchy.version === 2 ? unifiedParent(hierarchy, parent, wanted) : legacyParent(hierarchy, parent)
  )

/** Makes the container's own directories under a parent that is ready. */
export const containerSteps = (layout: CgroupLayout, path: string): ReadonlyArray<DirectoryStep> =>
  layout.hierarchies.flatMap((hierarchy): ReadonlyArray<DirectoryStep> => {
    const directory = cgroupDirectory(hierarchy, path)
    const from = cgroupDirectory(hierarchy, parentOf(path))
    return hierarchy.version === 1 && hierarchy.controllers.includes("cpuset") && !ownParent(parentOf(path))
      ? [make(directory, false), { _tag: "Inherit", from, directory, files: cpusetFiles }]
      : [make(directory, false)]
  })

/**
 * Files that take "0" from the container's first process, so that it moves itself. v1 `tasks`: many times
 * quicker than cgroup.procs from outside, and the same while there is one thread. cgroup2 is not among them:
 * there the clone itself places the child (CLONE_INTO_CGROUP).
 */
export const attachFiles = (layout: CgroupLayout, path: string): ReadonlyArray<string> =>
  joinOrder(layout)
    .filter((hierarchy) => hierarchy.version === 1)
    .map((hierarchy) => `${cgroupDirectory(hierarchy, path)}/tasks`)

/** A hierarchy as the container sees it under its own /sys/fs/cgroup. */
export interface CgroupView {
  /** Name below /sys/fs/cgroup; "" where cgroup2 is all there is. */
  readonly directory: string
  readonly type: "cgroup" | "cgroup2"
  /** Mount options; on v1 they choose the hierarchy. */
  readonly options: ReadonlyArray<string>
  /**
   * Directory on the host to bind when it has no cgroup namespace of its own: the container's. Where cgroup2 is all
   * there is it is the whole hierarchy, as with runc and crun, so that the path in /proc/self/cgroup leads somewhere.
   */
  readonly source: string
  /** Further names under which programs look for it: `cpu` for `cpu,cpuacct`. */
  readonly links: ReadonlyArray<string>
}

export const containerViews = (layout: CgroupLayout, path: string): ReadonlyArray<CgroupView> =>
  layout.hierarchies.map((hierarchy): CgroupView => {
    const source = cgroupDirectory(hierarchy, path)
    if (hierarchy.version === 2) {
      return layout.hierarchies.length === 1
        ? { directory: "", type: "cgroup2", options: [], source: hierarchy.mount, links: [] }
        : { directory: "unified", type: "cgroup2", options: [], source, links: [] }
    }
    const names = hierarchy.controllers.map(legacyName)
    if (names.length > 0) {
      const links = names.length > 1 ? names : []
      return { directory: names.join(","), type: "cgroup", options: hierarchy.options, source, links }
    }
    const options = hierarchy.name === "" ? hierarchy.options : ["none", ...hierarchy.options]
    return { directory: hierarchy.name || hierarchy.options.join(","), type: "cgroup", options, source, links: [] }
  })
