/** fx-engine as a library, in this process. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Stream from "effect/Stream"
import { type ContainerConfig, defaultConfig } from "../../src/domain/container/ContainerConfig.ts"
import * as LinuxKernel from "../../src/interpreters/linux/LinuxKernel.ts"
import { Engine } from "../../src/programs/Engine.ts"
import { Host } from "../../src/programs/Host.ts"
import type { Kernel } from "../../src/programs/Kernel.ts"
import type { Workspace } from "../Workspace.ts"

type Services = Engine | Host | Kernel

export class Library {
  private readonly runtime: ManagedRuntime.ManagedRuntime<Services, never>
  private readonly workspace: Workspace

  private constructor(workspace: Workspace) {
    this.workspace = workspace
    const { paths } = workspace
    this.runtime = ManagedRuntime.make(
      Engine.local({ onExit: [] }).pipe(
        Layer.provideMerge(Host.layer({ paths, builtinImages: [] })),
        Layer.provideMerge(LinuxKernel.layer(paths))
      )
    )
  }

  static async open(workspace: Workspace): Promise<Library> {
    const library = new Library(workspace)
    workspace.atEnd(() => library.close())
    await library.run(Engine.use((engine) => engine.recover))
    return library
  }

  run<A, E>(effect: Effect.Effect<A, E, Services>): Promise<A> {
    return this.runtime.runPromise(effect)
  }

  config(command: ReadonlyArray<string>): ContainerConfig {
    return { ...defaultConfig("bench"), rootfs: this.workspace.rootfs, command, networkMode: "none" }
  }

  /** Removes what is left, running or not. */
  private async close(): Promise<void> {
    await this.run(Effect.gen(function*() {
      const engine = yield* Engine
      for (const { record } of yield* engine.list) {
        yield* Effect.ignore(engine.remove(record.id, { force: true }))
      }
    }))
    await this.runtime.dispose()
  }
}

/** Creates, starts attached, waits for the end and removes. */
export const startToExit = (config: ContainerConfig): Effect.Effect<void, unknown, Engine> =>
  Effect.gen(function*() {
    const engine = yield* Engine
    const { id } = yield* engine.create(config, "")
    const ending = yield* Effect.scoped(Effect.gen(function*() {
      const wish = { stdin: false, stdout: true, stderr: true, claim: true }
      const session = yield* engine.startAttached(id, wish)
      return yield* session.run({
        input: undefined, output: () => Effect.void, sizes: Stream.empty, detached: Effect.never
      })
    }))
    yield* engine.remove(id, { force: false })
    if (ending._tag !== "Exited" || ending.exit.code !== 0) yield* Effect.die(`the container ended: ${ending._tag}`)
  })
