/** Starts a supervisor and waits for its word: that the program runs, or why it does not. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { ContainerError } from "../../domain/container/ContainerError.ts"
import { decodeFrames } from "../../domain/kernel/frames.ts"
import type { ProcessIdentity } from "../../domain/kernel/InitOp.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { Frame, SupervisorSpec } from "../../domain/kernel/Supervisor.ts"
import { type Kernel, perform } from "../Kernel.ts"
import { startFailure } from "./startFailure.ts"

export interface Running {
  /** The first client's channel, attached before the program ran; it is closed with the scope. */
  readonly channel: number
  readonly process: ProcessIdentity
  /** Frames that came along with the news of the start. */
  readonly frames: ReadonlyArray<Frame>
}

/** What was to be started, in the words of each command. */
const started = { start: "the container", exec: "the process" } as const

/** `name`: the container's, for errors; `attach`: which streams the first client wants. */
export const startSupervisor = Effect.fnUntraced(function*(
  operation: "start" | "exec", name: string, spec: SupervisorSpec, attach: number
): Effect.fn.Return<Running, KernelError | ContainerError, Kernel | Scope.Scope> {
  const { channel } = yield* Effect.acquireRelease(
    perform("SupervisorStart", { spec, attach }),
    (opened) => Effect.ignore(perform("ChannelClose", { channel: opened.channel }))
  )
  for (;;) {
    const [first, ...frames] = decodeFrames(yield* perform("ChannelRead", { channel }))
    if (first === undefined) {
      return yield* new ContainerError({
        operation, object: name, kind: "failed", cause: `the supervisor ended before ${started[operation]} started`
      })
    }
    if (first._tag === "Failed") return yield* startFailure(operation, name, spec.program, first)
    if (first._tag === "Started") return { channel, process: first.process, frames }
  }
})
