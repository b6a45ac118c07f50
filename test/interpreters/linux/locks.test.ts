import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import { describe, expect, it } from "vitest"
import type { Addon } from "../../../src/interpreters/linux/addon.ts"
import { locks } from "../../../src/interpreters/linux/locks.ts"
import { Machine } from "../../../src/interpreters/linux/Machine.ts"
import { perform } from "../../../src/programs/Kernel.ts"
import { eventually, linuxFixture, obstacle, openDescriptors, sleep } from "./fixture.ts"

describe.skipIf(obstacle !== undefined)("locks on Linux", () => {
  const linux = linuxFixture()
  const at = (name: string) => `${linux.directory}/${name}`
  const acquire = (path: string, shared = false) => linux.perform("LockAcquire", { path, shared })
  const release = (handle: number) => linux.perform("LockRelease", { handle })

  it("gives the lock to one at a time", async () => {
    const first = await acquire(at("lock"))
    let held = false
    const second = acquire(at("lock")).then((handle) => {
      held = true
      return handle
    })
    await sleep(60)
    expect(held).toBe(false)
    await release(first)
    await release(await second)
    expect(fs.statSync(at("lock")).mode & 0o777).toBe(0o600)
  })

  it("gives a shared lock to many, and an exclusive one only after all of them", async () => {
    const readers = [await acquire(at("shared"), true), await acquire(at("shared"), true)]
    expect(await linux.perform("LockTry", { path: at("shared") })).toBeUndefined()
    await release(readers[0]!)
    expect(await linux.perform("LockTry", { path: at("shared") })).toBeUndefined()
    await release(readers[1]!)
    const writer = await linux.perform("LockTry", { path: at("shared") })
    expect(writer).toBeTypeOf("number")
    await release(writer!)
  })

  it("stops waiting when interrupted, and then has nothing", async () => {
    const before = openDescriptors()
    const first = await acquire(at("interrupted"))
    const waiting = linux.fork(perform("LockAcquire", { path: at("interrupted"), shared: false }))
    await sleep(20)
    await Effect.runPromise(Fiber.interrupt(waiting))
    const exit = await Effect.runPromise(Fiber.await(waiting))
    expect(Exit.isFailure(exit)).toBe(true)
    await release(first)
    const again = await linux.perform("LockTry", { path: at("interrupted") })
    expect(again).toBeTypeOf("number")
    await release(again!)
    expect(openDescriptors()).toEqual(before)
  })

  it("never holds a file that has lost its name to another", async () => {
    const machine = new Machine({ root: linux.directory, execRoot: linux.directory })
    const path = at("renamed")
    let raced = false
    // Between our open and our lock the holder removes the file, and somebody makes it anew.
    const { addon } = machine
    const lock: Addon["lock"] = (fd, shared) => {
      if (!raced) {
        raced = true
        fs.unlinkSync(path)
        fs.writeFileSync(path, "")
      }
      return addon.lock(fd, shared)
    }
    Object.defineProperty(machine, "addon", { value: { ...addon, lock } })
    await Effect.runPromise(locks(machine).LockAcquire({ path, shared: false }))
    expect(raced).toBe(true)
    expect(await linux.perform("LockTry", { path })).toBeUndefined()
    machine.closeAll()
    const free = await linux.perform("LockTry", { path })
    expect(free).toBeTypeOf("number")
    await release(free!)
  })

  it("takes over from another process that died", async () => {
    const child = spawn("flock", [at("foreign"), "-c", `touch ${at("foreign.held")}; sleep 60`], { detached: true })
    try {
      await eventually(() => fs.existsSync(at("foreign.held")))
      expect(await linux.perform("LockTry", { path: at("foreign") })).toBeUndefined()
      const waiting = acquire(at("foreign"))
      process.kill(-child.pid!, "SIGKILL")
      await release(await waiting)
    } finally {
      child.kill("SIGKILL")
    }
  })

  it("follows no link and says where a lock can't be made", async () => {
    fs.symlinkSync(at("lock"), at("lock.link"))
    expect((await linux.failure("LockAcquire", { path: at("lock.link"), shared: false })).errno).toBe("ELOOP")
    const error = await linux.failure("LockAcquire", { path: at("none/lock"), shared: false })
    expect(error).toMatchObject({ op: "LockAcquire", errno: "ENOENT", path: at("none/lock") })
  })

  it("does not mind a lock released twice", async () => {
    const handle = await acquire(at("twice"))
    await release(handle)
    await release(handle)
  })
})
