/** `--restart NAME[:COUNT]` (docker/cli, opts/parse.go; moby, api/types/container: ValidateRestartPolicy). */
import * as Result from "effect/Result"
import { refuse, type TextError } from "../TextError.ts"

export type RestartPolicyName = "no" | "always" | "on-failure" | "unless-stopped"

export interface RestartPolicy {
  readonly name: RestartPolicyName
  /** 0: no maximum. */
  readonly maximumRetryCount: number
}

const operation = "parse restart policy"
const cure = "use no, on-failure[:COUNT], always or unless-stopped"
const names: ReadonlyArray<RestartPolicyName> = ["no", "always", "on-failure", "unless-stopped"]

/** "" means `no`. Only `on-failure` takes a count. */
export const parseRestartPolicy = (text: string): Result.Result<RestartPolicy, TextError> => {
  const colon = text.indexOf(":")
  const given = colon < 0 ? text : text.slice(0, colon)
  const countText = colon < 0 ? "" : text.slice(colon + 1)
  if (colon === 0) return refuse(
    operation, text, "invalid restart policy format: no policy provided before colon", cure
  )
  if (countText !== "" && !/^[+-]?[0-9]{1,9}$/.test(countText)) {
    return refuse(operation, text, "invalid restart policy format: maximum retry count must be an integer", cure)
  }
  const count = Number(countText)
  const name = given === "" ? "no" : names.find((candidate) => candidate === given)
  if (name === undefined) {
    return refuse(
      operation, text,
      `invalid restart policy: unknown policy '${given}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
      cure
    )
  }
  if (name !== "on-failure" && count !== 0) {
    const negative = count < 0 ? " and cannot be negative" : ""
    return refuse(
      operation, text, `invalid restart policy: maximum retry count can only be used with 'on-failure'${negative}`, cure
    )
  }
  if (count < 0) return refuse(operation, text, "invalid restart policy: maximum retry count cannot be negative", cure)
  return Result.succeed({ name, maximumRetryCount: count })
}
