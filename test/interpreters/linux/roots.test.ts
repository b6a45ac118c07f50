import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import * as fs from "node:fs"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { RootSource } from "../../../src/domain/kernel/KernelOp.ts"
import { eventually, linuxFixture, obstacle, openDescriptors } from "./fixture.ts"

/** The start time is field 22 of /proc/PID/stat. */
const identityOf = ({ pid = 0 }: ChildProcess) => ({
  pid, startTime: Number(fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)!.split(" ")[19])
})

describe.skipIf(obstacle !== undefined)("root file systems on Linux", () => {
  const linux = linuxFixture()
  const at = (name: string) => `${linux.directory}/${name}`
  let prisoner: ChildProcess | undefined

  beforeAll(async () => {
    fs.mkdirSync(at("root/etc"), { recursive: true })
    fs.writeFileSync(at("outside"), "the host's")
    fs.writeFileSync(at("root/etc/passwd"), "root:x:0:0\n")
    fs.writeFileSync(at("root/etc/large"), "x".repeat(5000))
    fs.symlinkSync("/etc/passwd", at("root/absolute"))
    fs.symlinkSync("../../../../../../etc/passwd", at("root/etc/climbing"))
    fs.symlinkSync(at("outside"), at("root/escape"))
    fs.symlinkSync("loop", at("root/loop"))
    fs.symlinkSync("/proc/self/root/etc/hostname", at("root/magic"))
    execFileSync("mkfifo", [at("root/fifo")])
    execFileSync("mknod", [at("root/device"), "c", "1", "5"])
    fs.mkdirSync(at("root/proc"))
    fs.writeFileSync(at("prisoner.c"), `
      #include <fcntl.h>
      #include <unistd.h>
      int main(int count, char **words)
      {
          (void)count;
          return chroot(words[1]) < 0 || chdir("/") < 0 || open("/ready", O_CREAT | O_WRONLY, 0644) < 0 || pause();
      }`)
    execFileSync("cc", ["-o", at("prisoner"), at("prisoner.c")])
    prisoner = spawn(at("prisoner"), [at("root")], { stdio: "ignore" })
    await eventually(() => fs.existsSync(at("root/ready")))
  })
  afterAll(() => prisoner?.kill("SIGKILL"))

  const sources: ReadonlyArray<readonly [string, () => RootSource]> = [
    ["a live process", () => ({ _tag: "Process", process: identityOf(prisoner!) })],
    ["one layer", () => ({ _tag: "Layers", lower: [at("root")], upper: "", work: "" })],
    ["a directory", () => ({ _tag: "Directory", path: at("root") })]
  ]

  describe.each(sources)("of %s", (_, source) => {
    const read = (paths: ReadonlyArray<string>, limit = 4096) =>
      linux.perform("RootRead", { root: source(), paths, limit })
    const stat = (path: string, follow: boolean) => linux.perform("RootStat", { root: source(), path, follow })

    it("give the small files that are there", async () => {
      expect(await read(["/etc/passwd", "/etc/group", "etc/passwd", "/etc/passwd/x"]))
        .toEqual({ "/etc/passwd": "root:x:0:0\n", "etc/passwd": "root:x:0:0\n" })
    })

    it("resolve links inside themselves and never outside", async () => {
      expect(await read(["/absolute", "/etc/climbing", "/escape", "/../../etc/passwd"])).toEqual({
        "/absolute": "root:x:0:0\n", "/etc/climbing": "root:x:0:0\n", "/../../etc/passwd": "root:x:0:0\n"
      })
    })

    it("refuse what is too large, no regular file, or a circle", async () => {
      const failure = (path: string, limit = 4096) =>
        linux.failure("RootRead", { root: source(), paths: [path], limit }).then(({ errno }) => errno)
      expect(await failure("/etc/large")).toBe("EFBIG")
      expect((await read(["/etc/large"], 5000))["/etc/large"]).toHaveLength(5000)
      expect(await failure("/fifo")).toBe("EINVAL")
      expect(await failure("/device")).toBe("EINVAL")
      expect(await failure("/etc")).toBe("EISDIR")
      expect(await failure("/loop")).toBe("ELOOP")
    })

    it("tell the status of a path, of the link itself or of what it points to", async () => {
      expect(await stat("/absolute", false)).toMatchObject({ type: "symlink", target: "/etc/passwd" })
      expect(await stat("/absolute", true)).toMatchObject({ type: "file", size: 11 })
      expect(await stat("/device", false)).toMatchObject({ type: "character", major: 1, minor: 5 })
      expect(await stat("/", true)).toMatchObject({ type: "directory" })
      expect(await stat("", false)).toMatchObject({ type: "directory" })
      const error = await linux.failure("RootStat", { root: source(), path: "/escape", follow: true })
      expect(error).toMatchObject({ op: "RootStat", errno: "ENOENT" })
      expect(error.path).toContain("/escape")
    })

    it("leave no descriptor open", async () => {
      const before = openDescriptors()
      for (let round = 0; round < 10; round++) {
        await read(["/etc/passwd"])
        await linux.failure("RootRead", { root: source(), paths: ["/fifo"], limit: 1 })
        await linux.failure("RootStat", { root: source(), path: "/none", follow: true })
      }
      expect(openDescriptors()).toEqual(before)
    })
  })

  it("follow no magic link of proc", async () => {
    const root: RootSource = { _tag: "Directory", path: "/" }
    const error = await linux.failure("RootRead", { root, paths: ["/proc/self/root/etc/hostname"], limit: 4096 })
    expect(error.errno).toBe("ELOOP")
  })

  it("are not those of another process that got the pid", async () => {
    const { pid, startTime } = identityOf(prisoner!)
    for (const process of [{ pid, startTime: startTime + 1 }, { pid: 4_000_000, startTime: 1 }]) {
      const root: RootSource = { _tag: "Process", process }
      expect((await linux.failure("RootRead", { root, paths: ["/etc/passwd"], limit: 4096 })).errno).toBe("ESRCH")
      expect((await linux.failure("RootStat", { root, path: "/", follow: true })).errno).toBe("ESRCH")
    }
  })

  it("show layers one over the other, the upper directory on top", async () => {
    for (const layer of ["low", "middle", "up", "work"]) fs.mkdirSync(at(`layers/${layer}`), { recursive: true })
    fs.writeFileSync(at("layers/low/a"), "low")
    fs.writeFileSync(at("layers/low/b"), "low")
    fs.writeFileSync(at("layers/low/c"), "low")
    fs.writeFileSync(at("layers/middle/b"), "middle")
    fs.writeFileSync(at("layers/middle/c"), "middle")
    fs.writeFileSync(at("layers/up/c"), "up")
    execFileSync("mknod", [at("layers/up/a"), "c", "0", "0"])
    const lower = [at("layers/middle"), at("layers/low")] as const
    const paths = ["/a", "/b", "/c"]
    const withUpper: RootSource = { _tag: "Layers", lower, upper: at("layers/up"), work: at("layers/work") }
    const read = (root: RootSource) => linux.perform("RootRead", { root, paths, limit: 9 })
    expect(await read(withUpper)).toEqual({ "/b": "middle", "/c": "up" })
    const without: RootSource = { _tag: "Layers", lower, upper: "", work: "" }
    expect(await read(without)).toEqual({ "/a": "low", "/b": "middle", "/c": "middle" })
    expect(fs.readdirSync(at("layers/work"))).toEqual([])
  })

  it("can have several hundred layers", async () => {
    const lower = Array.from({ length: 300 }, (_, index) => at(`many/${index}`))
    for (const [index, path] of lower.entries()) {
      fs.mkdirSync(path, { recursive: true })
      fs.writeFileSync(`${path}/${index}`, String(index))
    }
    const root: RootSource = { _tag: "Layers", lower: [lower[0]!, ...lower.slice(1)], upper: "", work: "" }
    expect(await linux.perform("RootRead", { root, paths: ["/0", "/299"], limit: 9 }))
      .toEqual({ "/0": "0", "/299": "299" })
  })

  it("say which layer is missing", async () => {
    const root: RootSource = { _tag: "Layers", lower: [at("root"), at("no-layer")], upper: "", work: "" }
    const error = await linux.failure("RootRead", { root, paths: ["/a"], limit: 9 })
    expect(error).toMatchObject({ errno: "ENOENT", syscall: "fsconfig" })
    expect(error.hint).toContain("no-layer")
  })
})
