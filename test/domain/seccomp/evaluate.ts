/**
 * The kernel's half of a filter, for tests: the checks that seccomp(2) makes of a program and the machine that
 * runs it, over the bytes that the kernel would get. Written after kernel/seccomp.c (seccomp_check_filter) and
 * net/core/filter.c (bpf_check_classic, chk_code_allowed), apart from the compiler's own tables.
 */

export interface Call {
  /** `seccomp_data.arch` */
  readonly architecture: number
  /** `seccomp_data.nr`, as an unsigned 32-bit number. */
  readonly number: number
  /** Up to six; missing ones are 0. */
  readonly args: ReadonlyArray<bigint>
}

interface Instruction {
  readonly code: number
  readonly jt: number
  readonly jf: number
  readonly k: number
}

const decode = (bytes: Uint8Array): ReadonlyArray<Instruction> => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: bytes.length / 8 }, (_, index) => ({
    code: view.getUint16(index * 8, true),
    jt: view.getUint8(index * 8 + 2),
    jf: view.getUint8(index * 8 + 3),
    k: view.getUint32(index * 8 + 4, true)
  }))
}

const BPF_LD_W_ABS = 0x20
const BPF_ALU_AND_K = 0x54
const BPF_JMP_JA = 0x05
const BPF_JMP_JEQ_K = 0x15
const BPF_JMP_JGT_K = 0x25
const BPF_JMP_JGE_K = 0x35
const BPF_JMP_JSET_K = 0x45
const BPF_RET_K = 0x06

const conditionalJumps = new Set([BPF_JMP_JEQ_K, BPF_JMP_JGT_K, BPF_JMP_JGE_K, BPF_JMP_JSET_K])
const known = new Set([BPF_LD_W_ABS, BPF_ALU_AND_K, BPF_JMP_JA, BPF_RET_K, ...conditionalJumps])

/** sizeof(struct seccomp_data) */
const dataBytes = 64

/** Why the kernel would refuse the program, an entry for each fault; empty when it takes it. */
export const faultsOf = (bytes: Uint8Array): ReadonlyArray<string> => {
  const program = decode(bytes)
  const faults: Array<string> = []
  if (bytes.length % 8 !== 0) faults.push("ends within an instruction")
  if (program.length === 0 || program.length > 4096) faults.push(`has ${program.length} instructions`)
  program.forEach(({ code, jt, jf, k }, at) => {
    const left = program.length - at - 1
    if (!known.has(code)) faults.push(`${at}: code ${code}`)
    if (code === BPF_LD_W_ABS && (k % 4 !== 0 || k >= dataBytes)) faults.push(`${at}: loads from ${k}`)
    if (code === BPF_JMP_JA && k >= left) faults.push(`${at}: jumps ${k} with ${left} left`)
    if (conditionalJumps.has(code) && Math.max(jt, jf) >= left) {
      faults.push(`${at}: jumps ${jt} or ${jf} with ${left} left`)
    }
  })
  if (program.at(-1)?.code !== BPF_RET_K) faults.push("does not end with RET")
  return faults
}

/** `struct seccomp_data` as a kernel of that byte order fills it in. */
const seccompData = (call: Call, littleEndian: boolean): DataView => {
  const data = new DataView(new ArrayBuffer(dataBytes))
  data.setUint32(0, call.number, littleEndian)
  data.setUint32(4, call.architecture, littleEndian)
  call.args.forEach((argument, index) => data.setBigUint64(16 + index * 8, argument, littleEndian))
  return data
}

/** AUDIT_ARCH_ values say which byte order the architecture has: __AUDIT_ARCH_LE, linux/audit.h. */
const isLittleEndian = (architecture: number): boolean => (architecture & 0x4000_0000) !== 0

/** Runs the filter for a call. `executed`: how many instructions it took. */
export const evaluate = (
  bytes: Uint8Array,
  call: Call
): { readonly verdict: number; readonly executed: number } => {
  const program = decode(bytes)
  const littleEndian = isLittleEndian(call.architecture)
  const data = seccompData(call, littleEndian)
  let accumulator = 0
  let at = 0
  for (let executed = 1; executed <= program.length; executed++) {
    const { code, jt, jf, k } = program[at]!
    at += 1
    if (code === BPF_RET_K) return { verdict: k, executed }
    if (code === BPF_LD_W_ABS) accumulator = data.getUint32(k, littleEndian)
    else if (code === BPF_ALU_AND_K) accumulator = (accumulator & k) >>> 0
    else if (code === BPF_JMP_JA) at += k
    else at += holds(code, accumulator, k) ? jt : jf
  }
  throw new Error("ran off the program's end")
}

const holds = (code: number, accumulator: number, k: number): boolean => {
  if (code === BPF_JMP_JEQ_K) return accumulator === k
  if (code === BPF_JMP_JGT_K) return accumulator > k
  if (code === BPF_JMP_JGE_K) return accumulator >= k
  if (code === BPF_JMP_JSET_K) return (accumulator & k) !== 0
  throw new Error(`unknown code ${code}`)
}
