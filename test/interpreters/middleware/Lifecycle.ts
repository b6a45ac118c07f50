/** A small engine for the tests of doors: one life of a container, and how a run of it ended. */
import { Effect, Exit } from "effect"
import { decodeFrames } from "../../../src/domain/kernel/frames.ts"
import { KernelError } from "../../../src/domain/kernel/KernelError.ts"
import { op } from "../../../src/domain/kernel/KernelOp.ts"
import { Kernel, type Middleware, perform, performUndoable } from "../../../src/programs/Kernel.ts"
import { runSimulatedExit } from "../../../src/testing/index.ts"
import { containerOf } from "../simulated/SimulatedMachine.ts"

export const options = { busyboxImage: "/images/busybox" }
export const directories = [
  "/run/test", "/var/lib/test", "/var/lib/test/upper", "/var/lib/test/work", "/var/lib/test/root"
]
export const group = "/sys/fs/cgroup/fx"

/**
 * A small engine: directories, a group, a record, a container to its end, and all of it away again.
 */
export const lifecycle = (script: string) =>
  Effect.scoped(Effect.gen(function*() {
    yield* performUndoable([
      ...directories.map((path) => op("DirMake", { path, mode: 0o755 })),
      op("CgroupMake", { directory: group }),
      op("CgroupWrite", { directory: group, file: "pids.max", value: "100" }),
      op("RecordPut", { collection: "containers", key: "k", revision: 0, name: "n", value: "{}" })
    ])
    const spec = containerOf(["sh", "-c", script], {
      cgroup: group,
      killFiles: [`${group}/cgroup.kill`]
    })
    const { channel } = yield* perform("SupervisorStart", { spec, attach: 11 })
    const frames = []
    for (;;) {
      const bytes = yield* perform("ChannelRead", { channel })
      if (bytes.length === 0) break
      frames.push(...decodeFrames(bytes))
    }
    yield* perform("ChannelClose", { channel })
    const status = yield* perform("FileRead", { path: "/run/test/status", limit: 1000 })
    return { frames, status }
  }))

export const run = <A, E>(
  effect: Effect.Effect<A, E, Kernel>,
  middlewares: ReadonlyArray<Middleware>,
  seed = 0
) => runSimulatedExit(effect, { ...options, middlewares, seed })

export const errnoOf = (exit: Exit.Exit<unknown, unknown>): string =>
  Exit.isFailure(exit)
    ? exit.cause.reasons.map((reason) =>
      reason._tag === "Fail" && reason.error instanceof KernelError
        ? reason.error.errno
        : reason._tag
    ).join()
    : "success"
