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
import { awaitExit, nobodyListens } from "./container/awaitExit.ts"
import { rename, setPaused } from "./container/change.ts"
import { check } from "./container/check.ts"
import { archiveIn, archiveOut, hostRoot, rootOf } from "./container/copy.ts"
import { create } from "./container/create.ts"
import { exec } from "./container/exec.ts"
import { locked } from "./container/lifecycleLock.ts"
import { logs } from "./container/logs.ts"
import { stateOf } from "./container/observation.ts"
import { recover } from "./container/recover.ts"
import { reap, remove } from "./container/remove.ts"
import { session } from "./container/session.ts"
import { kill, stop, stopLocked } from "./container/signal.ts"
import { start, startLocked } from "./container/start.ts"
import { stats } from "./container/stats.ts"
import { top } from "./container/top.ts"
import { update } from "./container/update.ts"
import type { AttachWish, Engine, EngineError, Session } from "./Engine.ts"
import { Host } from "./Host.ts"
import { importImage, removeImage } from "./image/importImage.ts"
import { Kernel, perform } from "./Kernel.ts"
import { findContainer, listContainers, listImages, refresh } from "./Store.ts"

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

const closing = (channel: number): Effect.Effect<void, never, Scope.Scope | Kernel> =>
  Effect.acquireRelease(Effect.void, () => Effect.ignore(perform("ChannelClose", { channel })))

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

  const restart = (reference: string, given: { readonly signal?: number; readonly timeout?: number }) =>
    on("restart", reference, (stored) =>
      locked(stored.record.id, Effect.gen(function*() {
        const fresh = yield* refresh("restart", stored)
        const stopped = yield* stopLocked(fresh, stopOptions(fresh.record, given))
        const started = yield* startLocked(stopped, { attach: 0, onExit: options.onExit })
        yield* perform("ChannelClose", { channel: started.channel })
      })))

  const attach = (reference: string, wish: AttachWish): Effect.Effect<Session, EngineError, Scope.Scope> =>
    on("attach", reference, ({ record }) =>
      Effect.gen(function*() {
        const conflict = (cause: string) =>
          new ContainerError({ operation: "attach", object: record.name, kind: "conflict", cause })
        const state = yield* stateOf(record)
        if (state.process === undefined) return yield* conflict("You cannot attach to a stopped container, start it first")
        if (state.name === "paused") return yield* conflict("You cannot attach to a paused container, unpause it first")
        const { channel } = yield* perform("ChannelOpen", {
          directory: Paths.runDirectory(host.paths, record.id), attach: flagsOf(wish)
        }).pipe(Effect.catchIf(nobodyListens, () => conflict("the container's supervisor has gone, run system check --repair")))
        yield* closing(channel)
        return sessionOn(channel, [], kernel)
      }))

  return {
    create: (config, name) =>
      provide(Effect.map(create(config, name), ({ stored, warnings }) => ({
        id: stored.record.id, name: stored.record.name, warnings
      }))),
    start: (reference) =>
      on("start", reference, (stored) =>
        Effect.gen(function*() {
          const state = yield* stateOf(stored.record)
          // Docker: starting what runs already is no error
          if (state.name === "running") return []
          const started = yield* start(stored, { attach: 0, onExit: options.onExit })
          yield* perform("ChannelClose", { channel: started.channel })
          return started.warnings
        })),
    startAttached: (reference, wish) =>
      on("start", reference, (stored) =>
        Effect.gen(function*() {
          const started = yield* Effect.acquireRelease(
            start(stored, { attach: flagsOf(wish), onExit: options.onExit }),
            ({ channel }) => Effect.ignore(perform("ChannelClose", { channel }))
          )
          return { ...sessionOn(started.channel, started.frames, kernel), warnings: started.warnings }
        })),
    attach,
    exec: (reference, execOptions) =>
      on("exec", reference, (stored) =>
        Effect.gen(function*() {
          const { channel, frames } = yield* Effect.acquireRelease(
            exec(stored, execOptions),
            ({ channel, directory }) =>
              Effect.ignore(perform("ChannelClose", { channel })).pipe(
                Effect.andThen(Effect.ignore(perform("TreeRemove", { path: directory })))
              )
          )
          return sessionOn(channel, frames, kernel)
        })),
    wait: (reference) =>
      on("wait", reference, ({ record }) =>
        Effect.map(awaitExit(record), (exit) => exit ?? { code: 0, signal: 0, oomKilled: false })),
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

    list: provide(Effect.flatMap(listContainers, (all) =>
      Effect.forEach(all, ({ record }) => Effect.map(stateOf(record), (state) => ({ record, state }))))),
    find: (operation, reference) =>
      on(operation, reference, ({ record }) => Effect.map(stateOf(record), (state) => ({ record, state }))),
    inspect: (reference) =>
      on("inspect", reference, ({ record }) =>
        Effect.map(stateOf(record), (state) => inspectView(record, state, host.paths))),
    size: (reference) =>
      on("inspect", reference, ({ record }) =>
        Effect.gen(function*() {
          const rw = yield* perform("TreeSize", { path: Paths.upperDirectory(host.paths, record.id) }).pipe(
            Effect.catchIf((error) => error.errno === "ENOENT", () => Effect.succeed(0))
          )
          const layers = yield* Effect.forEach(record.layers, (path) => perform("TreeSize", { path }))
          return { rw, rootFs: rw + layers.reduce((sum, size) => sum + size, 0) }
        })),
    logs: (reference, how) =>
      provideStream(Stream.unwrap(Effect.map(findContainer("logs", reference), ({ record }) => logs(record, how)))),
    top: (reference) => on("top", reference, ({ record }) => top(record)),
    stats: (references) => provideStream(stats(references)),

    stat: (reference, path, follow) =>
      on("cp", reference, ({ record }) =>
        Effect.flatMap(rootOf(record), (root) => perform("RootStat", { root, path, follow }))),
    copyOut: (reference, path, how) =>
      provideStream(Stream.unwrap(
        Effect.map(Effect.flatMap(findContainer("cp", reference), ({ record }) => rootOf(record)), (root) =>
          archiveOut(root, path, how))
      )),
    copyIn: (reference, path, data, owner) =>
      on("cp", reference, ({ record }) =>
        Effect.flatMap(rootOf(record), (root) => archiveIn(root, path, data, owner))) as never,
    host: {
      stat: (path, follow) => provide(perform("RootStat", { root: hostRoot, path, follow })),
      copyOut: (path, how) => provideStream(archiveOut(hostRoot, path, how)),
      copyIn: (path, data, owner) => provide(archiveIn(hostRoot, path, data, owner)) as never
    },

    importImage: (source) => provide(importImage(source)),
    images: provide(Effect.map(listImages, (all) => all.map((one) => one.record))),
    removeImage: (reference) => provide(removeImage(reference)),

    recover: provide(recover),
    check: (how) => provide(check(how)),
    hostTexts: provide(Effect.map(host.facts, (facts) => facts.texts))
  }
})
