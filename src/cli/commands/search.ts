/** `search`: repositories of a registry by a word. */
import * as Effect from "effect/Effect"
import { dockerDomain } from "../../domain/registry/dockerDefaults.ts"
import { formatRows } from "../../domain/text/formatRows.ts"
import { Registries } from "../../programs/Registries.ts"
import { boolean, integer, list, text } from "../argv/Flag.ts"
import { parseFilter } from "../format/containerFilters.ts"
import { filterFound, searchListing } from "../format/searchListing.ts"
import { print } from "../terminal/print.ts"
import { command } from "./Command.ts"
import { refusal } from "./CommandFailure.ts"

/** What docker's registry answers where nobody says how many, and the most that it gives. */
const usualLimit = 25
const highestLimit = 100

/** `host/word`: where a name begins with a host, that one is asked (moby, registry/search.go). */
const placeOf = (term: string): readonly [domain: string, word: string] => {
  const slash = term.indexOf("/")
  const first = term.slice(0, Math.max(0, slash))
  return first === "localhost" || /[.:]/.test(first) ? [first, term.slice(slash + 1)] : [dockerDomain, term]
}

export const search = command({
  forms: ["[OPTIONS] TERM"],
  summary: "Search Docker Hub for images",
  flags: {
    filter: list("Filter output based on conditions provided", { short: "f", type: "filter", parse: parseFilter }),
    format: text("Pretty-print search using a Go template"),
    limit: integer("Max number of search results"),
    "no-trunc": boolean("Don't truncate output")
  },
  arguments: { least: 1, most: 1 },
  interspersed: true,
  engine: "reads",
  asFound: true,
  run: ({ arguments: [term = ""], values: { filter, format, limit = 0, "no-trunc": whole } }) => Effect.gen(function*() {
    if (limit < 0 || limit > highestLimit) {
      return yield* refusal(`limit ${limit} is outside the range of [1, ${highestLimit}]: write one within`)
    }
    yield* Effect.fromResult(filterFound(filter, []))
    const [domain, word] = placeOf(term)
    const found = yield* Registries.use((registries) => registries.search(domain, word, limit === 0 ? usualLimit : limit))
    const left = yield* Effect.fromResult(filterFound(filter, found))
    yield* print(yield* Effect.fromResult(formatRows(searchListing(!whole), left, { format })))
    return 0
  })
})
