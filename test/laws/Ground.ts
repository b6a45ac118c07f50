/**
 * What the laws are asked of: a kernel with engines on it. A law is written once; that it holds on every ground is
 * what makes the simulated kernel worth anything.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Layer, type Scope } from "effect"
import type { Paths } from "../../src/domain/container/Paths.ts"
import type { StorageDriver } from "../../src/domain/layer/LayerRecord.ts"
import { Engine, type EngineError } from "../../src/programs/Engine.ts"
import type { Host } from "../../src/programs/Host.ts"
import type { Images } from "../../src/programs/Images.ts"
import type { Kernel } from "../../src/programs/Kernel.ts"
import { Registry } from "../../src/programs/registry/Registry.ts"
import type { StrangerName } from "./strangers.ts"

export interface Ground {
  /** What stands in front of the laws in a report. */
  readonly title: string
  /** Times longer than usual that things may take. */
  readonly patience: number
  /** A host directory with a small root file system of busybox: see `image.ts`. */
  readonly rootfs: string
  /** A host directory that is there and empty: what a law makes in it goes with the law. */
  readonly scratch: string
  readonly paths: Paths
  readonly driver: StorageDriver
  /** A fresh engine on this kernel each time it is built. */
  readonly layer: Layer.Layer<Engine | Host | Images | Kernel>
  /** Runs a program to its end. */
  readonly run: <A, E>(program: Effect.Effect<A, E>) => Promise<A>
  /**
   * Another engine process, which does something and lives on until it is killed: no line of it runs then, as with
   * SIGKILL. It is killed with the scope at the latest.
   */
  readonly stranger: (name: StrangerName, argument: string) => Effect.Effect<Stranger, never, Scope.Scope>
  /** Ids of containers whose supervisors called the command for what is to be removed and nobody waits for. */
  readonly reported: () => ReadonlyArray<string>
  /** All that is there and was not before the first law: empties the scratch directory first. */
  readonly leftovers: () => Promise<ReadonlyArray<string>>
  readonly close: () => Promise<void>
}

/** No law is about registries. */
export const noRegistry: Layer.Layer<Registry> = Layer.mock(Registry, {})

export interface Stranger {
  readonly kill: Effect.Effect<void>
}

/** Removes every container, whatever its state. */
export const removeAll: Effect.Effect<void, EngineError, Engine> = Effect.gen(function*() {
  const engine = yield* Engine
  for (const { record } of yield* engine.list) yield* engine.remove(record.id, { force: true })
})

/** Milliseconds that one law may take on a quiet machine. */
const lawTimeout = 30_000

/** States a law: a sentence, and a program that breaks when it does not hold. What the law leaves is found out. */
export const law = <E>(
  ground: Ground, sentence: string, program: Effect.Effect<void, E, Engine | Host | Images | Kernel | Scope.Scope>
): void =>
  void it(sentence, { timeout: lawTimeout * ground.patience }, async () => {
    const onEngine = Effect.gen(function*() {
      const engine = yield* Engine
      yield* engine.recover
      yield* Effect.ensuring(Effect.scoped(program), Effect.ignore(removeAll))
    })
    await ground.run(Effect.provide(onEngine, ground.layer))
    assert.deepStrictEqual(await ground.leftovers(), [], "left behind")
  })
