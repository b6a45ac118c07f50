/** Why a command could not do what it was asked: what is printed and the status it ends with. */
import * as Data from "effect/Data"
import type { ContainerError } from "../../domain/container/ContainerError.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { EngineError } from "../../programs/Engine.ts"
import type { CopyPathError } from "../../domain/layer/ArchivePath.ts"
import type { RegistryError } from "../../domain/registry/RegistryError.ts"
import type { TextError } from "../../domain/text/TextError.ts"
import type { OutputClosed } from "../terminal/Terminal.ts"

export class CommandFailure extends Data.TaggedError("CommandFailure")<{
  /** Printed after `fx-engine: `; "" prints nothing: all has been said. */
  readonly message: string
  readonly exitCode: number
  /** Whether the way to the command's help is printed below. */
  readonly hint: boolean
}> {}

/** A plain refusal: exit code 1 and no hint. */
export const refusal = (message: string): CommandFailure => new CommandFailure({ message, exitCode: 1, hint: false })

/** A mistake in the options of run or create: Docker's code for those is 125. */
export const badOptions = (message: string): CommandFailure =>
  new CommandFailure({ message, exitCode: 125, hint: true })

export type CommandError = CommandFailure | EngineError | RegistryError | TextError | CopyPathError | OutputClosed

/** As a shell sees a program that SIGPIPE ended. */
const brokenPipe = 128 + 13

const verbs: { readonly [operation: string]: string } = {
  create: "create container", rm: "remove", rmi: "remove image", cp: "copy from or to",
  top: "list the processes of"
}

/** As a word of its own: a container named `real` is not in "real-time". */
const mentions = (message: string, object: string): boolean => {
  for (let at = message.indexOf(object); at >= 0; at = message.indexOf(object, at + 1)) {
    const around = `${message[at - 1] ?? ""}${message[at + object.length] ?? ""}`
    if (!/[\w-]/.test(around)) return true
  }
  return false
}

/** With operation and object in front where the sentence itself does not say what it is about. */
const named = ({ kind, message, object, operation }: ContainerError): string =>
  kind === "command" || object === "" || mentions(message, object)
    ? message
    : `cannot ${verbs[operation] ?? operation} ${object}: ${message}`

const withCure = ({ errno, message }: KernelError): string =>
  (errno === "EACCES" || errno === "EPERM") && process.getuid?.() !== 0
    ? `${message}: containers need root, use sudo or --simulated`
    : message

/** What to print, without the program's name, and the exit status. "" for nothing. */
export const describe = (
  error: CommandError
): { readonly message: string; readonly exitCode: number; readonly hint: boolean } => {
  switch (error._tag) {
    case "CommandFailure":
      return error
    case "OutputClosed":
      return error.errno === "EPIPE"
        ? { message: "", exitCode: brokenPipe, hint: false }
        : { message: `write ${error.stream}: ${error.errno}`, exitCode: 1, hint: false }
    case "TextError":
      return { message: `${error.cause}: ${error.cure}`, exitCode: 1, hint: false }
    case "CopyPathError":
      return { message: `${error.reason}: ${error.path} (${error.hint})`, exitCode: 1, hint: false }
    case "ContainerError":
      return { message: named(error), exitCode: 1, hint: false }
    case "RegistryError":
      return { message: error.message, exitCode: 1, hint: false }
    case "KernelError":
      return { message: withCure(error), exitCode: 1, hint: false }
  }
}
