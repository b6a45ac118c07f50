/** /etc/hostname, /etc/hosts and /etc/resolv.conf of a container, as Docker writes them: pure texts. */

/** docker's hosts file of a container without a network of its own address. */
const localHosts = [
  "127.0.0.1\tlocalhost",
  "::1\tlocalhost ip6-localhost ip6-loopback",
  "fe00::\tip6-localnet",
  "ff00::\tip6-mcastprefix",
  "ff02::1\tip6-allnodes",
  "ff02::2\tip6-allrouters"
]

/** `extra` holds `name:address` pairs; an IPv6 address may stand in brackets. */
export const hostsFile = (options: {
  /** The host's own file with --network host, else undefined. */
  readonly host: string | undefined
  readonly extra: ReadonlyArray<string>
}): string => {
  const base = options.host === undefined ? localHosts.join("\n") + "\n" : options.host
  const lines = options.extra.map((pair) => {
    const colon = pair.indexOf(":")
    const address = pair.slice(colon + 1).replace(/^\[(.*)\]$/, "$1")
    return `${address}\t${pair.slice(0, colon)}\n`
  })
  return base + (base === "" || base.endsWith("\n") ? "" : "\n") + lines.join("")
}

const isLoopback = (server: string): boolean => server.startsWith("127.") || server === "::1"

/**
 * The host's resolv.conf with what the user set in place of its lines. Outside the host's network
 * namespace a loopback server can't be reached: such lines go.
 */
export const resolvConf = (options: {
  readonly host: string
  readonly hostNetwork: boolean
  readonly dns: ReadonlyArray<string>
  readonly search: ReadonlyArray<string>
  readonly options: ReadonlyArray<string>
}): string => {
  const words = options.host.split("\n")
    .map((line) => line.replace(/[#;].*$/, "").trim().split(/\s+/))
    .filter((line) => line[0] !== "" && line[0] !== undefined)
  const values = (keyword: string) => words.filter((line) => line[0] === keyword).flatMap((line) => line.slice(1))
  const servers = options.dns.length > 0
    ? options.dns
    : values("nameserver").filter((server) => options.hostNetwork || !isLoopback(server))
  const search = options.search.length > 0 ? options.search.filter((domain) => domain !== ".") : values("search")
  const settings = options.options.length > 0 ? options.options : values("options")
  return [
    ...servers.map((server) => `nameserver ${server}\n`),
    ...(search.length === 0 ? [] : [`search ${search.join(" ")}\n`]),
    ...(settings.length === 0 ? [] : [`options ${settings.join(" ")}\n`])
  ].join("")
}
