/** What a container must not be able to do or see. Each test tries it, from inside, on this kernel. */
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import type { ContainerConfig } from "../../src/domain/container/ContainerConfig.ts"
import { makeRootfs, RealEngine, runToEnd, titled, unavailable } from "./RealEngine.ts"

describe.skipIf(unavailable !== undefined)(titled("a hostile container"), () => {
  const real = new RealEngine()
  beforeAll(() => void real.make())
  afterAll(() => real.dispose())
  const sh = (script: string, more: Partial<ContainerConfig> = {}) => real.run(runToEnd(real.config(["sh", "-c", script], more)))
  const attempt = (script: string, more: Partial<ContainerConfig> = {}) =>
    real.run(Effect.result(runToEnd(real.config(["sh", "-c", script], more))))

  /** A root of its own that the test may spoil. */
  const spoiled = (name: string, spoil: (rootfs: string) => void): string => {
    const rootfs = join(real.directory, `rootfs-${name}`)
    makeRootfs(rootfs)
    spoil(rootfs)
    return rootfs
  }

  it("gets no file descriptor of the host: only 0, 1 and 2", async () => {
    const leaked = await sh("ls /proc/1/fd; true")
    assert.strictEqual(leaked.stdout, "0\n1\n2\n")
  })

  it("finds its own program behind /proc/1/exe, not a file of the host", async () => {
    const { stdout } = await sh("readlink /proc/1/exe; readlink /proc/self/exe")
    assert.strictEqual(stdout, "/bin/busybox\n/bin/busybox\n")
  })

  it("with --init cannot write to the engine's own program", async () => {
    const { stdout } = await sh("for way in '>' '>>'; do eval \"echo x $way /proc/1/exe\" 2>/dev/null && echo written; done; echo end", { init: true })
    assert.strictEqual(stdout, "end\n")
  })

  it("cannot choose a working directory that is not inside its root", async () => {
    for (const workingDirectory of ["/proc/self/fd/7", "/proc/self/fd/8/../../..", "/proc/1/cwd", "/proc/thread-self/root"]) {
      const result = await attempt("pwd", { workingDirectory })
      if (Result.isSuccess(result)) assert.match(result.success.stdout, /^\/(\n|proc\/)/, workingDirectory)
    }
  })

  for (const target of ["dev", "proc", "sys"]) {
    it(`that replaced /${target} by a link to the host's place is refused or stays inside`, async () => {
      const outside = join(real.directory, `outside-${target}`)
      mkdirSync(outside)
      const rootfs = spoiled(target, (path) => {
        rmSync(join(path, target), { recursive: true })
        symlinkSync(outside, join(path, target))
      })
      const result = await attempt("echo ran", { rootfs })
      assert.isTrue(Result.isFailure(result), "a kernel file system was mounted through a link")
      assert.deepStrictEqual(execFileSync("ls", ["-A", outside], { encoding: "utf8" }), "")
    })
  }

  it("that made /etc a link out of its root gets its files inside of the root", async () => {
    const outside = join(real.directory, "outside-etc")
    mkdirSync(outside)
    const rootfs = spoiled("etc", (path) => {
      rmSync(join(path, "etc"), { recursive: true })
      symlinkSync(outside, join(path, "etc"))
    })
    await attempt("cat /etc/hostname", { rootfs })
    assert.deepStrictEqual(execFileSync("ls", ["-A", outside], { encoding: "utf8" }), "")
  })

  it("that made /etc/hostname a link to a file of the host does not reach that file", async () => {
    const secret = join(real.directory, "secret")
    writeFileSync(secret, "untouched")
    const rootfs = spoiled("hostname", (path) => symlinkSync(secret, join(path, "etc/hostname")))
    await attempt("echo changed > /etc/hostname", { rootfs })
    assert.strictEqual(readFileSync(secret, "utf8"), "untouched")
  })

  it("has real masks: nothing can be read through them", async () => {
    const { stdout } = await sh("head -c 1 /proc/kcore | wc -c; (ls -A /sys/firmware; ls -A /proc/acpi) 2>/dev/null | wc -l; cat /proc/keys /proc/timer_list | wc -c")
    assert.strictEqual(stdout, "0\n0\n0\n")
  })

  it("cannot take the masks and read-only paths away", async () => {
    const { stdout } = await sh(
      "umount /proc/kcore 2>/dev/null && echo unmasked; umount /proc/sys 2>/dev/null && echo unlocked; " +
        "echo 1 2>/dev/null > /proc/sys/kernel/shmmax && echo wrote; mount -o remount,rw /sys 2>/dev/null && echo remounted; echo end"
    )
    assert.strictEqual(stdout, "end\n")
  })

  it("has empty inheritable and ambient sets, as root and as a user", async () => {
    for (const user of ["", "alice"]) {
      const { stdout } = await sh("grep -E '^Cap(Inh|Amb)' /proc/self/status", { user })
      assert.match(stdout, /^CapInh:\s0+\nCapAmb:\s0+\n$/)
    }
  })

  it("as a user has no capability in effect", async () => {
    const { stdout } = await sh("grep -E '^Cap(Eff|Prm)' /proc/self/status", { user: "alice", capAdd: ["NET_ADMIN"] })
    assert.match(stdout, /^CapPrm:\s0+\nCapEff:\s0+\n$/)
  })

  it("cannot reach a release_agent, nor make a cgroup", async () => {
    const { stdout } = await sh(
      "find /sys/fs/cgroup -name release_agent 2>/dev/null | wc -l; " +
        "for d in /sys/fs/cgroup /sys/fs/cgroup/memory; do mkdir $d/mine 2>/dev/null && echo made; done; echo end"
    )
    assert.strictEqual(stdout, "0\nend\n")
  })

  it("is not started with a sysctl that is the host's", async () => {
    for (const key of ["kernel.core_pattern", "vm.overcommit_memory", "fs.file-max", "kernel.panic"]) {
      assert.isTrue(Result.isFailure(await attempt("true", { sysctls: { [key]: "1" } })), key)
    }
  })

  it("cannot make the engine hang or swallow memory by its passwd file", async () => {
    const kinds: ReadonlyArray<readonly [string, (path: string) => void]> = [
      ["fifo", (path) => execFileSync("mkfifo", [path])],
      ["link to a device", (path) => symlinkSync("/dev/zero", path)],
      ["link out of the root", (path) => symlinkSync("../../../../../../etc/passwd", path)],
      ["directory", (path) => mkdirSync(path)],
      ["huge", (path) => {
        writeFileSync(path, "")
        truncateSync(path, 1 << 40)
      }]
    ]
    for (const [kind, make] of kinds) {
      const rootfs = spoiled(`passwd-${kind.split(" ").join("-")}`, (path) => {
        rmSync(join(path, "etc/passwd"))
        make(join(path, "etc/passwd"))
      })
      const byName = await attempt("id", { rootfs, user: "daemon" })
      assert.isTrue(Result.isFailure(byName), `${kind}: a user of the host's passwd was found`)
      assert.isBelow(process.memoryUsage().rss, 2 ** 31)
    }
  })

  it("cannot break out by mounts, devices or module loading", async () => {
    const { stdout } = await sh(
      "mount -t proc proc /tmp 2>/dev/null && echo mounted; mknod /tmp/disk b 254 0 && (head -c 1 /tmp/disk | wc -c) 2>/dev/null; " +
        "chroot /proc/1/root true 2>/dev/null; unshare -U true 2>/dev/null && echo user; echo end"
    )
    assert.strictEqual(stdout.replace(/^0\n/, ""), "end\n")
  })

  it("leaves no core of its mount namespace on the host", async () => {
    await sh("true")
    assert.isFalse(readFileSync("/proc/self/mountinfo", "utf8").includes(real.directory))
    assert.isTrue(existsSync(real.rootfs))
  })
})
