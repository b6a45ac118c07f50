/** The control-group hierarchies of a host and where they are mounted, by its profile. */
import { alterCgroup, newCgroup } from "../cgroups/cgroupTree.ts"
import { alter, type Draft } from "../Draft.ts"
import { ensureDirectory, makeSymlink } from "../files/fileCalls.ts"
import { resolve } from "../files/resolve.ts"
import { openFilesystem } from "../mounts/filesystemTypes.ts"
import { graft, makeFilesystem, makeMount, noFlags, withAttributes } from "../mounts/mountTree.ts"
import { setPropagation } from "../mounts/propagation.ts"
import { alterNamespace } from "../processes/namespaces.ts"
import type { HostHierarchy } from "../HostProfile.ts"

const unifiedControllers = ["cpuset", "cpu", "io", "memory", "hugetlb", "pids", "rdma", "misc"]

type Plan = ReadonlyArray<HostHierarchy>

const v1 = (...controllers: ReadonlyArray<string>): HostHierarchy => ({
  version: 1, name: "", controllers, directory: controllers.join(",")
})

/** Those mounted together can be found by each of their names. */
const linksTo = ({ controllers, directory }: HostHierarchy): ReadonlyArray<string> =>
  controllers.length > 1 && directory === controllers.join(",") ? controllers : []

const named: HostHierarchy = { version: 1, name: "systemd", controllers: [], directory: "systemd" }

/**
 * `v1`: as distributions mounted them, two of them with two controllers; `hybrid`: one each, and an
 * empty cgroup2.
 */
const plans: { readonly [kind: string]: Plan } = {
  v2: [{ version: 2, name: "", controllers: unifiedControllers, directory: "" }],
  v1: [
    v1("cpuset"),
    v1("cpu", "cpuacct"),
    v1("blkio"),
    v1("memory"),
    v1("devices"),
    v1("freezer"),
    v1("net_cls", "net_prio"),
    v1("perf_event"),
    v1("hugetlb"),
    v1("pids"),
    named
  ],
  hybrid: [
    { version: 2, name: "", controllers: [], directory: "unified" },
    v1("cpu"),
    v1("cpuacct"),
    v1("cpuset"),
    v1("memory"),
    v1("devices"),
    v1("freezer"),
    v1("blkio"),
    v1("pids"),
    named
  ]
}

const flags = withAttributes(noFlags, ["nosuid", "nodev", "noexec"])

const top = "/sys/fs/cgroup"

const mountAll = (draft: Draft, plan: Plan): void => {
  const point = resolve(draft, top, true)
  const single = plan.every(({ directory }) => directory === "")
  if (!single) {
    graft(
      draft,
      openFilesystem(draft, "tmpfs", "tmpfs", [{ key: "mode", value: "755" }], flags, top),
      point.mount,
      point.node
    )
  }
  for (const [index, one] of plan.entries()) {
    const path = single ? top : `${top}/${one.directory}`
    if (!single) ensureDirectory(draft, path, 0o755)
    const type = one.version === 2 ? "cgroup2" : "cgroup"
    const options = one.version === 2
      ? "nsdelegate,memory_recursiveprot"
      : one.name === ""
      ? one.controllers.join(",")
      : `xattr,name=${one.name}`
    const filesystem = makeFilesystem(draft, {
      type,
      source: type,
      options,
      root: "",
      content: { _tag: "Cgroup", hierarchy: index }
    })
    const place = resolve(draft, path, true)
    graft(draft, makeMount(draft, filesystem, "", flags), place.mount, place.node)
    for (const link of linksTo(one)) makeSymlink(draft, one.directory, `${top}/${link}`)
  }
}

export const bootCgroups = (draft: Draft): void => {
  const plan = draft.host.hierarchies ?? plans[draft.host.cgroups]!
  draft.hierarchies = plan.map(({ version, name, controllers }, index) => ({
    version,
    name,
    controllers,
    root: newCgroup(draft, index, 0, "")
  }))
  const roots = draft.hierarchies.map((one) => one.root)
  for (const { version, controllers, root } of draft.hierarchies) {
    // systemd hands all controllers on
    alterCgroup(draft, root, {
      processes: [1],
      population: 1,
      tasks: 1,
      subtree: version === 2 ? controllers : []
    })
  }
  alter(draft, 1, { cgroups: roots })
  alterNamespace(draft, "cgroup", draft.initial.cgroup, { roots })
  mountAll(draft, plan)
  if (draft.host.sharedRoot) setPropagation(draft, draft.processes.get(1)!.root.mount, "rshared")
}
