/** What is done to images, and to containers of them, in the sweeps over faults and crashes, and what must hold whatever came of it. */
import { assert } from "@effect/vitest"
import { Effect, Result, Stream } from "effect"
import * as Paths from "../../../src/domain/container/Paths.ts"
import { noImageDefaults } from "../../../src/domain/image/Defaults.ts"
import { noFilters } from "../../../src/domain/image/ImageFilter.ts"
import { parseReference } from "../../../src/domain/image/Reference.ts"
import { hashText } from "../../../src/programs/image/storeImage.ts"
import { layerKey, type StorageDriver } from "../../../src/domain/layer/LayerRecord.ts"
import { Engine } from "../../../src/programs/Engine.ts"
import { Host } from "../../../src/programs/Host.ts"
import { ingestName } from "../../../src/programs/image/blobs.ts"
import { Images } from "../../../src/programs/Images.ts"
import { type Kernel, perform } from "../../../src/programs/Kernel.ts"
import { hostPaths, leaks, simulate, type World } from "../../../src/testing/index.ts"
import { config, paths } from "../../simulation/SimulatedEngine.ts"
import { digestOf, domain, type ImageBench, imageBench, publish, quiet, tarOf } from "./imageBench.ts"

export const named = (text: string) => Result.getOrThrow(parseReference(`${domain}/${text}`))

export const shared = tarOf([{ path: "etc", type: "dir" }, { path: "etc/motd", text: "first" }, { path: "gone", text: "x" }])
export const own = (text: string) => tarOf([{ path: "etc/motd", text }, { path: ".wh.gone" }])

/** Enough of a root for a shell. */
const shell = tarOf([
  { path: "bin", type: "dir" }, { path: "bin/busybox", text: "\u007fELF busybox", mode: 0o755 },
  ...["sh", "cat", "rm", "mkdir"].map((name) => ({ path: `bin/${name}`, type: "symlink" as const, text: "busybox" })),
  { path: "etc", type: "dir" }, { path: "etc/motd", text: "first\n" }, { path: "gone", text: "x" }
])
const change = tarOf([{ path: "etc/motd", text: "second\n" }, { path: ".wh.gone" }])

export const pull = (text: string) => Images.use((images) => images.pull({ reference: named(text), platform: undefined, observe: quiet }))
export const remove = (text: string, force = false) => Images.use((images) => images.remove(text, { force, noPrune: false }))
export const load = (bytes: Uint8Array) =>
  Images.use((images) => images.load({ source: "-", data: Stream.make(bytes), platform: undefined, observe: quiet }))
export const save = (text: string) =>
  Images.use((images) => Effect.map(Stream.runCollect(images.save([text])), (parts) => new Uint8Array(Buffer.concat(parts))))
const importing = <E>(text: string, data: Stream.Stream<Uint8Array, E>) =>
  Images.use((images) =>
    images.import({ source: "-", reference: text, data, defaults: noImageDefaults, message: "", platform: undefined }))
export const importOne = (text: string) => importing(text, Stream.make(shared))
const prune = (all: boolean) => Images.use((images) => images.prune(all, noFilters))

const isStored = /^\/var\/lib\/fx-engine\/(blobs\/sha\d+|overlay2|vfs|btrfs|ingest|containers)\/[^/]+$/

export const stored = (world: World) => hostPaths(world).filter((path) => isStored.test(path))

/** The two images have a layer in common; `one` has two with the same bytes. */
export const published = (driver: StorageDriver = "overlay2"): ImageBench => {
  const host = { rootFilesystem: driver === "btrfs" ? "btrfs" as const : "ext4" as const }
  const bench = imageBench({ driver, simulation: simulate({ seed: 0, busyboxImage: "/images/busybox", host }) })
  publish(bench.registry, "team/app", "one", [shell, change, change])
  publish(bench.registry, "team/app", "two", [shell, own("two\n")])
  return bench
}

/** A container of an image with a busybox, which has changed files and has ended. */
export const changedContainer = Effect.gen(function*() {
  const engine = yield* Engine
  yield* importing("box", engine.host.copyOut("/images/busybox", { name: "", follow: false }))
  const { rootfs: _, ...wish } = config(["sh", "-c", "echo more >> /etc/passwd; rm /bin/ls; mkdir /new; echo x > /new/file"])
  yield* engine.create({ ...wish, image: "box" }, "changed")
  yield* engine.start("changed")
  assert.strictEqual((yield* engine.wait("changed")).code, 0)
})

const image = `${domain}/team/app:one`
const script = "echo more >> /etc/motd; rm /bin/cat; mkdir /new; echo x > /new/file"

/** All that a container of the sweeps may have changed. */
const changes = ["C /bin", "D /bin/cat", "C /etc", "C /etc/motd", "A /new", "A /new/file", "A /etc/copied", "C /etc/copied"]

const creating = (command: ReadonlyArray<string>) => {
  const { rootfs: _, ...wish } = config(command)
  return Engine.use((engine) => engine.create({ ...wish, image }, "one"))
}
const create = creating(["sh", "-c", script])
const started = Engine.use((engine) => Effect.andThen(engine.start("one"), engine.wait("one")))
const removed = Engine.use((engine) => engine.remove("one", { force: false }))
const all = (...steps: ReadonlyArray<Program>): Program => Effect.all(steps, { discard: true })
const created = all(pull("team/app:one"), create)
const ended = all(created, started)
const running = all(pull("team/app:one"), creating(["sh", "-c", `${script}; sleep 1000`]), Engine.use((engine) => engine.start("one")),
  Effect.sleep("1 second"))
const commit = Images.use((images) =>
  images.commit({ container: "one", reference: "made", author: "", message: "", changes: ["ENV A=1"], pause: true }))
const copied = tarOf([{ path: "copied", text: "copied\n" }])
const copyIn = Engine.use((engine) => engine.copyIn("one", "/etc", Stream.make(copied), undefined))
const copyOut = (path: string) => Engine.use((engine) => Stream.runDrain(engine.copyOut("one", path, { name: "", follow: false })))
const diff = Images.use((images) => images.diff("one"))

/** Of a blob of `one` a part is there, as an engine leaves it that dies while it comes. */
const halfPulled = Effect.gen(function*() {
  const path = Paths.ingestFile(paths, ingestName(digestOf(change)))
  const { blob } = yield* perform("BlobOpen", { path, algorithm: "sha256" })
  yield* perform("BlobAppend", { blob, data: change.slice(0, 700) })
  yield* perform("BlobClose", { blob })
})

/** Somebody has removed a directory of a layer. */
const torn = Effect.gen(function*() {
  const [path = ""] = (yield* Images.use((images) => images.inspect(image))).directories
  yield* perform("TreeRemove", { path })
})

/** A whole layer that no image needs, as a removal leaves it that dies in the middle. */
const waste = Effect.gen(function*() {
  const { storageDriver } = yield* Host
  const driver = yield* storageDriver
  const digest = hashText("waste")
  const directory = digest.slice("sha256:".length)
  yield* perform("DirMake", { path: Paths.layerDirectory(paths, driver, directory), mode: 0o755 })
  const record = { version: 1, driver, chainId: digest, diffId: digest, directory, size: 5, opaque: false }
  yield* perform("RecordPut", { collection: "layers", key: layerKey(driver, digest), revision: 0, name: "", value: JSON.stringify(record) })
})

type Program = Effect.Effect<unknown, unknown, Images | Engine | Host | Kernel>

export interface Scenario {
  readonly name: string
  /** What is the same whatever keeps the layers. */
  readonly anyDriver?: true
  readonly pushes?: true
  /** Several layers at the same time. */
  readonly pulls?: true
  readonly prepare: Program
  readonly program: Program
}

let bytes = new Uint8Array(0)
const archived = Effect.map(Effect.andThen(pull("team/app:one"), save(image)), (made) => void (bytes = made))
const nothing: Program = Effect.void

export const scenarios: ReadonlyArray<Scenario> = [
  { name: "pull", pulls: true, prepare: pull("team/app:two"), program: pull("team/app:one") },
  { name: "a pull that goes on", pulls: true, prepare: halfPulled, program: pull("team/app:one") },
  { name: "push", anyDriver: true, pushes: true, prepare: importOne(`${domain}/team/made:1`),
    program: Images.use((images) => images.push(named("team/made:1"), quiet)) },
  { name: "rmi", prepare: all(pull("team/app:one"), pull("team/app:two")), program: remove(image) },
  { name: "import", prepare: nothing, program: importOne("imported") },
  { name: "an import that breaks off", prepare: importOne("imported"),
    program: Effect.flip(importing("broken", Stream.concat(Stream.make(own("broken").slice(0, 700)), Stream.fail("broken")))) },
  { name: "load", prepare: all(archived, remove(image), pull("team/app:two")), program: Effect.suspend(() => load(bytes)) },
  { name: "save", anyDriver: true, prepare: pull("team/app:one"), program: save(image) },
  { name: "tag", anyDriver: true, prepare: importOne("imported"), program: Images.use((images) => images.tag("imported", "other:1")) },
  { name: "prune", prepare: all(created, pull("team/app:two"), importOne("again"), importing("again", Stream.make(own("again"))), waste),
    program: prune(true) },
  { name: "system prune", prepare: all(ended, importOne("")), program: all(removed, prune(false)) },
  { name: "system check", prepare: all(pull("team/app:one"), torn), program: Engine.use((engine) => engine.check({ repair: true })) },
  { name: "create", prepare: pull("team/app:one"), program: create },
  { name: "start", prepare: created, program: started },
  { name: "a second start", prepare: ended, program: started },
  { name: "run of what is missing", pulls: true, prepare: pull("team/app:two"), program: all(ended, removed) },
  { name: "rm", prepare: ended, program: removed },
  { name: "rm of what runs", prepare: running, program: Engine.use((engine) => engine.remove("one", { force: true })) },
  { name: "commit", prepare: ended, program: commit },
  { name: "commit of what runs", prepare: running, program: commit },
  { name: "diff", prepare: ended, program: diff },
  { name: "cp into what was never started", prepare: created, program: copyIn },
  { name: "cp into what has ended", prepare: ended, program: copyIn },
  { name: "cp into what runs", prepare: running, program: copyIn },
  { name: "cp out of what was never started", prepare: created, program: copyOut("/etc") },
  { name: "export", prepare: ended, program: copyOut("/") }
]

/** Of the flat drivers those in which trees are made, changed or removed; `FX_SWEEP=all`: all that layers are anything to. */
const flat: ReadonlySet<string> = new Set([
  "pull", "import", "prune", "start", "a second start", "rm", "commit", "cp into what was never started"
])

export const scenariosOf = (driver: StorageDriver): ReadonlyArray<Scenario> =>
  scenarios.filter(({ anyDriver, name }) =>
    driver === "overlay2" || (anyDriver === undefined && (process.env["FX_SWEEP"] === "all" || flat.has(name))))

/** With what stays once it was made: the lock of the store, the directory of the layers. */
export const booted = async (bench: ImageBench): Promise<World> => {
  await bench.run(prune(false))
  return bench.simulation.world
}

/**
 * Records and files agree; a container that is there runs, with nothing half copied in it; every image that is there can be
 * saved; the next pull works; and after the removal of all nothing is left.
 */
export const expectWhole = async (bench: ImageBench, boot: World, what: string): Promise<void> => {
  await bench.run(Effect.gen(function*() {
    const images = yield* Images
    const engine = yield* Engine
    assert.deepStrictEqual((yield* engine.check({ repair: true })).filter(({ problem }) => !problem.includes("is made again")), [])
    yield* pull("team/app:one")
    assert.deepStrictEqual(yield* engine.check({ repair: false }), [])
    for (const { record, state } of yield* engine.list) {
      assert.notStrictEqual(state.name, "paused")
      if (state.process !== undefined) yield* engine.stop(record.id, { timeout: 0 })
      else {
        yield* engine.start(record.id)
        if (record.name === "one" && !String(record.config.command.at(-1)).endsWith("sleep 1000")) yield* engine.wait(record.id)
      }
      assert.includeMembers([...changes], (yield* images.diff(record.id)).map(({ kind, path }) => `${kind} ${path}`))
      yield* engine.remove(record.id, { force: true })
    }
    for (const { id } of yield* images.list) yield* Stream.runDrain(images.save([id]))
    yield* pull("team/app:two")
    for (const { id } of yield* images.list) yield* images.remove(id, { force: true, noPrune: false })
    yield* prune(true)
  })).catch((error: unknown) => assert.fail(`${what}, then: ${error}`))
  assert.deepStrictEqual(stored(bench.simulation.world), [], what)
  assert.deepStrictEqual(leaks(boot, bench.simulation.world), [], what)
}
