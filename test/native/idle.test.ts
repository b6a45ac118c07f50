import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { attachFlags } from "../../src/domain/kernel/Supervisor.ts"
import {
  buildInit,
  everything,
  FxInit,
  isRoot,
  makeRootfs,
  removeBase,
  slowness,
  temporaryBase
} from "./FxInit.ts"
import { dockerLike, shell } from "./programs.ts"

let base = ""
let rootfs = ""

beforeAll(() => {
  buildInit()
  base = temporaryBase()
  rootfs = makeRootfs(base)
})
afterAll(() => removeBase(base))

/** Waits until it holds, or the time is up: what it should be is asserted by who waited. */
const within = async (milliseconds: number, holds: () => boolean): Promise<void> => {
  for (const end = Date.now() + milliseconds * slowness; !holds() && Date.now() < end;) {
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Resident memory in kB, however many others share it: an upper bound of the proportional share. */
const resident = (run: FxInit): number =>
  Number(/^Rss: +(\d+) kB/m.exec(readFileSync(`/proc/${run.process.pid}/smaps_rollup`, "utf8"))![1])

const maps = (run: FxInit): string => readFileSync(`/proc/${run.process.pid}/maps`, "utf8")

const code = (run: FxInit): number =>
  maps(run)
    .split("\n")
    .filter((line) => line.includes("r-xp") && line.includes("fx-init"))
    .reduce((sum, line) => {
      const [from, to] = line.split(" ")[0]!.split("-")
      return sum + Number.parseInt(to!, 16) - Number.parseInt(from!, 16)
    }, 0)

describe.runIf(isRoot)("an idle supervisor", () => {
  for (const terminal of [false, true]) {
    it(`takes little memory ${terminal ? "with" : "without"} a terminal, also after much has passed through it`, async () => {
      const run = new FxInit(base, {
        stdio: { terminal, rows: 0, columns: 0, stdin: "open" },
        program: dockerLike(
          base,
          rootfs,
          [shell("read x; head -c 200000 /dev/zero | tr '\\0' x; echo; echo done; read x")],
          { terminal }
        ),
        log: { path: join(base, `idle-${terminal}.log`), maxSize: 0, maxFiles: 1 }
      })
      await run.started()
      await within(1300, () => resident(run) <= 48)
      expect(resident(run)).toBeLessThanOrEqual(48)
      run.channel.stdin("go\n")
      await run.channel.until(() => run.channel.stdout.includes("done"))
      expect(resident(run)).toBeGreaterThan(48)
      await within(1300, () => resident(run) <= 48)
      expect(resident(run)).toBeLessThanOrEqual(48)
      process.kill(run.channel.pid, "SIGKILL")
      await run.finished()
    })
  }

  it("has given back the code of the set-up and the specification, and does all that is left to do", async () => {
    const log = join(base, "rotated.log")
    const marker = join(base, "marker")
    const run = new FxInit(
      base,
      {
        stdio: { terminal: false, rows: 0, columns: 0, stdin: "open" },
        program: dockerLike(base, rootfs, [
          shell("read x; for n in 1 2 3 4; do echo line $n; sleep 0.02; done; exit 3")
        ]),
        log: { path: log, maxSize: 100, maxFiles: 9 },
        exitFile: join(base, "exit"),
        onExit: ["/bin/sh", "-c", `echo ran > ${marker}`]
      },
      everything & ~attachFlags.claim
    )
    await run.started()
    const before = code(run)
    await within(1300, () => before - code(run) > 16_384 && !maps(run).includes("specification"))
    expect(before - code(run)).toBeGreaterThan(16_384)
    expect(maps(run)).not.toContain("specification")
    const later = await run.connect(everything & ~attachFlags.claim)
    later.stdin("go\n")
    await later.until(() => later.exit !== undefined)
    await run.gone
    expect(later.stdout).toBe("line 1\nline 2\nline 3\nline 4\n")
    expect(later.exit).toEqual({ code: 3, signal: 0, oomKilled: false })
    expect(readFileSync(`${log}.1`, "utf8")).toContain("line")
    expect(readFileSync(join(base, "exit"), "utf8")).toMatch(/^exited \d+ 3 0 0$/m)
    expect(readFileSync(marker, "utf8")).toBe("ran\n")
    expect(run.hasSocket).toBe(false)
  })

  it("gives them back also when the container never is quiet", async () => {
    const run = new FxInit(base, {
      program: dockerLike(base, rootfs, [shell("while :; do echo x; sleep 0.05; done")])
    })
    await run.started()
    const before = code(run)
    await within(1500, () => before - code(run) > 16_384)
    expect(before - code(run)).toBeGreaterThan(16_384)
    expect(existsSync(run.directory)).toBe(true)
    process.kill(run.channel.pid, "SIGKILL")
    await run.finished()
  })
})
