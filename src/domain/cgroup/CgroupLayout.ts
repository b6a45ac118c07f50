/**
 * Where each resource controller of this host is: on which version of control groups and under which mount.
 * Told per controller, because a host may have some on v1, the others on cgroup2, and some nowhere.
 */
import { type CgroupMount, cgroupMounts } from "./CgroupMounts.ts"
import { type Controller, controllerNamed, controllers, implicitControllers, legacyName } from "./Controller.ts"

export interface ControllerHome {
  readonly version: 1 | 2
  /** Mount point of its hierarchy. */
  readonly mount: string
  /** The mount's root: which cgroup stands at the mount point. */
  readonly root: string
}

/** A tree of cgroups: one directory for a container in each. */
export interface Hierarchy extends ControllerHome {
  /** v1: those mounted together here. v2: those that cgroup.controllers offers, without the implicit ones. */
  readonly controllers: ReadonlyArray<Controller>
  /** v1 without controllers: `systemd` for `name=systemd`; otherwise "". */
  readonly name: string
  /** Options that mount the same v1 hierarchy again, e.g. `["cpu", "cpuacct"]`. */
  readonly options: ReadonlyArray<string>
}

export interface CgroupLayout {
  readonly controllers: { readonly [C in Controller]?: ControllerHome }
  /** The cgroup2 hierarchy first, then v1 in the order of their mounts. */
  readonly hierarchies: ReadonlyArray<Hierarchy>
  /** cgroup2, if mounted: it kills, freezes and tells of exits even where it has no controllers. */
  readonly unified?: Hierarchy
  /** v1 hierarchies that only keep track of processes, by name; systemd's is `systemd`. */
  readonly named: { readonly [name: string]: ControllerHome }
  /** Why a controller is nowhere. */
  readonly absent: { readonly [C in Controller]?: string }
}

export interface LayoutTexts {
  /** /proc/self/mountinfo */
  readonly mountinfo: string
  /** /proc/cgroups */
  readonly cgroups: string
  /** cgroup.controllers at the mount point of cgroup2, "" where there is none */
  readonly controllers: string
}

const standardMount = /^\/sys\/fs\/cgroup(\/|$)/

/** The whole hierarchy at the usual place is better than a part of it, or one that somebody bound elsewhere. */
const preference = (mount: CgroupMount): number =>
  (standardMount.test(mount.mount) ? 0 : 2) + (mount.root === "/" ? 0 : 1)

const preferred = (mounts: ReadonlyArray<CgroupMount>): CgroupMount | undefined =>
  mounts.toSorted((a, b) => preference(a) - preference(b))[0]

const hierarchyOf = (mount: CgroupMount, offered: ReadonlyArray<Controller>): Hierarchy => ({
  version: mount.version,
  mount: mount.mount,
  root: mount.root,
  controllers: offered,
  name: mount.options.find((option) => option.startsWith("name="))?.slice("name=".length) ?? "",
  options: mount.options
})

const known = (names: ReadonlyArray<string>): ReadonlyArray<Controller> =>
  names.flatMap((name) => controllerNamed(name) ?? [])

const legacyHierarchies = (mounts: ReadonlyArray<CgroupMount>): ReadonlyArray<Hierarchy> => {
  const groups = Map.groupBy(mounts, (mount) => mount.options.toSorted().join(","))
  return [...groups.values()].flatMap((group) => {
    const mount = preferred(group)
    return mount === undefined ? [] : [hierarchyOf(mount, known(mount.options))]
  })
}

/** Columns of /proc/cgroups: name, hierarchy (0: v2 or none), number of cgroups, enabled (cgroups(7)). */
const absence = (controller: Controller, cgroups: string): string => {
  const name = legacyName(controller)
  const row = cgroups.split("\n").map((line) => line.split(/\s+/)).find((fields) => fields[0] === name)
  if (row === undefined) return `the kernel has no ${name} controller`
  if (row[3] === "0") return `the ${name} controller is disabled on the kernel's command line (cgroup_disable=)`
  return row[1] === "0"
    ? `the ${name} controller is neither mounted nor offered by cgroup2`
    : `the ${name} controller is in a hierarchy that is not mounted here`
}

/** Never fails: what the texts do not tell of is absent. */
export const parseLayout = (texts: LayoutTexts): CgroupLayout => {
  const mounts = cgroupMounts(texts.mountinfo)
  const legacy = legacyHierarchies(mounts.filter((mount) => mount.version === 1))
  const unifiedMount = preferred(mounts.filter((mount) => mount.version === 2))
  const offered = known(texts.controllers.split(/\s+/))
  const unified = unifiedMount === undefined ? undefined : hierarchyOf(unifiedMount, offered)
  const homes: { [C in Controller]?: ControllerHome } = {}
  const settle = (hierarchy: Hierarchy, all: ReadonlyArray<Controller>) => {
    const { mount, root, version } = hierarchy
    for (const controller of all) homes[controller] ??= { version, mount, root }
  }
  for (const hierarchy of legacy) settle(hierarchy, hierarchy.controllers)
  if (unified !== undefined) settle(unified, [...offered, ...implicitControllers])
  const missing = controllers.filter((controller) => homes[controller] === undefined)
  return {
    controllers: homes,
    hierarchies: unified === undefined ? legacy : [unified, ...legacy],
    ...(unified === undefined ? {} : { unified }),
    named: Object.fromEntries(
      legacy
        .filter(({ name }) => name !== "")
        .map(({ name, version, mount, root }) => [name, { version, mount, root }])
    ),
    absent: Object.fromEntries(missing.map((controller) => [controller, absence(controller, texts.cgroups)]))
  }
}

/** `hybrid`: v1 beside cgroup2, whoever has the controllers. */
export const layoutMode = (layout: CgroupLayout): "v1" | "v2" | "hybrid" | "none" => {
  const legacy = layout.hierarchies.some((hierarchy) => hierarchy.version === 1)
  if (layout.unified === undefined) return legacy ? "v1" : "none"
  return legacy ? "hybrid" : "v2"
}
