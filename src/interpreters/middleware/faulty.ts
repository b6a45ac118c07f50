/** A door at which operations fail: by number, by kind, or by chance. */
import { makeDraw } from "../../domain/random/mulberry32.ts"
import * as Effect from "effect/Effect"
import { KernelError } from "../../domain/kernel/KernelError.ts"
import type { KernelOp, KernelTag } from "../../domain/kernel/KernelOp.ts"
import type { Middleware } from "../../programs/Kernel.ts"
import { possibleErrnos } from "./possibleErrnos.ts"

/** Which operations are meant; what is left out does not matter. */
export interface Selection {
  /** The operation's place in the order of beginning, from 0. */
  readonly at?: number
  readonly tag?: KernelTag
  readonly matches?: (op: KernelOp, index: number) => boolean
  /** From 0 to 1: how often of those that are meant. */
  readonly probability?: number
}

export interface Fault extends Selection {
  /** Drawn from those the operation may give when absent. */
  readonly errno?: string
  /**
   * `before`: nothing happens. `after`: it takes effect, and fails all the same (a reply that was
   * lost).
   */
  readonly when?: "before" | "after"
  /** How often at most; for ever when absent. */
  readonly times?: number
}

/** Whether an operation is meant; `random` is only asked where chance decides. */
export const isMeant = (
  selection: Selection,
  op: KernelOp,
  index: number,
  random: () => number
): boolean =>
  (selection.at === undefined || selection.at === index) &&
  (selection.tag === undefined || selection.tag === op.tag) &&
  (selection.matches === undefined || selection.matches(op, index)) &&
  (selection.probability === undefined || random() < selection.probability)

/** The object of an operation, for its error. */
const pathOf = (op: KernelOp): string | undefined => {
  const { path, directory } = op.payload as {
    readonly path?: unknown
    readonly directory?: unknown
  }
  return typeof path === "string" ? path : typeof directory === "string" ? directory : undefined
}

const failure = (op: KernelOp, errno: string): KernelError => {
  const path = pathOf(op)
  return new KernelError({
    op: op.tag,
    syscall: "injected",
    errno,
    ...(path === undefined ? {} : { path })
  })
}

/** Fails operations as planned; the first fault that means an operation counts. */
export const faulty = (
  faults: ReadonlyArray<Fault>,
  options: { readonly seed?: number } = {}
): Middleware => {
  const random = makeDraw(options.seed ?? 0)
  const left = faults.map((fault) => fault.times ?? Number.POSITIVE_INFINITY)
  let count = 0
  return (next) => (tag, payload) =>
    Effect.suspend(() => {
      const index = count++
      const op = { tag, payload } as KernelOp
      const place = faults.findIndex((fault, at) =>
        left[at]! > 0 && isMeant(fault, op, index, random)
      )
      const fault = faults[place]
      if (fault === undefined) return next(tag, payload)
      left[place]!--
      const errnos = possibleErrnos[tag]
      const error = failure(op, fault.errno ?? errnos[Math.floor(random() * errnos.length)]!)
      return fault.when === "after"
        ? Effect.andThen(next(tag, payload), Effect.fail(error))
        : Effect.fail(error)
    })
}
