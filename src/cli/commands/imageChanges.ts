/** `import --change`: the few Dockerfile instructions that say how an image is run. */
import * as Result from "effect/Result"
import { type ImageDefaults, noImageDefaults } from "../../domain/image/ImageRecord.ts"
import { cleanPath, isAbsolute } from "../../domain/text/PosixPath.ts"
import { refuse, type TextError } from "../../domain/text/TextError.ts"

const operation = "apply change"

/** `["a", "b"]`, or a line for the shell. */
const commandOf = (text: string): ReadonlyArray<string> => {
  if (text.startsWith("[")) {
    try {
      const words: unknown = JSON.parse(text)
      if (Array.isArray(words) && words.every((word) => typeof word === "string")) return words
    } catch {
      // As in a Dockerfile: what is no JSON is for the shell
    }
  }
  return ["/bin/sh", "-c", text]
}

/** `A=1 B="two words"`, or the older `A anything`. */
const variablesOf = (text: string): ReadonlyArray<string> => {
  const [first = "", ...rest] = text.split(/\s+/)
  if (!first.includes("=")) return [`${first}=${rest.join(" ")}`]
  const assignments = text.matchAll(/([^\s=]+)=("(?:[^"\\]|\\.)*"|'[^']*'|(?:[^\s\\]|\\.)*)/g)
  return [...assignments].map(([, name = "", value = ""]) =>
    `${name}=${/^["']/.test(value) ? value.slice(1, -1).replace(/\\(.)/g, "$1") : value.replace(/\\(.)/g, "$1")}`)
}

const apply = (before: ImageDefaults, change: string): Result.Result<ImageDefaults, TextError> => {
  const [, instruction = "", text = ""] = /^\s*(\S+)\s+([^]*?)\s*$/.exec(change) ?? []
  switch (instruction.toUpperCase()) {
    case "CMD": return Result.succeed({ ...before, command: commandOf(text) })
    case "ENTRYPOINT": return Result.succeed({ ...before, entrypoint: commandOf(text), command: [] })
    case "ENV": return Result.succeed({ ...before, env: [...before.env, ...variablesOf(text)] })
    case "USER": return Result.succeed({ ...before, user: text })
    case "WORKDIR":
      return Result.succeed({
        ...before, workingDirectory: cleanPath(isAbsolute(text) ? text : `${before.workingDirectory || "/"}/${text}`)
      })
    default:
      return refuse(
        operation, change, `${instruction || change} is not a valid change command`,
        "use CMD, ENTRYPOINT, ENV, USER or WORKDIR"
      )
  }
}

export const imageChanges = (changes: ReadonlyArray<string>): Result.Result<ImageDefaults, TextError> =>
  changes.reduce(
    (defaults: Result.Result<ImageDefaults, TextError>, change) =>
      Result.flatMap(defaults, (before) => apply(before, change)),
    Result.succeed(noImageDefaults)
  )
