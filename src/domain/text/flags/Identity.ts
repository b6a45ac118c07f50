/** `--user`, `--group-add` and `--name`: who a container runs as and what it is called. */
import * as Result from "effect/Result"
import { parseInteger } from "../Integer.ts"
import { refuse, type TextError } from "../TextError.ts"
import { volumeNamePattern } from "./MountRequest.ts"

export interface UserSpecification {
  /** Name or number, "" for the image's user. Names are looked up in the container's /etc/passwd. */
  readonly user: string
  /** Name or number, "" for the user's primary group. */
  readonly group: string
}

/** moby/sys/user: ids are 0 to 2³¹ − 1. */
const isOutOfRange = (text: string): boolean =>
  /^[+-]?[0-9]+$/.test(text) && (text.length > 10 || Number(text) < 0 || Number(text) > 0x7fffffff)

/** `NAME|UID[:GROUP|GID]`; which names exist is found out in the container. */
export const parseUser = (text: string): Result.Result<UserSpecification, TextError> => {
  const operation = "parse user"
  const cure = "write NAME or UID, and optionally :GROUP or :GID, such as 1000:1000"
  const [user = "", group = "", ...more] = text.split(":", 3)
  if (more.length > 0 || /[\s\0,/]/.test(text)) return refuse(operation, text, `invalid user: ${text}`, cure)
  return isOutOfRange(user) || isOutOfRange(group)
    ? refuse(operation, text, "uids and gids must be in range 0-2147483647", cure)
    : Result.succeed({ user, group })
}

/** A group name or number for --group-add. */
export const parseGroup = (text: string): Result.Result<string, TextError> => {
  const operation = "parse group"
  if (text === "" || /[\s\0,:/]/.test(text)) return refuse(
    operation, text, `invalid group: ${text}`, "write a name or a GID"
  )
  return isOutOfRange(text)
    ? refuse(operation, text, "uids and gids must be in range 0-2147483647", "write a name or a GID")
    : Result.succeed(text)
}

/** moby, daemon/names: two or more characters, the first a letter or digit. A leading `/` is dropped. */
export const parseContainerName = (text: string): Result.Result<string, TextError> => {
  const name = text.replace(/^\//, "")
  return volumeNamePattern.test(name) && name.length <= 255
    ? Result.succeed(name)
    : refuse(
      "parse container name", text,
      `Invalid container name (${text}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
      "use two to 255 letters, digits, _ . and -, the first a letter or digit"
    )
}

/** `--stop-timeout`: seconds; −1 waits for ever. */
export const parseStopTimeout = (text: string): Result.Result<number, TextError> =>
  parseInteger(text, { operation: "stop timeout", minimum: -1n, maximum: 2n ** 31n - 1n })
