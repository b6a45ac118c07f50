/** `version`: of the program and of what it runs on. */
import * as Effect from "effect/Effect"
import { formatInspected } from "../../domain/text/formatInspected.ts"
import { text } from "../argv/Flag.ts"
import { formatHelp } from "../format/formatHelp.ts"
import { goArchitecture, program, programVersion } from "../program.ts"
import { print } from "../terminal/print.ts"
import { command } from "./Command.ts"

/** The engine is part of the client: both halves that docker's users look for say the same. */
const facts = () => {
  const one = {
    Version: programVersion(), NodeVersion: process.version.replace(/^v/, ""), Os: "linux", Arch: goArchitecture()
  }
  return { Client: one, Server: one }
}

const shown = (): string => {
  const { Arch, NodeVersion, Os, Version } = facts().Client
  return `Client and engine: ${program}
 Version:      ${Version}
 Node.js:      ${NodeVersion}
 OS/Arch:      ${Os}/${Arch}
`
}

export const version = command({
  forms: ["[OPTIONS]"],
  summary: "Show the version information",
  flags: { format: text(formatHelp.object, { short: "f" }) },
  arguments: { least: 0, most: 0 },
  interspersed: true,
  engine: "nothing",
  run: ({ values: { format } }) => Effect.gen(function*() {
    if (format === "") yield* print(shown())
    else yield* print(`${yield* Effect.fromResult(formatInspected(format, facts(), new Set()))}\n`)
    return 0
  })
})
