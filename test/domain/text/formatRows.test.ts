/**
 * Listings against docker's, version 28.2: `dockerListings.json` holds three containers as `docker
 * ps --format json` shows them,
 * and what `docker ps` printed for each `--format` and `--quiet`, or the error it gave.
 */
import { readFileSync } from "node:fs"
import * as fc from "fast-check"
import * as Result from "effect/Result"
import { describe, expect, it } from "vitest"
import { type Column, formatRows, type Listing } from "../../../src/domain/text/formatRows.ts"
import { GoMethod } from "../../../src/domain/text/goTemplate/GoValue.ts"

type Row = { readonly [field: string]: string | null }
type Answer = readonly [format: string, quiet: boolean, answer: string | { readonly error: string }]

const recorded: { readonly rows: ReadonlyArray<Row>; readonly listings: ReadonlyArray<Answer> } = JSON.parse(
  readFileSync(new URL("./dockerListings.json", import.meta.url), "utf8")
)

const headings: { readonly [name: string]: string } = {
  ID: "CONTAINER ID", Image: "IMAGE", Command: "COMMAND", RunningFor: "CREATED", Status: "STATUS", Ports: "PORTS",
  Names: "NAMES", Labels: "LABELS", State: "STATE", Size: "SIZE"
}

const labelOf = (row: Row, name: string): string =>
  (row["Labels"] ?? "").split(",").find((label) => label.startsWith(`${name}=`))?.slice(name.length + 1) ?? ""

const columns: ReadonlyArray<Column<Row>> = [
  ...Object.keys(recorded.rows[0] ?? {}).reverse().map((name) => ({
    name, heading: headings[name], value: (row: Row) => row[name]
  })),
  { name: "Label", heading: undefined, value: (row) => new GoMethod(["string"], (name = "") => labelOf(row, name)) }
]

const listing: Listing<Row> = {
  typeName: "*formatter.ContainerContext",
  columns,
  defaultFormat: "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}",
  quietFormat: "{{.ID}}"
}

describe("a listing", () => {
  it.each(recorded.listings)("with --format %j and quiet %s looks like docker's", (format, quiet, answer) => {
    const result = formatRows(listing, recorded.rows, { format, quiet })
    if (typeof answer === "string") expect(Result.getOrThrow(result)).toBe(answer)
    else expect(Result.isFailure(result) && result.failure.cause).toBe(`template parsing error: ${answer.error}`)
  })

  it("without rows has its headings only as a table", () => {
    expect(Result.getOrThrow(formatRows(listing, [], { format: "table {{.ID}}\t{{.Nope}}" })))
      .toBe("CONTAINER ID   <no value>\n")
    expect(Result.getOrThrow(formatRows(listing, [], { format: "json" }))).toBe("")
    expect(Result.getOrThrow(formatRows(listing, [], { quiet: true }))).toBe("")
  })

  it("computes no field that the format does not name", () => {
    const careful: Listing<string> = {
      ...listing, columns: [
        { name: "ID", heading: "ID", value: (row) => row },
        { name: "Size", heading: "SIZE", value: () => expect.unreachable("the size was computed") }
      ]
    }
    expect(Result.getOrThrow(formatRows(careful, ["a", "b"], { format: "table {{.ID}}" }))).toBe("ID\na\nb\n")
  })

  it("says in JSON, a line each, what the rows hold", () => {
    const cell = fc.string({ unit: "grapheme" })
    fc.assert(fc.property(fc.array(fc.record({ ID: cell, Names: cell })), (rows) => {
      const pair: Listing<typeof rows[number]> = {
        ...listing, columns: [
          { name: "Names", heading: "NAMES", value: (row) => row.Names },
          { name: "ID", heading: "ID", value: (row) => row.ID }
        ]
      }
      const lines = Result.getOrThrow(formatRows(pair, rows, { format: "json" })).split("\n")
      expect(lines.pop()).toBe("")
      expect(lines.map((line) => JSON.parse(line))).toEqual(rows)
    }))
  })
})
