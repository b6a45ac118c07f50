/**
 * How the kernel reads what is written to control-group files: numbers, sizes, ranges of CPUs,
 * devices.
 */
import { type Draft, fail } from "../Draft.ts"

const pageSize = 4096

/** PAGE_COUNTER_MAX × PAGE_SIZE: what v1 shows for "no limit". */
export const unlimitedV1 = "9223372036854771712"

const suffixes = "KMGTPE"

/** memparse(): a number with a suffix of a power of 1024; the empty text is 0, as in the kernel. */
const parseSize = (text: string): number => {
  if (text === "") return 0
  const match = /^(\d+)([KMGTPE]?)$/i.exec(text) ?? fail("EINVAL")
  const power = match[2] === "" ? 0 : suffixes.indexOf(match[2]!.toUpperCase()) + 1
  return Number(match[1]) * 1024 ** power
}

const wholePages = (bytes: number): number => Math.floor(bytes / pageSize) * pageSize

/**
 * page_counter_memparse() with the word for "no limit" of each version; bytes, cut to whole pages.
 */
export const parseMemory = (text: string, unlimited: "max" | "-1"): number =>
  text === unlimited ? Number.POSITIVE_INFINITY : wholePages(parseSize(text))

export const showMemory = (bytes: number, unlimited: string): string =>
  bytes === Number.POSITIVE_INFINITY || bytes >= Number.MAX_SAFE_INTEGER ? unlimited : String(bytes)

/** A decimal integer from `minimum` to `maximum`; `outside` is the errno beyond. */
export const parseInteger = (
  text: string,
  minimum: number,
  maximum: number,
  outside: string
): number => {
  if (!/^[+-]?\d+$/.test(text)) fail("EINVAL")
  const number = Number(text)
  return number < minimum || number > maximum ? fail(outside) : number
}

/** bitmap_parselist(): `0-1,4`; ERANGE beyond the numbers there are. Sorted, "" when empty. */
export const parseRanges = (text: string, count: number): string => {
  if (text === "") return ""
  const members = new Set<number>()
  for (const part of text.split(",")) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part.trim()) ?? fail("EINVAL")
    const first = Number(match[1])
    const last = Number(match[2] ?? match[1])
    if (last < first) fail("EINVAL")
    if (last >= count) fail("ERANGE")
    for (let one = first; one <= last; one++) members.add(one)
  }
  return formatRanges([...members])
}

export const rangeMembers = (ranges: string): ReadonlyArray<number> =>
  ranges === "" ? [] : ranges.split(",").flatMap((part) => {
    const [first, last] = part.split("-").map(Number)
    return Array.from({ length: (last ?? first!) - first! + 1 }, (_, index) => first! + index)
  })

export const formatRanges = (members: ReadonlyArray<number>): string => {
  const parts: Array<string> = []
  const sorted = [...members].sort((one, other) => one - other)
  for (let at = 0; at < sorted.length; at++) {
    const first = sorted[at]!
    while (sorted[at + 1] === sorted[at]! + 1) at++
    parts.push(first === sorted[at] ? `${first}` : `${first}-${sorted[at]}`)
  }
  return parts.join(",")
}

/**
 * `major:minor` of a block device the host has: EINVAL for another form, ENODEV for another device.
 */
export const parseDisk = (draft: Draft, text: string): string => {
  const match = /^(\d+):(\d+)$/.exec(text) ?? fail("EINVAL")
  const known = draft.host.disks.some((disk) =>
    disk.major === Number(match[1]) && disk.minor === Number(match[2])
  )
  return known ? `${Number(match[1])}:${Number(match[2])}` : fail("ENODEV")
}

/** Replaces (`value` "": takes out) the line of a device in a file of one line a device. */
export const withDeviceLine = (lines: string, device: string, value: string): string => {
  const others = lines.split("\n").filter((line) => line !== "" && !line.startsWith(`${device} `))
  return [...others, ...(value === "" ? [] : [`${device} ${value}`])].map((line) => `${line}\n`)
    .join("")
}
