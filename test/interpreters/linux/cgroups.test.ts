import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import * as fs from "node:fs"
import { afterEach, describe, expect, it } from "vitest"
import { perform } from "../../../src/programs/Kernel.ts"
import { eventually, linuxFixture, obstacle, openDescriptors, sleep } from "./fixture.ts"

const mounts = fs.readFileSync("/proc/self/mountinfo", "utf8").split("\n").map((line) => {
  const words = line.split(" ")
  const dash = words.indexOf("-")
  return { point: words[4] ?? "", type: words[dash + 1], options: (words[dash + 3] ?? "").split(",") }
})
const unified = mounts.find(({ type }) => type === "cgroup2")?.point
const v1 = (controller: string) =>
  mounts.find(({ options, type }) => type === "cgroup" && options.includes(controller))?.point
const freezer = v1("freezer")
const pids = v1("pids")

/** Controllers that groups below the root of version 2 have. */
const delegated = unified === undefined
  ? []
  : fs.readFileSync(`${unified}/cgroup.subtree_control`, "utf8").split(/\s/)

const stateOf = (pid: number): string | undefined => {
  try {
    return /\) (.)/.exec(fs.readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1]
  } catch {
    return undefined
  }
}
const isDead = (pid: number): boolean => [undefined, "Z", "X"].includes(stateOf(pid))

describe.skipIf(obstacle !== undefined)("control groups on Linux", () => {
  const linux = linuxFixture()
  const sleepers: Array<ChildProcess> = []
  const groups: Array<string> = []
  let made = 0

  /** A fresh name of ours in a hierarchy. */
  const groupIn = (hierarchy: string): string => {
    const directory = `${hierarchy}/fx-test-${process.pid}-${made++}`
    groups.push(directory)
    return directory
  }
  /** A process that lives in the group. */
  const settle = (directory: string, command = "sleep 600"): number => {
    const child = spawn("sh", ["-c", `echo $$ > ${directory}/cgroup.procs; ${command}`], { stdio: "ignore" })
    sleepers.push(child)
    return child.pid!
  }
  const settled = async (directory: string, command?: string): Promise<number> => {
    const pid = settle(directory, command)
    await eventually(() => fs.readFileSync(`${directory}/cgroup.procs`, "utf8").includes(`${pid}\n`))
    return pid
  }

  /** Kills what is in a group of ours and below, and removes it. */
  const clear = (directory: string): boolean => {
    if (!fs.existsSync(directory)) return true
    if (fs.existsSync(`${directory}/freezer.state`)) fs.writeFileSync(`${directory}/freezer.state`, "THAWED")
    for (const entry of fs.readdirSync(directory, { withFileTypes: true })) {
      if (entry.isDirectory()) clear(`${directory}/${entry.name}`)
    }
    for (const pid of fs.readFileSync(`${directory}/cgroup.procs`, "utf8").split("\n").map(Number)) {
      try {
        if (pid > 0) process.kill(pid, "SIGKILL")
      } catch { /* it has died meanwhile */ }
    }
    try {
      fs.rmdirSync(directory)
      return true
    } catch {
      return false
    }
  }

  afterEach(async () => {
    for (const child of sleepers.splice(0)) child.kill("SIGKILL")
    for (const directory of groups.splice(0)) await eventually(() => clear(directory))
  })

  const hierarchies = [
    ...(unified === undefined ? [] : [{ hierarchy: unified, version: 2 as const, name: "cgroup2" }]),
    ...(freezer === undefined ? [] : [{ hierarchy: freezer, version: 1 as const, name: "the v1 freezer" }]),
    ...(pids === undefined ? [] : [{ hierarchy: pids, version: 1 as const, name: "v1 pids" }])
  ]

  describe.each(hierarchies)("in $name", ({ hierarchy, version }) => {
    it("makes, ensures and removes groups with their children", async () => {
      const directory = groupIn(hierarchy)
      await linux.perform("CgroupMake", { directory })
      expect(await linux.failure("CgroupMake", { directory })).toMatchObject({ errno: "EEXIST", path: directory })
      await linux.perform("CgroupEnsure", { directory })
      await linux.perform("CgroupEnsure", { directory: `${directory}/a/b` })
      await linux.perform("CgroupMake", { directory: `${directory}/c` })
      await linux.perform("CgroupRemove", { directory })
      expect(fs.existsSync(directory)).toBe(false)
      await linux.perform("CgroupRemove", { directory })
    })

    it("lists processes of the group and its children, and none of a missing one", async () => {
      const directory = groupIn(hierarchy)
      await linux.perform("CgroupEnsure", { directory: `${directory}/child` })
      const expected = [await settled(directory), await settled(`${directory}/child`)]
      // Each shell has a child of its own.
      await eventually(() => fs.readFileSync(`${directory}/child/cgroup.procs`, "utf8").split("\n").length === 3)
      const found = await linux.perform("CgroupProcesses", { directory })
      expect(found).toEqual(expect.arrayContaining(expected))
      expect(found).toEqual([...found].sort((left, right) => left - right))
      expect(await linux.perform("CgroupProcesses", { directory: `${directory}/missing` })).toEqual([])
    })

    it("kills all in the group and its children, and waits until it is empty", async () => {
      const directory = groupIn(hierarchy)
      await linux.perform("CgroupEnsure", { directory: `${directory}/child` })
      // One that ignores all it can, and one that keeps having children.
      const killed = [
        await settled(directory, "trap '' TERM INT HUP; sleep 600 & sleep 600"),
        await settled(`${directory}/child`, "while true; do sleep 0.01 & done")
      ]
      await linux.perform("CgroupKill", { directory, version })
      expect(killed.map(isDead)).toEqual([true, true])
      expect(await linux.perform("CgroupProcesses", { directory })).toEqual([])
      await linux.perform("CgroupRemove", { directory })
    })

    it("does not mind killing in a missing group", async () => {
      await linux.perform("CgroupKill", { directory: groupIn(hierarchy), version })
    })

    it("waits with the removal until dying processes are gone", async () => {
      const directory = groupIn(hierarchy)
      await linux.perform("CgroupMake", { directory })
      const pid = await settled(directory)
      const removal = linux.perform("CgroupRemove", { directory })
      await sleep(30)
      expect(fs.existsSync(directory)).toBe(true)
      for (const one of await linux.perform("CgroupProcesses", { directory })) process.kill(one, "SIGKILL")
      await removal
      expect(fs.existsSync(directory)).toBe(false)
      expect(isDead(pid)).toBe(true)
    })

    it("stops waiting for a removal when interrupted", async () => {
      const directory = groupIn(hierarchy)
      await linux.perform("CgroupMake", { directory })
      await settled(directory)
      const fiber = linux.fork(perform("CgroupRemove", { directory }))
      await sleep(20)
      await Effect.runPromise(Fiber.interrupt(fiber))
      expect(fs.existsSync(directory)).toBe(true)
    })

    it("reads the files that are there and writes what the kernel takes", async () => {
      const directory = groupIn(hierarchy)
      await linux.perform("CgroupMake", { directory })
      const texts = await linux.perform("CgroupRead", { directory, files: ["cgroup.procs", "no.such.file"] })
      expect(texts).toEqual({ "cgroup.procs": "" })
      expect(await linux.perform("CgroupRead", { directory: `${directory}/no`, files: ["cgroup.procs"] })).toEqual({})
      expect((await linux.failure("CgroupRead", { directory, files: ["../x"] })).errno).toBe("EINVAL")
      const refused = await linux.failure("CgroupWrite", { directory, file: "cgroup.procs", value: "4194304000" })
      expect(refused).toMatchObject({ op: "CgroupWrite", syscall: "write", path: `${directory}/cgroup.procs` })
      expect((await linux.failure("CgroupWrite", { directory, file: "no.such.file", value: "1" })).errno).toBe("ENOENT")
    })
  })

  const freezers = [
    ...(unified === undefined ? [] : [{ hierarchy: unified, version: 2 as const, name: "cgroup2" }]),
    ...(freezer === undefined ? [] : [{ hierarchy: freezer, version: 1 as const, name: "the v1 freezer" }])
  ]

  describe.each(freezers)("in $name", ({ hierarchy, version }) => {
    it("freezes until all stand still, and thaws", async () => {
      const directory = groupIn(hierarchy)
      await linux.perform("CgroupMake", { directory })
      const counter = `${linux.directory}/counter-${version}`
      await settled(directory, `while true; do echo >> ${counter}; done`)
      await eventually(() => fs.existsSync(counter))
      await linux.perform("CgroupFreeze", { directory, version, frozen: true })
      const { size } = fs.statSync(counter)
      await sleep(50)
      expect(fs.statSync(counter).size).toBe(size)
      await linux.perform("CgroupFreeze", { directory, version, frozen: false })
      await eventually(() => fs.statSync(counter).size > size)
    })

    it("kills also what is frozen", async () => {
      const directory = groupIn(hierarchy)
      await linux.perform("CgroupMake", { directory })
      const pid = await settled(directory)
      await linux.perform("CgroupFreeze", { directory, version, frozen: true })
      await linux.perform("CgroupKill", { directory, version })
      expect(isDead(pid)).toBe(true)
    })

    it("says that a group to be frozen is missing", async () => {
      const directory = groupIn(hierarchy)
      const error = await linux.failure("CgroupFreeze", { directory, version, frozen: true })
      expect(error).toMatchObject({ op: "CgroupFreeze", errno: "ENOENT", path: directory })
    })
  })

  /** Where a number of processes can be limited: in a hierarchy of its own, or in the one of version 2. */
  const limited = pids ?? (delegated.includes("pids") ? unified : undefined)

  it.skipIf(limited === undefined)("sets a limit that the kernel then keeps", async () => {
    const directory = groupIn(limited!)
    await linux.perform("CgroupMake", { directory })
    await linux.perform("CgroupWrite", { directory, file: "pids.max", value: "7" })
    const texts = await linux.perform("CgroupRead", { directory, files: ["pids.max", "pids.current"] })
    expect(texts).toEqual({ "pids.max": "7\n", "pids.current": "0\n" })
  })

  const cpusets = v1("cpuset") ?? (delegated.includes("cpuset") ? unified : undefined)

  it.skipIf(cpusets === undefined)("clears a value with an empty one", async () => {
    const directory = groupIn(cpusets!)
    await linux.perform("CgroupMake", { directory })
    await linux.perform("CgroupWrite", { directory, file: "cpuset.cpus", value: "0" })
    await linux.perform("CgroupWrite", { directory, file: "cpuset.cpus", value: "" })
    expect(fs.readFileSync(`${directory}/cpuset.cpus`, "utf8")).toBe("\n")
  })

  describe.skipIf(unified === undefined)("device programs", () => {
    /** struct bpf_insn: opcode, registers, offset, immediate. */
    const instruction = (opcode: number, immediate: number) =>
      [opcode, 0, 0, 0, immediate & 0xff, (immediate >> 8) & 0xff, 0, 0]
    /** r0 = verdict; exit */
    const always = (verdict: 0 | 1) => Uint8Array.from([...instruction(0xb7, verdict), ...instruction(0x95, 0)])
    const canReadZero = (directory: string): boolean => {
      try {
        const script = `echo $$ > ${directory}/cgroup.procs && head -c1 /dev/zero >/dev/null`
        execFileSync("sh", ["-c", script], { stdio: "pipe" })
        return true
      } catch {
        return false
      }
    }

    it("are attached in place of earlier ones", async () => {
      const directory = groupIn(unified!)
      await linux.perform("CgroupMake", { directory })
      const before = openDescriptors()
      expect(canReadZero(directory)).toBe(true)
      await linux.perform("CgroupDevices", { directory, program: always(0) })
      expect(canReadZero(directory)).toBe(false)
      await linux.perform("CgroupDevices", { directory, program: always(0) })
      await linux.perform("CgroupDevices", { directory, program: always(1) })
      expect(canReadZero(directory)).toBe(true)
      expect(openDescriptors()).toEqual(before)
    })

    it("are refused with the verifier's words", async () => {
      const directory = groupIn(unified!)
      await linux.perform("CgroupMake", { directory })
      const noExit = Uint8Array.from(instruction(0xb7, 1))
      const error = await linux.failure("CgroupDevices", { directory, program: noExit })
      expect(error).toMatchObject({ syscall: "bpf(BPF_PROG_LOAD)", errno: "EINVAL", path: directory })
      expect(error.hint).toMatch(/exit|jump/)
      expect((await linux.failure("CgroupDevices", { directory, program: new Uint8Array(3) })).errno).toBe("EINVAL")
    })
  })
})
