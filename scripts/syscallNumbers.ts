/**
 * Prints src/domain/seccomp/data/syscallNumbers.ts from the kernel's uapi headers. Not part of any build:
 * run it by hand when a new kernel has new system calls.
 *
 *   node scripts/syscallNumbers.ts UAPI... > src/domain/seccomp/data/syscallNumbers.ts
 *
 * UAPI is the folder usr/lib/linux/uapi of an unpacked Debian package linux-libc-dev of a 6.12 kernel or
 * newer (`apt-get download linux-libc-dev; dpkg -x linux-libc-dev_*.deb FOLDER`), which holds the headers
 * of every architecture. A header missing in the first folder is taken from the next: 31-bit s390 is in
 * 6.12 but no longer in 7.3. Seen to agree, up to 5.17, with the table of libseccomp 2.5.4.
 */
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"

const headers: Readonly<Record<string, ReadonlyArray<string>>> = {
  x86_64: ["x86/asm/unistd_64.h"],
  x86: ["x86/asm/unistd_32.h"],
  x32: ["x86/asm/unistd_x32.h"],
  arm: ["arm/asm/unistd-eabi.h", "arm/asm/unistd.h"],
  aarch64: ["arm64/asm/unistd_64.h"],
  mips: ["mips/asm/unistd_o32.h"],
  mips64: ["mips/asm/unistd_n64.h"],
  mips64n32: ["mips/asm/unistd_n32.h"],
  ppc: ["powerpc/asm/unistd_32.h"],
  ppc64: ["powerpc/asm/unistd_64.h"],
  s390: ["s390/asm/unistd_32.h"],
  s390x: ["s390/asm/unistd_64.h"],
  riscv64: ["riscv/asm/unistd_64.h"],
  loongarch64: ["loongarch/asm/unistd_64.h"]
}

const bases = "__X32_SYSCALL_BIT|__NR_Linux|__NR_SYSCALL_BASE|__ARM_NR_BASE"
const definition = new RegExp(
  `^#define\\s+__(?:ARM_)?NR_(\\w+)\\s+\\(?(?:(${bases})\\s*\\+\\s*)?(\\d+)\\)?\\s*$`
)

/** Numbers are kept relative to the architecture's base, save those private to ARM (arch/arm/.../unistd.h). */
const armPrivateBase = 0x0f0000

const find = (folders: ReadonlyArray<string>, header: string): string => {
  const folder = folders.find((candidate) => existsSync(join(candidate, header)))
  if (folder === undefined) throw new Error(`${header} is in none of: ${folders.join(" ")}`)
  return join(folder, header)
}

const numbersIn = (file: string): ReadonlyArray<readonly [string, number]> =>
  readFileSync(file, "utf8").split("\n").flatMap((line) => {
    const match = definition.exec(line)
    if (match === null || /^(unused\d+|reserved\d+|SYSCALL_BASE)$/.test(match[1]!)) return []
    const base = match[2] === "__ARM_NR_BASE" ? armPrivateBase : 0
    return [[match[1]!, base + Number(match[3])] as const]
  })

/** A list that fills lines up to 100 columns. */
const listing = (items: ReadonlyArray<string>, indent: string): string => {
  const lines: Array<string> = []
  for (const item of items) {
    const last = lines.at(-1)
    if (last !== undefined && indent.length + last.length + item.length + 3 <= 100) {
      lines[lines.length - 1] = `${last} ${item},`
    } else lines.push(`${item},`)
  }
  return lines.map((line) => indent + line).join("\n").slice(0, -1)
}

const folders = process.argv.slice(2)
const tables = new Map(
  Object.entries(headers).map(([column, files]) => [
    column,
    new Map(files.flatMap((file) => numbersIn(find(folders, file))))
  ])
)
const names = [...new Set([...tables.values()].flatMap((table) => [...table.keys()]))].sort()

console.log(`/**
 * System call numbers of every architecture, made by scripts/syscallNumbers.ts from the kernel's uapi
 * headers (Debian's linux-libc-dev 7.3.4; 31-bit s390 from 6.12): change that, not this. A column has a
 * number for each name, without the architecture's base; -1 where the architecture lacks the call. They are
 * functions so that only the columns in use are ever parsed.
 */
export const names = (): ReadonlyArray<string> => [
${listing(names.map((name) => `"${name}"`), "  ")}
]

export const columns = {`)
const printed = [...tables].map(([column, table]) =>
  `  ${column}: (): ReadonlyArray<number> => [
${listing(names.map((name) => String(table.get(name) ?? -1)), "    ")}
  ]`
)
console.log(printed.join(",\n"))
console.log("} as const")
