/** The flags of `run` and `create` that describe a container: docker's, and two of our own (--rootfs and --time). */
import * as Result from "effect/Result"
import { parseByteSize } from "../../../domain/text/ByteSize.ts"
import {
  parseThrottleBytes, parseThrottleOperations, parseWeightDevice
} from "../../../domain/text/flags/BlockDevice.ts"
import { parseDeviceCgroupRule } from "../../../domain/text/flags/Device.ts"
import { parseEnvironmentLine, parseLabel } from "../../../domain/text/flags/KeyValueFile.ts"
import { parseMount } from "../../../domain/text/flags/Mount.ts"
import { parseDnsSearch, parseDnsServer, parseExtraHost } from "../../../domain/text/flags/NameService.ts"
import { parseSysctl } from "../../../domain/text/flags/Sysctl.ts"
import { parseUlimit } from "../../../domain/text/flags/Ulimit.ts"
import { refuse, type TextError } from "../../../domain/text/TextError.ts"
import { boolean, duration, type Flags, integer, list, text, value } from "../../argv/Flag.ts"
import { resourceFlags } from "./resourceFlags.ts"

/** Looks at the text now and keeps it as it is: what it means depends on more than the text. */
const looked = <A>(parse: (text: string) => Result.Result<A, TextError>) => (written: string) =>
  Result.map(parse(written), () => written)

const parseStream = (written: string): Result.Result<"stdin" | "stdout" | "stderr", TextError> => {
  const name = written.toLowerCase()
  return name === "stdin" || name === "stdout" || name === "stderr"
    ? Result.succeed(name)
    : refuse("parse attach", written, "valid streams are STDIN, STDOUT and STDERR", "use one of them")
}

const processFlags = {
  attach: list("Attach to STDIN, STDOUT or STDERR", { short: "a", parse: parseStream }),
  entrypoint: text("Overwrite the default ENTRYPOINT of the image"),
  env: list("Set environment variables", { short: "e", parse: looked((line) => parseEnvironmentLine(line, {})) }),
  "env-file": list("Read in a file of environment variables"),
  "group-add": list("Add additional groups to join"),
  "health-cmd": text("Command to run to check health"),
  "health-interval": duration("Time between running the check (ms|s|m|h)"),
  "health-retries": integer("Consecutive failures needed to report unhealthy"),
  "health-start-interval": duration("Time between running the check during the start period (ms|s|m|h)"),
  "health-start-period": duration(
    "Start period for the container to initialize before starting health-retries countdown (ms|s|m|h)"
  ),
  "health-timeout": duration("Maximum time to allow one check to run (ms|s|m|h)"),
  init: boolean("Run an init inside the container that forwards signals and reaps processes"),
  interactive: boolean("Keep STDIN open even if not attached", { short: "i" }),
  "no-healthcheck": boolean("Disable any container-specified HEALTHCHECK"),
  "oom-score-adj": integer("Tune host's OOM preferences (-1000 to 1000)"),
  "stop-signal": text("Signal to stop the container"),
  "stop-timeout": integer("Timeout (in seconds) to stop a container"),
  tty: boolean("Allocate a pseudo-TTY", { short: "t" }),
  ulimit: list("Ulimit options", { type: "ulimit", shownDefault: "[]", parse: parseUlimit }),
  user: text("Username or UID (format: <name|uid>[:<group|gid>])", { short: "u" }),
  workdir: text("Working directory inside the container", { short: "w" })
}

const recordFlags = {
  annotation: list("Add an annotation to the container (passed through to the OCI runtime)", {
    type: "map", shownDefault: "map[]"
  }),
  cidfile: text("Write the container ID to the file"),
  label: list("Set meta data on a container", { short: "l", parse: looked(parseLabel) }),
  "label-file": list("Read in a line delimited file of labels"),
  "log-driver": text("Logging driver for the container"),
  "log-opt": list("Log driver options"),
  name: text("Assign a name to the container"),
  platform: text("Set platform if server is multi-platform capable"),
  pull: text("Pull image before running (\"always\", \"missing\", \"never\")", { initial: "missing", shownDefault: "\"missing\"" }),
  quiet: boolean("Suppress the pull output", { short: "q" }),
  restart: text("Restart policy to apply when a container exits", { initial: "no", shownDefault: "\"no\"" }),
  rm: boolean("Automatically remove the container and its associated anonymous volumes when it exits"),
  rootfs: text("Use a directory as the read-only root file system instead of an image", { type: "directory" })
}

const namespaceFlags = {
  "add-host": list("Add a custom host-to-IP mapping (host:ip)", { parse: parseExtraHost }),
  cgroupns: text(
    `Cgroup namespace to use (host|private)
'host':    Run the container in the host's cgroup namespace
'private': Run the container in its own private cgroup namespace
'':        Use a private cgroup namespace (default)`
  ),
  dns: list("Set custom DNS servers", { parse: parseDnsServer }),
  "dns-option": list("Set DNS options", { aliases: ["dns-opt"] }),
  "dns-search": list("Set custom DNS search domains", { parse: parseDnsSearch }),
  domainname: text("Container NIS domain name"),
  hostname: text("Container host name", { short: "h" }),
  ipc: text("IPC mode to use"),
  network: list("Connect a container to a network", { type: "network", aliases: ["net"] }),
  pid: text("PID namespace to use"),
  time: text("Time namespace to use (host|private)"),
  userns: text("User namespace to use"),
  uts: text("UTS namespace to use")
}

const fileFlags = {
  device: list("Add a host device to the container"),
  "device-cgroup-rule": list("Add a rule to the cgroup allowed devices list", { parse: parseDeviceCgroupRule }),
  mount: list("Attach a filesystem mount to the container", {
    type: "mount", parse: looked((mount) => parseMount(mount, "/"))
  }),
  "read-only": boolean("Mount the container's root filesystem as read only"),
  "shm-size": value("Size of /dev/shm", parseByteSize, { type: "bytes" }),
  tmpfs: list("Mount a tmpfs directory"),
  volume: list("Bind mount a volume", { short: "v" })
}

const rightFlags = {
  "cap-add": list("Add Linux capabilities"),
  "cap-drop": list("Drop Linux capabilities"),
  privileged: boolean("Give extended privileges to this container"),
  "security-opt": list("Security Options"),
  sysctl: list("Sysctl options", { type: "map", shownDefault: "map[]", parse: parseSysctl })
}

const perDevice = <A>(usage: string, parse: (text: string) => Result.Result<A, TextError>) =>
  list(usage, { shownDefault: "[]", parse })

const limitFlags = {
  ...resourceFlags,
  "blkio-weight-device": perDevice("Block IO weight (relative device weight)", parseWeightDevice),
  "cgroup-parent": text("Optional parent cgroup for the container"),
  "device-read-bps": perDevice("Limit read rate (bytes per second) from a device", parseThrottleBytes),
  "device-read-iops": perDevice("Limit read rate (IO per second) from a device", parseThrottleOperations),
  "device-write-bps": perDevice("Limit write rate (bytes per second) to a device", parseThrottleBytes),
  "device-write-iops": perDevice("Limit write rate (IO per second) to a device", parseThrottleOperations),
  "memory-swappiness": integer("Tune container memory swappiness (0 to 100)", { shownDefault: "-1" }),
  "oom-kill-disable": boolean("Disable OOM Killer")
}

const later = { hidden: true }

/** Docker's flags for which there is nothing behind yet: read, so that the refusal can name them. */
export const missingFlags = {
  expose: list("", later),
  gpus: text("", later),
  ip: text("", later),
  ip6: text("", later),
  isolation: text("", later),
  link: list("", later),
  "link-local-ip": list("", later),
  "mac-address": text("", later),
  "network-alias": list("", { ...later, aliases: ["net-alias"] }),
  publish: list("", { ...later, short: "p" }),
  "publish-all": boolean("", { ...later, short: "P" }),
  runtime: text("", later),
  "storage-opt": list("", later),
  "use-api-socket": boolean("", later),
  "volume-driver": text("", later),
  "volumes-from": list("", later)
} satisfies Flags

/** Docker accepts these and does nothing with them. */
const emptyFlags = {
  "disable-content-trust": boolean("", { ...later, initial: true }),
  "kernel-memory": value("", parseByteSize, { ...later, type: "bytes" })
}

export const containerFlags = {
  ...processFlags, ...recordFlags, ...namespaceFlags, ...fileFlags, ...rightFlags, ...limitFlags, ...missingFlags,
  ...emptyFlags
}
