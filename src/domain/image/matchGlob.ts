/** Patterns of `--filter reference=…` as Go's path.Match reads them. */

type Token =
  /** Any number of characters but `/`. */
  | { readonly _tag: "Star" }
  | { readonly _tag: "One"; readonly accepts: (character: string) => boolean }

const literal = (wanted: string): Token => ({ _tag: "One", accepts: (character) => character === wanted })

interface Range {
  readonly token: Token
  readonly next: number
}

/** `[a-z]` or `[^abc]` from the character after the bracket; undefined if malformed. */
const readClass = (pattern: ReadonlyArray<string>, start: number): Range | undefined => {
  const negated = pattern[start] === "^"
  let index = negated ? start + 1 : start
  const ranges: Array<readonly [low: string, high: string]> = []
  const readCharacter = (): string | undefined => {
    const character = pattern[index]
    if (character === undefined || character === "-" || character === "]") return undefined
    if (character === "\\") index++
    return pattern[index++]
  }
  while (pattern[index] !== "]" || ranges.length === 0) {
    const low = readCharacter()
    if (low === undefined) return undefined
    if (pattern[index] === "-") {
      index++
      const high = readCharacter()
      if (high === undefined) return undefined
      ranges.push([low, high])
    } else ranges.push([low, low])
  }
  const within = (character: string) => ranges.some(([low, high]) => low <= character && character <= high)
  return { token: { _tag: "One", accepts: (character) => within(character) !== negated }, next: index + 1 }
}

const parseGlob = (text: string): ReadonlyArray<Token> | undefined => {
  const pattern = [...text]
  const tokens: Array<Token> = []
  for (let index = 0; index < pattern.length;) {
    const character = pattern[index++]!
    if (character === "*") tokens.push({ _tag: "Star" })
    else if (character === "?") tokens.push({ _tag: "One", accepts: (other) => other !== "/" })
    else if (character === "[") {
      const found = readClass(pattern, index)
      if (found === undefined) return undefined
      tokens.push(found.token)
      index = found.next
    } else if (character === "\\") {
      const escaped = pattern[index++]
      if (escaped === undefined) return undefined
      tokens.push(literal(escaped))
    } else tokens.push(literal(character))
  }
  return tokens
}

/**
 * Whether a text matches as a whole: `*` and `?` stand for anything but `/`. Undefined for a malformed pattern. Takes time
 * in proportion to pattern × text, whatever the pattern: going back to the last `*` is enough.
 */
export const compileGlob = (pattern: string): ((text: string) => boolean) | undefined => {
  const tokens = parseGlob(pattern)
  if (tokens === undefined) return undefined
  return (text) => {
    const characters = [...text]
    let at = 0
    let token = 0
    let star: { token: number; at: number } | undefined
    while (at < characters.length || token < tokens.length) {
      const wanted = tokens[token]
      const character = characters[at]
      if (wanted?._tag === "Star") {
        star = { token, at }
        token++
      } else if (wanted !== undefined && character !== undefined && wanted.accepts(character)) {
        token++
        at++
      } else if (star !== undefined && star.at < characters.length && characters[star.at] !== "/") {
        star = { token: star.token, at: star.at + 1 }
        token = star.token + 1
        at = star.at
      } else return false
    }
    return true
  }
}
