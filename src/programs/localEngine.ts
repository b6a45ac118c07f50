/** The engine's service over programs in this process: references are resolved here, once per request. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { ContainerError } from "../domain/container/ContainerError.ts"
import type { ContainerRecord } from "../domain/container/ContainerRecord.ts"
import { inspectView } from "../domain/container/inspect.ts"
import * as Paths from "../domain/container/Paths.ts"
import { resizeFrame } from "../domain/kernel/frames.ts"
import { attachFlags, type Frame } from "../domain/kernel/Supervisor.ts"
import { parseSignal } from "../domain/text/Signal.ts"
import { foreignStorage } from "../domain/layer/StorageDriver.ts"
import { awaitExit, nobodyListens } from "./container/awaitExit.ts"
import { rename, setPaused } from "./container/change.ts"
import { check } from "./container/check.ts"
import { archiveIn, archiveOut, copyIn, copyOut, hostRoot, statIn } from "./container/copy.ts"
import { create } from "./container/create.ts"
import { exec } from "./container/exec.ts"
import { locked } from "./container/lifecycleLock.ts"
import { logs } from "./container/logs.ts"
import { stateOf, type Summary, summaryOf } from "./container/observation.ts"
import { recover } from "./container/recover.ts"
import { prunable, pruneContainers } from "./container/prune.ts"
import { reap, remove } from "./container/remove.ts"
import { session } from "./container/session.ts"
import { kill, stop, stopLocked } from "./container/signal.ts"
import { start, startLocked, startUnlessRunning } from "./container/start.ts"
import { stats } from "./container/stats.ts"
import { top } from "./container/top.ts"
import { update } from "./container/update.ts"
import { writtenBytes } from "./container/writtenBytes.ts"
import type { AttachWish, Engine, EngineError, Session } from "./Engine.ts"
import { Host } from "./Host.ts"
import { Kernel, perform } from "./Kernel.ts"
import { findContainer, listContainers, missing, refresh } from "./Store.ts"

const SIGTERM = 15

/** Seconds of grace where nothing says otherwise, as Docker's. */
const defaultStopTimeout = 10

const flagsOf = (wish: AttachWish): number =>
  (wish.stdin ? attachFlags.stdin : 0) | (wish.stdout ? attachFlags.stdout : 0) |
  (wish.stderr ? attachFlags.stderr : 0) | (wish.claim ? attachFlags.claim : 0)

const stopOptions = (record: ContainerRecord, given: { readonly signal?: number; readonly timeout?: number }) => ({
  signal: given.signal ??
    (record.config.stopSignal === "" ? SIGTERM : Result.getOrElse(parseSignal(record.config.stopSignal), () => SIGTERM)),
  timeout: given.timeout ?? record.config.stopTimeout ?? defaultStopTimeout
})

/** A channel as a session; it is closed with the scope. */
const sessionOn = (
  channel: number, early: ReadonlyArray<Frame>, kernel: Kernel["Service"]
): Session => ({
  run: (client) => Effect.provideService(session(channel, client, early), Kernel, kernel),
  resize: (rows, columns) => kernel.perform("ChannelWrite", { channel, frames: resizeFrame(rows, columns) })
})

export const localEngine = Effect.fnUntraced(function*(
  options: { readonly onExit: ReadonlyArray<string> }
): Effect.fn.Return<Engine["Service"], never, Kernel | Host> {
  const kernel = yield* Kernel
  const host = yield* Host
  const provide = <A, E, R>(effect: Effect.Effect<A, E, R | Kernel | Host>): Effect.Effect<A, E, Exclude<R, Kernel | Host>> =>
    effect.pipe(Effect.provideService(Kernel, kernel), Effect.provideService(Host, host)) as never
  const provideStream = <A, E, R>(stream: Stream.Stream<A, E, R | Kernel | Host>): Stream.Stream<A, E, Exclude<R, Kernel | Host>> =>
    stream.pipe(Stream.provideService(Kernel, kernel), Stream.provideService(Host, host)) as never
  const on = <A, E, R>(
    operation: string, reference: string,
    use: (stored: { readonly record: ContainerRecord; readonly revision: number }) => Effect.Effect<A, E, R>
  ) => provide(Effect.flatMap(findContainer(operation, reference), use))

  const find = (operation: string, reference: string): Effect.Effect<Summary, EngineError> =>
    on(operation, reference, ({ record }) =>
      Effect.flatMap(summaryOf(record), (seen) =>
        seen === undefined ? Effect.fail(missing(operation, reference)) : Effect.succeed(seen)))

  const restart = (reference: string, given: { readonly signal?: number; readonly timeout?: number }) =>
    on("restart", reference, (stored) =>
      locked(stored.record.id, Effect.gen(function*() {
        const fresh = yield* refresh("restart", stored)
        const stopped = yield* stopLocked(fresh, stopOptions(fresh.record, given))
        yield* Effect.scoped(startLocked(stopped, { attach: 0, onExit: options.onExit }))
      })))

  const attach = (reference: string, wish: AttachWish): Effect.Effect<Session, EngineError, Scope.Scope> =>
    on("attach", reference, ({ record }) =>
      Effect.gen(function*() {
        const conflict = (cause: string) =>
          new ContainerError({ operation: "attach", object: record.name, kind: "conflict", cause })
        const state = yield* stateOf(record)
        if (state.process === undefined) return yield* conflict("You cannot attach to a stopped container, start it first")
        if (state.name === "paused") return yield* conflict("You cannot attach to a paused container, unpause it first")
        const { channel } = yield* Effect.acquireRelease(
          perform("ChannelOpen", { directory: Paths.runDirectory(host.paths, record.id), attach: flagsOf(wish) }),
          (opened) => Effect.ignore(perform("ChannelClose", { channel: opened.channel }))
        ).pipe(Effect.catchIf(nobodyListens, () => conflict("the container's supervisor has gone, run system check --repair")))
        return sessionOn(channel, [], kernel)
      }))

  return {
    create: (config, name) =>
      provide(Effect.map(create(config, name), ({ stored, warnings }) => ({
        id: stored.record.id, name: stored.record.name, warnings
      }))),
    start: (reference) =>
      on("start", reference, (stored) => startUnlessRunning(stored, options)),
    startAttached: (reference, wish) =>
      on("start", reference, (stored) =>
        Effect.gen(function*() {
          const started = yield* start(stored, { attach: flagsOf(wish), onExit: options.onExit })
          return { ...sessionOn(started.channel, started.frames, kernel), warnings: started.warnings }
        })),
    attach,
    exec: (reference, execOptions) =>
      on("exec", reference, (stored) =>
        Effect.gen(function*() {
          const { channel, frames } = yield* exec(stored, execOptions)
          return sessionOn(channel, frames, kernel)
        })),
    wait: (reference) =>
      on("wait", reference, ({ record }) =>
        Effect.flatMap(awaitExit(record), (exit) =>
          exit === "removed" ? Effect.fail(missing("wait", reference)) : Effect.succeed(exit ?? { code: 0, signal: 0, oomKilled: false }))),
    stop: (reference, given) =>
      on("stop", reference, (stored) => Effect.asVoid(stop(stored, stopOptions(stored.record, given)))),
    restart,
    kill: (reference, signal) => on("kill", reference, (stored) => kill(stored, signal)),
    pause: (reference) => on("pause", reference, (stored) => setPaused(stored, true)),
    unpause: (reference) => on("unpause", reference, (stored) => setPaused(stored, false)),
    rename: (reference, name) => on("rename", reference, (stored) => rename(stored, name)),
    update: (reference, change) => on("update", reference, (stored) => update(stored, change)),
    remove: (reference, how) => on("rm", reference, (stored) => remove(stored, how)),
    reap: (id) => provide(reap(id)),
    prunable: (filters) => provide(prunable(filters)),
    prune: (containers) => provide(pruneContainers(containers)),

    list: provide(Effect.flatMap(listContainers, (all) =>
      Effect.map(Effect.forEach(all, ({ record }) => summaryOf(record)), (seen) => seen.filter((one) => one !== undefined)))),
    find,
    inspect: (reference) =>
      Effect.map(find("inspect", reference), ({ record, state }) => inspectView(record, state, host.paths)),
    size: (reference) =>
      on("inspect", reference, ({ record }) =>
        Effect.gen(function*() {
          const rw = yield* writtenBytes(record)
          const layers = yield* Effect.forEach(record.layers, (path) => perform("TreeSize", { path }))
          return { rw, rootFs: rw + layers.reduce((sum, size) => sum + size, 0) }
        })),
    logs: (reference, how) =>
      provideStream(Stream.unwrap(Effect.map(findContainer("logs", reference), ({ record }) => logs(record, how)))),
    top: (reference, wish = {}) => on("top", reference, ({ record }) => top(record, wish)),
    stats: (references) => provideStream(stats(references)),

    stat: (reference, path, follow) =>
      on("cp", reference, (stored) => statIn(stored, path, follow)),
    copyOut: (reference, path, how) =>
      provideStream(Stream.unwrap(Effect.map(findContainer("cp", reference), (stored) => copyOut(stored, path, how)))),
    copyIn: (reference, path, data, owner) =>
      on("cp", reference, (stored) => copyIn(stored, path, data, owner)) as never,
    host: {
      stat: (path, follow) => provide(perform("RootStat", { root: hostRoot, path, follow })),
      copyOut: (path, how) => provideStream(archiveOut(hostRoot, path, how)),
      copyIn: (path, data, owner) => provide(archiveIn(hostRoot, path, data, owner)) as never
    },

    recover: provide(recover),
    check: (how) => provide(check(how)),
    hostTexts: provide(Effect.map(host.facts, (facts) => facts.texts)),
    storage: provide(Effect.gen(function*() {
      const { root } = host.paths
      const names = yield* perform("DirList", { path: root }).pipe(
        Effect.catchIf((error) => error.errno === "ENOENT", () => Effect.succeed([]))
      )
      return { driver: yield* host.storageDriver, foreign: foreignStorage(root, names) }
    }))
  }
})
