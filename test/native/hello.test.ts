import { execFileSync, spawnSync } from "node:child_process"
import { copyFileSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { buildInit, FxInit, isRoot, removeBase, repository, temporaryBase } from "./FxInit.ts"
import { dockerLike, exec } from "./programs.ts"

const hello = join(repository, "native/build/hello")
let base = ""
let rootfs = ""

beforeAll(() => {
  buildInit()
  execFileSync("make", ["-s", "-C", join(repository, "native"), "build/hello"])
  base = temporaryBase()
  rootfs = join(base, "rootfs")
  mkdirSync(rootfs)
  copyFileSync(hello, join(rootfs, "hello"))
})
afterAll(() => removeBase(base))

describe("hello", () => {
  it("ends with the status it is told to, and refuses other arguments", () => {
    expect(spawnSync(hello, ["--exit", "42"])).toMatchObject({ status: 42, stdout: Buffer.alloc(0) })
    for (const wrong of [["--exit"], ["--exit", "x"], ["--help"]]) {
      const { status, stderr } = spawnSync(hello, wrong, { encoding: "utf8" })
      expect([status, stderr]).toEqual([2, "hello: usage: hello [--exit STATUS]\n"])
    }
  })

  it.runIf(isRoot)("is all that its image needs, and tells what it sees from inside", async () => {
    const channel = await new FxInit(base, {
      program: dockerLike(base, rootfs, [exec(["/hello"])])
    }).finished()
    expect(channel.failure).toBeUndefined()
    const facts = new Map(
      channel.stdout.split("\n").map((line) => [line.slice(2, 16).trim(), line.slice(16)])
    )
    expect(channel.stdout).toMatch(/^Hello from inside a container/)
    expect(facts.get("hostname")).toBe("probe")
    expect(facts.get("process")).toBe("pid 1, parent 0")
    expect(facts.get("user")).toBe("uid 0, gid 0, groups 0 1 2")
    expect(facts.get("capabilities")).toMatch(/^14: chown dac_override fowner .* audit_write setfcap$/)
    expect(facts.get("security")).toBe("no_new_privs 1, seccomp 0")
    expect(facts.get("mounts")).toMatch(/^\d+: \/ overlay, \/proc proc, \/dev tmpfs, /)
    expect(facts.get("namespaces")).toMatch(/^mnt:\[\d+\] pid:\[\d+\] net:/)
    expect(channel.exit).toEqual({ code: 0, signal: 0, oomKilled: false })
  })
})
