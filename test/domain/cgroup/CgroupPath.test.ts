import * as Result from "effect/Result"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { parseLayout } from "../../../src/domain/cgroup/CgroupLayout.ts"
import {
  attachFiles, cgroupDirectory, cgroupInProc, containerCgroup, containerDirectories, containerSteps, containerViews,
  type DirectoryStep, parentSteps, parseCgroupParent
} from "../../../src/domain/cgroup/CgroupPath.ts"
import { nestedHost, separateHost, systemdHost, unifiedHost } from "./hosts.ts"

const separate = parseLayout(separateHost)
const unified = parseLayout(unifiedHost)
const systemd = parseLayout(systemdHost)
const path = "/fx-engine/0123abc"

const show = (step: DirectoryStep): string => {
  switch (step._tag) {
    case "MakeDirectory":
      return `${step.mayExist ? "ensure" : "make"} ${step.directory}`
    case "Write":
      return `${step.directory}/${step.file} = ${step.value}`
    case "Inherit":
      return `${step.directory} takes ${step.files.join(",")} of ${step.from}`
  }
}

describe("a cgroup parent", () => {
  it.each([
    ["/fx-engine", "/fx-engine"], ["jobs", "/jobs"], ["/a//b/", "/a/b"], ["system.slice", "/system.slice"]
  ])("%j is %j", (text, parent) => {
    expect(parseCgroupParent(text)).toEqual(Result.succeed(parent))
  })

  it.each([
    ["", "root"], ["/", "root"], ["/a/../b", "lead out"], ["./a", "lead out"], ["/a\nb", "refuses"], ["/memory.max", "control file"],
    ["/a/cgroup.procs", "control file"], ["/tasks", "control file"], [`/${"x".repeat(256)}`, "longer than 255"],
    [`/${"é".repeat(128)}`, "longer than 255"]
  ])("%j is refused with the reason and an example", (text, reason) => {
    const parsed = parseCgroupParent(text)
    expect(Result.isFailure(parsed) && parsed.failure.message).toContain(reason)
    expect(Result.isFailure(parsed) && parsed.failure.message).toContain("/fx-engine")
  })

  it("never leads out of the hierarchy, whatever was written", () => {
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom("a", "/", ".", "\n", "m") }), (text) => {
      const parsed = parseCgroupParent(text)
      if (Result.isSuccess(parsed)) expect(parsed.success).toMatch(/^(\/(?!\.{1,2}(\/|$))[^/\n]+)+$/)
    }))
  })

  it("holds containers by their id, and nothing that is a path", () => {
    expect(containerCgroup("/jobs", "0123abc")).toEqual(Result.succeed("/jobs/0123abc"))
    for (const id of ["", "..", "a/b", "cgroup.procs"]) expect(Result.isFailure(containerCgroup("/jobs", id))).toBe(true)
  })
})

describe("the steps to a container's cgroup", () => {
  it("are one directory in each hierarchy, cgroup2 first", () => {
    expect(containerDirectories(separate, path)).toEqual(
      ["unified", "cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids", "systemd"]
        .map((name) => `/sys/fs/cgroup/${name}/fx-engine/0123abc`)
    )
    expect(containerDirectories(systemd, path).filter((directory) => directory.includes("cpuacct"))).toHaveLength(1)
  })

  it("hand every controller down from the root on cgroup2, before the container needs it", () => {
    expect([...parentSteps(unified, "/jobs/mine"), ...containerSteps(unified, "/jobs/mine/0123abc")].map(show)).toEqual([
      "/sys/fs/cgroup/cgroup.subtree_control = +cpuset +cpu +io +memory +hugetlb +pids",
      "ensure /sys/fs/cgroup/jobs",
      "/sys/fs/cgroup/jobs/cgroup.subtree_control = +cpuset +cpu +io +memory +hugetlb +pids",
      "ensure /sys/fs/cgroup/jobs/mine",
      "/sys/fs/cgroup/jobs/mine/cgroup.subtree_control = +cpuset +cpu +io +memory +hugetlb +pids",
      "make /sys/fs/cgroup/jobs/mine/0123abc"
    ])
  })

  it("hand down only what is wanted and what cgroup2 offers", () => {
    const written = (steps: ReadonlyArray<DirectoryStep>) => steps.filter((step) => step._tag === "Write").map(show)
    expect(written(parentSteps(unified, "/jobs", ["memory", "net_cls"]))).toEqual([
      "/sys/fs/cgroup/cgroup.subtree_control = +memory", "/sys/fs/cgroup/jobs/cgroup.subtree_control = +memory"
    ])
    expect(written(parentSteps(systemd, "/jobs"))).toEqual([])
    expect(written(parentSteps(separate, "/jobs", []))).toEqual([])
  })

  it("give each v1 cpuset its parent's CPUs and nodes, for a process cannot enter one without", () => {
    const cpuset = (steps: ReadonlyArray<DirectoryStep>) => steps.filter(({ directory }) => directory.includes("/cpuset")).map(show)
    const root = "/sys/fs/cgroup/cpuset"
    expect(cpuset(parentSteps(separate, "/a/b"))).toEqual([
      `ensure ${root}/a`, `${root}/a takes cpuset.cpus,cpuset.mems of ${root}`,
      `ensure ${root}/a/b`, `${root}/a/b takes cpuset.cpus,cpuset.mems of ${root}/a`
    ])
    expect(cpuset(containerSteps(separate, "/a/b/0123abc"))).toEqual([
      `make ${root}/a/b/0123abc`, `${root}/a/b/0123abc takes cpuset.cpus,cpuset.mems of ${root}/a/b`
    ])
  })

  it("let the kernel do that for containers under a parent of the engine's own", () => {
    const parent = parentSteps(separate, "/fx-engine-00c0ffee").map(show)
    expect(parent).toContain("/sys/fs/cgroup/cpuset/fx-engine-00c0ffee/cgroup.clone_children = 1")
    expect(parent.filter((step) => step.includes("clone_children"))).toHaveLength(1)
    expect(containerSteps(separate, path).every((step) => step._tag === "MakeDirectory")).toBe(true)
  })

  it("make every directory after the one it lies in", () => {
    for (const layout of [separate, unified, systemd]) {
      const made = new Set(layout.hierarchies.map(({ mount }) => mount))
      for (const step of [...parentSteps(layout, "/a/b/c"), ...containerSteps(layout, "/a/b/c/0123abc")]) {
        if (step._tag === "MakeDirectory") {
          expect(made).toContain(step.directory.slice(0, step.directory.lastIndexOf("/")))
          made.add(step.directory)
        } else {
          expect(made).toContain(step.directory)
        }
      }
      for (const directory of containerDirectories(layout, "/a/b/c/0123abc")) expect(made).toContain(directory)
    }
  })
})

describe("where a cgroup shows", () => {
  it("is below the mount, and by its whole path in /proc", () => {
    const home = parseLayout(nestedHost).controllers.memory!
    expect(cgroupDirectory(home, path)).toBe("/sys/fs/cgroup/memory/fx-engine/0123abc")
    expect(cgroupInProc(home, path)).toBe("/docker/abc/fx-engine/0123abc")
    expect(cgroupInProc(unified.controllers.memory!, path)).toBe(path)
  })

  it("is entered by writing to tasks on v1 and by the clone itself on cgroup2", () => {
    expect(attachFiles(unified, path)).toEqual([])
    expect(attachFiles(separate, path)).toHaveLength(9)
    expect(attachFiles(separate, path)[0]).toBe("/sys/fs/cgroup/cpu/fx-engine/0123abc/tasks")
  })

  it("is one file system inside where cgroup2 is alone", () => {
    expect(containerViews(unified, path)).toEqual([
      { directory: "", type: "cgroup2", options: [], source: "/sys/fs/cgroup", links: [] }
    ])
  })

  it("is a directory for each hierarchy inside otherwise, with a link for each of several controllers", () => {
    const views = containerViews(systemd, path)
    expect(views.map(({ directory }) => directory)).toEqual(
      ["unified", "systemd", "net_cls,net_prio", "cpu,cpuacct", "memory", "cpuset", "pids", "blkio"]
    )
    expect(views.find(({ directory }) => directory === "cpu,cpuacct")).toEqual({
      directory: "cpu,cpuacct", type: "cgroup", options: ["cpu", "cpuacct"],
      source: "/sys/fs/cgroup/cpu,cpuacct/fx-engine/0123abc", links: ["cpu", "cpuacct"]
    })
    expect(views.find(({ directory }) => directory === "systemd")?.options).toEqual(["none", "name=systemd"])
    expect(views.find(({ directory }) => directory === "cpuset")?.options).toEqual(["cpuset"])
  })
})
