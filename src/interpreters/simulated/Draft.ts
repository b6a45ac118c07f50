/**
 * A world that is being changed by one system call: the same fields, writable, and who is calling
 * what. The values of the fields are persistent, so opening and closing a draft copies a few dozen
 * references.
 */
import { nextState, numberOf } from "../../domain/random/mulberry32.ts"
import type { Behaviours } from "./behaviours/Behaviour.ts"
import type { Process } from "./processes/Process.ts"
import type { World } from "./World.ts"

type Writable<T> = { -readonly [K in keyof T]: T[K] }

export interface Draft extends Writable<World> {
  /** Host pid of the process that is calling. */
  current: number
  /** The system call it is in, for errors. */
  syscall: string
  readonly behaviours: Behaviours
}

/** What a system call ends with when it fails; thrown inside a step, never out of it. */
export class Failure {
  readonly errno: string
  readonly path: string | undefined
  readonly hint: string | undefined

  constructor(errno: string, path?: string, hint?: string) {
    this.errno = errno
    this.path = path
    this.hint = hint
  }
}

export const fail = (errno: string, path?: string, hint?: string): never => {
  throw new Failure(errno, path, hint)
}

/** Thrown by an operation that has to wait; the draft's changes so far stay. */
export const notYet: unique symbol = Symbol.for("fx/simulated/notYet")

export const open = (world: World, current: number, behaviours: Behaviours): Draft => ({
  ...world,
  current,
  syscall: "",
  behaviours
})

/** The world after the draft; the very one before it when nothing changed. */
export const close = (draft: Draft, before: World): World => {
  const { current: _current, syscall: _syscall, behaviours: _behaviours, ...world } = draft
  for (const key in before) {
    if (world[key as keyof World] !== before[key as keyof World]) return world
  }
  return before
}

/** An integer from 0 to `bound` − 1: one step of the world's generator. */
export const draw = (draft: Draft, bound: number): number => {
  draft.random = nextState(draft.random)
  return numberOf(draft.random) % bound
}

export const takeId = (draft: Draft): number => draft.nextId++

export const processOf = (draft: Draft, pid: number): Process =>
  draft.processes.get(pid) ?? fail("ESRCH")

export const current = (draft: Draft): Process => processOf(draft, draft.current)

/** Replaces fields of a process. */
export const alter = (draft: Draft, pid: number, change: Partial<Process>): Process => {
  const changed = { ...processOf(draft, pid), ...change }
  draft.processes = draft.processes.set(pid, changed)
  return changed
}

/** Performs `body` under the name of a system call. */
export const within = <A>(draft: Draft, syscall: string, body: () => A): A => {
  draft.syscall = syscall
  return body()
}
