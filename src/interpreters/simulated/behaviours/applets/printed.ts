/** What echo and printf write for their arguments. */

const escapes: { readonly [letter: string]: string } = {
  a: "\u0007",
  b: "\b",
  e: "\u001b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  "\"": "\""
}

/** Backslash escapes as printf(1) and echo -e have them; `\c` ends the output. */
export const unescape = (text: string): { readonly text: string; readonly ends: boolean } => {
  let out = ""
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== "\\" || at === text.length - 1) {
      out += text[at]
      continue
    }
    const octal = /^0?[0-7]{1,3}/.exec(text.slice(at + 1))
    const hexadecimal = /^x([0-9a-fA-F]{1,2})/.exec(text.slice(at + 1))
    const letter = text[at + 1]!
    if (letter === "c") return { text: out, ends: true }
    if (octal !== null) {
      out += String.fromCharCode(parseInt(octal[0], 8) & 0xff)
      at += octal[0].length
    } else if (hexadecimal !== null) {
      out += String.fromCharCode(parseInt(hexadecimal[1]!, 16))
      at += hexadecimal[0].length
    } else {
      out += escapes[letter] ?? `\\${letter}`
      at++
    }
  }
  return { text: out, ends: false }
}

/** What echo writes. */
export const echoed = (args: ReadonlyArray<string>): string => {
  let newline = true
  let escaped = false
  let at = 0
  for (; at < args.length && /^-[neE]+$/.test(args[at]!); at++) {
    for (const letter of args[at]!.slice(1)) {
      if (letter === "n") newline = false
      else escaped = letter === "e"
    }
  }
  const text = args.slice(at).join(" ")
  const { text: out, ends } = escaped ? unescape(text) : { text, ends: false }
  return newline && !ends ? `${out}\n` : out
}

/** An argument as a conversion such as `%-5.2s` shows it. */
const converted = (
  value: string,
  width: string,
  precision: string | undefined,
  kind: string
): string => {
  const number = Math.trunc(Number(value)) || 0
  const shown = kind === "s"
    ? precision === undefined ? value : value.slice(0, Number(precision))
    : kind === "b" ?
    unescape(value).text
    : kind === "c" ?
    value.slice(0, 1)
    : kind === "x" ?
    number.toString(16)
    : kind === "X" ?
    number.toString(16).toUpperCase()
    : kind === "o" ?
    number.toString(8)
    : String(number)
  const left = width.startsWith("-")
  const zeros = !left && width.startsWith("0") && kind !== "s"
  // Widths count bytes
  const more = Buffer.byteLength(shown) - shown.length
  const size = Math.max(0, (Number(width.replace(/^-?0?/, "")) || 0) - more)
  return left ? shown.padEnd(size) : shown.padStart(size, zeros ? "0" : " ")
}

/** printf(1): the format is used again while arguments are left. */
export const formatted = (args: ReadonlyArray<string>): string => {
  const [format = "", ...rest] = args
  const { text, ends } = unescape(format)
  const left = [...rest]
  let out = ""
  for (;;) {
    const before = left.length
    out += text.replace(
      /%(-?0?\d*)(?:\.(\d+))?([sdiuxXobc%])/g,
      (_, width: string, precision: string | undefined, kind: string) =>
        kind === "%" ? "%" : converted(left.shift() ?? "", width, precision, kind)
    )
    if (ends || left.length === 0 || left.length === before) return out
  }
}
