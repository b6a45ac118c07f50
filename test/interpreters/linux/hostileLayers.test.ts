/** Every hostile archive against this very kernel: nothing outside is touched, and what is wrong is told. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as fs from "node:fs"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { KernelError } from "../../../src/domain/kernel/KernelError.ts"
import type { RootSource } from "../../../src/domain/kernel/KernelOp.ts"
import { defaultLayerLimits, type LayerLimits } from "../../../src/domain/layer/LayerLimits.ts"
import { entriesOf, nodeAt, type Tree } from "../../../src/domain/layer/Tree.ts"
import { decodeListing } from "../../../src/domain/layer/TreeListing.ts"
import { layer } from "../../../src/interpreters/linux/LinuxKernel.ts"
import { type Kernel, perform } from "../../../src/programs/Kernel.ts"
import { ascii, at, concat, end, header, sign } from "../../domain/layer/archives.ts"
import { type HostileArchive, hostileArchives, hostileLower, type Outcome } from "../../domain/layer/hostile.ts"
import { obstacle, openDescriptors, patience } from "./fixture.ts"

/** What a hard link, a symlink or a path could lead to, and what must not come to be. */
const onHost = ["/etc/passwd", "/etc/shadow", "/etc"]
const nowhere = ["/evil", "/etc/evil", "/outside", "/tmp/shadow", "/tmp/evil"]

describe.skipIf(obstacle !== undefined)("hostile layers on Linux", () => {
  let directory = ""
  const target = () => join(directory, "a/b/layer")
  const lower = () => join(directory, "lower")

  beforeEach(() => {
    directory = fs.mkdtempSync("/tmp/fx-test-")
    fs.mkdirSync(target(), { recursive: true })
    for (const canary of ["outside", "a/outside", "a/b/outside", "a/b/etc", "etc"]) {
      fs.mkdirSync(join(directory, canary), { recursive: true })
      fs.writeFileSync(join(directory, canary, "passwd"), "canary")
    }
    writeTree(lower(), hostileLower)
  })
  afterEach(() => fs.rmSync(directory, { recursive: true, force: true }))

  const run = <A>(effect: Effect.Effect<A, KernelError, Kernel>, limits: LayerLimits = defaultLayerLimits) =>
    Effect.runPromiseExit(
      Effect.provide(effect, layer({ root: directory, execRoot: directory, layerLimits: limits }))
    )

  /** All there is outside of the layer, with what hard links would change. */
  const outside = (): unknown => {
    const look = (path: string): ReadonlyArray<string> =>
      path === target() ? [] : fs.readdirSync(path).sort().flatMap((name) => {
        const place = join(path, name)
        const { gid, mode, mtimeMs, nlink, size, uid } = fs.lstatSync(place)
        const isDirectory = (mode & fs.constants.S_IFMT) === fs.constants.S_IFDIR
        if (place === target()) return []
        const line = [place, mode, uid, gid, ...(isDirectory ? [] : [mtimeMs, nlink, size])].join(" ")
        return [line, ...(isDirectory ? look(place) : [])]
      })
    return {
      files: ["outside", "a", "lower", "etc"].flatMap((name) => look(join(directory, name))),
      host: onHost.map((path) => [path, fs.lstatSync(path).nlink]),
      nowhere: nowhere.filter((path) => fs.existsSync(path))
    }
  }

  const unpack = (archive: HostileArchive, form: "overlay" | "flat") =>
    Effect.gen(function*() {
      const { archive: handle } = yield* perform("LayerWrite", { path: target(), form })
      return yield* Effect.ensuring(
        Effect.gen(function*() {
          for (const data of archive.pieces()) yield* perform("ArchivePush", { archive: handle, data, last: false })
          yield* perform("ArchivePush", { archive: handle, data: new Uint8Array(0), last: true })
          return yield* perform("LayerFinish", { archive: handle, below: [] })
        }),
        Effect.orDie(perform("ArchiveClose", { archive: handle }))
      )
    })

  const listed = async (root: RootSource): Promise<Tree> => {
    const exit = await run(perform("TreeList", { root, path: "/", limit: 1 << 28 }))
    if (Exit.isFailure(exit)) throw new Error(String(exit.cause))
    return Result.getOrThrow(decodeListing(exit.value))
  }

  const check = async (archive: HostileArchive, form: "overlay" | "flat", expected: Outcome): Promise<void> => {
    if (form === "flat") writeTree(target(), hostileLower)
    const before = outside()
    const descriptors = openDescriptors()
    const exit = await run(unpack(archive, form), { ...defaultLayerLimits, ...archive.limits })
    expect(openDescriptors()).toEqual(descriptors)
    if (expected._tag === "Refused") {
      const reason = Exit.isFailure(exit) ? exit.cause.reasons[0] : undefined
      const error = reason?._tag === "Fail" ? reason.error : undefined
      expect(error, JSON.stringify(exit)).toBeInstanceOf(KernelError)
      const errno = expected.by === "layer" ? "EINVAL" : expected.by === "tar" ? "EBADMSG" : expect.stringMatching(/^(EINVAL|EBADMSG)$/)
      expect({ op: error!.op, errno: error!.errno, path: error!.path }).toEqual({ op: "ArchivePush", errno, path: target() })
      expect(error!.hint).toMatch(expected.by === "layer" ? /^layer: .+ \(.+\)$/s : /.+/)
    } else {
      expect(Exit.isSuccess(exit), JSON.stringify(exit)).toBe(true)
      const root: RootSource = form === "flat"
        ? { _tag: "Directory", path: target() }
        : { _tag: "Layers", lower: [target(), lower()], upper: "", work: "" }
      const hidesAll = Exit.isSuccess(exit) && exit.value.opaque
      const tree = await listed(hidesAll ? { _tag: "Directory", path: target() } : root)
      for (const path of expected.has) expect(nodeAt(tree, path), path).toBeDefined()
      for (const path of expected.hasNot) expect(nodeAt(tree, path), path).toBeUndefined()
      for (const [path, { xattrs }] of entriesOf(await listed({ _tag: "Directory", path: target() }))) {
        expect([...xattrs.keys()].filter((name) => name !== "trusted.overlay.opaque"), path).toEqual([])
      }
    }
    expect(outside()).toEqual(before)
    expect(Exit.isSuccess(await run(perform("TreeRemove", { path: target() })))).toBe(true)
    expect(fs.existsSync(target())).toBe(false)
  }

  const named = hostileArchives.map((archive) => [archive.name, archive] as const)
  describe("alone", () => {
    it.each(named)("%s", { timeout: 60_000 * patience }, (_, archive) => check(archive, "overlay", archive.alone))
  })
  describe("over the files of lower layers", () => {
    it.each(named)("%s", { timeout: 60_000 * patience }, (_, archive) => check(archive, "flat", archive.over))
  })

  const archive = (name: string, pieces: () => Iterable<Uint8Array>): HostileArchive => {
    const outcome: Outcome = { _tag: "Contained", has: [], hasNot: [] }
    return { name, pieces, compression: "none", limits: {}, over: outcome, alone: outcome }
  }
  const blocks = function*(count: number, block: Uint8Array, change: (index: number) => void) {
    for (let index = 0; index < count;) {
      const some: Array<Uint8Array> = []
      for (const until = Math.min(count, index + 500); index < until; index++) {
        change(index)
        some.push(new Uint8Array(sign(block)))
      }
      yield concat(...some)
    }
    yield end
  }

  for (const [form, count] of [["overlay", 1_000_000], ["flat", 200_000]] as const) {
    it(`${count} entries are made in bounded memory, in the form ${form}`, { timeout: 240_000 * patience }, async () => {
      const block = header({ [at.name]: "d000/f00", [at.typeflag]: "5" })
      const many = archive("many", () =>
        blocks(count, block, (index) => {
          block.set(ascii(String(Math.floor(index / 10) % 1000).padStart(3, "0")), 1)
          block.set(ascii(String(index % 10).padStart(2, "0")), 6)
        }))
      const before = process.memoryUsage().rss
      const exit = await run(unpack(many, form))
      expect(Exit.isSuccess(exit), JSON.stringify(exit)).toBe(true)
      expect((process.memoryUsage().rss - before) / 2 ** 20).toBeLessThan(300)
    })
  }

  it("whiteouts of many names and of one, between files, take linear time", { timeout: 240_000 * patience }, async () => {
    const seconds = async (count: number, form: "overlay" | "flat"): Promise<number> => {
      const block = header({ [at.name]: "d/.wh.0000000" })
      const began = performance.now()
      const exit = await run(unpack(archive("whiteouts", () =>
        blocks(count, block, (index) => {
          block.set(ascii(String(index % 2 === 0 ? 0 : index).padStart(7, "0")), 6)
        })), form))
      expect(Exit.isSuccess(exit)).toBe(true)
      fs.rmSync(target(), { recursive: true })
      fs.mkdirSync(target())
      return performance.now() - began
    }
    for (const form of ["overlay", "flat"] as const) {
      await seconds(1_000, form)
      const few = await seconds(10_000, form)
      expect(await seconds(100_000, form)).toBeLessThan(few * 40 + 1000)
    }
  })
})

/** A tree of plain files on disk. */
const writeTree = (directory: string, tree: Tree): void => {
  fs.mkdirSync(directory, { recursive: true })
  for (const [path, entry] of entriesOf(tree)) {
    const place = join(directory, path)
    if (entry.type === "dir") fs.mkdirSync(place, { recursive: true })
    else if (entry.type === "symlink") fs.symlinkSync(entry.target, place)
    else fs.writeFileSync(place, "lower")
  }
}
