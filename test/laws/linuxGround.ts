/** This very kernel as a ground for the laws, with a directory of its own for everything. */
import { spawn } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { basename, join } from "node:path"
import { Effect, Layer, Scope } from "effect"
import { build } from "rolldown"
import * as LinuxKernel from "../../src/interpreters/linux/LinuxKernel.ts"
import type { StorageDriver } from "../../src/domain/layer/LayerRecord.ts"
import { Engine } from "../../src/programs/Engine.ts"
import { Host } from "../../src/programs/Host.ts"
import { Images } from "../../src/programs/Images.ts"
import { layer as compression } from "../../src/interpreters/linux/LinuxCompression.ts"
import { patience, RealEngine } from "../linux/RealEngine.ts"
import { type Ground, noRegistry, type Stranger } from "./Ground.ts"

export { unavailable } from "../linux/RealEngine.ts"

export interface LinuxGround extends Ground {
  readonly real: RealEngine
  /** Makes its directories: before, it is but a name. */
  readonly open: () => void
}

/** Milliseconds in which what has been told to end has ended. */
const settling = 3_000 * patience

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** The program of strangers as one file, which starts in a fifth of the time. Below dist: from there the addon is found. */
const strangerBundle = (directory: string): string =>
  join(import.meta.dirname, `../../dist/stranger-${basename(directory)}.mjs`)

const bundleStranger = async (directory: string): Promise<string> => {
  const file = strangerBundle(directory)
  await build({
    input: join(import.meta.dirname, "strangerProcess.ts"), platform: "node", logLevel: "silent",
    output: { file, codeSplitting: false }
  })
  return file
}

const startStranger = (
  directory: string, program: Promise<string>, name: string, argument: string
): Effect.Effect<Stranger, never, Scope.Scope> =>
  Effect.gen(function*() {
    const child = spawn(process.execPath, [yield* Effect.promise(() => program), directory, name, argument], {
      stdio: ["ignore", "pipe", "inherit"]
    })
    const ended = new Promise<void>((resolve) => child.on("exit", () => resolve()))
    const kill = Effect.promise(() => {
      child.kill("SIGKILL")
      return ended
    })
    yield* Scope.addFinalizer(yield* Effect.scope, kill)
    yield* Effect.promise(() => new Promise<void>((resolve, reject) => {
      child.stdout.once("data", () => resolve())
      child.once("exit", () => reject(new Error(`the process that ${name} ended at once`)))
    }))
    return { kill }
  })

const namesIn = (directory: string): ReadonlyArray<string> => existsSync(directory) ? readdirSync(directory) : []

/** What the store of images has. */
const storedFiles = (root: string): ReadonlyArray<string> =>
  ["overlay2", "vfs", "btrfs", "blobs/sha256", "blobs/sha512", "ingest"].flatMap((directory) =>
    namesIn(join(root, directory)).map((name) => `${directory}/${name}`))

export interface LinuxGroundOptions {
  readonly driver?: StorageDriver
  /** Where the engine's root and the scratch directory are to be; that of the engine itself when it is left out. */
  readonly disk?: string
}

export const linuxGround = ({ disk, driver = "overlay2" }: LinuxGroundOptions = {}): LinuxGround => {
  const real = new RealEngine(disk)
  const scratch = join(disk ?? real.directory, "scratch")
  const report = join(real.directory, "reported")
  const layer = Layer.merge(
    Engine.local({ onExit: ["/bin/sh", "-c", `echo "$0" >> ${report}`] }), Images.local({ registry: noRegistry, compression })
  ).pipe(
    Layer.provideMerge(Host.layer({ paths: real.paths, builtinImages: [], chosenDriver: driver })),
    Layer.provideMerge(LinuxKernel.layer(real.paths))
  )
  let stranger: Promise<string> | undefined
  const left = (): ReadonlyArray<string> => [
    ...real.leftovers(), ...storedFiles(real.paths.root)
  ]
  return {
    title: "this kernel", patience, rootfs: real.rootfs, scratch, paths: real.paths, driver, layer, real,
    open: () => {
      real.make()
      mkdirSync(scratch)
    },
    run: (program) => Effect.runPromise(program),
    stranger: (name, argument) => {
      stranger ??= bundleStranger(real.directory)
      return startStranger(real.directory, stranger, name, argument)
    },
    reported: () => existsSync(report) ? readFileSync(report, "utf8").trim().split("\n") : [],
    leftovers: async () => {
      rmSync(scratch, { recursive: true, force: true })
      mkdirSync(scratch)
      for (const end = Date.now() + settling; left().length > 0 && Date.now() < end;) await pause(20)
      return left()
    },
    close: () => {
      rmSync(strangerBundle(real.directory), { force: true })
      return real.dispose()
    }
  }
}
