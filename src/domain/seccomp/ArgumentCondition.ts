/**
 * Conditions on the arguments of a call, with 64-bit values as bigints, cut to what the architecture's calls can
 * hold: where arguments have 32 bits, only the low words of both sides are compared, as libseccomp does.
 */
import type { SeccompArgument, SeccompOperator } from "./OciSeccomp.ts"

export type ArgumentCondition = Comparison | MaskedEquality

export interface Comparison {
  readonly tag: "comparison"
  readonly index: number
  readonly operator: Exclude<SeccompOperator, "SCMP_CMP_MASKED_EQ">
  readonly value: bigint
}

/** `argument & mask === value`; `value` has no bit outside the mask, and the mask is not 0. */
export interface MaskedEquality {
  readonly tag: "masked"
  readonly index: number
  readonly mask: bigint
  readonly value: bigint
}

/** Undefined for a condition that always holds: a mask of 0. */
export const argumentCondition = (
  { index, op, value, valueTwo = 0 }: SeccompArgument,
  bits: 32 | 64
): ArgumentCondition | undefined => {
  const first = BigInt.asUintN(bits, BigInt(value))
  if (op !== "SCMP_CMP_MASKED_EQ") return { tag: "comparison", index, operator: op, value: first }
  return first === 0n ? undefined : { tag: "masked", index, mask: first, value: BigInt(valueTwo) & first }
}

export const comparisonHolds = ({ operator, value }: Comparison, argument: bigint): boolean => {
  switch (operator) {
    case "SCMP_CMP_NE":
      return argument !== value
    case "SCMP_CMP_LT":
      return argument < value
    case "SCMP_CMP_LE":
      return argument <= value
    case "SCMP_CMP_EQ":
      return argument === value
    case "SCMP_CMP_GE":
      return argument >= value
    case "SCMP_CMP_GT":
      return argument > value
  }
}
