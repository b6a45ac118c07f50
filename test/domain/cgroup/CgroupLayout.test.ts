import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { layoutMode, parseLayout } from "../../../src/domain/cgroup/CgroupLayout.ts"
import { controllers } from "../../../src/domain/cgroup/Controller.ts"
import { nestedHost, separateHost, systemdHost, unifiedHost } from "./hosts.ts"

describe("a layout", () => {
  it("tells each controller's place on a host with v1 beside cgroup2", () => {
    const layout = parseLayout(separateHost)
    expect(layoutMode(layout)).toBe("hybrid")
    expect(layout.controllers.memory).toEqual({ version: 1, mount: "/sys/fs/cgroup/memory", root: "/" })
    expect(layout.controllers.io).toEqual({ version: 1, mount: "/sys/fs/cgroup/blkio", root: "/" })
    expect(layout.controllers.devices?.version).toBe(1)
    expect(layout.named).toEqual({ systemd: { version: 1, mount: "/sys/fs/cgroup/systemd", root: "/" } })
  })

  it("finds the controller that v1 left to cgroup2", () => {
    const layout = parseLayout(separateHost)
    expect(layout.controllers.hugetlb).toEqual({ version: 2, mount: "/sys/fs/cgroup/unified", root: "/" })
    expect(layout.unified?.controllers).toEqual(["hugetlb"])
  })

  it("has everything on cgroup2 where that is alone, with what it does without a controller", () => {
    const layout = parseLayout(unifiedHost)
    expect(layoutMode(layout)).toBe("v2")
    expect(layout.hierarchies).toHaveLength(1)
    for (const controller of ["cpu", "cpuacct", "memory", "io", "pids", "devices", "freezer", "hugetlb"] as const) {
      expect(layout.controllers[controller]).toEqual({ version: 2, mount: "/sys/fs/cgroup", root: "/" })
    }
    expect(layout.absent).toEqual({
      net_cls: "the net_cls controller is neither mounted nor offered by cgroup2",
      net_prio: "the net_prio controller is neither mounted nor offered by cgroup2"
    })
  })

  it("is pure v1 without a cgroup2 mount", () => {
    const mountinfo = separateHost.mountinfo.split("\n").filter((line) => !line.includes("cgroup2")).join("\n")
    const layout = parseLayout({ ...separateHost, mountinfo, controllers: "" })
    expect(layoutMode(layout)).toBe("v1")
    expect(layout.unified).toBeUndefined()
    expect(layout.controllers.hugetlb).toBeUndefined()
    expect(layout.absent.hugetlb).toContain("neither mounted")
  })

  it("has one hierarchy for controllers that are mounted together", () => {
    const layout = parseLayout(systemdHost)
    expect(layout.controllers.cpu?.mount).toBe("/sys/fs/cgroup/cpu,cpuacct")
    expect(layout.controllers.cpuacct?.mount).toBe("/sys/fs/cgroup/cpu,cpuacct")
    expect(layout.hierarchies.map(({ controllers: together }) => together)).toContainEqual(["cpu", "cpuacct"])
    expect(layout.hierarchies[0]?.version).toBe(2)
    expect(Object.keys(layout.named)).toEqual(["systemd"])
  })

  it("takes devices and the freezer from cgroup2 where v1 does not have them", () => {
    const layout = parseLayout(systemdHost)
    expect(layout.controllers.devices?.version).toBe(2)
    expect(layout.controllers.freezer?.version).toBe(2)
  })

  it("says why a controller is nowhere", () => {
    const mountinfo = systemdHost.mountinfo.split("\n").filter((line) => !/,(memory|pids)$/.test(line)).join("\n")
    const { absent } = parseLayout({ ...systemdHost, mountinfo })
    expect(absent.memory).toBe("the memory controller is disabled on the kernel's command line (cgroup_disable=)")
    expect(absent.pids).toBe("the pids controller is in a hierarchy that is not mounted here")
    expect(absent.rdma).toBe("the kernel has no rdma controller")
  })

  it("takes no mount that another one covers", () => {
    const { controllers: homes } = parseLayout(nestedHost)
    expect(homes.pids?.version).toBe(2)
    const covered = `1 0 8:1 / / rw - ext4 d rw
2 1 0:5 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw
3 2 0:6 / /sys/fs/cgroup rw - tmpfs tmpfs rw`
    expect(layoutMode(parseLayout({ mountinfo: covered, cgroups: "", controllers: "memory" }))).toBe("none")
    const above = `1 0 8:1 / / rw - ext4 d rw
2 1 0:5 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw
3 1 0:6 / /sys/fs rw - tmpfs tmpfs rw`
    expect(layoutMode(parseLayout({ mountinfo: above, cgroups: "", controllers: "memory" }))).toBe("none")
  })

  it("is not misled by the order of lines: what a mount stands on may come after it", () => {
    const mountinfo = `40 25 0:5 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw
25 31 0:23 / /sys rw - sysfs sysfs rw
31 1 0:25 / / rw - overlay overlay rw`
    expect(layoutMode(parseLayout({ mountinfo, cgroups: "", controllers: "memory" }))).toBe("v2")
  })

  it("prefers the usual place to another mount of the same hierarchy, and keeps which cgroup stands there", () => {
    const layout = parseLayout(nestedHost)
    expect(layout.controllers.memory).toEqual({ version: 1, mount: "/sys/fs/cgroup/memory", root: "/docker/abc" })
  })

  it("reads escaped mount points", () => {
    const mountinfo = nestedHost.mountinfo.split("\n").filter((line) => !line.includes("cgroup/memory")).join("\n")
    expect(parseLayout({ ...nestedHost, mountinfo }).controllers.memory?.mount).toBe("/host files/memory")
  })

  it("tells of every controller either a place or a reason, whatever the texts say", () => {
    const line = fc.tuple(
      fc.nat(9), fc.nat(9), fc.constantFrom("/", "/x", "/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/memory"),
      fc.constantFrom("cgroup cgroup rw,memory", "cgroup cgroup rw,cpu,cpuacct", "cgroup2 cgroup2 rw", "tmpfs t rw", "cgroup")
    ).map(([id, parent, point, rest]) => `${id} ${parent} 0:1 / ${point} rw - ${rest}`)
    fc.assert(fc.property(fc.array(line, { maxLength: 8 }), fc.string(), (mountinfo, text) => {
      const layout = parseLayout({ mountinfo: mountinfo.join("\n"), cgroups: text, controllers: text })
      for (const controller of controllers) {
        expect(layout.controllers[controller] === undefined).toBe(layout.absent[controller] !== undefined)
      }
      const mounts = layout.hierarchies.map(({ mount }) => mount)
      for (const home of Object.values(layout.controllers)) expect(mounts).toContain(home.mount)
    }))
  })
})
