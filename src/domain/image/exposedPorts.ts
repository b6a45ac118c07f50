/** The ports of EXPOSE: `80`, `53/udp`, `8000-8010/tcp` (go-connections, nat). */
import * as Result from "effect/Result"
import { refuse, type TextError } from "../text/TextError.ts"

const greatestPort = 65_535

/** → `80/tcp`, one for each port of a range. What comes before the last colon would be the host's, and is dropped. */
export const exposedPorts = (text: string): Result.Result<ReadonlyArray<string>, TextError> => {
  const fail = (cause: string) =>
    refuse("parse exposed port", text, cause, "write PORT[-PORT][/tcp|udp|sctp] with ports from 1 to 65535")
  const slash = text.indexOf("/")
  const protocol = slash < 0 ? "tcp" : text.slice(slash + 1).toLowerCase()
  const ports = (slash < 0 ? text : text.slice(0, slash)).split(":").at(-1) ?? ""
  if (!["tcp", "udp", "sctp"].includes(protocol)) return fail(`invalid proto: ${protocol.slice(0, 40)}`)
  const found = /^([0-9]{1,5})(?:-([0-9]{1,5}))?$/.exec(ports)
  const first = Number(found?.[1])
  const last = Number(found?.[2] ?? found?.[1])
  if (found === null || first < 1 || last > greatestPort || last < first) {
    return fail(`invalid containerPort: ${ports.slice(0, 40)}`)
  }
  return Result.succeed(Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${protocol}`))
}
