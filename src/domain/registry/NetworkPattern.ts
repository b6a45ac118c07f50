/** Hosts and networks as lists in configurations name them: addresses, CIDR blocks, names with or without a port. */
import * as IpNetwork from "effect/net/IpNetwork"
import * as NetAddress from "effect/net/NetAddress"
import * as Result from "effect/Result"

export interface HostPort {
  /** In lower case; an IPv6 address without brackets. */
  readonly host: string
  readonly port: string
}

const defaultPorts: Readonly<Record<string, string>> = { "http:": "80", "https:": "443" }

export const hostPortOf = (url: URL): HostPort => ({
  host: url.hostname.replace(/^\[(.*)\]$/, "$1").toLowerCase().replace(/\.$/, ""),
  port: url.port === "" ? defaultPorts[url.protocol] ?? "" : url.port
})

/** `host`, `host:port`, `[v6]:port` or a bare IPv6 address; the port is empty where none is named. */
export const readHostPort = (text: string): HostPort => {
  const match = /^\[([^\]]*)\](?::([0-9]+))?$/.exec(text) ?? /^([^:]*):([0-9]+)$/.exec(text)
  return { host: (match === null ? text : match[1] ?? "").toLowerCase(), port: match?.[2] ?? "" }
}

/** Whether an address lies in a CIDR block; false when either is not one. Bits behind the prefix do not matter. */
export const isInBlock = (block: string, address: string): boolean => {
  const [start = "", length = ""] = block.split("/", 3)
  if (!/^[0-9]{1,3}$/.test(length)) return false
  const member = NetAddress.ipFromString(address)
  const network = Result.flatMap(NetAddress.ipFromString(start), (ip) => IpNetwork.fromAddress(ip, Number(length)))
  return Result.isSuccess(member) && Result.isSuccess(network) && IpNetwork.contains(network.success, member.success)
}

/** This machine by name or address (RFC 6761 §6.3). Names are not resolved. */
export const isLoopback = (host: string): boolean => {
  if (host === "localhost" || host.endsWith(".localhost")) return true
  const address = NetAddress.ipFromString(host)
  return Result.isSuccess(address) && NetAddress.isLoopback(address.success)
}

export const isAddress = (host: string): boolean => Result.isSuccess(NetAddress.ipFromString(host))

/** The same address, however it is written. */
export const isSameAddress = (one: string, other: string): boolean => {
  const left = NetAddress.ipFromString(one)
  const right = NetAddress.ipFromString(other)
  return Result.isSuccess(left) && Result.isSuccess(right) &&
    NetAddress.formatIp(left.success) === NetAddress.formatIp(right.success)
}
