/**
 * Lays a graph of decisions out as a program. It is written from its end to its beginning, so that wherever a
 * jump is written its target already has a place and its distance is known: no labels, no second pass.
 */
import {
  type BpfInstruction,
  maximumConditionalJump,
  maximumInstructions,
  opcode
} from "./BpfInstruction.ts"
import type { BpfNode, Step, Test } from "./BpfNode.ts"

/** The program in the order in which it runs; undefined if it is longer than the kernel takes. */
export const assemble = (root: BpfNode): ReadonlyArray<BpfInstruction> | undefined => {
  const nodes = targetsFirst(root)
  if (nodes.length > maximumInstructions) return undefined
  const backwards: Array<BpfInstruction> = []
  /** Where in `backwards` to jump to for a node: itself, or the last stepping stone written for it. */
  const places = new Map<BpfNode, number>()

  const place = (node: BpfNode, instruction: BpfInstruction): void => {
    places.set(node, backwards.push(instruction) - 1)
  }

  /** Instructions between the next one to be written and the node. */
  const distance = (node: BpfNode): number => backwards.length - 1 - places.get(node)!

  /** Puts the node next to whatever is written next: a copy of a verdict is as short as a jump to it. */
  const bringNear = (node: BpfNode): void =>
    node.tag === "return"
      ? place(node, { code: opcode.return, jt: 0, jf: 0, k: node.value })
      : place(node, { code: opcode.jump, jt: 0, jf: 0, k: distance(node) })

  const placeStep = (node: Step): void => {
    if (distance(node.next) > 0) bringNear(node.next)
    place(node, { code: node.code, jt: 0, jf: 0, k: node.operand })
  }

  const placeTest = (node: Test): void => {
    const { code, operand, whenTrue, whenFalse } = node
    // A stepping stone for one target pushes the other one away by one.
    while (Math.max(distance(whenTrue), distance(whenFalse)) > maximumConditionalJump) {
      bringNear(distance(whenTrue) > maximumConditionalJump ? whenTrue : whenFalse)
    }
    place(node, { code, jt: distance(whenTrue), jf: distance(whenFalse), k: operand })
  }

  for (const node of nodes) {
    if (node.tag === "return") bringNear(node)
    else if (node.tag === "step") placeStep(node)
    else placeTest(node)
  }
  return backwards.length > maximumInstructions ? undefined : backwards.reverse()
}

/**
 * Every node once, after all that it leads to, and right after its `whenFalse` where that is possible. Ends
 * early when there are too many. Not recursive: rules with conditions make chains as long as the profile.
 */
const targetsFirst = (root: BpfNode): ReadonlyArray<BpfNode> => {
  const ordered: Array<BpfNode> = []
  const entered = new Set<BpfNode>()
  const stack: Array<{ readonly node: BpfNode; readonly left: boolean }> = [{ node: root, left: false }]
  while (stack.length > 0 && ordered.length <= maximumInstructions) {
    const { node, left } = stack.pop()!
    if (left) ordered.push(node)
    if (entered.has(node)) continue
    entered.add(node)
    stack.push({ node, left: true })
    if (node.tag === "step") stack.push({ node: node.next, left: false })
    if (node.tag === "test") stack.push({ node: node.whenFalse, left: false }, { node: node.whenTrue, left: false })
  }
  return ordered
}
