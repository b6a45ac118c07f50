import { execFileSync } from "node:child_process"
import {
  chmodSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { InitOp } from "../../src/domain/kernel/InitOp.ts"
import { buildInit, FxInit, isRoot, makeRootfs, removeBase, temporaryBase } from "./FxInit.ts"
import { mountProc, rootOperations, shell } from "./programs.ts"

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
describe.runIf(isRoot)("namespaces", () => {
  it("can be those of another process by path", async () => {
    const script = "readlink /proc/self/ns/net"
    expect(await output([], script)).toBe(
      execFileSync("readlink", ["/proc/self/ns/net"], { encoding: "utf8" })
    )
    const keeper = new FxInit(base, { namespaces: ["net", "mnt"], program: [shell("sleep 1000")] })
    await keeper.started()
    const path = `/proc/${keeper.channel.pid}/ns/net`
    const channel = await new FxInit(base, {
      program: [{ _tag: "NamespaceJoin", kind: "net", path }, ...inRoot([], script)]
    }).finished()
    expect(channel.stdout).toBe(execFileSync("readlink", [path], { encoding: "utf8" }))
    process.kill(keeper.channel.pid, "SIGKILL")
    await keeper.finished()
  })

  it("of the network come with a loopback that can be set up", async () => {
    expect(
      await output(
        [{ _tag: "LoopbackUp" }],
        "ip -o addr show lo; ping -c 1 -W 1 127.0.0.1 | grep -c '1 packets received'",
        {
          namespaces: ["pid", "mnt", "net"]
        }
      )
    ).toMatch(/inet 127\.0\.0\.1\/8[^]*\n1\n$/)
  })

  it("of time start where they are told to", async () => {
    const uptime = Number(readFileSync("/proc/uptime", "utf8").split(" ")[0])
    const channel = await new FxInit(base, {
      program: [
        {
          _tag: "TimeNamespace",
          boottime: { seconds: 1_000_000, nanoseconds: 0 },
          monotonic: { seconds: 5, nanoseconds: 7 }
        },
        ...inRoot([], "cat /proc/uptime")
      ]
    }).finished()
    expect(Number(channel.stdout.split(" ")[0]) - uptime).toBeGreaterThan(999_990)
  })

  it("of users map ids, keep image ids on disk, and give full rights inside only", async () => {
    const spec = {
      namespaces: ["user", "pid", "mnt", "uts", "ipc", "net"] as const,
      uidMap: [{ inside: 0, outside: 100_000, count: 65_536 }],
      gidMap: [{ inside: 0, outside: 200_000, count: 65_536 }]
    }
    const operations: ReadonlyArray<InitOp> = [
      {
        _tag: "MountFilesystem",
        type: "sysfs",
        source: "sysfs",
        target: "/sys",
        strict: true,
        options: [],
        attributes: ["ro", "nosuid", "nodev", "noexec"],
        copyUp: false
      },
      {
        _tag: "MountFilesystem",
        type: "tmpfs",
        source: "tmpfs",
        target: "/dev",
        strict: true,
        options: [{ key: "mode", value: "755" }],
        attributes: ["nosuid"],
        copyUp: false
      },
      {
        _tag: "MountDevpts",
        target: "/dev/pts",
        options: [{ key: "ptmxmode", value: "0666" }],
        console: false
      },
      { _tag: "Hostname", name: "inside" },
      { _tag: "MountTree", slot: 9, target: "/closed", attributes: ["ro"], propagation: "rprivate" }
    ]
    // Neither directory may be entered by the container's root on the host.
    const closed = join(base, "closed/in")
    mkdirSync(closed, { recursive: true, mode: 0o700 })
    writeFileSync(join(closed, "file"), "bound\n")
    lchownSync(join(base, "closed"), 1234, 1234)
    chmodSync(closed, 0o755)
    const run = new FxInit(base, {
      ...spec,
      program: [
        { _tag: "OomScoreAdjust", value: 100 },
        { _tag: "TreeOpen", slot: 9, source: closed, recursive: true },
        ...inRoot(
          operations,
          "id -u; id -g; stat -c '%u:%g' / /bin/busybox; touch /made; stat -c '%u:%g' /made; hostname; rm /etc/passwd && echo gone; cat /proc/self/oom_score_adj /closed/file; echo x > /proc/self/fd/1; sleep 1000"
        )
      ]
    })
    await run.channel.until(
      () => run.channel.stdout.split("\n").length > 10 || run.channel.stderr !== ""
    )
    expect(run.channel.stdout.split("\n").slice(0, 10)).toEqual([
      "0",
      "0",
      "0:0",
      "0:0",
      "0:0",
      "inside",
      "gone",
      "100",
      "bound",
      "x"
    ])
    const status = readFileSync(`/proc/${run.channel.pid}/status`, "utf8")
    expect(status).toMatch(/^Uid:\t100000\t/m)
    expect(status).toMatch(/^Gid:\t200000\t/m)
    const upper = readdirSync(base)
      .filter((name) => name.startsWith("layer-"))
      .map((name) => join(base, name, "upper/made"))
    const made = statSync(upper.find((path) => existsSync(path))!)
    expect([made.uid, made.gid]).toEqual([0, 0])
    process.kill(run.channel.pid, "SIGKILL")
    await run.finished()
  })

  it("of users that cannot be mapped fail the start", async () => {
    const channel = await new FxInit(base, {
      namespaces: ["user", "mnt"],
      uidMap: [{ inside: 0, outside: 0, count: 0 }],
      gidMap: [],
      program: [shell("true")]
    }).finished()
    expect(channel.failure).toMatchObject({
      operation: -1,
      errno: 22,
      syscall: "write",
      path: "uid_map"
    })
  })
})
