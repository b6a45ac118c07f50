/** The HEALTHCHECK instruction: `[--interval=…] CMD …` or `NONE` (Dockerfile reference). */
import * as Result from "effect/Result"
import type { Healthcheck } from "../container/ContainerConfig.ts"
import { parseDuration } from "../text/GoDuration.ts"
import type { TextError } from "../text/TextError.ts"
import { type ChangeInstruction, jsonWords, refuseChange } from "./ChangeInstruction.ts"

type Health = typeof Healthcheck.Type

const durations: { readonly [flag: string]: "interval" | "timeout" | "startPeriod" | "startInterval" } = {
  interval: "interval", timeout: "timeout", "start-period": "startPeriod", "start-interval": "startInterval"
}

/** Nanoseconds: moby, container.MinimumDuration. */
const leastDuration = 1_000_000n

const applyFlag = (
  flags: Omit<Health, "test">, name: string, value: string, whole: string
): Result.Result<Omit<Health, "test">, TextError> => {
  if (name === "retries") {
    const retries = /^[0-9]{1,9}$/.test(value) ? Number(value) : -1
    return retries < 1
      ? refuseChange(whole, `--retries must be at least 1 (not ${value.slice(0, 20)})`)
      : Result.succeed({ ...flags, retries })
  }
  const field = Object.hasOwn(durations, name) ? durations[name] : undefined
  if (field === undefined) {
    return refuseChange(whole, `unknown flag: --${name}`, `use --retries, --${Object.keys(durations).join(", --")}`)
  }
  return Result.flatMap(parseDuration(value), (nanoseconds) =>
    nanoseconds < leastDuration
      ? refuseChange(whole, `Interval "${name}" cannot be less than 1ms`)
      : Result.succeed({ ...flags, [field]: Number(nanoseconds) }))
}

export const healthcheckChange = ({ text }: ChangeInstruction): Result.Result<Health, TextError> =>
  Result.gen(function*() {
    const whole = `HEALTHCHECK ${text}`
    let flags: Omit<Health, "test"> = {}
    let rest = text
    for (let flag = /^--([^\s=]+)=?(\S*)\s*/.exec(rest); flag !== null; flag = /^--([^\s=]+)=?(\S*)\s*/.exec(rest)) {
      flags = yield* applyFlag(flags, flag[1] ?? "", flag[2] ?? "", whole)
      rest = rest.slice(flag[0].length)
    }
    const type = /^\S*/.exec(rest)?.[0] ?? ""
    const command = rest.slice(type.length).trim()
    switch (type.toUpperCase()) {
      case "": return yield* refuseChange(whole, "HEALTHCHECK requires at least one argument")
      case "NONE":
        return command === "" && rest === text
          ? { test: ["NONE"] }
          : yield* refuseChange(whole, "HEALTHCHECK NONE takes no arguments")
      case "CMD": {
        const words = jsonWords(command)
        if (command === "" || words?.length === 0) return yield* refuseChange(whole, "Missing command after HEALTHCHECK CMD")
        return { test: words === undefined ? ["CMD-SHELL", command] : ["CMD", ...words], ...flags }
      }
      default:
        return yield* refuseChange(whole, `Unknown type ${JSON.stringify(type.slice(0, 100))} in HEALTHCHECK (try CMD)`)
    }
  })
