/** `inspect --format`: a template over one object, in docker's two attempts. */
import * as Result from "effect/Result"
import { type GoMap, GoStruct, type GoValue, isArray, isMap } from "./goTemplate/GoValue.ts"
import * as Template from "./goTemplate/Template.ts"
import type { TextError } from "./TextError.ts"

/** Objects become structs, except those under a key of `mapKeys`, which users name the keys of. */
const asStructs = (value: GoValue, mapKeys: ReadonlySet<string>, keepMap: boolean): GoValue => {
  if (isArray(value)) return value.map((item) => asStructs(item, mapKeys, false))
  if (!isMap(value)) return value
  const fields: GoMap = Object.fromEntries(
    Object.entries(value).map(([key, field]) => [key, asStructs(field, mapKeys, !keepMap && mapKeys.has(key))])
  )
  return keepMap ? fields : new GoStruct("struct", fields)
}

/**
 * The text, without a line feed. `mapKeys` names the fields that hold maps (`Labels`, `Networks`): a key they lack is
 * `<no value>`, and in JSON their keys are sorted. Anywhere else an unknown field is an error that says
 * `map has no entry for key`, because docker tries again with the bare JSON.
 */
export const formatInspected = (
  format: string, value: GoMap, mapKeys: ReadonlySet<string>
): Result.Result<string, TextError> =>
  Result.flatMap(Template.parse(format === "json" ? "{{json .}}" : format), (template) => {
    const typed = Template.execute(template, asStructs(value, mapKeys, false))
    return Result.isSuccess(typed) ? typed : Template.execute(template, value, { missingKey: "error" })
  })
