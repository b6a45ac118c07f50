/** The columns and conditions of `search` (docker/cli, cli/command/registry/formatter_search.go). */
import * as Result from "effect/Result"
import { readBoolean } from "../../domain/text/flags/readBoolean.ts"
import type { Listing } from "../../domain/text/formatRows.ts"
import { refuse, type TextError } from "../../domain/text/TextError.ts"
import type { Found } from "../../programs/registry/listings.ts"
import type { Filter } from "./containerFilters.ts"
import { ellipsis } from "./ellipsis.ts"

export const searchListing = (truncate: boolean): Listing<Found> => ({
  typeName: "*registry.searchContext",
  columns: [
    { name: "Name", heading: "NAME", value: ({ name }) => name },
    {
      name: "Description", heading: "DESCRIPTION",
      value: ({ description }) => {
        const text = description.replaceAll(/[\r\n]/g, " ")
        return truncate ? ellipsis(text, 45) : text
      }
    },
    { name: "StarCount", heading: "STARS", value: ({ stars }) => String(stars) },
    { name: "IsOfficial", heading: "OFFICIAL", value: ({ official }) => String(official) }
  ],
  // Templates see true or false, the table a mark
  defaultFormat: "table {{.Name}}\t{{.Description}}\t{{.StarCount}}\t" +
    `{{if eq .IsOfficial "true"}}[OK]{{else if ne .IsOfficial "false"}}{{.IsOfficial}}{{end}}`,
  quietFormat: "{{.Name}}"
})

/** Docker's `stars` (at least so many), `is-official` and `is-automated`, which nothing is any more. */
export const filterFound = (
  filters: ReadonlyArray<Filter>, found: ReadonlyArray<Found>
): Result.Result<ReadonlyArray<Found>, TextError> => Result.gen(function*() {
  let left = found
  for (const { name, value } of filters) {
    const refused = (cure: string) => refuse("filter what was found", `${name}=${value}`, `invalid filter '${name}=${value}'`, cure)
    if (name === "stars") {
      if (!/^[0-9]{1,9}$/.test(value)) return yield* refused("write a number of stars")
      left = left.filter(({ stars }) => stars >= Number(value))
    } else if (name === "is-official" || name === "is-automated") {
      const wanted = readBoolean(value)
      if (wanted === undefined) return yield* refused("write true or false")
      left = left.filter(({ official }) => (name === "is-official" && official) === wanted)
    } else return yield* refused("use stars, is-official or is-automated")
  }
  return left
})
