/** How many columns of a terminal a text takes: two for East Asian wide characters and emoji, none for marks. */

/**
 * Unicode, EastAsianWidth.txt: ranges of wide and fullwidth characters, joined where what lies
 * between is unassigned or rare.
 */
const wideRanges: ReadonlyArray<readonly [first: number, last: number]> = [
  [0x1100, 0x115f], [0x2e80, 0x303e], [0x3041, 0x33ff], [0x3400, 0x4dbf], [0x4e00, 0xa4cf], [0xa960, 0xa97f],
  [0xac00, 0xd7a3], [0xf900, 0xfaff], [0xfe10, 0xfe19], [0xfe30, 0xfe6f], [0xff00, 0xff60], [0xffe0, 0xffe6],
  [0x16fe0, 0x18cff], [0x1b000, 0x1b2ff], [0x1f200, 0x1f265], [0x20000, 0x3fffd]
]

const isWide = (character: string): boolean => {
  const code = character.codePointAt(0) ?? 0
  return wideRanges.some(([first, last]) => code >= first && code <= last) ||
    (/^\p{Emoji_Presentation}$/u.test(character) && !/^\p{Regional_Indicator}$/u.test(character))
}

const characterWidth = (character: string): number =>
  /^[\p{Cc}\p{Mn}\p{Me}\p{Cf}\u2028\u2029]$/u.test(character) ? 0 : isWide(character) ? 2 : 1

/** Made at the first text that is not ASCII: most programs never show one. */
let segmenter: Intl.Segmenter | undefined

/**
 * Columns, cluster by cluster as docker counts them (go-runewidth): the first character with a
 * width decides. So an emoji
 * with a skin colour is 2 wide, a flag 1.
 */
export const displayWidth = (text: string): number => {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length
  segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" })
  let width = 0
  for (const { segment } of segmenter.segment(text)) {
    for (const character of segment) {
      const columns = characterWidth(character)
      width += columns
      if (columns > 0) break
    }
  }
  return width
}
