import * as fs from "node:fs"
import * as os from "node:os"
import { describe, expect, it } from "vitest"
import { linuxFixture } from "./fixture.ts"

describe("facts about the host on Linux", () => {
  const linux = linuxFixture()

  it("are what the kernel says", async () => {
    const facts = await linux.perform("HostRead", {})
    expect(facts.mountinfo).toContain(" / / ")
    expect(facts.selfCgroup).toBe(fs.readFileSync("/proc/self/cgroup", "utf8"))
    expect(facts.cgroups).toContain("subsys_name")
    expect(facts.kernelRelease).toBe(os.release())
    expect(facts.machine).toBe(os.machine())
    expect(facts.hostname).toBe(os.hostname())
    expect(facts.cpus).toBe(fs.readFileSync("/proc/cpuinfo", "utf8").match(/^processor\s*:/gm)?.length)
    expect(facts.cpuList).toMatch(/^[0-9,-]+$/)
    expect(facts.memoryNodes).toMatch(/^[0-9,-]+$/)
    const total = /MemTotal: +([0-9]+)/.exec(fs.readFileSync("/proc/meminfo", "utf8"))?.[1]
    expect(Math.round(facts.memoryTotal / 1024)).toBe(Number(total))
    expect(facts.lastCapability).toBeGreaterThan(36)
    expect(facts.user).toBe(process.geteuid?.())
    const unified = facts.mountinfo.split("\n").find((line) => line.includes(" - cgroup2 "))?.split(" ")[4]
    const controllers = unified === undefined ? "" : fs.readFileSync(`${unified}/cgroup.controllers`, "utf8")
    expect(facts.controllers).toBe(controllers)
  })
})
