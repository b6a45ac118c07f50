/** A command of the command line: what it takes, and the effect that it is. */
import type * as Effect from "effect/Effect"
import type { Engine } from "../../programs/Engine.ts"
import type { Images } from "../../programs/Images.ts"
import type { Registries } from "../../programs/Registries.ts"
import type { Flags } from "../argv/Flag.ts"
import type { Parsed } from "../argv/parseArguments.ts"
import type { Surroundings } from "../terminal/Surroundings.ts"
import type { Terminal } from "../terminal/Terminal.ts"
import type { CommandError } from "./CommandFailure.ts"

/** What commands are about. */
export type Services = Engine | Images | Registries

/** A command at work: in the end it gives the exit status. */
export type Running<R> = Effect.Effect<number, CommandError, R | Terminal | Surroundings>

/** A command line that was understood. */
export interface Invocation<F extends Flags> extends Parsed<F> {
  /** The program and the command as they were called: `fx-engine container ls`. */
  readonly path: string
  /** Nothing is really done: `--plan`. */
  readonly plan: boolean
  /** The engine's durable directory. */
  readonly root: string
}

export interface Command<F extends Flags = Flags> {
  /** What follows the command in the first line of its help. */
  readonly forms: readonly [string, ...Array<string>]
  readonly summary: string
  readonly details?: string
  readonly flags: F
  /** How many arguments it takes; none need be there when the flag `unlessGiven` is. */
  readonly arguments: { readonly least: number; readonly most?: number; readonly unlessGiven?: keyof F & string }
  /** Whether flags may follow the first argument: not where that begins another command line. */
  readonly interspersed: boolean
  /**
   * `nothing`: no engine is made. `reads`: it changes nothing. `changes`: with --plan it is shown what it would do.
   */
  readonly engine: "nothing" | "reads" | "changes"
  /** The engine's house is not put in order first: the command is about that itself. */
  readonly asFound?: boolean
  readonly run: (invocation: Invocation<F>) => Running<Services>
}

/** Keeps the types of the flags for `run`. */
export const command = <const F extends Flags>(definition: Command<F>): Command<F> => definition
