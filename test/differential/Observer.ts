/**
 * Runs a program on one kernel and writes down everything that can be seen of it, in words that do not depend on
 * where it ran: identities, times and places of the host are replaced by what they stand for.
 */
import { Cause, Effect, Exit, Option, Scope, Stream } from "effect"
import type { ContainerConfig, Mount } from "../../src/domain/container/ContainerConfig.ts"
import { ContainerError } from "../../src/domain/container/ContainerError.ts"
import { cgroupParent, upperDirectory } from "../../src/domain/container/Paths.ts"
import { KernelError } from "../../src/domain/kernel/KernelError.ts"
import { Engine, type EngineError } from "../../src/programs/Engine.ts"
import { Host } from "../../src/programs/Host.ts"
import { type Kernel, perform } from "../../src/programs/Kernel.ts"
import { bytes, config, everything, execOptions, follow, logged } from "../laws/container.ts"
import { type Ground, removeAll } from "../laws/Ground.ts"
import { encodeTree, listArchive } from "./archive.ts"
import { type Behaviour, commandOf, type Program, type Step } from "./Step.ts"

export interface Observation {
  readonly step: Step | "the end"
  /** What the step gave or why it was refused. */
  readonly result: unknown
  /** All containers afterwards: name, state, exit. */
  readonly containers: ReadonlyArray<string>
  /** The container that the step was about, as `inspect` shows it. */
  readonly about: unknown
}

/** What must be known of a container to tell when it has come to rest. */
interface Tracked {
  readonly id: string
  readonly behaviour: Behaviour
  /** Signals that it does not handle end it: it is not the first process of a pid namespace. */
  readonly mortal: boolean
  readonly pidMode: string
  /** Beginnings of its runs. */
  readonly runs: Set<string>
  tellings: number
}

type Needs = Engine | Host | Kernel | Scope.Scope

/** Milliseconds that a step may take. */
const stepTimeout = 20_000

const lethal: ReadonlySet<number> = new Set([1, 2, 3, 9, 10, 12, 15])

const files: { readonly [version: number]: ReadonlyArray<string> } = {
  1: [
    "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.soft_limit_in_bytes", "pids.max", "pids.current",
    "cpu.shares", "cpu.cfs_quota_us", "cpu.cfs_period_us", "cpuset.cpus", "cpuset.mems", "freezer.state"
  ],
  2: [
    "cpu.max", "cpu.weight", "memory.max", "memory.swap.max", "memory.low", "pids.max", "pids.current", "cpuset.cpus", "cpuset.mems",
    "cgroup.freeze", "cgroup.type"
  ]
}

const timePattern = /[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\.[0-9]+)?Z/g
const never = "0001-01-01T00:00:00Z"

export class Observer {
  private readonly ground: Ground
  private readonly tracked: Array<Tracked> = []
  readonly defects: Array<string> = []

  constructor(ground: Ground) {
    this.ground = ground
  }

  /** Runs all steps; the containers that are left at the end are looked at closely and removed. */
  observe(program: Program): Promise<ReadonlyArray<Observation>> {
    const { ground } = this
    const all = Effect.gen({ self: this }, function*() {
      yield* Effect.flatMap(Engine, (engine) => engine.recover)
      const seen: Array<Observation> = []
      for (const step of program) seen.push(yield* this.observeStep(step))
      seen.push(...(yield* this.observeEnd()))
      return seen
    })
    return ground.run(Effect.provide(Effect.scoped(Effect.ensuring(all, Effect.ignore(removeAll))), ground.layer))
  }

  private observeStep(step: Step): Effect.Effect<Observation, EngineError, Needs> {
    return Effect.gen({ self: this }, function*() {
      const engine = yield* Engine
      const before = yield* Effect.option(engine.find("inspect", step.name))
      const exit = yield* Effect.exit(Effect.timeoutOption(this.perform(step), stepTimeout * this.ground.patience))
      const result = this.told(exit)
      const settled = yield* Effect.timeoutOption(
        this.settle(step, Exit.isSuccess(exit), Option.getOrUndefined(before)), stepTimeout * this.ground.patience
      )
      const about = yield* Effect.result(engine.inspect(step.name))
      return this.plain({
        step,
        result: Option.isNone(settled) ? ["does not come to rest", result] : result,
        containers: yield* this.containers(),
        about: about._tag === "Success" ? summary(about.success) : undefined
      }) as Observation
    })
  }

  /** Everything of every container, then what is left when they are removed. */
  private observeEnd(): Effect.Effect<ReadonlyArray<Observation>, EngineError, Needs> {
    return Effect.gen({ self: this }, function*() {
      const engine = yield* Engine
      const seen: Array<Observation> = []
      const listed = [...(yield* engine.list)].sort((one, two) => one.record.name < two.record.name ? -1 : 1)
      for (const { record } of listed) {
        const { rw } = yield* engine.size(record.id)
        const layer = yield* Effect.exit(Stream.runCollect(
          engine.host.copyOut(upperDirectory(this.ground.paths, record.id), { name: "upper", follow: false })
        ))
        const about = {
          inspect: yield* engine.inspect(record.id), log: byStream(yield* logged(record.id)), size: rw,
          layer: Exit.isSuccess(layer) ? listArchive(Buffer.concat(layer.value)) : this.told(layer)
        }
        seen.push(this.plain({ step: "the end", result: record.name, containers: [], about }) as Observation)
        yield* engine.remove(record.id, { force: true })
      }
      const left = yield* engine.check({ repair: false })
      seen.push({ step: "the end", result: left, containers: yield* this.containers(), about: undefined })
      return seen
    })
  }

  private containers(): Effect.Effect<ReadonlyArray<string>, EngineError, Engine> {
    return Effect.flatMap(Engine, (engine) =>
      Effect.map(engine.list, (all) =>
        all.map(({ record, state }) => `${record.name} ${state.name} ${JSON.stringify(state.exit ?? null)} ${state.error}`).sort()))
  }

  private perform(step: Step): Effect.Effect<unknown, EngineError, Needs> {
    return Effect.flatMap(Engine, (engine): Effect.Effect<unknown, EngineError, Needs> => {
      const { name } = step
      switch (step._tag) {
        case "Create":
          return this.create(step)
        case "Start":
          return engine.start(name)
        case "Run":
          return this.run(step)
        case "Attach":
          return this.attach(step)
        case "Exec":
          return Effect.scoped(Effect.flatMap(
            engine.exec(name, execOptions(["sh", "-c", step.script], step)), (session) => follow(session)
          ))
        case "Stop":
          return this.stop(step)
        case "Kill":
          return engine.kill(name, step.signal)
        case "Pause":
          return engine.pause(name)
        case "Unpause":
          return engine.unpause(name)
        case "Restart":
          return Effect.flatMap(this.graceOf(name, 15, false), (timeout) => engine.restart(name, { timeout }))
        case "Wait":
          return Effect.flatMap(engine.find("wait", name), ({ state }): Effect.Effect<unknown, EngineError> =>
            state.process === undefined ? engine.wait(name) : Effect.succeed("runs"))
        case "Top":
          return this.top(name)
        case "Inspect":
          return engine.inspect(name)
        case "Limits":
          return this.limits(name)
        case "Size":
          return Effect.map(engine.size(name), ({ rw }) => rw)
        case "Rename":
          return engine.rename(name, step.to)
        case "Update":
          return engine.update(name, { resources: step.resources })
        case "Remove":
          return engine.remove(name, { force: step.force })
        case "Logs":
          return Effect.map(logged(name, { tail: step.tail }), (lines) => step.tail < 0 ? byStream(lines) : lines.length)
        case "Stat":
          return Effect.map(engine.stat(name, step.path, step.follow), (status) =>
            status.type === "directory" || step.path.startsWith("/bin") ? { ...status, size: 0 } : status)
        case "CopyOut":
          return Effect.map(Stream.runCollect(engine.copyOut(name, step.path, { name: "out", follow: step.follow })), (pieces) =>
            step.path.startsWith("/bin") ? pieces.length > 0 : listArchive(Buffer.concat(pieces)))
        case "CopyIn":
          return engine.copyIn(
            name, step.path, Stream.make(encodeTree(step.tree)), step.owned ? { uid: 1000, gid: 50 } : undefined
          )
        case "CopyBetween":
          return engine.copyIn(step.to, "/", engine.copyOut(name, step.path, { name: "copied", follow: false }), undefined)
      }
    })
  }

  private create(step: Extract<Step, { readonly _tag: "Create" }>): Effect.Effect<unknown, EngineError, Needs> {
    return Effect.gen({ self: this }, function*() {
      const engine = yield* Engine
      const { behaviour } = step
      const given = { ...step.more, mounts: (step.more.mounts ?? []).map((mount) => this.here(mount)) }
      const wanted: ContainerConfig = {
        ...config(this.ground, commandOf(behaviour), given),
        ...(behaviour._tag === "Cat" ? { openStdin: true, stdinOnce: true } : {})
      }
      const { id, name, warnings } = yield* engine.create(wanted, step.name)
      const { record } = yield* engine.find("inspect", id)
      this.tracked.push({
        id, behaviour: given.entrypoint === undefined ? behaviour : { _tag: "Short", script: "" },
        mortal: wanted.init || wanted.pidMode !== "", pidMode: record.config.pidMode, runs: new Set(), tellings: 0
      })
      return { name, warnings }
    })
  }

  private here(mount: Mount): Mount {
    return mount._tag === "Bind" ? { ...mount, source: mount.source.replace("SCRATCH", this.ground.scratch) } : mount
  }

  private run(step: Extract<Step, { readonly _tag: "Run" }>): Effect.Effect<unknown, EngineError, Needs> {
    return Effect.gen({ self: this }, function*() {
      const engine = yield* Engine
      const { record } = yield* engine.find("start", step.name)
      const behaviour = this.tracked.find(({ id }) => id === record.id)?.behaviour._tag
      if (behaviour === "Idle" || behaviour === "Listening") return yield* engine.start(step.name)
      const takes = behaviour === "Cat"
      return yield* Effect.scoped(Effect.flatMap(
        engine.startAttached(step.name, { ...everything, stdin: takes }),
        (session) => follow(session, takes ? Stream.make(bytes(step.input)) : undefined)
      ))
    })
  }

  /** To one that copies its input: it ends with that. To another for a moment only. */
  private attach(step: Extract<Step, { readonly _tag: "Attach" }>): Effect.Effect<unknown, EngineError, Needs> {
    return Effect.scoped(Effect.gen({ self: this }, function*() {
      const engine = yield* Engine
      const { record, state } = yield* engine.find("attach", step.name)
      const takes = this.tracked.find(({ id }) => id === record.id)?.behaviour._tag === "Cat"
      const session = yield* engine.attach(step.name, { ...everything, stdin: takes, claim: false })
      if (takes && state.name !== "paused") return yield* follow(session, Stream.make(bytes(step.input)))
      return yield* session.run({ input: undefined, sizes: Stream.never, detached: Effect.void, output: () => Effect.void })
    }))
  }

  private stop(step: Extract<Step, { readonly _tag: "Stop" }>): Effect.Effect<void, EngineError, Needs> {
    return Effect.gen({ self: this }, function*() {
      const engine = yield* Engine
      const configured = Option.map(yield* Effect.option(engine.find("stop", step.name)), ({ record }) => record.config.stopSignal)
      const signal = step.signal ?? ({ SIGINT: 2, 9: 9 }[Option.getOrElse(configured, () => "")] ?? 15)
      const timeout = yield* this.graceOf(step.name, signal, step.patient)
      yield* engine.stop(step.name, { timeout, ...(step.signal === undefined ? {} : { signal }) })
    })
  }

  /** Seconds: long where the signal ends it, so that it is not a race with SIGKILL. */
  private graceOf(name: string, signal: number, patient: boolean): Effect.Effect<number, never, Engine> {
    return Effect.gen({ self: this }, function*() {
      const engine = yield* Engine
      const found = Option.getOrUndefined(yield* Effect.option(engine.find("stop", name)))
      const tracked = this.tracked.find(({ id }) => id === found?.record.id)
      return tracked !== undefined && endsBy(tracked, signal) ? 15 : patient ? 1 : 0
    })
  }

  /** When it is twice the same: between fork and exec a process looks like its parent, or like nothing. */
  private top(name: string): Effect.Effect<ReadonlyArray<string>, EngineError, Needs> {
    const look = Effect.flatMap(Engine, (engine) => Effect.map(engine.top(name, { options: ["-o", "uid,pid,tname,cmd"] }), ({ processes, titles }) =>
      processes.map((row) => ["UID", "TTY", "CMD"].map((title) => row[titles.indexOf(title)]).join(" ")).sort()))
    return Effect.gen(function*() {
      for (let before = yield* look;;) {
        yield* Effect.sleep("8 millis")
        const now = yield* look
        if (String(now) === String(before) && !now.some((row) => row.includes("["))) return now
        before = now
      }
    })
  }

  private limits(name: string): Effect.Effect<unknown, EngineError, Needs> {
    return Effect.gen({ self: this }, function*() {
      const engine = yield* Engine
      const { layout } = yield* (yield* Host).facts
      const { record } = yield* engine.find("inspect", name)
      const found: Record<string, unknown> = {}
      for (const { mount, version } of layout.hierarchies) {
        const directory = `${mount}${cgroupParent(this.ground.paths)}/${record.id}`
        found[mount] = yield* perform("CgroupRead", { directory, files: files[version]! })
      }
      return found
    })
  }

  /** Waits until nothing happens any more by itself. */
  private settle(
    step: Step, done: boolean, before: { readonly record: { readonly id: string }; readonly state: { readonly name: string } } | undefined
  ): Effect.Effect<void, EngineError, Needs> {
    return Effect.gen({ self: this }, function*() {
      const engine = yield* Engine
      if (step._tag === "Kill" && done && before !== undefined) yield* this.settleKill(step.signal, before)
      const listed = new Map((yield* engine.list).map((one) => [one.record.id, one.state]))
      for (const one of this.tracked) {
        const state = listed.get(one.id)
        // In the pid namespace of one that has ended: about to end too
        if (one.pidMode.startsWith("container:") && state?.process !== undefined) {
          const joined = listed.get(one.pidMode.slice("container:".length))
          if (joined?.process === undefined) yield* engine.wait(one.id)
        }
        if (state?.name !== "running") continue
        if (one.behaviour._tag === "Short") yield* engine.wait(one.id)
        if (one.behaviour._tag !== "Listening") continue
        one.runs.add(state.startedAt ?? "")
        yield* this.untilTold(one.id, "stdout ready", one.runs.size)
        yield* this.untilRunning(one.id, "sleep 1000")
      }
    })
  }

  private settleKill(
    signal: number, before: { readonly record: { readonly id: string }; readonly state: { readonly name: string } }
  ): Effect.Effect<void, EngineError, Needs> {
    return Effect.gen({ self: this }, function*() {
      const engine = yield* Engine
      const tracked = this.tracked.find(({ id }) => id === before.record.id)
      if (tracked === undefined) return
      if (endsBy(tracked, signal)) yield* engine.wait(tracked.id)
      else if (tracked.behaviour._tag === "Listening" && signal === 10) {
        tracked.tellings++
        yield* this.untilTold(tracked.id, "stdout usr1", tracked.tellings)
      }
    })
  }

  private untilTold(id: string, line: string, count: number): Effect.Effect<void, EngineError, Needs> {
    return Effect.gen(function*() {
      for (;;) {
        const lines = yield* logged(id)
        if (lines.filter((one) => one.replace("\r", "") === line).length >= count) return
        yield* Effect.sleep("4 millis")
      }
    })
  }

  private untilRunning(id: string, command: string): Effect.Effect<void, EngineError, Needs> {
    return Effect.gen(function*() {
      for (;;) {
        const seen = Option.getOrUndefined(yield* Effect.option((yield* Engine).top(id)))
        // It may have ended since it was looked at
        if (seen === undefined) return
        if (seen.processes.some((row) => row[seen.titles.indexOf("CMD")] === command)) return
        yield* Effect.sleep("4 millis")
      }
    })
  }

  /** A result in words; a defect is one of the program, and noted. */
  private told(exit: Exit.Exit<unknown, EngineError>): unknown {
    if (Exit.isSuccess(exit)) {
      const value = Option.isOption(exit.value) ? Option.getOrElse(exit.value, () => "takes too long") : exit.value
      return { success: value ?? null }
    }
    const reason = exit.cause.reasons[0]
    const error = reason?._tag === "Fail" ? reason.error : undefined
    if (error instanceof ContainerError) return { refused: { ...error, message: error.message, stack: undefined } }
    if (error instanceof KernelError) {
      const { errno, hint, op, path } = error
      return { failed: [op, errno, path ?? null, hint ?? null] }
    }
    this.defects.push(Cause.pretty(exit.cause))
    return { defect: Cause.pretty(exit.cause) }
  }

  /** The same with names in place of what only this ground has. */
  private plain(value: unknown): unknown {
    const { paths, rootfs, scratch } = this.ground
    let json = JSON.stringify(value)
    for (const [index, { id }] of this.tracked.entries()) {
      json = json.replaceAll(id, `<id ${index}>`).replaceAll(id.slice(0, 12), `<short id ${index}>`)
    }
    for (const [place, stands] of [
      [rootfs, "<rootfs>"], [scratch, "<scratch>"], [paths.root, "<root>"], [paths.execRoot, "<run>"], [cgroupParent(paths), "<parent>"]
    ] as const) json = json.replaceAll(place, stands)
    json = json.replace(timePattern, (time) => time === never ? "never" : "some time")
      .replace(/\/exec\/[0-9a-f]{12}/g, "/exec/<exec>").replace(/\/proc\/[0-9]+/g, "/proc/<pid>").replace(/"Pid":[1-9][0-9]*/g, "\"Pid\":1")
    return JSON.parse(json)
  }
}

/** The order of two streams is the reader's: nobody promises it. */
const byStream = (lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  ["stdout ", "stderr "].flatMap((stream) => lines.filter((line) => line.startsWith(stream)))

/** Whether a signal ends a container. */
const endsBy = ({ behaviour, mortal }: Tracked, signal: number): boolean => {
  if (signal === 9) return true
  if (!lethal.has(signal)) return false
  if (behaviour._tag === "Listening") return signal === 15 || (mortal && signal === 12)
  return mortal
}

const summary = (view: { readonly State: unknown; readonly Name: string; readonly HostConfig: { readonly Memory: number; readonly PidsLimit: unknown } }) =>
  ({ name: view.Name, state: view.State, memory: view.HostConfig.Memory, pids: view.HostConfig.PidsLimit })

