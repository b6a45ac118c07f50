import { describe, expect, it } from "vitest"
import {
  type ControlDirectory, type ControlStep, freezerDirectory, freezeSteps, isSettled, killSteps, oomFile, processDirectory,
  thawSteps
} from "../../../src/domain/cgroup/CgroupControl.ts"
import { parseLayout } from "../../../src/domain/cgroup/CgroupLayout.ts"
import { separateHost, systemdHost, unifiedHost } from "./hosts.ts"

const path = "/fx-engine/0123abc"
const separate = parseLayout(separateHost)
const unified = parseLayout(unifiedHost)
const legacyOnly = (keep: RegExp) =>
  parseLayout({
    ...separateHost, controllers: "",
    mountinfo: separateHost.mountinfo.split("\n").filter((line) => !line.includes("/sys/fs/cgroup/") || keep.test(line)).join("\n")
  })

const modern: ControlDirectory = { directory: "/c", version: 2 }
const legacy: ControlDirectory = { directory: "/c", version: 1 }

const show = (step: ControlStep): string =>
  (step._tag === "Write" ? `${step.file} = ${step.value}${step.again ? " again" : ""}` : `${step.signal} each of ${step.file}`) +
  (step.awaitFile === "" ? "" : ` until ${step.awaitFile} is ${step.awaitText || "empty"}`)

describe("a container is controlled", () => {
  it("through cgroup2 wherever there is one, even without controllers", () => {
    expect(freezerDirectory(unified, path)).toEqual({ directory: `/sys/fs/cgroup${path}`, version: 2 })
    expect(freezerDirectory(separate, path)).toEqual({ directory: `/sys/fs/cgroup/unified${path}`, version: 2 })
    expect(freezerDirectory(parseLayout(systemdHost), path)?.version).toBe(2)
  })

  it("through the freezer otherwise, and killed through any hierarchy if need be", () => {
    expect(freezerDirectory(legacyOnly(/freezer|memory/), path)).toEqual({ directory: `/sys/fs/cgroup/freezer${path}`, version: 1 })
    expect(freezerDirectory(legacyOnly(/memory/), path)).toBeUndefined()
    expect(processDirectory(legacyOnly(/memory/), path)).toEqual({ directory: `/sys/fs/cgroup/memory${path}`, version: 1 })
    expect(processDirectory(legacyOnly(/nothing/), path)).toBeUndefined()
  })
})

describe("freezing", () => {
  it("is one write and an event on cgroup2", () => {
    expect(freezeSteps(modern).map(show)).toEqual(["cgroup.freeze = 1 until cgroup.events is frozen 1"])
    expect(thawSteps(modern).map(show)).toEqual(["cgroup.freeze = 0 until cgroup.events is frozen 0"])
  })

  it("is asked for again and again on v1, where a fork may hold it up", () => {
    expect(freezeSteps(legacy).map(show)).toEqual(["freezer.state = FROZEN again until freezer.state is FROZEN"])
    expect(thawSteps(legacy).map(show)).toEqual(["freezer.state = THAWED until freezer.state is THAWED"])
  })
})

describe("killing", () => {
  it("is one write on cgroup2", () => {
    expect(killSteps(modern).map(show)).toEqual(["cgroup.kill = 1 until cgroup.events is populated 0"])
  })

  it("freezes, signals each, thaws and waits for the end elsewhere", () => {
    expect(killSteps(legacy).map(show)).toEqual([
      "freezer.state = FROZEN again until freezer.state is FROZEN",
      "SIGKILL each of cgroup.procs",
      "freezer.state = THAWED until freezer.state is THAWED",
      "SIGKILL each of cgroup.procs until cgroup.procs is empty"
    ])
    expect(killSteps(modern, { killFile: false, freezer: true }).map(show)).toEqual([
      "cgroup.freeze = 1 until cgroup.events is frozen 1",
      "SIGKILL each of cgroup.procs",
      "cgroup.freeze = 0 until cgroup.events is frozen 0",
      "SIGKILL each of cgroup.procs until cgroup.events is populated 0"
    ])
  })

  it("signals until nothing is left where nothing can be frozen", () => {
    expect(killSteps(legacy, { killFile: false, freezer: false }).map(show))
      .toEqual(["SIGKILL each of cgroup.procs until cgroup.procs is empty"])
  })
})

describe("waiting", () => {
  it("ends when a whole line is there", () => {
    const await1 = { awaitFile: "cgroup.events", awaitText: "frozen 1" }
    expect(isSettled(await1, "populated 1\nfrozen 1\n")).toBe(true)
    expect(isSettled(await1, "populated 1\nfrozen 0\n")).toBe(false)
    expect(isSettled({ awaitFile: "freezer.state", awaitText: "FROZEN" }, "FREEZING\n")).toBe(false)
    expect(isSettled({ awaitFile: "freezer.state", awaitText: "FROZEN" }, "FROZEN\n")).toBe(true)
  })

  it("for emptiness ends with the last process", () => {
    expect(isSettled({ awaitFile: "cgroup.procs", awaitText: "" }, "17\n")).toBe(false)
    expect(isSettled({ awaitFile: "cgroup.procs", awaitText: "" }, "")).toBe(true)
  })

  it("for nothing ends at once", () => {
    expect(isSettled({ awaitFile: "", awaitText: "" }, "anything")).toBe(true)
  })
})

describe("OOM kills", () => {
  it("are counted in a file of the memory controller", () => {
    expect(oomFile(separate, path)).toBe(`/sys/fs/cgroup/memory${path}/memory.oom_control`)
    expect(oomFile(unified, path)).toBe(`/sys/fs/cgroup${path}/memory.events`)
    expect(oomFile(legacyOnly(/pids/), path)).toBeUndefined()
  })
})
