/** How parsing or evaluating a template is abandoned inside this folder; `Template` turns it into a TextError. */

export class TemplateFault extends Error {}

/** A function of a template refuses its arguments; the evaluator says where. */
export class FunctionFault extends Error {}

export const positionOf = (
  text: string, index: number
): { readonly line: number; readonly lineStart: number } => {
  let line = 1
  let lineStart = 0
  for (let found = text.indexOf("\n"); found >= 0 && found < index; found = text.indexOf("\n", found + 1)) {
    line++
    lineStart = found + 1
  }
  return { line, lineStart }
}
