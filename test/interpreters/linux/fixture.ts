/** What tests of the Linux interpreter share: a directory, the interpreter over it, and an eye on descriptors. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs"
import { afterAll, beforeAll } from "vitest"
import type { KernelError } from "../../../src/domain/kernel/KernelError.ts"
import type { KernelOp, KernelTag, Payload, Success } from "../../../src/domain/kernel/KernelOp.ts"
import { builtFile } from "../../../src/interpreters/linux/addon.ts"
import { layer } from "../../../src/interpreters/linux/LinuxKernel.ts"
import { type Kernel, perform, performAll } from "../../../src/programs/Kernel.ts"
import { patience } from "../../patience.ts"

export { patience } from "../../patience.ts"

/** Why the tests can't run here, or undefined. */
export const obstacle: string | undefined = process.getuid?.() !== 0
  ? "needs root"
  : existsSync(builtFile("fx.node"))
  ? undefined
  : "needs the addon: npm run build:native"

export const supervisorObstacle: string | undefined = obstacle ??
  (existsSync(builtFile("fx-init")) ? undefined : "needs fx-init: npm run build:native")

export interface Linux {
  readonly directory: string
  readonly perform: <T extends KernelTag>(tag: T, payload: Payload<T>) => Promise<Success<T>>
  /** The error of an operation that must fail. */
  readonly failure: <T extends KernelTag>(tag: T, payload: Payload<T>) => Promise<KernelError>
  readonly performAll: (ops: ReadonlyArray<KernelOp>) => Promise<Exit.Exit<void, KernelError>>
  readonly fork: <A>(effect: Effect.Effect<A, KernelError, Kernel>) => Fiber.Fiber<A, KernelError>
}

const failureOf = <A>(exit: Exit.Exit<A, KernelError>): KernelError => {
  if (Exit.isSuccess(exit)) throw new Error(`should have failed, but gave ${JSON.stringify(exit.value)}`)
  const reason = exit.cause.reasons[0]
  if (reason?._tag !== "Fail") throw new Error(`should have failed with an error, but: ${String(exit.cause)}`)
  return reason.error
}

/** An interpreter over a fresh directory, for the tests of one `describe`. */
export const linuxFixture = (): Linux => {
  let directory = ""
  let runtime: ManagedRuntime.ManagedRuntime<Kernel, never> | undefined
  beforeAll(() => {
    directory = mkdtempSync("/tmp/fx-test-")
    runtime = ManagedRuntime.make(layer({ root: directory, execRoot: directory }))
  })
  afterAll(async () => {
    await runtime?.dispose()
    rmSync(directory, { recursive: true, force: true })
  })
  return {
    get directory() {
      return directory
    },
    perform: (tag, payload) => runtime!.runPromise(perform(tag, payload)),
    failure: async (tag, payload) => failureOf(await runtime!.runPromiseExit(perform(tag, payload))),
    performAll: (ops) => runtime!.runPromiseExit(performAll(ops)),
    fork: (effect) => runtime!.runFork(effect)
  }
}

/** What the open descriptors of this process stand for, sorted. */
export const openDescriptors = (): ReadonlyArray<string> =>
  readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)]
    } catch {
      // The one that the listing itself went through.
      return []
    }
  }).sort()

export const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds))

/** Waits until something holds; throws after five seconds on a fast machine. */
export const eventually = async (holds: () => boolean): Promise<void> => {
  for (const end = Date.now() + 5000 * patience; !holds();) {
    if (Date.now() > end) throw new Error(`still not so: ${holds}`)
    await sleep(5)
  }
}
