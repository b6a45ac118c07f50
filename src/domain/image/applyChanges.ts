/** `--change` of import and commit: the Dockerfile instructions that say how an image is run, applied to what it says. */
import * as Result from "effect/Result"
import { mergeEnvironment } from "../container/environment.ts"
import { resolvePath } from "../text/PosixPath.ts"
import { parseSignal } from "../text/Signal.ts"
import type { TextError } from "../text/TextError.ts"
import { compareBytes } from "../text/Utf8.ts"
import { type ChangeInstruction, jsonWords, parseChanges, refuseChange } from "./ChangeInstruction.ts"
import { expandWord, splitWords } from "./expandWord.ts"
import { exposedPorts } from "./exposedPorts.ts"
import { healthcheckChange } from "./healthcheckChange.ts"
import type { ImageDefaults } from "./Defaults.ts"

type Applied = Result.Result<ImageDefaults, TextError>

/** dockerfile.defaultShell for Linux. */
const defaultShell = ["/bin/sh", "-c"]

const wholeOf = ({ name, text }: ChangeInstruction): string => `${name} ${text}`

/** A word with its variables replaced by the image's environment. */
const expand = (word: string, before: ImageDefaults, change: ChangeInstruction): Result.Result<string, TextError> => {
  const variables = new Map(before.env.map((line) => {
    const equals = line.indexOf("=")
    return equals < 0 ? [line, ""] as const : [line.slice(0, equals), line.slice(equals + 1)] as const
  }))
  const expanded = expandWord(word, (name) => variables.get(name))
  return Result.isSuccess(expanded)
    ? Result.succeed(expanded.success)
    : refuseChange(wholeOf(change), expanded.failure)
}

const expandAll = (words: ReadonlyArray<string>, before: ImageDefaults, change: ChangeInstruction) =>
  Result.gen(function*() {
    const values: Array<string> = []
    for (const word of words) values.push(yield* expand(word, before, change))
    return values
  })

/** The pairs of ENV and LABEL: `A=1 B="two words"`, or the older `A all of the rest`. */
const pairsOf = (before: ImageDefaults, change: ChangeInstruction) => Result.gen(function*() {
  const whole = wholeOf(change)
  const words = splitWords(change.text)
  const first = words[0] ?? ""
  if (first === "") return yield* refuseChange(whole, `${change.name} requires at least one argument`)
  if (!first.includes("=")) {
    const value = change.text.slice(first.length).trim()
    if (value === "") return yield* refuseChange(whole, `${change.name} must have two arguments`)
    return [[yield* expand(first, before, change), yield* expand(value, before, change)] as const]
  }
  const pairs: Array<readonly [name: string, value: string]> = []
  for (const word of words) {
    const equals = word.indexOf("=")
    if (equals < 0) {
      return yield* refuseChange(
        whole, `Syntax error - can't find = in ${JSON.stringify(word.slice(0, 100))}. Must be of the form: name=value`,
        "put the value in quotes if it has spaces"
      )
    }
    const name = yield* expand(word.slice(0, equals), before, change)
    if (name === "") return yield* refuseChange(whole, `${change.name} names can not be blank`)
    pairs.push([name, yield* expand(word.slice(equals + 1), before, change)])
  }
  return pairs
})

const commandWords = (before: ImageDefaults, change: ChangeInstruction): Result.Result<ReadonlyArray<string>, TextError> =>
  change.text === ""
    ? refuseChange(wholeOf(change), `${change.name} requires at least one argument`)
    : Result.succeed(jsonWords(change.text) ?? [...(before.shell ?? defaultShell), change.text])

const oneWord = (before: ImageDefaults, change: ChangeInstruction): Result.Result<string, TextError> => {
  const { name, text } = change
  return text === ""
    ? refuseChange(wholeOf(change), `${name} requires exactly one argument`)
    : Result.flatMap(expand(text, before, change), (word) =>
      word === "" ? refuseChange(wholeOf(change), `${name} requires exactly one argument`) : Result.succeed(word))
}

const onBuildChange = (before: ImageDefaults, change: ChangeInstruction): Applied => {
  const trigger = /^\S*/.exec(change.text)?.[0].toUpperCase() ?? ""
  switch (trigger) {
    case "": return refuseChange(wholeOf(change), "ONBUILD requires at least one argument")
    case "ONBUILD": return refuseChange(wholeOf(change), "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")
    case "FROM": case "MAINTAINER":
      return refuseChange(wholeOf(change), `${trigger} isn't allowed as an ONBUILD trigger`)
    default: return Result.succeed({ ...before, onBuild: [...(before.onBuild ?? []), change.text] })
  }
}

const volumeChange = (before: ImageDefaults, change: ChangeInstruction): Applied => Result.gen(function*() {
  const words = yield* expandAll(jsonWords(change.text) ?? splitWords(change.text), before, change)
  if (words.length === 0) return yield* refuseChange(wholeOf(change), "VOLUME requires at least one argument")
  const paths = words.map((word) => word.trim())
  if (paths.includes("")) return yield* refuseChange(wholeOf(change), "VOLUME specified can not be an empty string")
  return { ...before, volumes: [...new Set([...(before.volumes ?? []), ...paths])].sort(compareBytes) }
})

const exposeChange = (before: ImageDefaults, change: ChangeInstruction): Applied => Result.gen(function*() {
  const words = yield* expandAll(splitWords(change.text), before, change)
  if (words.length === 0) return yield* refuseChange(wholeOf(change), "EXPOSE requires at least one argument")
  const ports = new Set(before.exposedPorts)
  for (const word of words) for (const port of yield* exposedPorts(word)) ports.add(port)
  return { ...before, exposedPorts: [...ports].sort(compareBytes) }
})

/** `commandKept`: a CMD among the changes before this one survives an ENTRYPOINT, the image's own does not. */
const apply = (before: ImageDefaults, change: ChangeInstruction, commandKept: boolean): Applied => {
  switch (change.name) {
    case "CMD": return Result.map(commandWords(before, change), (command) => ({ ...before, command }))
    case "ENTRYPOINT":
      return Result.map(commandWords(before, change), (entrypoint) =>
        ({ ...before, entrypoint, command: commandKept ? before.command : [] }))
    case "ENV":
      return Result.map(pairsOf(before, change), (pairs) =>
        ({ ...before, env: mergeEnvironment(before.env, pairs.map(([name, value]) => `${name}=${value}`)) }))
    case "LABEL":
      return Result.map(pairsOf(before, change), (pairs) =>
        ({ ...before, labels: { ...before.labels, ...Object.fromEntries(pairs) } }))
    case "USER": return Result.map(oneWord(before, change), (user) => ({ ...before, user }))
    case "WORKDIR":
      return Result.map(oneWord(before, change), (path) =>
        ({ ...before, workingDirectory: resolvePath(before.workingDirectory || "/", path) }))
    case "STOPSIGNAL":
      return Result.flatMap(oneWord(before, change), (stopSignal) =>
        Result.map(parseSignal(stopSignal), () => ({ ...before, stopSignal })))
    case "EXPOSE": return exposeChange(before, change)
    case "VOLUME": return volumeChange(before, change)
    case "ONBUILD": return onBuildChange(before, change)
    default: return Result.map(healthcheckChange(change), (healthcheck) => ({ ...before, healthcheck }))
  }
}

/** The changes in order, on top of what the image says. The error names the instruction. */
export const applyChanges = (before: ImageDefaults, changes: ReadonlyArray<string>): Applied =>
  Result.gen(function*() {
    let defaults = before
    let commandKept = false
    for (const change of yield* parseChanges(changes)) {
      defaults = yield* apply(defaults, change, commandKept)
      commandKept ||= change.name === "CMD"
    }
    return defaults
  })
