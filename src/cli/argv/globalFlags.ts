/** The flags that stand before the command. */
import * as Result from "effect/Result"
import { refuse, type TextError } from "../../domain/text/TextError.ts"
import { defaultPaths } from "../../domain/container/Paths.ts"
import { parseStorageDriver } from "../../domain/layer/StorageDriver.ts"
import { boolean, text, value, type Values } from "./Flag.ts"

export type LogLevel = "debug" | "info" | "warn" | "error"
const levels: ReadonlyArray<LogLevel> = ["debug", "info", "warn", "error"]

const parseLevel = (written: string): Result.Result<LogLevel, TextError> => {
  const level = levels.find((one) => one === written)
  return level === undefined
    ? refuse("parse log level", written, `unable to parse logging level: ${written}`, `use one of ${levels.join(", ")}`)
    : Result.succeed(level)
}

/** These may also follow the command. */
export const instrumentFlags = {
  plan: boolean("Show the operations that the command would perform, and perform none"),
  trace: text("Record what is performed, with timings, in a file", { type: "file" })
}

export const globalFlags = {
  ...instrumentFlags,
  config: text("Location of client config files: the directory of docker's config.json", { type: "directory" }),
  "config-file": text("Settings of registries and storage (default \"/etc/fx-engine/daemon.json\")", { type: "file" }),
  "exec-root": text("Directory of what lasts until the next boot", {
    type: "directory", shownDefault: `${JSON.stringify(defaultPaths.execRoot)}, or one for each root`
  }),
  help: boolean("Print usage", { short: "h", hidden: true }),
  "log-level": value("Set the logging level (\"debug\", \"info\", \"warn\", \"error\")", parseLevel, {
    type: "string", short: "l", shownDefault: "\"info\""
  }),
  root: text("Directory of what lasts", {
    type: "directory", initial: defaultPaths.root, shownDefault: JSON.stringify(defaultPaths.root)
  }),
  simulated: boolean("Use a simulated kernel instead of this machine's"),
  "storage-driver": value(
    "How new layers are kept: overlay2, vfs or btrfs (default: as chosen last, else overlay2)", parseStorageDriver, { type: "driver" }
  ),
  version: boolean("Print version information and quit", { short: "v" })
}

export type Globals = Values<typeof globalFlags>
