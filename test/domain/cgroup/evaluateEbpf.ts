/**
 * A small machine for eBPF bytes of device programs, written from linux/bpf.h and the kernel's instruction-set
 * document, not from the compiler; and what the kernel's verifier would refuse.
 */
export interface DeviceContext {
  readonly type: "b" | "c"
  readonly major: number
  readonly minor: number
  /** 1 mknod, 2 read, 4 write */
  readonly access: number
}

interface Decoded {
  readonly code: number
  readonly dst: number
  readonly src: number
  readonly off: number
  readonly imm: number
}

const decode = (bytes: Uint8Array): ReadonlyArray<Decoded> => {
  if (bytes.length % 8 !== 0) throw new Error("not a whole number of instructions")
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: bytes.length / 8 }, (_, index) => ({
    code: view.getUint8(index * 8),
    dst: view.getUint8(index * 8 + 1) & 0xf,
    src: view.getUint8(index * 8 + 1) >> 4,
    off: view.getInt16(index * 8 + 2, true),
    imm: view.getInt32(index * 8 + 4, true)
  }))
}

const exitCode = 0x95
const conditional = (code: number) => code === 0x15 || code === 0x55

/** Where control may go after the instruction at `at`. */
const successors = ({ code, off }: Decoded, at: number): ReadonlyArray<number> =>
  code === exitCode ? [] : code === 0x05 ? [at + 1 + off] : conditional(code) ? [at + 1, at + 1 + off] : [at + 1]

/** Reasons for which the verifier would refuse: jumps out of the program or back, dead code, falling off the end. */
export const verifierFaults = (bytes: Uint8Array): ReadonlyArray<string> => {
  const program = decode(bytes)
  const faults: Array<string> = []
  if (program.length > 4096) faults.push(`${program.length} instructions`)
  const reached = new Set<number>([0])
  program.forEach((instruction, at) => {
    if (!reached.has(at)) faults.push(`instruction ${at} is never reached`)
    for (const next of successors(instruction, at)) {
      if (next <= at) faults.push(`instruction ${at} jumps back`)
      if (next >= program.length) faults.push(`instruction ${at} leaves the program`)
      reached.add(next)
    }
  })
  return faults
}

const contextWord = (context: DeviceContext, offset: number): bigint => {
  const words: { readonly [offset: number]: number } = {
    0: context.access << 16 | (context.type === "b" ? 1 : 2), 4: context.major, 8: context.minor
  }
  const word = words[offset]
  if (word === undefined) throw new Error(`no word at ${offset} of the context`)
  return BigInt(word)
}

const low = (value: bigint) => BigInt.asUintN(32, value)

/** r0 at the exit. Throws at whatever the verifier would not let run. */
export const evaluateEbpf = (bytes: Uint8Array, context: DeviceContext): number => {
  const program = decode(bytes)
  /** `undefined`: never written; `context`: the pointer. */
  const registers: Array<bigint | "context" | undefined> = [undefined, "context"]
  const scalar = (register: number): bigint => {
    const value = registers[register]
    if (typeof value !== "bigint") throw new Error(`r${register} holds no number`)
    return value
  }
  for (let at = 0; ; at++) {
    const instruction = program[at]
    if (instruction === undefined) throw new Error(`ran to ${at}, beyond the program`)
    const { code, dst, imm, off, src } = instruction
    const constant = BigInt.asUintN(64, BigInt(imm))
    switch (code) {
      case 0x61:
        if (registers[src] !== "context") throw new Error(`r${src} is no pointer`)
        registers[dst] = contextWord(context, off)
        break
      case 0xbc:
        registers[dst] = low(scalar(src))
        break
      case 0xb4:
        registers[dst] = low(constant)
        break
      case 0x54:
        registers[dst] = low(scalar(dst)) & low(constant)
        break
      case 0x74:
        registers[dst] = low(scalar(dst)) >> BigInt(imm)
        break
      case 0x05:
        at += off
        break
      case 0x15:
        if (scalar(dst) === constant) at += off
        break
      case 0x55:
        if (scalar(dst) !== constant) at += off
        break
      case exitCode:
        return Number(scalar(0))
      default:
        throw new Error(`unknown instruction 0x${code.toString(16)} at ${at}`)
    }
  }
}
