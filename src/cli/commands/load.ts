/** `load`: images out of a tar archive. */
import * as Effect from "effect/Effect"
import { Images } from "../../programs/Images.ts"
import type { Observe } from "../../programs/image/Progress.ts"
import { boolean, text } from "../argv/Flag.ts"
import { progressDisplay } from "../terminal/progressDisplay.ts"
import { Terminal } from "../terminal/Terminal.ts"
import { command } from "./Command.ts"
import { refusal } from "./CommandFailure.ts"
import { readArchive } from "./readArchive.ts"
import { platformFlag, wantedPlatform } from "./wantedPlatform.ts"

/** Names of what was loaded are told in any case. */
const namesOnly = (observe: Observe): Observe => (progress) => progress.id === undefined ? observe(progress) : Effect.void

export const load = command({
  forms: ["[OPTIONS]"],
  summary: "Load an image from a tar archive or STDIN",
  flags: {
    input: text("Read from tar archive file, instead of STDIN", { short: "i" }),
    ...platformFlag("Load only the given platform variant. Formatted as \"os[/arch[/variant]]\" (e.g., \"linux/amd64\")"),
    quiet: boolean("Suppress the load output", { short: "q" })
  },
  arguments: { least: 0, most: 0 },
  interspersed: true,
  engine: "changes",
  run: ({ values: { input, platform: written, quiet } }) => Effect.gen(function*() {
    const images = yield* Images
    const terminal = yield* Terminal
    if (input === "" && terminal.isTerminal("stdin")) return yield* refusal("requested load from stdin, but stdin is empty")
    const platform = yield* wantedPlatform(written)
    const data = input === "" ? terminal.input : yield* readArchive(input)
    yield* Effect.scoped(Effect.gen(function*() {
      const display = yield* progressDisplay("stdout")
      yield* images.load({ source: input || "-", data, platform, observe: quiet ? namesOnly(display) : display })
    }))
    return 0
  })
})
