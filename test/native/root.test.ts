import { execFileSync } from "node:child_process"
import {
  chmodSync,
  existsSync,
  lchownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  symlinkSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { InitOp } from "../../src/domain/kernel/InitOp.ts"
import { buildInit, FxInit, isRoot, makeRootfs, removeBase, temporaryBase } from "./FxInit.ts"
import { devOperations, dockerLike, mountProc, rootOperations, shell } from "./programs.ts"

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
describe.runIf(isRoot)("the tree of the root", () => {
  it("can be read-only, of one layer or several, without an upper directory", async () => {
    const second = join(base, "second")
    mkdirSync(join(second, "etc"), { recursive: true })
    writeFileSync(join(second, "etc/second"), "second\n")
    const at = mkdtempSync(join(base, "at-"))
    for (const lower of [[rootfs], [second, rootfs]] as const) {
      const channel = await new FxInit(base, {
        program: [
          { _tag: "MountPropagation", path: "/", propagation: "rprivate" },
          { _tag: "RootOverlay", at, lower, upper: "", work: "", volatile: false },
          { _tag: "PivotRoot", at },
          shell("ls /etc; touch /x")
        ]
      }).finished()
      expect(channel.stdout).toBe(lower.length === 1 ? "passwd\n" : "passwd\nsecond\n")
      expect(channel.stderr).toContain("Read-only file system")
    }
  })

  it("takes layers whose paths are longer than fsconfig allows, and many of them", async () => {
    const long = join(base, "l".repeat(200), "m".repeat(200))
    const layers: Array<string> = []
    for (let index = 0; index < 150; index++) {
      const layer = join(long, String(index))
      mkdirSync(layer, { recursive: true })
      writeFileSync(join(layer, `file-${index}`), "")
      layers.push(layer)
    }
    for (const name of ["upper", "work", "at"]) mkdirSync(join(long, name))
    const channel = await new FxInit(base, {
      program: [
        { _tag: "MountPropagation", path: "/", propagation: "rprivate" },
        {
          _tag: "RootOverlay",
          at: join(long, "at"),
          lower: [layers[0]!, ...layers.slice(1), rootfs],
          upper: join(long, "upper"),
          work: join(long, "work"),
          volatile: true
        },
        { _tag: "PivotRoot", at: join(long, "at") },
        shell("ls / | grep -c file-; touch /written")
      ]
    }).finished()
    expect(channel.failure).toBeUndefined()
    expect(channel.stdout).toBe("150\n")
    expect(existsSync(join(long, "upper/written"))).toBe(true)
  })

  it("takes a tree from another container's mount namespace, whose links stay in that one", async () => {
    const other = new FxInit(base, {
      program: dockerLike(base, rootfs, [
        shell(
          "ln -s ../../../../dev/shm /shared; mkdir /dev/shm/sub; echo theirs > /dev/shm/sub/file; echo ready; sleep 1000"
        )
      ])
    })
    await other.channel.until(() => other.channel.stdout === "ready\n")
    for (const namespaces of [
      ["pid", "mnt"],
      ["user", "pid", "mnt"]
    ] as const) {
      const maps = [{ inside: 0, outside: 100_000, count: 65_536 }]
      const channel = await new FxInit(base, {
        namespaces,
        ...(namespaces.length === 3 ? { uidMap: maps, gidMap: maps } : {}),
        program: [
          {
            _tag: "TreeOpen",
            slot: 0,
            source: "/shared",
            recursive: false,
            within: other.status.init!
          },
          ...rootOperations(base, rootfs),
          {
            _tag: "MountTree",
            slot: 0,
            target: "/dev/shm",
            attributes: [],
            propagation: "rprivate"
          },
          shell("cat /dev/shm/sub/file; ls /")
        ]
      }).finished()
      expect(channel.failure).toBeUndefined()
      expect(channel.stdout).toMatch(/^theirs\nbin\ndev\netc/)
    }
    const gone = { pid: other.channel.pid, startTime: 1 }
    const channel = await new FxInit(base, {
      program: [
        { _tag: "TreeOpen", slot: 0, source: "/", recursive: true, within: gone },
        shell("true")
      ]
    }).finished()
    expect(channel.failure).toMatchObject({ operation: 0, errno: 3, syscall: "pidfd_open" })
    process.kill(other.channel.pid, "SIGKILL")
    await other.finished()
  })

  it("can be made read-only at the end, mounts below excepted", async () => {
    expect(
      await output(
        [
          {
            _tag: "MountFilesystem",
            type: "tmpfs",
            source: "tmpfs",
            target: "/tmp",
            strict: true,
            options: [],
            attributes: [],
            copyUp: false
          },
          { _tag: "MountAttributes", path: "/", attributes: ["ro"], propagation: "rprivate" }
        ],
        "touch /tmp/x && echo ok; touch /x"
      )
    ).toMatch(/^ok\ntouch: .*Read-only file system\n$/)
  })

  it("keeps what a directory held when a tmpfs is mounted over it with copy-up", async () => {
    const image = makeRootfs(join(base, "copied"))
    mkdirSync(join(image, "data/sub"), { recursive: true })
    writeFileSync(join(image, "data/sub/file"), "content\n")
    chmodSync(join(image, "data/sub/file"), 0o640)
    chmodSync(join(image, "data"), 0o1777)
    symlinkSync("sub/file", join(image, "data/link"))
    lchownSync(join(image, "data/link"), 12, 13)
    lchownSync(join(image, "data"), 5, 6)
    const channel = await new FxInit(base, {
      program: [
        ...rootOperations(base, image),
        mountProc,
        {
          _tag: "MountFilesystem",
          type: "tmpfs",
          source: "tmpfs",
          target: "/data",
          strict: false,
          options: [{ key: "size", value: "1m" }],
          attributes: ["nosuid"],
          copyUp: true
        },
        shell(
          "cat /data/sub/file; readlink /data/link; stat -c '%a %u:%g' /data /data/sub/file /data/link; grep -c ' /data tmpfs' /proc/mounts"
        )
      ]
    }).finished()
    expect(channel.stdout).toBe("content\nsub/file\n1777 5:6\n640 0:0\n777 12:13\n1\n")
  })

  it("copies capabilities, times and hard links with it, and may be read-only", async () => {
    const image = makeRootfs(join(base, "attributes"))
    const data = join(image, "data")
    mkdirSync(join(data, "sub"), { recursive: true })
    writeFileSync(join(data, "tool"), "x")
    execFileSync("setcap", ["cap_net_raw+ep", join(data, "tool")])
    writeFileSync(join(data, "sub/first"), "linked\n")
    linkSync(join(data, "sub/first"), join(data, "second"))
    linkSync(join(data, "sub/first"), join(data, "sub/third"))
    for (const path of ["tool", "sub/first", "sub", ""]) {
      utimesSync(join(data, path), 1_000_000_000, 1_100_000_000)
    }
    const run = new FxInit(base, {
      program: [
        ...rootOperations(base, image),
        mountProc,
        {
          _tag: "MountFilesystem",
          type: "tmpfs",
          source: "tmpfs",
          target: "/data",
          strict: false,
          options: [],
          attributes: ["ro"],
          copyUp: true
        },
        shell(
          "cd /data; stat -c %h sub/first second sub/third; stat -c %i sub/first second sub/third | sort -u | wc -l; stat -c %Y . sub tool sub/first; touch x; sleep 1000"
        )
      ]
    })
    await run.channel.until(() => run.channel.stderr !== "")
    expect(run.channel.stderr).toContain("Read-only file system")
    expect(run.channel.stdout).toBe("3\n3\n3\n1\n" + "1100000000\n".repeat(4))
    expect(
      execFileSync("getcap", [`/proc/${run.channel.pid}/root/data/tool`], { encoding: "utf8" })
    ).toContain("cap_net_raw=ep")
    process.kill(run.channel.pid, "SIGKILL")
    await run.finished()
  })

  it("names the option that a file system refuses", async () => {
    const channel = await new FxInit(base, {
      program: inRoot(
        [
          {
            _tag: "MountFilesystem",
            type: "tmpfs",
            source: "tmpfs",
            target: "/tmp",
            strict: true,
            options: [
              { key: "size", value: "1m" },
              { key: "sise", value: "2m" }
            ],
            attributes: [],
            copyUp: false
          }
        ],
        "true"
      )
    }).finished()
    expect(channel.failure).toEqual({
      operation: 4,
      errno: 22,
      syscall: "fsconfig",
      path: "/tmp (sise=2m)"
    })
  })

  it("gets directories, links and devices with the modes asked for", async () => {
    expect(
      await output(
        [
          ...devOperations(false),
          { _tag: "DirMake", path: "/srv/a/b", mode: 0o1750 },
          { _tag: "SymlinkMake", target: "b", path: "/srv/a/link" },
          {
            _tag: "NodeMake",
            path: "/dev/custom",
            type: "b",
            mode: 0o640,
            major: 259,
            minor: 300,
            uid: 3,
            gid: 4
          },
          {
            _tag: "NodeMake",
            path: "/dev/null",
            type: "c",
            mode: 0o622,
            major: 1,
            minor: 3,
            uid: 0,
            gid: 0
          },
          {
            _tag: "NodeMake",
            path: "/dev/fifo",
            type: "p",
            mode: 0o600,
            major: 0,
            minor: 0,
            uid: 0,
            gid: 0
          }
        ],
        "stat -c '%a %F' /srv /srv/a /srv/a/b; readlink /srv/a/link; stat -c '%a %u:%g %F %t:%T' /dev/custom /dev/null; stat -c %F /dev/fifo"
      )
    ).toBe(
      "755 directory\n755 directory\n1750 directory\nb\n640 3:4 block special file 103:12c\n622 0:0 character special file 1:3\nfifo\n"
    )
  })

  it("has a working directory that is made on demand", async () => {
    expect(
      await output(
        [{ _tag: "WorkingDirectory", path: "/work/deep/er", create: true }],
        "pwd; stat -c %a ."
      )
    ).toBe("/work/deep/er\n755\n")
  })
})
