/**
 * Our templates against docker's, version 28.2: `dockerAnswers.json` holds what `docker volume
 * inspect --format TEMPLATE` printed
 * for a volume with `dockerData.json` as its data, or the error it gave (third item). The first
 * templates were written by hand,
 * one for each rule we know of; the rest are random, but for those that only show the static types of Go's fields.
 */
import { readFileSync } from "node:fs"
import * as Result from "effect/Result"
import { describe, expect, it } from "vitest"
import { GoFloat, GoStruct, type GoValue } from "../../../../src/domain/text/goTemplate/GoValue.ts"
import * as Template from "../../../../src/domain/text/goTemplate/Template.ts"

type Answer = readonly [template: string, output: string | null, error?: string]

const read = (name: string): unknown => JSON.parse(readFileSync(new URL(name, import.meta.url), "utf8"))

/** Go decodes every number of JSON that it knows no type for as float64. */
const asGoDecodes = (value: unknown): GoValue => {
  if (typeof value === "number") return new GoFloat(value)
  if (Array.isArray(value)) return value.map(asGoDecodes)
  if (typeof value !== "object" || value === null) return value as GoValue
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, asGoDecodes(item)]))
}

const volume = asGoDecodes(read("./dockerData.json")) as { readonly [key: string]: GoValue }
const fields = ["CreatedAt", "Driver", "Labels", "Mountpoint", "Name", "Options", "Scope", "Status"]
const data = new GoStruct("volume.Volume", Object.fromEntries(fields.map((field) => [field, volume[field]])))

/** Where we mean to differ: what we answer instead. */
const differences: ReadonlyMap<string, RegExp | string> = new Map<string, RegExp | string>([
  // Go folds the dotted capital I to a plain i; JavaScript makes two characters of it
  ["{{upper \"straße ǆ ﬁ i\"}} {{lower \"ÀÉ İ Σ\"}}", "STRAßE Ǆ ﬁ I àé İ σ"],
  // Arrays of strings are []string to us, so that join works on what JSON brought
  ["{{join .Status.S \",\"}}", "a,b,c"],
  ["{{printf \"%T %T %T\" nil 'a' (split \"a\" \",\")}}", "<nil> int []interface {}"],
  // There is nothing to call, and no complex number in a container's record
  ["{{call 1}}", /function "call" not defined/],
  ["{{call}}", /function "call" not defined/],
  ["{{call nil}}", /function "call" not defined/],
  ["{{call .Status.N}}", /function "call" not defined/],
  ["{{1i}}", /illegal number syntax/]
])

const answers = read("./dockerAnswers.json") as ReadonlyArray<Answer>

const run = (text: string) => Result.flatMap(Template.parse(text), (template) => Template.execute(template, data))

/** docker cuts white space off the end of an error. */
const trimEnd = (text: string): string => text.trimEnd()

/** What we print or say, in the form of the recorded answers. */
const ours = (template: string): readonly [output: string | null, error?: string] => {
  const result = run(template)
  return Result.isSuccess(result)
    ? [result.success]
    : [null, trimEnd(result.failure.cause.replace(/^template parsing error: /, ""))]
}

describe("a template", () => {
  const alike = answers.filter(([template]) => !differences.has(template))

  it("prints what docker prints", () => {
    const printed = alike.filter(([, output]) => output !== null)
    expect(printed.length).toBeGreaterThan(300)
    expect(printed.map(([template]) => [template, ...ours(template)])).toEqual(printed)
  })

  it("fails where docker fails, with the same words and position", () => {
    const refused = alike.filter(([, output]) => output === null)
      .map(([template, , error]): Answer => [template, null, trimEnd(error ?? "")])
    expect(refused.length).toBeGreaterThan(300)
    expect(refused.map(([template]) => [template, ...ours(template)])).toEqual(refused)
  })

  it.each([...differences])("%s differs from docker in a known way", (template, expected) => {
    const result = run(template)
    if (typeof expected === "string") expect(Result.getOrThrow(result)).toBe(expected)
    else expect(Result.isFailure(result) && result.failure.cause).toMatch(expected)
  })
})
