/** `PORT[-PORT][/PROTOCOL]`, as filters of containers name ports (go-connections, nat.ParsePortRange). */
import * as Result from "effect/Result"
import { refuse, type TextError } from "../TextError.ts"

export interface PortRange {
  readonly first: number
  readonly last: number
  readonly protocol: "tcp" | "udp" | "sctp"
}

const highestPort = 65_535
const protocols = ["tcp", "udp", "sctp"] as const

export const parsePortRange = (text: string): Result.Result<PortRange, TextError> => {
  const cure = `write PORT[-PORT][/PROTOCOL] such as 8000-8010/tcp; ports go up to ${highestPort}`
  const wrong = (cause: string) => refuse("parse ports", text, cause, cure)
  if (text.includes(":")) return wrong("ports of a filter should not contain ':'")
  const [, ports = "", name] = /^([^/]*)(?:\/(.*))?$/s.exec(text) ?? []
  const written = (name ?? "").toLowerCase()
  const protocol = protocols.find((one) => one === (written === "" ? "tcp" : written))
  if (protocol === undefined) return wrong(`invalid protocol "${written}": must be ${protocols.join(", ")}`)
  const [, from, to] = /^([0-9]{1,5})(?:-([0-9]{1,5}))?$/.exec(ports) ?? []
  if (from === undefined) return wrong(ports === "" ? "no port is named" : `"${ports}" is no port or range of ports`)
  const first = Number(from)
  const last = Number(to ?? from)
  if (first > highestPort || last > highestPort) return wrong(`"${ports}" is above the highest port`)
  return last < first ? wrong(`the range "${ports}" ends before it begins`) : Result.succeed({ first, last, protocol })
}
