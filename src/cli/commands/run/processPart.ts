/** The process of a container as `run` asks for it: its program, environment, streams, health check and labels. */
import * as Result from "effect/Result"
import type { ContainerConfig } from "../../../domain/container/ContainerConfig.ts"
import { parseUser } from "../../../domain/text/flags/Identity.ts"
import {
  parseEnvironmentFile, parseEnvironmentLine, parseLabel, parseLabelFile
} from "../../../domain/text/flags/KeyValueFile.ts"
import { parseOomScoreAdjustment } from "../../../domain/text/flags/Cpus.ts"
import { parseSignal } from "../../../domain/text/Signal.ts"
import type { TextError } from "../../../domain/text/TextError.ts"
import type { ContainerValues, RunInput } from "./RunInput.ts"

/** What is wrong, in docker's words where docker has some. */
export type Refusal = string

export const explained = <A>(parsed: Result.Result<A, TextError>): Result.Result<A, Refusal> =>
  Result.mapError(parsed, (error) => `${error.cause}: ${error.cure}`)

/** Env files first, then --env: what comes later counts. */
export const environmentOf = (
  values: Pick<ContainerValues, "env" | "env-file">, input: Pick<RunInput, "environment" | "files">
): Result.Result<ReadonlyArray<string>, Refusal> => Result.gen(function*() {
  const lines: Array<string> = []
  for (const path of values["env-file"]) {
    const contents = input.files.get(path) ?? new Uint8Array()
    lines.push(...yield* explained(parseEnvironmentFile(contents, path, input.environment)))
  }
  for (const line of values.env) lines.push(yield* explained(parseEnvironmentLine(line, input.environment)))
  return lines
})

const labelsOf = (
  values: ContainerValues, input: RunInput
): Result.Result<{ readonly [key: string]: string }, Refusal> => Result.gen(function*() {
  const lines: Array<string> = []
  for (const path of values["label-file"]) {
    lines.push(...yield* explained(parseLabelFile(input.files.get(path) ?? new Uint8Array(), path)))
  }
  const labels: Array<readonly [string, string]> = []
  for (const line of [...lines, ...values.label]) {
    const { key, value } = yield* explained(parseLabel(line))
    labels.push([key, value])
  }
  return Object.fromEntries(labels)
})

const durations = [
  ["health-interval", "interval"], ["health-timeout", "timeout"], ["health-start-period", "startPeriod"],
  ["health-start-interval", "startInterval"]
] as const

/** Docker's order of checks; the daemon's least interval is 1 ms. */
const healthcheckOf = (values: ContainerValues): Result.Result<Pick<ContainerConfig, "healthcheck">, Refusal> => {
  const command = values["health-cmd"]
  const retries = values["health-retries"] ?? 0
  const given = durations.filter(([flag]) => (values[flag] ?? 0n) !== 0n)
  const asked = command !== "" || retries !== 0 || given.length > 0
  if (values["no-healthcheck"]) {
    return asked
      ? Result.fail("--no-healthcheck conflicts with --health-* options")
      : Result.succeed({ healthcheck: { test: ["NONE"] } })
  }
  if (!asked) return Result.succeed({})
  for (const [flag] of given) {
    const value = values[flag] ?? 0n
    if (value < 0n) return Result.fail(`--${flag} cannot be negative`)
    if (value < 1_000_000n) return Result.fail(`--${flag} cannot be less than 1ms`)
  }
  if (retries < 0) return Result.fail("--health-retries cannot be negative")
  return Result.succeed({
    healthcheck: {
      test: command === "" ? [] : ["CMD-SHELL", command],
      ...Object.fromEntries(given.map(([flag, field]) => [field, Number(values[flag])])),
      ...(retries === 0 ? {} : { retries })
    }
  })
}

/** Which of the three streams a client is attached to. */
const streamsOf = (
  values: ContainerValues, detached: boolean
): Pick<ContainerConfig, "attachStdin" | "attachStdout" | "attachStderr" | "openStdin" | "stdinOnce"> => {
  const chosen = values.attach
  const attachStdin = !detached && (chosen.includes("stdin") || values.interactive)
  return {
    attachStdin,
    attachStdout: !detached && (chosen.length === 0 || chosen.includes("stdout")),
    attachStderr: !detached && (chosen.length === 0 || chosen.includes("stderr")),
    openStdin: values.interactive,
    stdinOnce: values.interactive && attachStdin
  }
}

export const processPart = (
  values: ContainerValues, entrypointGiven: boolean, detached: boolean, input: RunInput
) => Result.gen(function*() {
  const { user, "stop-signal": stopSignal, "stop-timeout": stopTimeout } = values
  if (user !== "") yield* explained(parseUser(user))
  if (stopSignal !== "") yield* explained(parseSignal(stopSignal))
  const oomScoreAdj = yield* explained(parseOomScoreAdjustment(String(values["oom-score-adj"] ?? 0)))
  return {
    ...(entrypointGiven ? { entrypoint: values.entrypoint === "" ? [] : [values.entrypoint] } : {}),
    env: yield* environmentOf(values, input),
    workingDirectory: values.workdir,
    user,
    groupAdd: values["group-add"],
    tty: values.tty,
    ...streamsOf(values, detached),
    init: values.init,
    stopSignal,
    ...(stopTimeout === undefined ? {} : { stopTimeout }),
    // Of a limit given twice the last counts; docker keeps them in order of name
    ulimits: [...new Map(values.ulimit.map((limit) => [limit.name, limit])).values()]
      .sort((one, other) => one.name < other.name ? -1 : 1),
    oomScoreAdj,
    labels: yield* labelsOf(values, input),
    ...(yield* healthcheckOf(values))
  }
})
