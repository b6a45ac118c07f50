/** Finds the command that a command line calls: global flags, then its words. Pure. */
import * as Result from "effect/Result"
import { common, type Entry, groups, others, secondNames } from "../commands/catalogue.ts"
import { program, programVersion } from "../program.ts"
import { type Globals, globalFlags } from "./globalFlags.ts"
import { parseArguments } from "./parseArguments.ts"
import { type Answer, answer, mistakenFlags, mistakenWords } from "./Reading.ts"
import { type DescribedGroup, groupHelp } from "./usage.ts"

export interface Found {
  readonly _tag: "Found"
  readonly entry: Entry
  /** As it was called: `container ls`. */
  readonly path: string
  readonly globals: Globals
  /** What follows the words. */
  readonly argv: ReadonlyArray<string>
  /** The command's help is wanted (`help ps`). */
  readonly help: boolean
}

const summaries = (entries: { readonly [name: string]: { readonly summary: string; readonly hidden?: boolean } }) =>
  Object.entries(entries).filter(([, { hidden }]) => hidden !== true)
    .map(([name, { summary }]) => [name, summary] as const)

const wholeHelp: DescribedGroup = {
  program, path: "", summary: "Containers on the plain kernel, or on a simulated one", flags: globalFlags,
  sections: [
    { title: "Common Commands", commands: summaries(common) },
    { title: "Management Commands", commands: summaries(groups) },
    { title: "Commands", commands: summaries(others) }
  ]
}

const groupDescribed = (name: string): DescribedGroup => ({
  program, path: name, summary: groups[name]!.summary, flags: {},
  sections: [{ title: "Commands", commands: summaries(groups[name]!.commands) }]
})

const hint = (path: string): string => `Run '${[program, path].join(" ").trim()} --help' for more information`

const own = <A>(table: { readonly [name: string]: A }, name: string): A | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined

/** Words after a group's name; without any the group shows what it has. */
const findInGroup = (
  name: string, argv: ReadonlyArray<string>, globals: Globals, help: boolean, width: () => number
): Found | Answer => {
  const [word, ...rest] = argv
  const usage = `Usage:  ${program} ${name}`
  const told = () => answer(groupHelp(groupDescribed(name), width()))
  if (word === undefined) return help ? told() : { ...told(), stream: "stderr" }
  if (word === "--help" || word === "-h") return told()
  if (word.startsWith("--")) return mistakenFlags(`unknown flag: ${word}`, usage, hint(name))
  if (word.startsWith("-")) {
    return mistakenFlags(`unknown shorthand flag: '${word.charAt(1)}' in ${word}`, usage, hint(name))
  }
  const path = secondNames[`${name} ${word}`] ?? `${name} ${word}`
  const entry = own(groups[name]!.commands, path.slice(name.length + 1))
  return entry === undefined
    ? mistakenWords(`${program}: unknown command: ${program} ${name} ${word}`, usage, hint(name))
    : { _tag: "Found", entry, path: `${name} ${word}`, globals, argv: rest, help }
}

const findWord = (
  argv: ReadonlyArray<string>, globals: Globals, help: boolean, width: () => number
): Found | Answer => {
  const [word, ...rest] = argv
  if (word === undefined) return answer(groupHelp(wholeHelp, width()))
  if (own(groups, word) !== undefined) return findInGroup(word, rest, globals, help, width)
  const entry = own(common, word) ?? own(others, word)
  if (entry !== undefined) return { _tag: "Found", entry, path: word, globals, argv: rest, help }
  return help
    ? mistakenWords(`unknown help topic: ${argv.join(" ")}`)
    : mistakenWords(`${program}: unknown command: ${program} ${word}`, hint(""))
}

/** `width`: asks for the columns of the terminal, for help texts. */
export const findCommand = (argv: ReadonlyArray<string>, width: () => number): Found | Answer => {
  const parsed = parseArguments(globalFlags, argv, { interspersed: false })
  if (Result.isFailure(parsed)) {
    return mistakenFlags(parsed.failure, `Usage:  ${program} [OPTIONS] COMMAND [ARG...]`, hint(""))
  }
  const { arguments: words, values } = parsed.success
  if (values.version) return answer(`${program} version ${programVersion()}\n`)
  if (words[0] === "help") return findWord(words.slice(1), values, true, width)
  return findWord(words, values, values.help, width)
}
