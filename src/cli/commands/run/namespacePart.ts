/** Names and namespaces of a container as `run` asks for them. */
import * as Result from "effect/Result"
import {
  joinedContainer, parseCgroupnsMode, parseIpcMode, parseNetworkMode, parsePidMode, parseUsernsMode, parseUtsMode
} from "../../../domain/text/flags/NamespaceMode.ts"
import { explained, type Refusal } from "./processPart.ts"
import type { ContainerValues } from "./RunInput.ts"

/** Bridges, and with them ports and names of containers, come later: until then a container has no network. */
const networkOf = (networks: ReadonlyArray<string>): Result.Result<string, Refusal> => {
  if (networks.length > 1) {
    return Result.fail("a container cannot be in several networks: use one of none, host and container:NAME")
  }
  const [network = "none"] = networks
  return Result.flatMap(explained(parseNetworkMode(network)), (mode) =>
    mode === "none" || mode === "host" || joinedContainer(mode) !== undefined ? Result.succeed(mode) : Result.fail(
      `network ${mode} is not available: bridge networks are not supported yet, ` +
        "use --network none, host or container:NAME"
    ))
}

const timeOf = (mode: string): Result.Result<string, Refusal> =>
  mode === "" || mode === "host"
    ? Result.succeed("")
    : mode === "private" ? Result.succeed(mode) : Result.fail("--time: invalid TIME mode: use host or private")

/** What a shared namespace leaves no room for (moby, runconfig: validateNetMode). */
const contradiction = (values: ContainerValues, network: string): Refusal | undefined => {
  const joined = joinedContainer(network) !== undefined
  if (joined && values.hostname !== "") return "conflicting options: hostname and the network mode"
  if (values.uts === "host" && values.hostname !== "") return "conflicting options: hostname and the UTS mode"
  if (values.uts === "host" && values.domainname !== "") return "conflicting options: domainname and the UTS mode"
  if (joined && values.dns.length > 0) return "conflicting options: dns and the network mode"
  if (joined && values["add-host"].length > 0) {
    return "conflicting options: custom host-to-IP mapping and the network mode"
  }
  return undefined
}

export const namespacePart = (values: ContainerValues) => Result.gen(function*() {
  const networkMode = yield* networkOf(values.network)
  const contradicts = contradiction(values, networkMode)
  if (contradicts !== undefined) return yield* Result.fail(contradicts)
  return {
    hostname: values.hostname,
    domainname: values.domainname,
    dns: values.dns,
    dnsSearch: values["dns-search"],
    dnsOptions: values["dns-option"],
    extraHosts: values["add-host"].map(({ address, name }) => `${name}:${address}`),
    networkMode,
    pidMode: yield* explained(parsePidMode(values.pid)),
    ipcMode: yield* explained(parseIpcMode(values.ipc)),
    utsMode: yield* explained(parseUtsMode(values.uts)),
    usernsMode: yield* explained(parseUsernsMode(values.userns)),
    cgroupnsMode: yield* explained(parseCgroupnsMode(values.cgroupns)),
    timeMode: yield* timeOf(values.time)
  }
})
