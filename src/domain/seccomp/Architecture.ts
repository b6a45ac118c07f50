/**
 * The architectures a filter can tell apart, under their OCI names, with what the filter must know of each.
 * A call tells its own in `seccomp_data.arch`: a 64-bit kernel also takes calls of its 32-bit sibling.
 */
import { columns } from "./data/syscallNumbers.ts"

/** linux/audit.h: an ELF machine number (linux/elf-em.h) with these flags. */
const is64Bit = 0x8000_0000
const littleEndian = 0x4000_0000
const mipsN32 = 0x2000_0000

/** Set in the number of every x32 call: __X32_SYSCALL_BIT, asm/unistd.h. */
export const x32Bit = 0x4000_0000

interface ArchitectureFacts {
  /** What a Docker profile calls it in `includes` and `excludes`: moby profiles/seccomp/seccomp_linux.go. */
  readonly dockerName: string
  /** `seccomp_data.arch`: an AUDIT_ARCH_ value. Shared by x86_64 and x32. */
  readonly auditArchitecture: number
  /** How much of an argument is compared. As libseccomp: 32 on x32 and n32 too, where registers have 64. */
  readonly argumentBits: 32 | 64
  readonly bigEndian: boolean
  readonly column: keyof typeof columns
  /** What its system call numbers start from. */
  readonly numberBase: number
}

const facts = (
  dockerName: string,
  column: keyof typeof columns,
  auditArchitecture: number,
  argumentBits: 32 | 64,
  numberBase = 0
): ArchitectureFacts => ({
  dockerName,
  column,
  auditArchitecture: auditArchitecture >>> 0,
  argumentBits,
  bigEndian: (auditArchitecture & littleEndian) === 0,
  numberBase
})

const table = {
  SCMP_ARCH_X86_64: facts("amd64", "x86_64", 62 | is64Bit | littleEndian, 64),
  SCMP_ARCH_X86: facts("x86", "x86", 3 | littleEndian, 32),
  SCMP_ARCH_X32: facts("x32", "x32", 62 | is64Bit | littleEndian, 32, x32Bit),
  SCMP_ARCH_ARM: facts("arm", "arm", 40 | littleEndian, 32),
  SCMP_ARCH_AARCH64: facts("arm64", "aarch64", 183 | is64Bit | littleEndian, 64),
  SCMP_ARCH_MIPS: facts("mips", "mips", 8, 32, 4000),
  SCMP_ARCH_MIPS64: facts("mips64", "mips64", 8 | is64Bit, 64, 5000),
  SCMP_ARCH_MIPS64N32: facts("mips64n32", "mips64n32", 8 | is64Bit | mipsN32, 32, 6000),
  SCMP_ARCH_MIPSEL: facts("mipsel", "mips", 8 | littleEndian, 32, 4000),
  SCMP_ARCH_MIPSEL64: facts("mipsel64", "mips64", 8 | is64Bit | littleEndian, 64, 5000),
  SCMP_ARCH_MIPSEL64N32: facts("mipsel64n32", "mips64n32", 8 | is64Bit | littleEndian | mipsN32, 32, 6000),
  SCMP_ARCH_PPC: facts("ppc", "ppc", 20, 32),
  SCMP_ARCH_PPC64: facts("ppc64", "ppc64", 21 | is64Bit, 64),
  SCMP_ARCH_PPC64LE: facts("ppc64le", "ppc64", 21 | is64Bit | littleEndian, 64),
  SCMP_ARCH_S390: facts("s390", "s390", 22, 32),
  SCMP_ARCH_S390X: facts("s390x", "s390x", 22 | is64Bit, 64),
  SCMP_ARCH_RISCV64: facts("riscv64", "riscv64", 243 | is64Bit | littleEndian, 64),
  SCMP_ARCH_LOONGARCH64: facts("loong64", "loongarch64", 258 | is64Bit | littleEndian, 64)
} satisfies { readonly [name: string]: ArchitectureFacts }

export type Architecture = keyof typeof table

export const architectures = Object.keys(table) as ReadonlyArray<Architecture>

export const architectureFacts = (architecture: Architecture): ArchitectureFacts => table[architecture]

export const isArchitecture = (name: string): name is Architecture => Object.hasOwn(table, name)

const machines = new Map<string, Architecture>([
  ["x86_64", "SCMP_ARCH_X86_64"],
  ["i386", "SCMP_ARCH_X86"],
  ["i686", "SCMP_ARCH_X86"],
  ["armv6l", "SCMP_ARCH_ARM"],
  ["armv7l", "SCMP_ARCH_ARM"],
  ["aarch64", "SCMP_ARCH_AARCH64"],
  ["ppc64le", "SCMP_ARCH_PPC64LE"],
  ["s390x", "SCMP_ARCH_S390X"],
  ["riscv64", "SCMP_ARCH_RISCV64"],
  ["loongarch64", "SCMP_ARCH_LOONGARCH64"]
])

/** From the machine name of uname(2) (`os.machine()`); undefined where that does not tell, as on mips64. */
export const architectureOfMachine = (machine: string): Architecture | undefined => machines.get(machine)
