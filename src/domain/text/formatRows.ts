/** The listings of `ps` and its like: `--format` in docker's four ways, and `--quiet`. */
import * as Result from "effect/Result"
import { GoMethod, GoStruct, type GoValue } from "./goTemplate/GoValue.ts"
import * as Template from "./goTemplate/Template.ts"
import { alignTable } from "./Table.ts"
import type { TextError } from "./TextError.ts"

/** One field of a row, as templates name it. */
export interface Column<Row> {
  /** The field: `ID` for `{{.ID}}`. */
  readonly name: string
  /** The heading over it; fields without one (undefined) have no place in tables. */
  readonly heading: string | undefined
  /** May be a GoMethod, such as `{{.Label "x"}}`; such fields are no part of JSON. */
  readonly value: (row: Row) => GoValue
}

export interface Listing<Row> {
  /** Named in errors about unknown fields, e.g. `*formatter.ContainerContext`. */
  readonly typeName: string
  readonly columns: ReadonlyArray<Column<Row>>
  /** What `table` alone means, e.g. `table {{.ID}}\t{{.Image}}`. */
  readonly defaultFormat: string
  /** What `--quiet` prints a line of, most often `{{.ID}}`. */
  readonly quietFormat: string
}

export interface RowFormat {
  /** `table`, `table TEMPLATE`, `json`, or a template for each line; absent or empty: `table`. */
  readonly format?: string | undefined
  /** Wins over `format`, as with docker. */
  readonly quiet?: boolean | undefined
}

/** A row for templates: fields are computed when asked for. */
const rowValue = <Row>(listing: Listing<Row>, row: Row): GoStruct => {
  const fields: Record<string, GoValue> = {}
  for (const { name, value } of listing.columns) {
    Object.defineProperty(fields, name, { enumerable: true, configurable: true, get: () => value(row) })
  }
  return new GoStruct(listing.typeName, fields, "sorted")
}

/** docker/cli, formatter/container.go: the heading of `{{.Label "com.example.some-thing"}}` is `some thing`. */
const labelHeading = (label = ""): string => label.slice(label.lastIndexOf(".") + 1).replace(/[-_]/g, " ")

/** The headings, in a map so that an unknown one is `<no value>`; `.Label "x"` gets one too. */
const headingsOf = (template: string, columns: ReadonlyArray<Column<never>>): GoValue => {
  const headings: Record<string, GoValue> = {}
  for (const { heading, name } of columns) if (heading !== undefined) headings[name] = heading
  return /\.Label\b/.test(template)
    ? new GoStruct("formatter.SubHeaderContext", { ...headings, Label: new GoMethod(["string"], labelHeading) })
    : headings
}

/** Only spaces: tabs and line feeds mean something. */
const trimSpaces = (text: string): string => {
  let start = 0
  let end = text.length
  while (text[start] === " ") start++
  while (end > start && text[end - 1] === " ") end--
  return text.slice(start, end)
}

interface Chosen {
  readonly template: string
  readonly table: boolean
}

const chooseFormat = <Row>(listing: Listing<Row>, { format, quiet }: RowFormat): Chosen => {
  const wanted = quiet === true ? listing.quietFormat : format === undefined || format === "" ? "table" : format
  const given = wanted === "table" ? listing.defaultFormat : wanted
  const table = given.startsWith("table")
  const body = table ? given.slice("table".length) : given === "json" ? "{{json .}}" : given
  // Shells hand over `\t` and `\n` as they were typed
  const template = trimSpaces(body).replaceAll("\\t", "\t").replaceAll("\\n", "\n")
  return { template, table }
}

/**
 * All rows as text, each line ended with a line feed; tables have their headings even without rows.
 * Fails on a template that
 * cannot be parsed or asks for a field that rows do not have.
 */
export const formatRows = <Row>(
  listing: Listing<Row>, rows: Iterable<Row>, wanted: RowFormat
): Result.Result<string, TextError> => {
  const chosen = chooseFormat(listing, wanted)
  const template = Template.parse(chosen.template)
  if (Result.isFailure(template)) return Result.fail(template.failure)
  let text = ""
  for (const row of rows) {
    const line = Template.execute(template.success, rowValue(listing, row))
    if (Result.isFailure(line)) return Result.fail(line.failure)
    text += `${line.success}\n`
  }
  if (!chosen.table) return Result.succeed(text)
  const headings = headingsOf(chosen.template, listing.columns)
  const firstLine = Template.executeLeniently(template.success, headings, { forHeader: true })
  return Result.succeed(alignTable(`${firstLine}\n${text}`))
}
