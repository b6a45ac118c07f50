/**
 * A filter as a graph of decisions, before it has a layout. Sharing a node costs nothing, so equal outcomes are
 * one object and can be compared by identity; there are no cycles, as every BPF jump goes forwards.
 */
import type { opcode } from "./BpfInstruction.ts"

export type BpfNode = Return | Test | Step

/** `value`: the verdict, a SECCOMP_RET_ value. */
export interface Return {
  readonly tag: "return"
  readonly value: number
}

/** Compares the accumulator with `operand`, unsigned. */
export interface Test {
  readonly tag: "test"
  readonly code: typeof opcode.jumpIfEqual | typeof opcode.jumpIfGreaterOrEqual | typeof opcode.jumpIfSet
  readonly operand: number
  readonly whenTrue: BpfNode
  readonly whenFalse: BpfNode
}

/** Changes the accumulator: loads the word at an offset, or masks what it holds. */
export interface Step {
  readonly tag: "step"
  readonly code: typeof opcode.loadWord | typeof opcode.and
  readonly operand: number
  readonly next: BpfNode
}

export const test = (code: Test["code"], operand: number, whenTrue: BpfNode, whenFalse: BpfNode): BpfNode =>
  whenTrue === whenFalse ? whenTrue : { tag: "test", code, operand, whenTrue, whenFalse }

export const step = (code: Step["code"], operand: number, next: BpfNode): BpfNode =>
  next.tag === "return" ? next : { tag: "step", code, operand, next }
