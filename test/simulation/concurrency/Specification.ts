/**
 * What commands do to containers, without a kernel: small steps that each takes at some moment between its beginning
 * and its end, and how it may end after each.
 */
import type { ContainerError } from "../../../src/domain/container/ContainerError.ts"
import type { Command, Program } from "./Command.ts"
import {
  alter, begun, type Container, failedCode, lostCode, matches, missingCode, runs, signalled, type State, termCode, wavers, withEnds
} from "./Container.ts"
import { execCode, type Outcome, type Seen } from "./perform.ts"

/** How far a command is. */
export interface Local {
  readonly at: "beginning" | "found" | "ending" | "removing" | "following" | "ghost" | "done"
  /** The containers that it is about, in order; negative: one that must have gone. */
  readonly targets: ReadonlyArray<number>
}

export interface Call {
  readonly number: number
  readonly command: Command
  /** None when it never returned: its engine died. */
  outcome: Outcome | undefined
}

export interface Next {
  readonly state: State
  readonly local: Local
}

export const beginning: Local = { at: "beginning", targets: [] }
const finished: Local = { at: "done", targets: [] }

const seenBy = ({ outcome }: Call): ReadonlyArray<Seen> => outcome?._tag === "Done" ? outcome.seen ?? [] : []

/** The steps that a call may take now. `disturbed`: supervisors are killed, so that a start may fail. */
export const stepsOf = (call: Call, local: Local, state: State, disturbed: boolean): ReadonlyArray<Next> =>
  new Steps(call, local, state, disturbed).all()

class Steps {
  private readonly next: Array<Next> = []
  private readonly call: Call
  private readonly local: Local
  private readonly state: State
  private readonly disturbed: boolean

  constructor(call: Call, local: Local, state: State, disturbed: boolean) {
    this.call = call
    this.local = local
    this.state = state
    this.disturbed = disturbed
  }

  all(): ReadonlyArray<Next> {
    const { call: { command }, local } = this
    if (local.at === "done") return []
    if (local.at === "ghost") this.comeTrue()
    else if (local.at !== "beginning") this.onTarget(this.state.find(({ id }) => id === local.targets[0]))
    else if (command._tag === "Create") this.create(command.name, command.program)
    else if (command._tag === "List") this.list()
    else if (command._tag === "Recover") this.done(this.state)
    else if ("name" in command) this.find(command.name)
    return this.next
  }

  private go(state: State, at: Local["at"], targets = this.local.targets): void {
    this.next.push({ state, local: { at, targets } })
  }

  /** It ends well, if it did; `code` is what it was told. */
  private done(state: State, code?: number): void {
    const { outcome } = this.call
    if (outcome !== undefined && (outcome._tag !== "Done" || (code !== undefined && outcome.code !== code))) return
    this.next.push({ state, local: finished })
  }

  private left(): void {
    if (this.call.outcome?._tag === "Left") this.next.push({ state: this.state, local: finished })
  }

  private refuse(kinds: ReadonlyArray<ContainerError["kind"]>, state = this.state): void {
    const { outcome } = this.call
    if (outcome !== undefined && (outcome._tag !== "Refused" || !kinds.includes(outcome.kind))) return
    this.next.push({ state, local: finished })
  }

  private set(one: Container, change: Partial<Container>): State {
    return alter(this.state, one.id, change)
  }

  private create(name: string, program: Program): void {
    if (this.state.some((one) => one.name === name)) return this.refuse(["conflict"])
    this.done([...this.state, {
      id: this.call.number, name, program, phase: "created", code: -1, ends: [], killed: false, lost: false, lock: 0, pids: 0
    }])
  }

  private find(name: string): void {
    const { outcome } = this.call
    const one = this.state.find((container) => container.name === name)
    if (one === undefined) return this.refuse(["missing"])
    // A record is read at once, what it does a moment later
    const seen = outcome?._tag === "Done" ? outcome.seen?.[0] : undefined
    if (seen === undefined || seen.pids === one.pids) this.go(this.state, "found", [one.id])
  }

  /** All records at one moment, then container by container: what has gone by then is not listed. */
  private list(): void {
    const seen = seenBy(this.call)
    const targets = seen.flatMap((one) => {
      const found = this.state.find(({ name, pids }) => name === one.name && pids === one.pids)
      return found === undefined ? [] : [found.id]
    })
    if (targets.length !== seen.length) return
    const rest = this.state.filter(({ id }) => !targets.includes(id)).map(({ id }) => -id)
    this.listRest([...targets, ...rest])
  }

  private listNext(): void {
    const seen = seenBy(this.call)
    const [target, ...rest] = this.local.targets
    const one = this.state.find(({ id }) => id === Math.abs(target!))
    const index = seen.length - this.local.targets.filter((id) => id > 0).length
    if (target! < 0 ? one === undefined : one !== undefined && matches(seen[index]!, one)) this.listRest(rest)
  }

  private listRest(targets: ReadonlyArray<number>): void {
    if (targets.length === 0) this.done(this.state)
    else this.go(this.state, "found", targets)
  }

  /** A start whose engine died comes to its end all the same. */
  private comeTrue(): void {
    const one = this.state.find(({ id }) => id === this.local.targets[0])
    if (one !== undefined && !runs(one) && one.phase !== "removing") {
      this.next.push({ state: this.set(one, { ...begun(one), lock: one.lock }), local: finished })
    }
  }

  private onTarget(one: Container | undefined): void {
    const { command, outcome } = this.call
    switch (command._tag) {
      case "List":
        return this.listNext()
      case "Inspect":
        if (one === undefined) return this.refuse(["missing"])
        if (outcome?._tag !== "Done" || matches(outcome.seen![0]!, one)) this.done(this.state)
        return
      case "Logs": case "CopyIn": case "CopyOut":
        return one === undefined ? this.refuse(["missing"]) : this.done(this.state)
      case "Kill":
        return this.kill(one, command.signal)
      case "Wait":
        return this.wait(one)
      case "Exec":
        return this.exec(one)
      case "Attach":
        return this.attach(one)
      case "KillSupervisor":
        if (one !== undefined && runs(one)) this.done(this.set(one, { lost: true }))
        this.left()
        return this.done(this.state)
      default:
        return this.withLock(one)
    }
  }

  private kill(one: Container | undefined, signal: 9 | 15): void {
    if (one === undefined) return this.refuse(["missing", "conflict"])
    if (!runs(one) || wavers(one)) this.refuse(["conflict"])
    if (!runs(one)) return
    if (signal === 9) return this.done(this.set(one, { ...withEnds(one, lostCode), killed: true }))
    this.done(this.set(one, { ...(one.program === "polite" ? withEnds(one, termCode) : {}), phase: "running" }))
  }

  private wait(one: Container | undefined): void {
    this.left()
    if (one === undefined) return this.refuse(["missing"])
    if (!runs(one)) this.done(this.state, Math.max(0, one.code))
  }

  private exec(one: Container | undefined): void {
    const { outcome } = this.call
    const steady = one !== undefined && one.phase === "running" && !wavers(one)
    if (this.local.at === "found") {
      if (!steady) this.refuse(["missing", "conflict"])
      if (one?.phase === "running") this.go(this.state, "following")
      return
    }
    this.done(this.state, execCode)
    if (steady) return
    // It ends with the container, or stands still with it
    if (outcome?._tag === "Refused") return this.refuse(["conflict", "failed"])
    this.left()
    this.done(this.state)
  }

  private attach(one: Container | undefined): void {
    if (one === undefined) return this.refuse(["missing", "conflict"])
    if (one.phase !== "running" || wavers(one)) this.refuse(["conflict"])
    if (!runs(one)) return
    this.left()
    this.done(this.state)
  }

  /** What takes the container's lock: others that do wait until it has been let go. */
  private withLock(one: Container | undefined): void {
    const { command } = this.call
    const { at } = this.local
    if (at === "following") return this.follow(one)
    if (at !== "found") return this.holdingLock(one!)
    // As with docker it is no error that it runs already; that may be found without the lock
    if (command._tag === "Start" && one?.phase === "running") return this.done(this.state)
    if (one === undefined) return this.refuse(["missing"])
    if (one.lock !== 0) return
    switch (command._tag) {
      case "Start": case "StartAttached":
        return this.start(one)
      case "Restart":
        return runs(one) ? this.end(one, signalled(one)) : this.start(one)
      case "Stop":
        return runs(one) ? this.end(one, signalled(one)) : this.done(this.state)
      case "Remove":
        if (!runs(one)) return this.go(this.set(one, { phase: "removing", lock: this.call.number }), "removing")
        return command.force ? this.end(one, { ...withEnds(one, lostCode), phase: one.phase }) : this.refuse(["conflict"])
      case "Pause":
        if (one.phase !== "running" || wavers(one)) this.refuse(["conflict"])
        return one.phase === "running" ? this.done(this.set(one, { phase: "paused" })) : undefined
      case "Unpause":
        if (one.phase !== "paused" || wavers(one)) this.refuse(["conflict"])
        return one.phase === "paused" ? this.done(this.set(one, { phase: "running" })) : undefined
      case "Update":
        return this.done(this.set(one, { pids: command.pids }))
      case "Rename":
        if (command.to === one.name) return this.refuse(["invalid"])
        if (this.state.some(({ name }) => name === command.to)) return this.refuse(["conflict"])
        return this.done(this.set(one, { name: command.to }))
    }
  }

  private start(one: Container): void {
    if (runs(one) || one.phase === "removing") return this.refuse(["conflict"])
    if (this.disturbed) this.refuse(["failed"], this.set(one, { code: failedCode, lock: 0 }))
    if (one.program === "broken") return this.refuse(["command"], this.set(one, { code: missingCode, lock: 0 }))
    const state = this.set(one, begun(one))
    if (this.call.command._tag === "StartAttached") this.go(state, "following")
    else this.done(state)
  }

  private follow(one: Container | undefined): void {
    this.left()
    if (one?.phase === "exited") this.done(this.state, one.code)
  }

  private end(one: Container, change: Partial<Container>): void {
    this.go(this.set(one, { phase: "running", ...change, killed: true, lock: this.call.number }), "ending")
  }

  private holdingLock(one: Container): void {
    const { command } = this.call
    if (this.local.at === "removing") return this.done(this.state.filter((other) => other !== one))
    if (runs(one)) return
    if (command._tag === "Stop") return this.done(this.set(one, { lock: 0 }))
    if (command._tag === "Restart") return this.start({ ...one, lock: 0 })
    this.go(this.set(one, { phase: "removing" }), "removing")
  }
}
