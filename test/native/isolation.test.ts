import { execFileSync } from "node:child_process"
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { buildInit, FxInit, isRoot, makeRootfs, removeBase, temporaryBase } from "./FxInit.ts"
import { dockerLike, exec, mountProc, rootOperations, shell } from "./programs.ts"

let base = ""
let rootfs = ""

beforeAll(() => {
  buildInit()
  base = temporaryBase()
  rootfs = makeRootfs(base)
})
afterAll(() => removeBase(base))
describe.runIf(isRoot)("what the container cannot reach", () => {
  it("has fds 0 to 2 only, and sees nothing of fx-init", async () => {
    const channel = await new FxInit(base, {
      program: dockerLike(base, rootfs, [
        exec([
          "/bin/sh",
          "-c",
          "echo /proc/self/fd/*; readlink /proc/1/exe; cat /proc/1/maps | grep -c fx-init"
        ])
      ])
    }).finished()
    // The shell's own glob holds fd 3 open while it reads the directory.
    expect(channel.stdout).toBe(
      "/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 /proc/self/fd/3\n/bin/busybox\n0\n"
    )
  })

  it("gets only the capabilities asked for, none inheritable", async () => {
    const channel = await new FxInit(base, {
      program: dockerLike(base, rootfs, [
        exec(["/bin/grep", "-E", "^(Cap|NoNewPrivs)", "/proc/self/status"])
      ])
    }).finished()
    expect(channel.stdout).toBe(
      "CapInh:\t0000000000000000\nCapPrm:\t00000000a80425fb\nCapEff:\t00000000a80425fb\nCapBnd:\t00000000a80425fb\n" +
        "CapAmb:\t0000000000000000\nNoNewPrivs:\t1\n"
    )
  })

  it("keeps ambient capabilities across exec as another user", async () => {
    const channel = await new FxInit(base, {
      program: [
        ...rootOperations(base, rootfs),
        mountProc,
        { _tag: "User", uid: 1000, gid: 1000, groups: [7] },
        {
          _tag: "Capabilities",
          effective: [10],
          permitted: [10],
          inheritable: [10],
          ambient: [10]
        },
        shell("id -u; id -G; grep CapEff /proc/self/status; echo again > /proc/self/fd/1")
      ]
    }).finished()
    expect(channel.stdout).toBe("1000\n1000 7\nCapEff:\t0000000000000400\nagain\n")
  })

  it("keeps mount targets inside the root when the image made them symbolic links", async () => {
    const outside = join(base, "outside")
    mkdirSync(outside)
    const tricky = makeRootfs(join(base, "tricky"))
    symlinkSync("/etc/../../../../../../../target", join(tricky, "hostname"))
    symlinkSync(`${outside}/made`, join(tricky, "dangling"))
    writeFileSync(join(base, "bound"), "bound")
    const channel = await new FxInit(base, {
      program: [
        { _tag: "TreeOpen", slot: 4, source: join(base, "bound"), recursive: true },
        { _tag: "TreeOpen", slot: 5, source: join(base, "bound"), recursive: true },
        ...rootOperations(base, tricky),
        mountProc,
        {
          _tag: "MountTree",
          slot: 4,
          target: "/hostname",
          attributes: ["ro"],
          propagation: "rprivate"
        },
        { _tag: "MountTree", slot: 5, target: "/dangling", attributes: [], propagation: "private" },
        shell(`cat /target ${outside}/made; echo x > /target`)
      ]
    }).finished()
    expect(channel.stdout).toBe("boundbound")
    expect(channel.stderr).toContain("Read-only file system")
    expect(readdirSync(outside)).toEqual([])
  })

  it("refuses links in strict targets", async () => {
    const linked = makeRootfs(join(base, "linked"))
    execFileSync("sh", ["-c", `rmdir ${linked}/proc && ln -s /tmp ${linked}/proc`])
    const channel = await new FxInit(base, {
      program: [...rootOperations(base, linked), mountProc, shell("true")]
    }).finished()
    expect(channel.failure).toMatchObject({ operation: 3, errno: 40, path: "/proc" })
  })

  it("refuses a working directory outside the root", async () => {
    const run = new FxInit(base, {
      program: [
        ...rootOperations(base, rootfs),
        mountProc,
        { _tag: "WorkingDirectory", path: "/proc/self/fd/5", create: false },
        shell("pwd")
      ]
    })
    const channel = await run.finished()
    expect(channel.failure).toMatchObject({ operation: 4 })
  })

  it("masks what is to be masked and makes read-only what is to be read", async () => {
    const channel = await new FxInit(base, {
      program: dockerLike(base, rootfs, [
        shell(
          "wc -c < /proc/keys; ls /proc/acpi /sys/firmware; echo 1 > /proc/sys/vm/drop_caches; touch /proc/acpi/x"
        )
      ])
    }).finished()
    expect(channel.stdout).toBe("0\n/proc/acpi:\n\n/sys/firmware:\n")
    expect(channel.stderr.match(/Read-only file system/g)).toHaveLength(2)
  })

  it("writes sysctls below /proc/sys and nowhere else", async () => {
    const set = (key: string, value: string) => [
      ...rootOperations(base, rootfs),
      mountProc,
      { _tag: "Sysctl", key, value } as const,
      shell("cat /proc/sys/kernel/msgmax /proc/sys/fs/mqueue/msg_max")
    ]
    expect(
      (await new FxInit(base, { program: set("kernel.msgmax", "4242") }).finished()).stdout
    ).toContain("4242\n")
    expect(
      (await new FxInit(base, { program: set("fs/mqueue/msg_max", "77") }).finished()).stdout
    ).toContain("\n77\n")
    for (const key of [
      "../sysrq-trigger",
      "/sysrq-trigger",
      "kernel/../../sysrq-trigger",
      "kernel.nothing"
    ]) {
      const channel = await new FxInit(base, { program: set(key, "h") }).finished()
      expect(channel.failure).toMatchObject({ operation: 4, syscall: "openat2", path: key })
    }
  })
})
