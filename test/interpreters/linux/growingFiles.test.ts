import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as fs from "node:fs"
import { describe, expect, it } from "vitest"
import { perform } from "../../../src/programs/Kernel.ts"
import { linuxFixture, obstacle, openDescriptors, sleep } from "./fixture.ts"

describe.skipIf(obstacle !== undefined)("files that grow, on Linux", () => {
  const linux = linuxFixture()
  const at = (name: string) => `${linux.directory}/${name}`
  const range = async (path: string, inode: number, offset: number, limit: number) => {
    const read = await linux.perform("FileReadRange", { path, inode, offset, limit })
    return { ...read, data: Buffer.from(read.data).toString() }
  }

  it("reads ranges up to the end and nothing there", async () => {
    fs.writeFileSync(at("log"), "0123456789")
    const { ino } = fs.statSync(at("log"))
    expect(await range(at("log"), 0, 0, 4)).toEqual({ data: "0123", inode: ino })
    expect(await range(at("log"), ino, 8, 100)).toEqual({ data: "89", inode: ino })
    expect(await range(at("log"), ino, 10, 100)).toEqual({ data: "", inode: ino })
    expect(await range(at("log"), ino, 99, 100)).toEqual({ data: "", inode: ino })
  })

  it("refuses another file of the same name, a missing one and a directory", async () => {
    fs.writeFileSync(at("rotated"), "old")
    const { ino } = fs.statSync(at("rotated"))
    fs.renameSync(at("rotated"), at("rotated.1"))
    const failure = (path: string, inode: number) =>
      linux.failure("FileReadRange", { path, inode, offset: 0, limit: 9 }).then(({ errno }) => errno)
    expect(await failure(at("rotated"), ino)).toBe("ENOENT")
    fs.writeFileSync(at("rotated"), "new")
    expect(await failure(at("rotated"), ino)).toBe("ESTALE")
    expect((await range(at("rotated.1"), ino, 0, 9)).data).toBe("old")
    expect(await failure(linux.directory, 0)).toBe("EISDIR")
  })

  const awaitChange = async (path: string, size: number, change: () => void): Promise<void> => {
    const { ino } = fs.statSync(path)
    let told = false
    const waiting = linux.perform("FileAwait", { path, inode: ino, size }).then(() => {
      told = true
    })
    await sleep(30)
    expect(told).toBe(false)
    change()
    const began = performance.now()
    await waiting
    // By notification, not by the look that comes once a second.
    expect(performance.now() - began).toBeLessThan(800)
  }

  it("waits until a file grows", async () => {
    fs.writeFileSync(at("growing"), "12")
    await awaitChange(at("growing"), 2, () => fs.appendFileSync(at("growing"), "3"))
  })

  it("waits until a file is rotated away", async () => {
    fs.writeFileSync(at("turning"), "12")
    await awaitChange(at("turning"), 2, () => {
      fs.writeFileSync(at("turning.new"), "")
      fs.renameSync(at("turning.new"), at("turning"))
    })
  })

  it("waits until a file is removed, with its directory too", async () => {
    fs.mkdirSync(at("leaving"))
    fs.writeFileSync(at("leaving/file"), "12")
    await awaitChange(at("leaving/file"), 2, () => fs.rmSync(at("leaving"), { recursive: true }))
  })

  it("does not wait for what has happened already", async () => {
    fs.writeFileSync(at("longer"), "123")
    const { ino } = fs.statSync(at("longer"))
    await linux.perform("FileAwait", { path: at("longer"), inode: ino, size: 2 })
    await linux.perform("FileAwait", { path: at("longer"), inode: ino + 1, size: 3 })
    await linux.perform("FileAwait", { path: at("no/such"), inode: ino, size: 3 })
  })

  it("stops waiting when interrupted and keeps no watch", async () => {
    fs.writeFileSync(at("still"), "1")
    // Node keeps the one inotify descriptor of its loop once there was a watch.
    await linux.perform("FileAwait", { path: at("still"), inode: 0, size: 0 })
    const before = openDescriptors()
    const { ino } = fs.statSync(at("still"))
    const fiber = linux.fork(perform("FileAwait", { path: at("still"), inode: ino, size: 1 }))
    await sleep(10)
    await Effect.runPromise(Fiber.interrupt(fiber))
    expect(openDescriptors()).toEqual(before)
  })
})
