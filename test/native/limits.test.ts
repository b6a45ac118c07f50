import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { InitOp } from "../../src/domain/kernel/InitOp.ts"
import {
  buildInit,
  FxInit,
  isRoot,
  makeRootfs,
  removeBase,
  slowness,
  temporaryBase
} from "./FxInit.ts"
import { devOperations, mountProc, rootOperations, shell } from "./programs.ts"

let base = ""
let rootfs = ""

beforeAll(() => {
  buildInit()
  base = temporaryBase()
  rootfs = makeRootfs(base)
})
afterAll(() => removeBase(base))

const inRoot = (operations: ReadonlyArray<InitOp>, script: string) => [
  ...rootOperations(base, rootfs),
  mountProc,
  ...operations,
  shell(script)
]
const output = async (operations: ReadonlyArray<InitOp>, script: string, spec = {}) => {
  const channel = await new FxInit(base, {
    program: inRoot(operations, script),
    ...spec
  }).finished()
  if (channel.failure !== undefined) throw new Error(JSON.stringify(channel.failure))
  return channel.stdout + channel.stderr
}

const group = (controller: string, name: string) =>
  `/sys/fs/cgroup/${controller}/fx-test-${process.pid}-${name}`
const hasVersion1 =
  existsSync("/sys/fs/cgroup/memory/tasks") && existsSync("/sys/fs/cgroup/pids/tasks")
const unified = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].find((path) =>
  existsSync(join(path, "cgroup.controllers"))
)
/** Whether groups of version 2 below the root have limits of memory. */
const limitsMemory =
  unified !== undefined &&
  readFileSync(join(unified, "cgroup.subtree_control"), "utf8").split(/\s/).includes("memory")

describe.runIf(isRoot)("rights and limits", () => {
  /** BPF_RET | BPF_K, SECCOMP_RET_ALLOW of include/uapi/linux/seccomp.h. */
  const allowAll = Uint8Array.of(6, 0, 0, 0, 0, 0, 0xff, 0x7f)

  it("are set as told: rlimits, personality, seccomp", async () => {
    const text = await output(
      [
        { _tag: "Rlimit", resource: "nofile", soft: 123, hard: 456 },
        { _tag: "Rlimit", resource: "core", soft: 0, hard: "unlimited" },
        { _tag: "Personality", persona: 0x0040000 },
        { _tag: "NoNewPrivileges" },
        { _tag: "Seccomp", filter: allowAll, flags: ["log"] }
      ],
      "grep -E 'Max (open files|core file)' /proc/self/limits; cat /proc/self/personality; grep ^Seccomp: /proc/self/status"
    )
    expect(text).toMatch(/Max core file size +0 +unlimited/)
    expect(text).toMatch(/Max open files +123 +456/)
    expect(text).toContain("00040000\nSeccomp:\t2\n")
  })

  it("refuse a filter that is no whole number of instructions", async () => {
    const channel = await new FxInit(base, {
      program: inRoot([{ _tag: "Seccomp", filter: allowAll.subarray(0, 7), flags: [] }], "true")
    }).finished()
    expect(channel.failure).toMatchObject({ operation: 4, errno: 22, syscall: "seccomp" })
  })

  it.runIf(hasVersion1)(
    "bind by control groups of version 1, which are removed at the end with what was made below",
    async () => {
      const memory = group("memory", "limits")
      const pids = group("pids", "limits")
      for (const path of [memory, pids]) mkdirSync(path)
      writeFileSync(join(pids, "pids.max"), "7")
      mkdirSync(join(pids, "below"))
      const channel = await new FxInit(base, {
        program: [
          { _tag: "CgroupAttach", files: [join(memory, "tasks"), join(pids, "tasks")] },
          { _tag: "NamespaceUnshare", kinds: ["cgroup"] },
          ...inRoot(
            devOperations(false),
            "grep -E 'memory|pids' /proc/self/cgroup | cut -d: -f2-; i=0; while [ $i -lt 9 ]; do sleep 5 & i=$((i+1)); done"
          )
        ],
        killProcs: [join(memory, "cgroup.procs"), join(pids, "cgroup.procs")],
        removeDirectories: [memory, pids]
      }).finished()
      expect(channel.stdout.split("\n").sort()).toEqual(["", "memory:/", "pids:/"])
      expect(channel.stderr).toContain("fork")
      expect([memory, pids].filter((path) => existsSync(path))).toEqual([])
    }
  )

  it.runIf(hasVersion1)("tell that the OOM killer struck in a group of version 1", async () => {
    const memory = group("memory", "oom")
    mkdirSync(memory)
    writeFileSync(join(memory, "memory.limit_in_bytes"), String(6 * 2 ** 20))
    const run = new FxInit(base, {
      program: [
        { _tag: "CgroupAttach", files: [join(memory, "tasks")] },
        ...inRoot(
          [],
          "dd if=/proc/self/mem of=/proc/self/mem 2>/dev/null; x=$(yes | head -c 30000000); echo survived"
        )
      ],
      oomFile: join(memory, "memory.oom_control"),
      killProcs: [join(memory, "cgroup.procs")],
      removeDirectories: [memory]
    })
    const channel = await run.finished()
    expect(channel.exit).toEqual({ code: 137, signal: 9, oomKilled: true })
    expect(run.status.exited!.status.oomKilled).toBe(true)
    expect(existsSync(memory)).toBe(false)
  })

  it.runIf(hasVersion1)(
    "kill what is left in the groups of version 1 when the pid namespace is the host's",
    async () => {
      const pids = group("pids", "left")
      mkdirSync(pids)
      const begin = Date.now()
      await new FxInit(base, {
        namespaces: ["mnt"],
        program: [
          { _tag: "CgroupAttach", files: [join(pids, "tasks")] },
          ...inRoot([], "sleep 30 & (trap '' TERM HUP; sleep 30) & exit 0")
        ],
        killProcs: [join(pids, "cgroup.procs")],
        removeDirectories: [pids]
      }).finished()
      expect(existsSync(pids)).toBe(false)
      expect(Date.now() - begin).toBeLessThan(2_000 * slowness)
    }
  )

  it.runIf(hasVersion1)(
    "kill what was moved into groups of version 1 below, at any depth, though nothing is to be removed",
    async () => {
      const pids = group("pids", "below")
      const deep = join(pids, ...Array.from({ length: 20 }, (_, level) => String(level)))
      mkdirSync(deep, { recursive: true })
      const run = new FxInit(base, {
        namespaces: ["mnt"],
        program: [
          { _tag: "CgroupAttach", files: [join(pids, "tasks")] },
          { _tag: "TreeOpen", slot: 0, source: pids, recursive: true },
          ...inRoot(
            [
              ...devOperations(false),
              {
                _tag: "MountTree",
                slot: 0,
                target: "/group",
                attributes: [],
                propagation: "rprivate"
              }
            ],
            `sleep 30 & sleep 30 & echo $! > /group/0/tasks; sleep 30 & echo $! > ${deep.replace(pids, "/group")}/tasks; exit 0`
          )
        ],
        killProcs: [join(pids, "cgroup.procs")]
      })
      await run.finished()
      expect(run.channel.stderr).toBe("")
      const left = () =>
        [pids, join(pids, "0"), deep].map((path) =>
          readFileSync(join(path, "cgroup.procs"), "utf8")
        )
      expect(left()).toEqual(["", "", ""])
      for (let path = deep; path.length >= pids.length; path = dirname(path)) rmdirSync(path)
    }
  )

  it.runIf(unified !== undefined)(
    "start the container inside a control group of version 2 and kill by it",
    async () => {
      const directory = join(unified!, `fx-test-${process.pid}-born`)
      mkdirSync(directory)
      const channel = await new FxInit(base, {
        namespaces: ["mnt"],
        cgroup: directory,
        program: inRoot([], "grep ^0: /proc/self/cgroup; sleep 30 & exit 0"),
        killFiles: [join(directory, "cgroup.kill")],
        removeDirectories: [directory]
      }).finished()
      expect(channel.stdout).toContain(`/fx-test-${process.pid}-born\n`)
      expect(existsSync(directory)).toBe(false)
    }
  )

  it.runIf(unified !== undefined)(
    "kill what was moved into groups of version 2 below, at any depth, and remove them",
    async () => {
      const directory = join(unified!, `fx-test-${process.pid}-deep`)
      const deep = join(directory, ...Array.from({ length: 20 }, (_, level) => String(level)))
      mkdirSync(deep, { recursive: true })
      const target = "/group"
      const inside = deep.replace(directory, target)
      const run = new FxInit(base, {
        namespaces: ["mnt"],
        cgroup: directory,
        program: [
          { _tag: "TreeOpen", slot: 0, source: directory, recursive: true },
          ...inRoot(
            [
              ...devOperations(false),
              { _tag: "MountTree", slot: 0, target, attributes: [], propagation: "rprivate" }
            ],
            `sleep 30 & sleep 30 & echo $! > ${target}/0/cgroup.procs; sleep 30 & echo $! > ${inside}/cgroup.procs; cat ${target}/0/cgroup.procs ${inside}/cgroup.procs | wc -l; exit 0`
          )
        ],
        killFiles: [join(directory, "cgroup.kill")],
        removeDirectories: [directory]
      })
      const channel = await run.finished()
      expect([channel.stdout, channel.stderr]).toEqual(["2\n", ""])
      expect(existsSync(directory)).toBe(false)
    }
  )

  it.runIf(limitsMemory)("tell that the OOM killer struck in a group of version 2", async () => {
    const directory = join(unified!, `fx-test-${process.pid}-oom`)
    mkdirSync(directory)
    writeFileSync(join(directory, "memory.max"), String(6 * 2 ** 20))
    const run = new FxInit(base, {
      cgroup: directory,
      program: inRoot([], "x=$(yes | head -c 30000000); echo survived"),
      oomFile: join(directory, "memory.events"),
      killFiles: [join(directory, "cgroup.kill")],
      removeDirectories: [directory]
    })
    const channel = await run.finished()
    expect(channel.exit).toEqual({ code: 137, signal: 9, oomKilled: true })
    expect(run.status.exited!.status.oomKilled).toBe(true)
    expect(existsSync(directory)).toBe(false)
  })

  it.runIf(unified !== undefined)("are taken back when the start fails", async () => {
    const directory = join(unified!, `fx-test-${process.pid}-failed`)
    mkdirSync(directory)
    const channel = await new FxInit(base, {
      cgroup: directory,
      program: inRoot([], "true").slice(0, -1),
      removeDirectories: [directory]
    }).finished()
    expect(channel.failure).toMatchObject({ operation: 4, errno: 22, syscall: "execve" })
    expect(existsSync(directory)).toBe(false)
  })

  afterAll(() => {
    for (const controller of ["memory", "pids", "unified", "."]) {
      if (!existsSync(`/sys/fs/cgroup/${controller}`)) continue
      for (const name of readdirSync(`/sys/fs/cgroup/${controller}`)) {
        if (name.startsWith(`fx-test-${process.pid}-`))
          rmdirSync(join(`/sys/fs/cgroup/${controller}`, name))
      }
    }
  })
})
