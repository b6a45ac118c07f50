/** Instructions of classic BPF as seccomp(2) takes them: linux/filter.h, linux/bpf_common.h. */

/** `struct sock_filter`. Jump offsets count from the next instruction, forwards only. */
export interface BpfInstruction {
  /** 16 bits: one of `opcode`. */
  readonly code: number
  /** 8 bits: how many instructions to skip when the test holds. */
  readonly jt: number
  /** 8 bits: how many instructions to skip when it does not. */
  readonly jf: number
  /** 32 bits, unsigned: constant, offset into seccomp_data, or distance of an unconditional jump. */
  readonly k: number
}

export const opcode = {
  /** A = the 32-bit word at offset k of `struct seccomp_data` */
  loadWord: 0x20,
  /** A = A & k */
  and: 0x54,
  jump: 0x05,
  jumpIfEqual: 0x15,
  jumpIfGreaterOrEqual: 0x35,
  /** When A & k is not zero. */
  jumpIfSet: 0x45,
  /** Ends with k as the verdict. */
  return: 0x06
} as const

/** BPF_MAXINSNS, linux/bpf_common.h: the kernel takes no longer program. */
export const maximumInstructions = 4096

/** The farthest that a conditional jump reaches: its offset has 8 bits. */
export const maximumConditionalJump = 255

/** Offsets into `struct seccomp_data`, linux/seccomp.h: nr, arch, instruction_pointer, args[6] of 64 bits. */
export const seccompData = { number: 0, architecture: 4, arguments: 16, argumentBytes: 8, bytes: 64 } as const

const instructionBytes = 8

/** An array of `struct sock_filter`, little endian: what seccomp(2) reads on all hosts but big endian ones. */
export const encodeInstructions = (instructions: ReadonlyArray<BpfInstruction>): Uint8Array => {
  const bytes = new Uint8Array(instructions.length * instructionBytes)
  const view = new DataView(bytes.buffer)
  instructions.forEach(({ code, jt, jf, k }, index) => {
    const at = index * instructionBytes
    view.setUint16(at, code, true)
    view.setUint8(at + 2, jt)
    view.setUint8(at + 3, jf)
    view.setUint32(at + 4, k, true)
  })
  return bytes
}
