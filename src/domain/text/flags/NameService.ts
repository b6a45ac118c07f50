/** `--add-host`, `--dns` and `--dns-search`: how names are resolved in the container (docker/cli, opts). */
import * as Result from "effect/Result"
import { readIpAddress } from "../IpAddress.ts"
import { refuse, type TextError } from "../TextError.ts"

/** `name:address`, as the engine's API and the container's configuration hold it. */
export interface ExtraHost {
  readonly name: string
  /** An IP address as it was written, without brackets, or `host-gateway`. */
  readonly address: string
}

/** `NAME:IP`, `NAME=IP`, brackets around the address or not, or `host-gateway` for the address. */
export const parseExtraHost = (text: string): Result.Result<ExtraHost, TextError> => {
  const operation = "parse extra host"
  const cure = "write NAME:IP or NAME=IP, such as db:10.0.0.5; the IP may be host-gateway"
  const split = text.includes("=") ? text.indexOf("=") : text.indexOf(":")
  if (split <= 0) return refuse(operation, text, `bad format for add-host: ${JSON.stringify(text)}`, cure)
  const written = text.slice(split + 1)
  const address = /^\[.*\]$/.test(written) ? written.slice(1, -1) : written
  const name = text.slice(0, split)
  if (/[\s\0]/.test(name)) return refuse(operation, text, `bad format for add-host: ${JSON.stringify(text)}`, cure)
  return address === "host-gateway" || readIpAddress(address) !== undefined
    ? Result.succeed({ name, address })
    : refuse(operation, text, `invalid IP address in add-host: ${JSON.stringify(address)}`, cure)
}

/** The address of a name server, canonical. */
export const parseDnsServer = (text: string): Result.Result<string, TextError> => {
  const address = readIpAddress(text.trim())
  return address === undefined
    ? refuse(
      "parse DNS server", text, `IP address is not correctly formatted: ${text}`, "write an IP address such as 1.1.1.1"
    )
    : Result.succeed(address)
}

/** A search domain, without a final dot; `.` alone empties the list. */
export const parseDnsSearch = (text: string): Result.Result<string, TextError> => {
  const domain = text.trim()
  if (domain === ".") return Result.succeed(domain)
  const name = domain.replace(/\.$/, "")
  const labels = name.split(".")
  const valid = name.length < 255 && /[a-zA-Z]/.test(name) &&
    labels.every((label) => /^[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?$/.test(label))
  return valid
    ? Result.succeed(name)
    : refuse(
      "parse DNS search domain", text, `${domain} is not a valid domain`, "write a domain such as example.com, or ."
    )
}
