/** `--network`, `--pid`, `--ipc`, `--uts`, `--cgroupns`, `--userns`: whose namespaces a container has. */
import * as Result from "effect/Result"
import { refuse, type TextError } from "../TextError.ts"

/** A container of which the namespace is joined, by name or id: the X of `container:X`. */
export const joinedContainer = (mode: string): string | undefined =>
  mode.startsWith("container:") ? mode.slice("container:".length) : undefined

interface Rule {
  /** The flag, without dashes. */
  readonly flag: string
  readonly words: ReadonlyArray<string>
  /** Whether `container:X` is understood. */
  readonly joins: boolean
  /** What "" and `private` stand for. */
  readonly default: string
  readonly cause: string
}

const parseMode = (text: string, rule: Rule): Result.Result<string, TextError> => {
  if (text === "" || text === "private") return Result.succeed(rule.default)
  const joined = joinedContainer(text)
  if (rule.words.includes(text) || (rule.joins && joined !== undefined && joined !== "")) return Result.succeed(text)
  const words = ["private", ...rule.words, ...(rule.joins ? ["container:NAME"] : [])]
  return refuse(`parse ${rule.flag} mode`, text, rule.cause, `use ${words.join(", ")}`)
}

/** `host`, `container:X`, or "" for its own. */
export const parsePidMode = (text: string): Result.Result<string, TextError> =>
  parseMode(text, { flag: "pid", words: ["host"], joins: true, default: "", cause: "--pid: invalid PID mode" })

/** `private` (default), `shareable`, `none`, `host` or `container:X`. */
export const parseIpcMode = (text: string): Result.Result<string, TextError> =>
  parseMode(text, {
    flag: "ipc", words: ["shareable", "none", "host"], joins: true, default: "private",
    cause: `invalid IPC mode: ${text}`
  })

/** `host`, `container:X` (ours: docker has no such thing), or "" for its own. */
export const parseUtsMode = (text: string): Result.Result<string, TextError> =>
  parseMode(text, { flag: "uts", words: ["host"], joins: true, default: "", cause: "--uts: invalid UTS mode" })

/** `private` (default) or `host`. */
export const parseCgroupnsMode = (text: string): Result.Result<string, TextError> =>
  parseMode(text, {
    flag: "cgroupns", words: ["host"], joins: false, default: "private", cause: "--cgroupns: invalid CGROUP mode"
  })

/** "" or `host`: the host's. `private` is ours: docker leaves that to the daemon's configuration. */
export const parseUsernsMode = (text: string): Result.Result<string, TextError> =>
  text === ""
    ? Result.succeed("")
    : parseMode(text, {
      flag: "userns", words: ["host"], joins: false, default: "private", cause: "--userns: invalid USER mode"
    })

/**
 * `none`, `host`, `bridge`, `default`, `container:X` or the name of a network. The `name=…,alias=…` form is refused:
 * it only concerns networks with endpoints.
 */
export const parseNetworkMode = (text: string): Result.Result<string, TextError> => {
  const operation = "parse network mode"
  const cure = "use none, host, bridge, container:NAME or the name of a network"
  if (text.trim() === "") return refuse(operation, text, "no name set for network", cure)
  if (text.includes("=")) return refuse(operation, text, `invalid field ${text}`, cure)
  if (text === "container" || joinedContainer(text) === "") {
    return refuse(operation, text, "invalid network mode: invalid container format container:<name|id>", cure)
  }
  return /^(container:)?[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(text)
    ? Result.succeed(text)
    : refuse(operation, text, `invalid network name: ${text}`, cure)
}
