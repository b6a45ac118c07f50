/** The v1 devices controller as the kernel has it (security/device_cgroup.c): a default and exceptions. */
import type { DeviceContext } from "./evaluateEbpf.ts"

interface Exception {
  readonly type: "b" | "c"
  readonly major: string
  readonly minor: string
  readonly access: number
}

const bits: { readonly [letter: string]: number } = { m: 1, r: 2, w: 4 }

const parse = (value: string): Exception => {
  const found = /^([bc]) ([0-9]+|\*):([0-9]+|\*) ([rwm]+)$/.exec(value)
  if (found === null) throw new Error(`EINVAL: ${value}`)
  return {
    type: found[1] as "b" | "c", major: found[2]!, minor: found[3]!,
    access: [...found[4]!].reduce((sum, letter) => sum | bits[letter]!, 0)
  }
}

const same = (one: Exception, other: Exception) =>
  one.type === other.type && one.major === other.major && one.minor === other.minor

/** A cgroup under a parent that allows everything. */
export class LegacyDevices {
  private allows = true
  private exceptions: ReadonlyArray<Exception> = []

  write(file: string, value: string): void {
    const allow = file === "devices.allow"
    if (value.startsWith("a")) {
      this.allows = allow
      this.exceptions = []
      return
    }
    const given = parse(value)
    const present = this.exceptions.find((one) => same(one, given))
    const others = this.exceptions.filter((one) => !same(one, given))
    const access = allow === this.allows
      ? (present?.access ?? 0) & ~given.access
      : (present?.access ?? 0) | given.access
    this.exceptions = access === 0 ? others : [...others, { ...given, access }]
  }

  permits(context: DeviceContext): boolean {
    const matching = this.exceptions.filter((one) =>
      one.type === context.type && (one.major === "*" || Number(one.major) === context.major) &&
      (one.minor === "*" || Number(one.minor) === context.minor)
    )
    return this.allows
      ? !matching.some((one) => (one.access & context.access) !== 0)
      : matching.some((one) => (context.access & ~one.access) === 0)
  }
}
