/** IP addresses as text, read as strictly as Go's net.ParseIP: no leading zeros, no zone, no short forms. */

const readOctets = (text: string): ReadonlyArray<number> | undefined => {
  const parts = text.split(".", 5)
  return parts.length === 4 && parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) < 256)
    ? parts.map(Number)
    : undefined
}

const readGroups = (text: string): ReadonlyArray<number> | undefined => {
  if (text === "") return []
  const parts = text.split(":")
  const groups: Array<number> = []
  for (const [index, part] of parts.entries()) {
    const octets = index === parts.length - 1 && part.includes(".") ? readOctets(part) : undefined
    if (octets !== undefined) {
      const [a = 0, b = 0, c = 0, d = 0] = octets
      groups.push(a * 256 + b, c * 256 + d)
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16))
    else return undefined
  }
  return groups
}

/** Eight groups of 16 bits. */
const readIpv6 = (text: string): ReadonlyArray<number> | undefined => {
  // The longest spelling has eight groups, the last two of them dotted
  if (text.length > 45) return undefined
  const halves = text.split("::")
  if (halves.length > 2) return undefined
  const front = readGroups(halves[0] ?? "")
  const back = halves[1] === undefined ? [] : readGroups(halves[1])
  if (front === undefined || back === undefined) return undefined
  const missing = 8 - front.length - back.length
  if (halves.length === 1) return missing === 0 ? front : undefined
  return missing >= 1 ? [...front, ...Array.from({ length: missing }, () => 0), ...back] : undefined
}

/** RFC 5952: the first longest run of two or more zero groups becomes `::`. */
const formatIpv6 = (groups: ReadonlyArray<number>): string => {
  let best = { start: 0, length: 1 }
  for (let start = 0; start < 8; start++) {
    let length = 0
    while (groups[start + length] === 0) length++
    if (length > best.length) best = { start, length }
  }
  const hex = groups.map((group) => group.toString(16))
  return best.length === 1
    ? hex.join(":")
    : `${hex.slice(0, best.start).join(":")}::${hex.slice(best.start + best.length).join(":")}`
}

/** The address in canonical form (an IPv4 address inside IPv6 is printed as IPv4), or undefined. */
export const readIpAddress = (text: string): string | undefined => {
  const octets = readOctets(text)
  if (octets !== undefined) return octets.join(".")
  const groups = text.includes(":") ? readIpv6(text) : undefined
  if (groups === undefined) return undefined
  const [, , , , , marker, high = 0, low = 0] = groups
  const mapped = groups.slice(0, 5).every((group) => group === 0) && marker === 0xffff
  return mapped ? [high >> 8, high & 255, low >> 8, low & 255].join(".") : formatIpv6(groups)
}
