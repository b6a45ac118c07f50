/**
 * Decides by which range of values the accumulator lies in. Serves system call numbers and words of arguments
 * alike. A balanced tree: the kernel runs every filter once per call number when it is loaded, and per call
 * for what is not simply allowed, so the length of the path is what a filter costs.
 */
import { opcode } from "./BpfInstruction.ts"
import { type BpfNode, test } from "./BpfNode.ts"

/** The values from `start` up to the next range's start; the last range ends with the 32-bit word. */
export interface Range {
  readonly start: number
  readonly node: BpfNode
}

/** Single values tested one after the other in a leaf: two cost no more depth than splitting them, and less code. */
const exceptionsPerLeaf = 2

interface Leaf {
  readonly start: number
  readonly node: BpfNode
}

/** `ranges` ascend and the first starts at 0. Expects the value in the accumulator. */
export const searchTree = (ranges: ReadonlyArray<Range>): BpfNode => {
  const leaves = leavesOf(mergeNeighbours(ranges))
  const build = (first: number, end: number): BpfNode => {
    if (end - first === 1) return leaves[first]!.node
    const middle = (first + end) >>> 1
    return test(opcode.jumpIfGreaterOrEqual, leaves[middle]!.start, build(middle, end), build(first, middle))
  }
  return build(0, leaves.length)
}

const mergeNeighbours = (ranges: ReadonlyArray<Range>): ReadonlyArray<Range> =>
  ranges.filter(({ node }, index) => index === 0 || ranges[index - 1]!.node !== node)

/**
 * Where single values interrupt a wide range, leaves take the interruptions in with the range around them, and
 * the range is split between leaves wherever it suits: one test for an interruption instead of two.
 */
const leavesOf = (ranges: ReadonlyArray<Range>): ReadonlyArray<Leaf> => {
  const interrupts = (index: number): boolean =>
    index > 0 && index + 1 < ranges.length && ranges[index - 1]!.node === ranges[index + 1]!.node &&
    ranges[index]!.start + 1 === ranges[index + 1]!.start
  const leaves: Array<Leaf> = []
  let index = 0
  let start = 0
  while (index < ranges.length) {
    const around = ranges[index]!.node
    let node = around
    let taken = 0
    while (taken < exceptionsPerLeaf && interrupts(index + 1)) {
      const exception = ranges[index + 1]!
      node = test(opcode.jumpIfEqual, exception.start, exception.node, node)
      index += 2
      taken += 1
    }
    leaves.push({ start, node })
    if (interrupts(index + 1)) start = ranges[index]!.start
    else {
      index += 1
      start = ranges[index]?.start ?? 0
    }
  }
  return leaves
}
