import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import { Effect, Fiber } from "effect"
import { describe, expect, it } from "vitest"
import { perform } from "../../../src/programs/Kernel.ts"
import { eventually, linuxFixture, openDescriptors } from "./fixture.ts"

/** Bytes that a file of this process may have (RLIMIT_FSIZE); Node ignores the signal that comes with the error. */
const limitFiles = (soft: string): void =>
  void execFileSync("prlimit", ["--pid", String(process.pid), `--fsize=${soft}:unlimited`])

describe("blobs on Linux", () => {
  const linux = linuxFixture()
  const at = (name: string) => `${linux.directory}/${name}`
  const held = () => openDescriptors().filter((path) => path.startsWith(linux.directory))

  it("hash what is there while others have their turn", async () => {
    const piece = Buffer.alloc(1 << 20, "piece")
    const fd = fs.openSync(at("large"), "w", 0o600)
    for (let count = 0; count < 256; count++) fs.writeSync(fd, piece)
    fs.closeSync(fd)
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    const { blob, size } = await linux.perform("BlobOpen", { path: at("large"), algorithm: "sha256" })
    clearInterval(timer)
    expect(size).toBe(256 << 20)
    expect(turns).toBeGreaterThan(20)
    await linux.perform("BlobClose", { blob })
  })

  it("let go of the file when hashing is interrupted", async () => {
    const opening = linux.fork(perform("BlobOpen", { path: at("large"), algorithm: "sha512" }))
    await eventually(() => held().includes(at("large")))
    await Effect.runPromise(Fiber.interrupt(opening))
    await eventually(() => held().length === 0)
  })

  it("do one thing after the other: a second piece before the first is written is refused, and the first is whole", async () => {
    const { blob } = await linux.perform("BlobOpen", { path: at("busy"), algorithm: "sha256" })
    const data = new Uint8Array(32 << 20).fill(7)
    const first = linux.perform("BlobAppend", { blob, data })
    const refused = await linux.failure("BlobAppend", { blob, data })
    expect([refused.errno, refused.hint]).toEqual(["EBUSY", "another operation on the blob is under way"])
    await first
    fs.mkdirSync(at("blobs/sha256"), { recursive: true })
    const hex = createHash("sha256").update(data).digest("hex")
    expect(await linux.perform("BlobCommit", { blob, directory: at("blobs") })).toEqual({ digest: `sha256:${hex}`, size: data.length })
    expect(held()).toEqual([])
  })

  it("take an interrupted piece whole, so that hash and file agree", async () => {
    const { blob } = await linux.perform("BlobOpen", { path: at("piece"), algorithm: "sha256" })
    const data = new Uint8Array(32 << 20).fill(9)
    const adding = linux.fork(perform("BlobAppend", { blob, data }))
    await Effect.runPromise(Fiber.interrupt(adding))
    const size = fs.statSync(at("piece")).size
    expect([0, data.length]).toContain(size)
    const { digest } = await linux.perform("BlobCommit", { blob, directory: at("blobs") })
    expect(digest).toBe(`sha256:${createHash("sha256").update(data.subarray(0, size)).digest("hex")}`)
  })

  it("that fail to be written are cut back to what is hashed, and take no more", async () => {
    const { blob } = await linux.perform("BlobOpen", { path: at("full"), algorithm: "sha256" })
    await linux.perform("BlobAppend", { blob, data: Buffer.from("kept") })
    // The write goes as far as it may and fails then, as on a disk that is full
    limitFiles(String(1 << 20))
    const failing = await linux.failure("BlobAppend", { blob, data: new Uint8Array(4 << 20) }).finally(() => limitFiles("unlimited"))
    expect(failing.errno).toBe("EFBIG")
    expect(fs.statSync(at("full")).size).toBe(4)
    expect((await linux.failure("BlobAppend", { blob, data: Buffer.from("x") })).hint).toBe("an earlier write failed")
    await linux.perform("BlobClose", { blob })
    const again = await linux.perform("BlobOpen", { path: at("full"), algorithm: "sha256" })
    expect(again.size).toBe(4)
    const { digest } = await linux.perform("BlobCommit", { blob: again.blob, directory: at("blobs") })
    expect(digest).toBe(`sha256:${createHash("sha256").update("kept").digest("hex")}`)
  })

  it("are for the engine alone, and hold a descriptor until they are closed", async () => {
    const { blob } = await linux.perform("BlobOpen", { path: at("mine"), algorithm: "sha256" })
    expect(fs.statSync(at("mine")).mode & 0o777).toBe(0o600)
    expect(held()).toEqual([at("mine")])
    await linux.perform("BlobClose", { blob })
    expect(held()).toEqual([])
  })
})
