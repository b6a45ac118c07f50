/** Text in quotes as Go source writes it: `%q`. */

const shortEscapes: { readonly [character: string]: string } = {
  "\x07": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v", "\\": "\\\\"
}

/** unicode.IsPrint: letters, marks, numbers, punctuation, symbols, and the ASCII space. */
export const isPrintable = (character: string): boolean => /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(character)

const escape = (character: string, quote: string, asciiOnly: boolean): string => {
  if (character === quote) return `\\${quote}`
  const short = shortEscapes[character]
  if (short !== undefined) return short
  const code = character.codePointAt(0) ?? 0
  if (code >= 0x20 && code < 0x7f) return character
  if (code >= 0x80 && !asciiOnly && isPrintable(character)) return character
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, "0")}`
  if (code >= 0xd800 && code < 0xe000) return asciiOnly ? "\\ufffd" : "\ufffd"
  return code > 0xffff ? `\\U${code.toString(16).padStart(8, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`
}

const quoteWith = (text: string, quote: string, asciiOnly: boolean): string =>
  quote + Array.from(text, (character) => escape(character, quote, asciiOnly)).join("") + quote

/** strconv.Quote, or QuoteToASCII. */
export const quoteGo = (text: string, asciiOnly = false): string => quoteWith(text, "\"", asciiOnly)

/** strconv.QuoteRune: a single character in single quotes. */
export const quoteGoCharacter = (character: string, asciiOnly = false): string => quoteWith(character, "'", asciiOnly)

/** `%#U`: `U+2603 '☃'`. */
export const describeCharacter = (character: string): string => {
  const code = `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`
  return isPrintable(character) ? `${code} '${character}'` : code
}

/** What the escapes of a Go string or character literal stand for, or undefined where Go would not take it. */
export const unescapeGo = (body: string, quote: "\"" | "'"): string | undefined => {
  let text = ""
  let bytes: Array<number> = []
  // \x and octal escapes are bytes; consecutive ones may spell a character in UTF-8
  const flush = () => {
    if (bytes.length > 0) text += new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes))
    bytes = []
  }
  const escapes = /\\(?:([abfnrtv\\"'])|x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))|([^\\\n])/uy
  while (escapes.lastIndex < body.length) {
    const found = escapes.exec(body)
    if (found === null) return undefined
    const [, short, hex, octal, unicode = found[5], , plain] = found
    if (hex !== undefined || octal !== undefined) {
      const byte = hex === undefined ? Number.parseInt(octal ?? "", 8) : Number.parseInt(hex, 16)
      if (byte > 255) return undefined
      bytes.push(byte)
      continue
    }
    flush()
    if (short === "\"" || short === "'") {
      if (short !== quote) return undefined
      text += short
    } else if (short !== undefined) {
      text += Object.keys(shortEscapes).find((character) => shortEscapes[character] === `\\${short}`) ?? ""
    } else if (unicode !== undefined) {
      const code = Number.parseInt(unicode, 16)
      if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return undefined
      text += String.fromCodePoint(code)
    } else if (plain === quote) return undefined
    else text += plain
  }
  flush()
  return text
}
