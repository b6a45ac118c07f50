/**
 * The engine as its users see it: everything that the command line, the API and library consumers may ask
 * for. `Engine.local` runs the programs over whichever Kernel is given.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { StorageDriver } from "../domain/layer/LayerRecord.ts"
import type { ContainerConfig } from "../domain/container/ContainerConfig.ts"
import type { ContainerError } from "../domain/container/ContainerError.ts"
import type { InspectView } from "../domain/container/inspect.ts"
import type { LogLine } from "../domain/container/LogLine.ts"
import type { ProcessTable } from "../domain/container/ProcessTable.ts"
import type { KernelError } from "../domain/kernel/KernelError.ts"
import type { FileStatus, HostTexts } from "../domain/kernel/KernelOp.ts"
import type { ExitStatus } from "../domain/kernel/Supervisor.ts"
import { localEngine } from "./localEngine.ts"
import type { TopWish } from "./container/top.ts"
import type { Update } from "./container/update.ts"
import type { Disagreement } from "./container/check.ts"
import type { ExecOptions } from "./container/exec.ts"
import type { Summary } from "./container/observation.ts"
import type { LogOptions } from "./container/logs.ts"
import type { PrunableContainer, PruneFilters } from "./container/prune.ts"
import type { Recovered } from "./container/recover.ts"
import type { Client, Ending } from "./container/session.ts"
import type { StatsSample } from "./container/stats.ts"
import type { Host } from "./Host.ts"
import type { Kernel } from "./Kernel.ts"

export type { StatsSample, Summary }

export type EngineError = KernelError | ContainerError

/** Which streams a first client wants; `claim`: it will see to the container's end itself. */
export interface AttachWish {
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  readonly claim: boolean
}

/** An attached container or exec: run it with a client until one of them is done. */
export interface Session {
  readonly run: <E, R>(client: Client<E, R>) => Effect.Effect<Ending, E | EngineError, R>
  readonly resize: (rows: number, columns: number) => Effect.Effect<void, EngineError>
}

/** References are names, ids or unambiguous prefixes of ids. */
export class Engine extends Context.Service<Engine, {
  readonly create: (
    config: ContainerConfig, name: string
  ) => Effect.Effect<{ readonly id: string; readonly name: string; readonly warnings: ReadonlyArray<string> }, EngineError>
  /** Warnings of limits that this host does not have. */
  readonly start: (reference: string) => Effect.Effect<ReadonlyArray<string>, EngineError>
  /** The client is attached before the program runs: it misses nothing. */
  readonly startAttached: (
    reference: string, wish: AttachWish
  ) => Effect.Effect<Session & { readonly warnings: ReadonlyArray<string> }, EngineError, Scope.Scope>
  readonly attach: (reference: string, wish: AttachWish) => Effect.Effect<Session, EngineError, Scope.Scope>
  readonly exec: (reference: string, options: ExecOptions) => Effect.Effect<Session, EngineError, Scope.Scope>
  /** At once for a container that does not run. */
  readonly wait: (reference: string) => Effect.Effect<ExitStatus, EngineError>
  /** `signal` and `timeout` (seconds, negative: no end) default to the container's own, then TERM and 10. */
  readonly stop: (
    reference: string, options: { readonly signal?: number; readonly timeout?: number }
  ) => Effect.Effect<void, EngineError>
  readonly restart: (
    reference: string, options: { readonly signal?: number; readonly timeout?: number }
  ) => Effect.Effect<void, EngineError>
  readonly kill: (reference: string, signal: number) => Effect.Effect<void, EngineError>
  readonly pause: (reference: string) => Effect.Effect<void, EngineError>
  readonly unpause: (reference: string) => Effect.Effect<void, EngineError>
  readonly rename: (reference: string, name: string) => Effect.Effect<void, EngineError>
  readonly update: (reference: string, change: Update) => Effect.Effect<ReadonlyArray<string>, EngineError>
  readonly remove: (reference: string, options: { readonly force: boolean }) => Effect.Effect<void, EngineError>
  /** The end of an auto-removed container: gone already is fine. Takes a full id. */
  readonly reap: (id: string) => Effect.Effect<void, EngineError>
  /** Containers that do not run: what `prune` could take. */
  readonly prunable: (filters: PruneFilters) => Effect.Effect<ReadonlyArray<PrunableContainer>, EngineError>
  /** Removes them, and gives those that have really gone: one that was started meanwhile stays. */
  readonly prune: (containers: ReadonlyArray<PrunableContainer>) => Effect.Effect<ReadonlyArray<PrunableContainer>, EngineError>

  readonly list: Effect.Effect<ReadonlyArray<Summary>, EngineError>
  readonly find: (operation: string, reference: string) => Effect.Effect<Summary, EngineError>
  readonly inspect: (reference: string) => Effect.Effect<InspectView, EngineError>
  readonly size: (reference: string) => Effect.Effect<{ readonly rw: number; readonly rootFs: number }, EngineError>
  readonly logs: (reference: string, options: LogOptions) => Stream.Stream<LogLine, EngineError>
  readonly top: (reference: string, wish?: TopWish) => Effect.Effect<ProcessTable, EngineError>
  /** A round of samples about every second; of all running containers when none is named. */
  readonly stats: (references: ReadonlyArray<string>) => Stream.Stream<ReadonlyArray<StatsSample>, EngineError>

  /** lstat inside the container; `follow` resolves the last link inside its root. */
  readonly stat: (reference: string, path: string, follow: boolean) => Effect.Effect<FileStatus, EngineError>
  /** A tar of `path`, entries named from `name` on. */
  readonly copyOut: (
    reference: string, path: string, options: { readonly name: string; readonly follow: boolean }
  ) => Stream.Stream<Uint8Array, EngineError>
  /** Unpacks below the directory `path`. Without `owner` the ids of the archive are kept. */
  readonly copyIn: <E, R>(
    reference: string, path: string, data: Stream.Stream<Uint8Array, E, R>,
    owner: { readonly uid: number; readonly gid: number } | undefined
  ) => Effect.Effect<void, E | EngineError, R>
  /** The same three for the machine that the engine runs on: the other side of a copy. */
  readonly host: {
    readonly stat: (path: string, follow: boolean) => Effect.Effect<FileStatus, EngineError>
    readonly copyOut: (
      path: string, options: { readonly name: string; readonly follow: boolean }
    ) => Stream.Stream<Uint8Array, EngineError>
    readonly copyIn: <E, R>(
      path: string, data: Stream.Stream<Uint8Array, E, R>, owner: { readonly uid: number; readonly gid: number } | undefined
    ) => Effect.Effect<void, E | EngineError, R>
  }

  readonly recover: Effect.Effect<Recovered, EngineError>
  readonly check: (options: { readonly repair: boolean }) => Effect.Effect<ReadonlyArray<Disagreement>, EngineError>
  readonly hostTexts: Effect.Effect<HostTexts, EngineError>
  /** How new layers are kept, and sentences about what drivers of other engines have left in the root directory. */
  readonly storage: Effect.Effect<{ readonly driver: StorageDriver; readonly foreign: ReadonlyArray<string> }, EngineError>
}>()("fx/programs/Engine") {
  /**
   * The engine over a Kernel in this process. `onExit`: argv by which a supervisor finishes an auto-removed
   * container that nobody waits for; the id is put behind it.
   */
  static readonly local = (options: { readonly onExit: ReadonlyArray<string> }): Layer.Layer<Engine, never, Kernel | Host> =>
    Layer.effect(Engine, localEngine(options))
}
