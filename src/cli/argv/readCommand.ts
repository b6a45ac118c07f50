/** Reads the arguments of a command that was found: its help, a mistake, or an invocation. Pure. */
import * as Result from "effect/Result"
import type { Command, Invocation } from "../commands/Command.ts"
import { program } from "../program.ts"
import type { Found } from "./findCommand.ts"
import { boolean, type Flags, text } from "./Flag.ts"
import { instrumentFlags } from "./globalFlags.ts"
import { parseArguments } from "./parseArguments.ts"
import { type Answer, answer, mistakenFlags, mistakenWords } from "./Reading.ts"
import { commandHelp, type Described, usageHint, usageLine } from "./usage.ts"

export interface Read {
  readonly _tag: "Read"
  readonly command: Command
  readonly invocation: Invocation<Flags>
  /** File of --trace, "" for none. */
  readonly trace: string
  /** How the operations of --plan are shown. */
  readonly planFormat: "text" | "json"
  readonly described: Described
}

const hidden = <A extends object>(flags: { readonly [name: string]: A }) =>
  Object.fromEntries(Object.entries(flags).map(([name, flag]) => [name, { ...flag, hidden: true }]))

/** The command's own flags and those that go with any command. Where -h is taken the help shows --help instead. */
const allFlags = (command: Command): Flags => {
  const takesH = Object.values(command.flags).some(({ short }) => short === "h")
  return {
    ...(command.engine === "changes"
      ? { format: text("How --plan shows the operations: text or json", { hidden: true }) }
      : {}),
    ...(command.engine === "nothing" ? {} : hidden(instrumentFlags) as typeof instrumentFlags),
    help: boolean("Print usage", takesH ? {} : { short: "h", hidden: true }),
    ...command.flags
  }
}

const plural = (count: number): string => `${count} ${count === 1 ? "argument" : "arguments"}`

/** docker/cli, cli/required.go; undefined when the count is right. */
const wrongCount = (command: Command, count: number, given: ReadonlySet<string>): string | undefined => {
  const { least, most, unlessGiven } = command.arguments
  if (unlessGiven !== undefined && given.has(unlessGiven)) return undefined
  if (count >= least && (most === undefined || count <= most)) return undefined
  if (most === 0) return "accepts no arguments"
  if (most === undefined) return `requires at least ${plural(least)}`
  if (most === least) return `requires ${plural(least)}`
  return least === 0 ? `requires at most ${plural(most)}` : `requires at least ${least} and at most ${plural(most)}`
}

export const readCommand = (command: Command, found: Found, width: () => number): Read | Answer => {
  const flags = allFlags(command)
  const described: Described = {
    program, path: found.path, forms: command.forms, summary: command.summary,
    ...(command.details === undefined ? {} : { details: command.details }),
    aliases: found.entry.aliases, flags
  }
  if (found.help) return answer(commandHelp(described, width()))
  const parsed = parseArguments(flags, found.argv, { interspersed: command.interspersed })
  const mistake = (sentence: string) => mistakenFlags(sentence, usageLine(described), usageHint(described))
  if (Result.isFailure(parsed)) return mistake(parsed.failure)
  const { arguments: words, given, values } = parsed.success
  if (values["help"] === true) return answer(commandHelp(described, width()))
  const wrong = wrongCount(command, words.length, given)
  if (wrong !== undefined) {
    const hint = usageHint(described)
    return mistakenWords(
      `${program}: '${program} ${found.path}' ${wrong}`, usageLine(described),
      command.arguments.most === undefined ? hint.replace("Run", "See") : hint
    )
  }
  const plan = found.globals.plan || values["plan"] === true
  const planFormat = command.engine === "changes" && given.has("format") ? values["format"] : ""
  if (planFormat !== "" && !plan) return mistake("unknown flag: --format")
  if (planFormat !== "" && planFormat !== "json" && planFormat !== "text") {
    return mistake(`invalid argument ${JSON.stringify(planFormat)} for "--format" flag: --plan shows text or json`)
  }
  return {
    _tag: "Read", command, described,
    trace: (values["trace"] as string | undefined) || found.globals.trace,
    planFormat: planFormat === "json" ? "json" : "text",
    invocation: {
      values, given, arguments: words, path: `${program} ${found.path}`, root: found.globals.root,
      plan: plan && command.engine === "changes"
    }
  }
}
