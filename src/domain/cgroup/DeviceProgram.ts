/**
 * Device rules on cgroup2: there is no control file, the kernel asks a BPF program of type
 * BPF_PROG_TYPE_CGROUP_DEVICE at every open and mknod. This makes the program; loading it is native work.
 */
import { allAccess, type DeviceRule, isTotal, liveRules, type ResolvedRule } from "./DeviceRule.ts"

/** `struct bpf_insn`, linux/bpf.h. */
export interface EbpfInstruction {
  readonly opcode: number
  readonly destination: number
  readonly source: number
  /** Signed 16 bits: of a jump, how many instructions to skip; of a load, bytes. */
  readonly offset: number
  /** Signed 32 bits. */
  readonly immediate: number
}

/** linux/bpf.h and bpf_common.h; the 32-bit forms clear the upper half of the register. */
export const ebpf = {
  /** BPF_LDX | BPF_MEM | BPF_W */
  loadWord: 0x61,
  /** BPF_ALU | BPF_MOV | BPF_X */
  moveRegister: 0xbc,
  /** BPF_ALU | BPF_MOV | BPF_K */
  moveConstant: 0xb4,
  /** BPF_ALU | BPF_AND | BPF_K */
  andConstant: 0x54,
  /** BPF_ALU | BPF_RSH | BPF_K */
  shiftRight: 0x74,
  /** BPF_JMP | BPF_JA */
  jump: 0x05,
  /** BPF_JMP | BPF_JEQ | BPF_K */
  jumpIfEqual: 0x15,
  /** BPF_JMP | BPF_JNE | BPF_K */
  jumpIfNotEqual: 0x55,
  /** BPF_JMP | BPF_EXIT */
  exit: 0x95
} as const

/** `struct bpf_cgroup_dev_ctx`: access_type (access << 16 | type), major, minor, 32 bits each. */
const context = { accessType: 0, major: 4, minor: 8 } as const

/** BPF_DEVCG_DEV_* */
const deviceTypes = { b: 1, c: 2 } as const

/** r1 is the context at the start and r0 the verdict at the end: the kernel's convention. */
const register = { verdict: 0, context: 1, type: 2, wanted: 3, major: 4, minor: 5, scratch: 6 } as const

type Verdict = "allow" | "deny"
/** An instruction; a jump names its target: a verdict, the next rule, or the block for accesses of nothing. */
interface Draft extends Omit<EbpfInstruction, "offset"> {
  readonly offset?: number
  readonly target?: Verdict | "next" | "nothing"
}

const draft = (opcode: number, destination: number, immediate: number, more: Partial<Draft> = {}): Draft =>
  ({ opcode, destination, source: 0, immediate, ...more })

const load = (destination: number, offset: number) =>
  draft(ebpf.loadWord, destination, 0, { source: register.context, offset })

const jump = (target: NonNullable<Draft["target"]>) => draft(ebpf.jump, 0, 0, { target })

const prologue: ReadonlyArray<Draft> = [
  load(register.type, context.accessType),
  draft(ebpf.moveRegister, register.wanted, 0, { source: register.type }),
  draft(ebpf.andConstant, register.type, 0xffff),
  draft(ebpf.shiftRight, register.wanted, 16),
  load(register.major, context.major),
  load(register.minor, context.minor)
]

/** On to the next rule unless this one speaks of the device. */
const comparisons = (rule: ResolvedRule): ReadonlyArray<Draft> => {
  const differs = (of: number, value: number | undefined): ReadonlyArray<Draft> =>
    value === undefined ? [] : [draft(ebpf.jumpIfNotEqual, of, value, { target: "next" })]
  return [
    ...differs(register.type, rule.type === "a" ? undefined : deviceTypes[rule.type]),
    ...differs(register.major, rule.major),
    ...differs(register.minor, rule.minor)
  ]
}

/** `wanted` holds the bits that no later rule has decided; a bit denied ends it, none left ends it well. */
const decide = (rule: ResolvedRule): ReadonlyArray<Draft> => {
  if (rule.access === allAccess) return [jump(rule.allow ? "allow" : "deny")]
  return rule.allow
    ? [
      draft(ebpf.andConstant, register.wanted, allAccess & ~rule.access),
      draft(ebpf.jumpIfEqual, register.wanted, 0, { target: "allow" })
    ]
    : [
      draft(ebpf.moveRegister, register.scratch, 0, { source: register.wanted }),
      draft(ebpf.andConstant, register.scratch, rule.access),
      draft(ebpf.jumpIfNotEqual, register.scratch, 0, { target: "deny" })
    ]
}

/** For an access of nothing `wanted` holds all bits that may still turn out allowed: one that does is enough. */
const decideNothing = (rule: ResolvedRule): ReadonlyArray<Draft> => {
  if (rule.access === allAccess) return [jump(rule.allow ? "allow" : "deny")]
  return rule.allow
    ? [
      draft(ebpf.moveRegister, register.scratch, 0, { source: register.wanted }),
      draft(ebpf.andConstant, register.scratch, rule.access),
      draft(ebpf.jumpIfNotEqual, register.scratch, 0, { target: "allow" })
    ]
    : [
      draft(ebpf.andConstant, register.wanted, allAccess & ~rule.access),
      draft(ebpf.jumpIfEqual, register.wanted, 0, { target: "deny" })
    ]
}

/** Index of the instruction that each name of a target stands for. */
type Labels = { readonly [target in "allow" | "deny" | "nothing"]?: number }

/** Resolves `next` within a block that starts at `start`: each piece falls through or jumps to the one after. */
const placed = (pieces: ReadonlyArray<ReadonlyArray<Draft>>, start: number) => {
  let end = start
  return pieces.flatMap((piece) => {
    end += piece.length
    const next = end
    return piece.map((instruction) => ({ instruction, next }))
  })
}

const block = (
  rules: ReadonlyArray<ResolvedRule>, decision: (rule: ResolvedRule) => ReadonlyArray<Draft>
): ReadonlyArray<ReadonlyArray<Draft>> => {
  const newestFirst = rules.toReversed().map((rule) => [...comparisons(rule), ...decision(rule)])
  // A total rule is the oldest and decides all: what followed it could never run, which the verifier refuses
  return rules[0] !== undefined && isTotal(rules[0]) ? newestFirst : [...newestFirst, [jump("deny")]]
}

/** Labels of verdicts that nobody jumps to are left out with their code, again because of the verifier. */
const verdicts = (used: ReadonlySet<string>, start: number) => {
  const code: Array<Draft> = []
  const labels: { [verdict in Verdict]?: number } = {}
  for (const verdict of ["allow", "deny"] as const) {
    if (!used.has(verdict)) continue
    labels[verdict] = start + code.length
    code.push(draft(ebpf.moveConstant, register.verdict, verdict === "allow" ? 1 : 0), draft(ebpf.exit, 0, 0))
  }
  return { code, labels }
}

/** The program for the rules, the last of which wins: see `isAllowed`. */
export const deviceInstructions = (rules: ReadonlyArray<DeviceRule>): ReadonlyArray<EbpfInstruction> => {
  const live = liveRules(rules)
  // Without a rule that denies in part, the first block is right for an access of nothing too
  const partial = live.some((rule) => !rule.allow && rule.access !== allAccess)
  const entry = partial ? [draft(ebpf.jumpIfEqual, register.wanted, 0, { target: "nothing" })] : []
  const main = block(live, decide)
  const nothing = partial
    ? [[draft(ebpf.moveConstant, register.wanted, allAccess)], ...block(live, decideNothing)]
    : []
  const body = placed([prologue, entry, ...main, ...nothing], 0)
  const used = new Set(body.map(({ instruction }) => instruction.target ?? ""))
  const ends = verdicts(used, body.length)
  const labels: Labels = { ...ends.labels, nothing: prologue.length + entry.length + main.flat().length }
  const all = [...body, ...ends.code.map((instruction) => ({ instruction, next: 0 }))]
  return all.map(({ instruction: { target, offset = 0, ...rest }, next }, index) => ({
    ...rest,
    offset: target === undefined ? offset : (target === "next" ? next : labels[target]!) - index - 1
  }))
}

const instructionBytes = 8

/** An array of `struct bpf_insn`, little endian; the two register numbers share a byte, destination low. */
export const encodeEbpf = (instructions: ReadonlyArray<EbpfInstruction>): Uint8Array => {
  const bytes = new Uint8Array(instructions.length * instructionBytes)
  const view = new DataView(bytes.buffer)
  instructions.forEach(({ destination, immediate, offset, opcode, source }, index) => {
    const at = index * instructionBytes
    view.setUint8(at, opcode)
    view.setUint8(at + 1, destination | source << 4)
    view.setInt16(at + 2, offset, true)
    view.setInt32(at + 4, immediate, true)
  })
  return bytes
}

/** `deviceInstructions` as bpf(2) takes them. */
export const deviceProgram = (rules: ReadonlyArray<DeviceRule>): Uint8Array =>
  encodeEbpf(deviceInstructions(rules))

/** Whether the rules restrict nothing: then cgroup2 needs no program at all. */
export const allowsAll = (rules: ReadonlyArray<DeviceRule>): boolean => {
  const [only, ...others] = liveRules(rules)
  return only !== undefined && others.length === 0 && isTotal(only) && only.allow
}
