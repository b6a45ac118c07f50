/** Texts cut to the width of their column. */
import { displayWidth } from "../../domain/text/displayWidth.ts"

/** At most `width` columns, the last an ellipsis where something is left out. */
export const ellipsis = (text: string, width: number): string => {
  if (displayWidth(text) <= width) return text
  let kept = ""
  for (const character of text) {
    if (displayWidth(kept + character) > width - 1) break
    kept += character
  }
  return `${kept}…`
}
