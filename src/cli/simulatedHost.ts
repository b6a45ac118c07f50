/**
 * The simulated machine of `--simulated`: it stays in a file between two commands, so that `run -d`, `ps` and
 * `rm` speak of the same world. One command at a time has it.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { homedir } from "node:os"
import { dirname } from "node:path"
import { defaultPaths } from "../domain/container/Paths.ts"
import type { BuiltinImage } from "../domain/image/ImageRecord.ts"
import { decodeWorld, encodeWorld } from "../interpreters/simulated/encodeWorld.ts"
import { makeWorld } from "../interpreters/simulated/makeWorld.ts"
import { Simulation } from "../interpreters/simulated/Simulation.ts"
import type { World } from "../interpreters/simulated/World.ts"
import type { Kernel } from "../programs/Kernel.ts"
import { builtinImage } from "./builtinImages.ts"
import { type CommandFailure, refusal } from "./commands/CommandFailure.ts"

/** Directories of the simulated machine. */
export const helloImage = "/usr/lib/fx-engine/hello-image"
export const busyboxImage = "/usr/lib/fx-engine/busybox-image"

/** `fx/hello`, and a busybox that only this machine has. */
export const simulatedImages: ReadonlyArray<BuiltinImage> = [
  builtinImage({
    id: `sha256:${"4e".repeat(32)}`, name: "docker.io/fx/hello:latest", directory: helloImage, size: 0, command: ["/hello"],
    architecture: "amd64"
  }),
  builtinImage({
    id: `sha256:${"b5".repeat(32)}`, name: "docker.io/library/busybox:latest", directory: busyboxImage, size: 0,
    command: ["sh"], architecture: "amd64"
  })
]

/** In --root where that is given, else with the user's own state (XDG Base Directory Specification). */
const worldFile = (root: string): string =>
  root === defaultPaths.root
    ? `${process.env["XDG_STATE_HOME"] || `${homedir()}/.local/state`}/fx-engine/simulated-world.json`
    : `${root}/simulated-world.json`

export const simulatedRegistryFile = (root: string): string => worldFile(root).replace(/world\.json$/, "registry.json")

/** Milliseconds between two looks at a lock, and how many looks. */
const lockPause = 50
const lockPatience = 100

const isRunning = (pid: number): boolean => pid > 0 && existsSync(`/proc/${pid}`)

/** Whether the file was ours to make; one that a dead process left is removed for the next try. */
const takeLock = (lock: string): boolean => {
  try {
    writeFileSync(lock, String(process.pid), { flag: "wx" })
    return true
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code !== "EEXIST") throw fault
    if (!isRunning(Number(readFileSync(lock, "utf8")))) rmSync(lock, { force: true })
    return false
  }
}

const locked = (file: string): Effect.Effect<void, CommandFailure, Scope.Scope> => {
  const lock = `${file}.lock`
  const attempt = (left: number): Effect.Effect<void, CommandFailure> =>
    Effect.flatMap(Effect.sync(() => takeLock(lock)), (taken) => {
      if (taken) return Effect.void
      return left === 0
        ? Effect.fail(refusal(
          `the simulated machine ${file} is in use by another command: wait for its end, or use another --root`
        ))
        : Effect.andThen(Effect.sleep(lockPause), attempt(left - 1))
    })
  return Effect.acquireRelease(attempt(lockPatience), () => Effect.sync(() => rmSync(lock, { force: true })))
}

const loadWorld = (file: string): World =>
  existsSync(file)
    ? decodeWorld(readFileSync(file, "utf8"))
    : makeWorld({ helloImage, busyboxImage, now: Date.now() * 1000, seed: Date.now() })

const saveWorld = (file: string, world: World): void => {
  writeFileSync(`${file}.new`, encodeWorld(world))
  renameSync(`${file}.new`, file)
}

const failure = (file: string) => (fault: unknown): CommandFailure =>
  refusal(`the simulated machine ${file}: ${fault instanceof Error ? fault.message : String(fault)}`)

/** `keep`: what happens there stays. */
export const simulatedKernel = (root: string, keep: boolean): Layer.Layer<Kernel, CommandFailure> =>
  Layer.unwrap(Effect.gen(function*() {
    const file = worldFile(root)
    yield* Effect.try({ try: () => mkdirSync(dirname(file), { recursive: true }), catch: failure(file) })
    yield* locked(file)
    const simulation = yield* Effect.acquireRelease(
      Effect.try({ try: () => new Simulation({ world: loadWorld(file) }), catch: failure(file) }),
      ({ world }) => Effect.sync(() => keep && saveWorld(file, world))
    )
    return simulation.layer()
  }))
