/**
 * One record of comma-separated values with quoting (RFC 4180 as Go's encoding/csv reads it): the
 * syntax of --mount.
 */
import * as Result from "effect/Result"
import { byteLength } from "./Utf8.ts"

/**
 * `a,"b,c","d""e"` → `a`, `b,c`, `d"e`. A quote counts only at the start of a field. The failure is Go's wording;
 * columns count bytes from 1.
 */
export const parseCsvRecord = (text: string): Result.Result<ReadonlyArray<string>, string> => {
  const fail = (index: number, reason: string) =>
    Result.fail(`parse error on line 1, column ${byteLength(text.slice(0, index)) + 1}: ${reason}`)
  const fields: Array<string> = []
  let index = 0
  while (true) {
    let field = ""
    if (text[index] === "\"") {
      index++
      while (true) {
        const quote = text.indexOf("\"", index)
        if (quote < 0) return fail(text.length, "extraneous or missing \" in quoted-field")
        field += text.slice(index, quote)
        index = quote + 1
        if (text[index] !== "\"") break
        field += "\""
        index++
      }
      if (index < text.length && text[index] !== ",") return fail(index - 1, "extraneous or missing \" in quoted-field")
    } else {
      const comma = text.indexOf(",", index)
      field = comma < 0 ? text.slice(index) : text.slice(index, comma)
      const quote = field.indexOf("\"")
      if (quote >= 0) return fail(index + quote, "bare \" in non-quoted-field")
      const line = field.search(/[\r\n]/)
      if (line >= 0) return fail(index + line, "line break outside quotes")
      index += field.length
    }
    fields.push(field)
    if (index === text.length) return Result.succeed(fields)
    index++
  }
}
