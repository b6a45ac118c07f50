/**
 * The engine killed, by SIGKILL, before, within and after the operations of a command about images, with each storage
 * driver, and at any moment of a pull: the next one goes on, and after the removal of all nothing is left.
 * `FX_CRASH_EVERY=1` takes every operation with the default driver and every fourth with the others, which takes half an
 * hour; the titles say how many are taken.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { lstatSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Layer, Result, Stream } from "effect"
import { build } from "rolldown"
import { linuxRemote } from "../../src/cli/remote/linuxRemote.ts"
import { noFilters } from "../../src/domain/image/ImageFilter.ts"
import { parseReference } from "../../src/domain/image/Reference.ts"
import type { StorageDriver } from "../../src/domain/layer/LayerRecord.ts"
import { layer as compression } from "../../src/interpreters/linux/LinuxCompression.ts"
import * as LinuxKernel from "../../src/interpreters/linux/LinuxKernel.ts"
import { Engine } from "../../src/programs/Engine.ts"
import { Host } from "../../src/programs/Host.ts"
import { Images } from "../../src/programs/Images.ts"
import type { Kernel } from "../../src/programs/Kernel.ts"
import { BtrfsDisk, withoutBtrfs } from "./BtrfsDisk.ts"
import type { Crashing, Moment } from "./image/crashingImages.ts"
import { gnuTar } from "./image/gnuTar.ts"
import { OciLayout } from "./image/OciLayout.ts"
import { skopeo, titled, withoutTools } from "./image/peers.ts"
import { RealImages } from "./image/RealImages.ts"
import { makeRootfs, patience, RealEngine } from "./RealEngine.ts"

/** No command has so many operations: a sweep that comes this far does not end by itself. */
const limit = 1000

/** Beside the built command: from there the addon is found. */
const bundle = join(import.meta.dirname, "../../dist", `crashingImages-${process.pid}.mjs`)

/** Operations from one crash to the next. */
const every = Number(process.env["FX_CRASH_EVERY"] ?? 20)
const strides = { overlay2: every, vfs: 4 * every, btrfs: 4 * every } as const

const moments: ReadonlyArray<Moment> = ["before", "within", "after"]

const commands = [
  "pull", "load", "import", "rmi", "prune", "commit", "start", "rm", "cp in", "run of an image that is missing"
] as const

const reason = withoutTools("skopeo", "docker-registry", "htpasswd", "openssl", "tar", "cc", "unshare")

describe.skipIf(reason !== undefined)(titled("an engine of images that is killed", reason), () => {
  let real: RealImages

  beforeAll(async () => {
    real = await RealImages.start("images-crash")
    const layout = new OciLayout(real.place("layout"))
    const root = real.directory("root")
    makeRootfs(root)
    const base = { tar: gnuTar(root), compression: "gzip" } as const
    for (const tag of ["one", "two"]) {
      const upper = real.directory(tag)
      writeFileSync(join(upper, "own"), tag)
      writeFileSync(join(upper, ".wh.var"), "")
      layout.name(layout.putImage([base, { tar: gnuTar(upper), compression: "none" }]), tag)
      skopeo.copy(`oci:${layout.directory}:${tag}`, `docker://${real.remote(`team/app:${tag}`)}`)
    }
    // Too large to come in a moment
    const large = real.directory("large")
    for (let file = 0; file < 400; file++) writeFileSync(join(large, `file${file}`), Buffer.alloc(100_000, `text ${file} `))
    layout.name(layout.putImage([base, { tar: gnuTar(large), compression: "gzip" }]), "large")
    skopeo.copy(`oci:${layout.directory}:large`, `docker://${real.remote("team/app:large")}`)
    // As the archive to load: a layout of its own, with its name
    const only = real.place("only")
    skopeo.copy(`oci:${layout.directory}:one`, `oci:${only}:${real.remote("team/app:one")}`)
    new OciLayout(only).archive(join(real.cli.directory, "one.tar"))
    await build({
      input: join(import.meta.dirname, "image/crashingImages.ts"), platform: "node", logLevel: "silent",
      output: { file: bundle, codeSplitting: false }
    })
  }, 120_000 * patience)
  afterAll(async () => {
    rmSync(bundle, { force: true })
    await real?.dispose()
  })

  const layerOf = (engine: RealEngine, driver: StorageDriver) => {
    const registry = Layer.unwrap(Effect.map(
      linuxRemote({ config: join(real.cli.directory, "config"), settings: "" }), (remote) => remote.registry))
    return Layer.mergeAll(Engine.local({ onExit: [] }), Images.local({ registry, compression })).pipe(
      Layer.provideMerge(Host.layer({ paths: engine.paths, builtinImages: [], chosenDriver: driver })),
      Layer.provideMerge(LinuxKernel.layer(engine.paths)))
  }

  const pull = (tag: string) =>
    Images.use((images) => images.pull({
      reference: Result.getOrThrow(parseReference(real.remote(`team/app:${tag}`))), platform: undefined, observe: () => Effect.void
    }))

  /** What a user would do next, and what must hold then. */
  const next = (what: string) =>
    Effect.gen(function*() {
      const engine = yield* Engine
      const images = yield* Images
      const { quarantined } = yield* engine.recover
      assert.deepStrictEqual([quarantined, yield* engine.check({ repair: false })], [[], []], what)
      for (const { record, state } of yield* engine.list) {
        if (state.process === undefined) yield* engine.start(record.id)
        assert.strictEqual((yield* engine.wait(record.id)).code, 0, what)
        assert.includeMembers((yield* images.diff(record.id)).map(({ kind, path }) => `${kind} ${path}`), changes, what)
        yield* engine.remove(record.id, { force: true })
      }
      // Whatever is there is whole
      for (const { id } of yield* images.list) yield* Stream.runDrain(images.save([id]))
      yield* pull("one")
      const { directories, driver } = yield* images.inspect(real.remote("team/app:one"))
      assert.strictEqual(directories.length, driver === "overlay2" ? 2 : 1, what)
      assert.strictEqual(readFileSync(join(directories[0]!, "own"), "utf8"), "one", what)
      const gone = lstatSync(join(directories[0]!, "var"), { throwIfNoEntry: false })
      assert.strictEqual(gone?.isCharacterDevice(), driver === "overlay2" ? true : undefined, what)
      for (const { id } of yield* images.list) yield* images.remove(id, { force: true, noPrune: false })
      yield* images.prune(true, noFilters)
    })

  /** What the container did; it may have been copied into before. */
  const changes = ["C /bin", "D /bin/ls", "C /etc", "C /etc/passwd", "A /new", "A /new/file"]

  const sweeper = (driver: StorageDriver, engine: RealEngine) => {
    const run = <A, E>(program: Effect.Effect<A, E, Images | Engine | Host | Kernel>): Promise<A> =>
      Effect.runPromise(Effect.provide(program, layerOf(engine, driver)))

    /** All that is below our directories; of the database there may be files beside it. */
    const paths = (): ReadonlyArray<string> =>
      [engine.paths.root, engine.paths.execRoot].flatMap((root) =>
        readdirSync(root, { recursive: true, encoding: "utf8" }).filter((path) => !path.startsWith("engine.db")).sort())

    /** Loads an engine that will crash there. `run`: lets it begin; whether it did crash. `close`: it is not needed. */
    const crasher = (command: string, index: number, when: Moment) => {
      const crashing: Crashing = {
        paths: engine.paths, driver, config: join(real.cli.directory, "config"), registry: real.registry.host,
        archive: join(real.cli.directory, "one.tar"), command, index, when
      }
      const child: ChildProcess = spawn(process.execPath, [bundle, JSON.stringify(crashing)], { timeout: 120_000 * patience })
      let said = ""
      for (const stream of [child.stdout, child.stderr]) stream!.on("data", (data: Buffer) => { said += data.toString() })
      const ended = new Promise<NodeJS.Signals | null>((resolve) => child.on("close", (_, signal) => resolve(signal)))
      return {
        run: async (): Promise<boolean> => {
          child.stdin!.end("!")
          const signal = await ended
          assert.isTrue(signal === "SIGKILL" || said.startsWith("done"), `${command} ${index} ${when}: ${signal} ${said}`)
          return signal === "SIGKILL"
        },
        close: (): Promise<unknown> => {
          child.stdin!.end()
          return ended
        }
      }
    }

    let stays: ReadonlyArray<string> | undefined
    const expectWhole = async (what: string): Promise<void> => {
      await run(next(what))
      assert.deepStrictEqual(paths(), stays ??= paths(), what)
      assert.deepStrictEqual(engine.leftovers(), [], what)
    }

    return {
      expectWhole,
      sweep: async (command: string, when: Moment, stride: number): Promise<void> => {
        // An engine has been here once: what it makes for good is there
        await expectWhole("no crash")
        // The strides of the three do not meet
        let index = Math.floor(stride * moments.indexOf(when) / moments.length)
        let following = crasher(command, index, when)
        for (;;) {
          const current = following
          following = crasher(command, index + stride, when)
          const crashed = await current.run()
          await expectWhole(`${command}, ${when} operation ${index}`)
          if (!crashed) break
          index += stride
          assert.isBelow(index, limit)
        }
        await following.close()
        assert.isAbove(index, 5, `${command} has hardly any operations`)
      }
    }
  }

  for (const driver of ["overlay2", "vfs", "btrfs"] as const) {
    const without = driver === "btrfs" ? withoutBtrfs : undefined
    const stride = strides[driver]
    const often = stride === 1 ? "every operation" : `one operation in ${stride}`
    describe.skipIf(without !== undefined)(titled(`with ${driver}, at ${often}`, without), () => {
      let disk: BtrfsDisk | undefined
      let engine: RealEngine
      let sweeps: ReturnType<typeof sweeper>
      beforeAll(() => {
        disk = driver === "btrfs" ? new BtrfsDisk() : undefined
        disk?.mount()
        engine = new RealEngine(disk?.path).make()
        sweeps = sweeper(driver, engine)
      })
      afterAll(() => engine.dispose().finally(() => disk?.dispose()), 60_000 * patience)

      for (const command of commands) {
        for (const when of moments) {
          it(`${when} it, of ${command}, leaves what the next one goes on with`, { timeout: 3_600_000 * patience },
            // The longest is made of the others
            () => sweeps.sweep(command, when, command.startsWith("run") ? 3 * stride : stride))
        }
      }
    })
  }

  it("at any moment of a pull is gone on with by the next one", { timeout: 600_000 * patience }, async () => {
    const { engine } = real.cli
    const { expectWhole } = sweeper("overlay2", engine)
    const argv = [real.cli.program, ...real.cli.roots, "pull", "-q", real.remote("team/app:large")]
    await expectWhole("no crash")
    for (let milliseconds = 0;; milliseconds += 25) {
      const child = spawn(process.execPath, argv, { stdio: "ignore" })
      const code = new Promise<number | null>((resolve) => child.on("close", resolve))
      const timer = setTimeout(() => child.kill("SIGKILL"), milliseconds)
      const ended = await code
      clearTimeout(timer)
      assert.isTrue(ended === null || ended === 0, String(ended))
      if (milliseconds % 100 === 0 || ended === 0) await expectWhole(`killed after ${milliseconds} ms`)
      if (ended === 0) break
    }
  })
})
