/** The lines of `--change` of import and commit, taken apart into instructions as a Dockerfile's. */
import * as Result from "effect/Result"
import { refuse, type TextError } from "../text/TextError.ts"

export interface ChangeInstruction {
  /** In upper case. */
  readonly name: string
  /** All that follows the name, without white space around it. */
  readonly text: string
}

const operation = "apply change"

/** moby, builder/dockerfile/builder.go, validCommitCommands. */
const allowed = [
  "CMD", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL", "ONBUILD", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"
]

/** Characters of all changes together. */
const longest = 1 << 20

export const refuseChange = (
  change: string, cause: string, cure = "see the Dockerfile reference for the form of the instruction"
): Result.Result<never, TextError> => refuse(operation, change, cause, cure)

/** A line that ends in `\` goes on in the next; comments and empty lines are dropped, even in between. */
const logicalLines = (text: string): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let open = ""
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*(#|$)/.test(line)) continue
    const continued = /\\[ \t]*$/.exec(line)
    if (continued !== null) {
      open += line.slice(0, continued.index)
      continue
    }
    lines.push(open + line)
    open = ""
  }
  return open === "" ? lines : [...lines, open]
}

/** The instructions of all changes in order; one change may hold several lines. */
export const parseChanges = (
  changes: ReadonlyArray<string>
): Result.Result<ReadonlyArray<ChangeInstruction>, TextError> => {
  const whole = changes.join("\n")
  if (whole.length > longest) return refuseChange(whole, `the changes have more than ${longest} characters`, "give fewer")
  const instructions: Array<ChangeInstruction> = []
  for (const line of logicalLines(whole)) {
    const trimmed = line.trim()
    const name = /^\S+/.exec(trimmed)?.[0] ?? ""
    if (!allowed.includes(name.toUpperCase())) {
      return refuseChange(line, `${name.slice(0, 100)} is not a valid change command`, `use one of ${allowed.join(", ")}`)
    }
    instructions.push({ name: name.toUpperCase(), text: trimmed.slice(name.length).trim() })
  }
  return Result.succeed(instructions)
}

/** `["a", "b"]` → its words; undefined for what is no JSON array of strings, and so is meant for the shell. */
export const jsonWords = (text: string): ReadonlyArray<string> | undefined => {
  if (!text.startsWith("[")) return undefined
  const parsed = Result.try(() => JSON.parse(text) as unknown)
  const words = Result.isSuccess(parsed) ? parsed.success : undefined
  return Array.isArray(words) && words.every((word): word is string => typeof word === "string") ? words : undefined
}
