/** `system check`: where records and kernel disagree, and with --repair the mending of it. */
import * as Effect from "effect/Effect"
import { alignTable } from "../../domain/text/Table.ts"
import { Engine } from "../../programs/Engine.ts"
import { boolean } from "../argv/Flag.ts"
import { print, printLine } from "../terminal/print.ts"
import { command } from "./Command.ts"

export const systemCheck = command({
  forms: ["[OPTIONS]"],
  summary: "Show where the records and the kernel disagree",
  flags: { repair: boolean("Mend what is found") },
  arguments: { least: 0, most: 0 },
  interspersed: true,
  engine: "changes",
  asFound: true,
  run: ({ plan, values: { repair } }) => Effect.gen(function*() {
    const found = yield* Engine.use((engine) => engine.check({ repair }))
    if (plan) return 0
    if (found.length === 0) {
      yield* printLine("records and kernel agree")
      return 0
    }
    const lines = found.map(({ mended, object, problem }) => `${object}\t${mended ? "mended" : "open"}\t${problem}\n`)
    yield* print(alignTable(`OBJECT\tSTATE\tPROBLEM\n${lines.join("")}`))
    return found.every(({ mended }) => mended) ? 0 : 1
  })
})
