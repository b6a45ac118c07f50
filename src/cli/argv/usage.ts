/** Help texts from the tables of flags and commands, laid out as docker's (spf13/pflag, flag.go: FlagUsagesWrapped). */
import type { Flag, Flags } from "./Flag.ts"

/** Where a line would have less room for words than this, they begin on a line of their own. */
const leastRoom = 24
/** A last line may be this much longer rather than leave a short orphan. */
const overhang = 5

const lastBreak = (text: string): number =>
  Math.max(text.lastIndexOf(" "), text.lastIndexOf("\t"), text.lastIndexOf("\n"))

/** Up to `length` characters of `text`, cut at white space, and what follows; an earlier line break wins. */
const takeLine = (text: string, length: number): readonly [line: string, rest: string] => {
  if (length + overhang > text.length) return [text, ""]
  const head = text.slice(0, length)
  const space = lastBreak(head)
  if (space <= 0) return [text, ""]
  const lineBreak = head.lastIndexOf("\n")
  const at = lineBreak > 0 && lineBreak < space ? lineBreak : space
  return [text.slice(0, at), text.slice(at + 1)]
}

/** `text` in lines up to column `width`, all but the first indented by `indent`. */
export const wrapText = (text: string, indent: number, width: number): string => {
  let margin = indent
  let room = width - margin
  let out = ""
  if (room < leastRoom) {
    margin = 16
    room = width - margin
    out = `\n${" ".repeat(margin)}`
  }
  if (room < leastRoom) return text.replaceAll("\n", out)
  const indented = (line: string) => line.replaceAll("\n", `\n${" ".repeat(margin)}`)
  let [line, rest] = takeLine(text, room - overhang)
  out += indented(line)
  while (rest !== "") {
    [line, rest] = takeLine(rest, room - overhang)
    out += `\n${" ".repeat(margin)}${indented(line)}`
  }
  return out
}

const flagColumn = (name: string, flag: Flag<unknown>): string =>
  (flag.short === undefined ? "      " : `  -${flag.short}, `) + `--${name}${flag.type === "" ? "" : ` ${flag.type}`}`

const flagWords = (flag: Flag<unknown>): string =>
  flag.shownDefault === "" ? flag.usage : `${flag.usage} (default ${flag.shownDefault})`

/** A line or more for each flag, in order of name. `width`: columns of the terminal. */
export const flagUsages = (flags: Flags, width: number): string => {
  const shown = Object.entries(flags).filter(([, flag]) => !flag.hidden)
    .sort(([one], [other]) => one < other ? -1 : 1)
    .map(([name, flag]) => [flagColumn(name, flag), flagWords(flag)] as const)
  const longest = Math.max(...shown.map(([column]) => column.length))
  return shown.map(([column, words]) =>
    `${column.padEnd(longest + 3)}${wrapText(words, longest + 3, width - 1)}\n`).join("")
}

/** What of a command the help needs. */
export interface Described {
  /** `ps`, `container ls` */
  readonly path: string
  /** Of the program, `fx-engine`. */
  readonly program: string
  /** What follows the path in the first line, one per way to use it. */
  readonly forms: ReadonlyArray<string>
  readonly summary: string
  /** A longer text instead of the summary. */
  readonly details?: string
  /** All paths by which the command is known, when there are several. */
  readonly aliases: ReadonlyArray<string>
  readonly flags: Flags
}

const fullPath = (described: Pick<Described, "path" | "program">): string => `${described.program} ${described.path}`

const hasFlags = (flags: Flags): boolean => Object.values(flags).some((flag) => !flag.hidden)

/** `Usage:  fx-engine run [OPTIONS] IMAGE [COMMAND] [ARG...]` */
export const usageLine = (described: Described): string =>
  `Usage:  ${described.forms.map((form) => `${fullPath(described)} ${form}`.trimEnd()).join("\n\t")}`

export const commandHelp = (described: Described, width: number): string => [
  usageLine(described),
  described.details ?? described.summary,
  ...(described.aliases.length < 2
    ? []
    : [`Aliases:\n  ${described.aliases.map((path) => `${described.program} ${path}`).join(", ")}`]),
  ...(hasFlags(described.flags) ? [`Options:\n${flagUsages(described.flags, width)}`.trimEnd()] : [])
].join("\n\n") + "\n"

/** A command that has commands below: `container`, and the program itself. */
export interface DescribedGroup {
  readonly program: string
  /** "" for the program. */
  readonly path: string
  readonly summary: string
  readonly flags: Flags
  /** Titled lists of names with their summaries. */
  readonly sections: ReadonlyArray<{
    readonly title: string
    readonly commands: ReadonlyArray<readonly [name: string, summary: string]>
  }>
}

/** Names are padded to this at least: cobra's minimum. */
const nameWidth = 11

export const groupHelp = (group: DescribedGroup, width: number): string => {
  const path = `${group.program}${group.path === "" ? "" : ` ${group.path}`}`
  const pad = Math.max(nameWidth, ...group.sections.flatMap(({ commands }) => commands.map(([name]) => name.length)))
  return [
    `Usage:  ${path}${hasFlags(group.flags) ? " [OPTIONS]" : ""} COMMAND`,
    group.summary,
    ...group.sections.map(({ commands, title }) =>
      `${title}:\n${commands.map(([name, summary]) => `  ${name.padEnd(pad)} ${summary}`).join("\n")}`),
    ...(hasFlags(group.flags) ? [`Global Options:\n${flagUsages(group.flags, width)}`.trimEnd()] : []),
    `Run '${path} COMMAND --help' for more information on a command.`
  ].join("\n\n") + "\n"
}

/** `fx-engine run: unknown flag` and the way to the help, as printed below a mistake in the arguments. */
export const usageHint = (described: Pick<Described, "path" | "program">): string =>
  `Run '${fullPath(described).trimEnd()} --help' for more information`
