/**
 * The parsers of run's flags against docker's own command line, version 28.2: `dockerAnswers.json`
 * holds, for each flag and text,
 * whether `docker create FLAG=TEXT` took it, and what it sent to the engine or said was wrong.
 * Recorded in the directory
 * /home/someone with GIVEN="given value" in the environment.
 */
import { readFileSync } from "node:fs"
import { pipe } from "effect"
import * as Result from "effect/Result"
import { describe, expect, it } from "vitest"
import { parseByteLimit, parseByteSize } from "../../../../src/domain/text/ByteSize.ts"
import {
  parseBlockWeight, parseThrottleBytes, parseThrottleOperations, parseWeightDevice
} from "../../../../src/domain/text/flags/BlockDevice.ts"
import {
  parseCpus, parseMemorySwappiness, parseOomScoreAdjustment, parsePidsLimit
} from "../../../../src/domain/text/flags/Cpus.ts"
import { parseDevice, parseDeviceCgroupRule } from "../../../../src/domain/text/flags/Device.ts"
import { parseStopTimeout, parseUser } from "../../../../src/domain/text/flags/Identity.ts"
import { parseEnvironmentLine, parseLabel } from "../../../../src/domain/text/flags/KeyValueFile.ts"
import { parseMount } from "../../../../src/domain/text/flags/Mount.ts"
import type { MountRequest } from "../../../../src/domain/text/flags/MountRequest.ts"
import { parseDnsSearch, parseDnsServer, parseExtraHost } from "../../../../src/domain/text/flags/NameService.ts"
import {
  parseCgroupnsMode, parseIpcMode, parseNetworkMode, parsePidMode, parseUsernsMode, parseUtsMode
} from "../../../../src/domain/text/flags/NamespaceMode.ts"
import { formatPlatform, parsePlatform } from "../../../../src/domain/text/flags/Platform.ts"
import { parseRestartPolicy } from "../../../../src/domain/text/flags/RestartPolicy.ts"
import { parseSecurityOption } from "../../../../src/domain/text/flags/SecurityOption.ts"
import { parseSysctl } from "../../../../src/domain/text/flags/Sysctl.ts"
import { parseTmpfs } from "../../../../src/domain/text/flags/Tmpfs.ts"
import { parseUlimit } from "../../../../src/domain/text/flags/Ulimit.ts"
import { parseVolume } from "../../../../src/domain/text/flags/Volume.ts"
import { parseDuration } from "../../../../src/domain/text/GoDuration.ts"
import type { TextError } from "../../../../src/domain/text/TextError.ts"

type Answer = readonly [flag: string, text: string, taken: boolean, answer: unknown]

const answers: ReadonlyArray<Answer> = JSON.parse(
  readFileSync(new URL("./dockerAnswers.json", import.meta.url), "utf8")
)

const workingDirectory = "/home/someone"

/** Our mount in the words of docker's API. */
const apiMount = (mount: MountRequest): object => {
  const readOnly = "readonly" in mount && mount.readonly ? { ReadOnly: true } : {}
  if (mount._tag === "Bind") {
    const options = {
      ...(mount.propagation === "" ? {} : { Propagation: mount.propagation }),
      ...(mount.recursive === "disabled" ? { NonRecursive: true } : {}),
      ...(mount.recursive === "writable" ? { ReadOnlyNonRecursive: true } : {}),
      ...(mount.recursive === "readonly" ? { ReadOnlyForceRecursive: true } : {})
    }
    const bindOptions = Object.keys(options).length === 0 ? {} : { BindOptions: options }
    return { Type: "bind", Source: mount.source, Target: mount.target, ...readOnly, ...bindOptions }
  }
  if (mount._tag === "Tmpfs") {
    const value = (key: string) => mount.options.find((option) => option.startsWith(`${key}=`))?.slice(key.length + 1)
    const size = value("size")
    const mode = value("mode")
    const options = {
      ...(size === undefined ? {} : { SizeBytes: Result.getOrThrow(parseByteSize(size)) }),
      ...(mode === undefined ? {} : { Mode: Number.parseInt(mode, 8) })
    }
    const tmpfsOptions = Object.keys(options).length === 0 ? {} : { TmpfsOptions: options }
    const readOnlyToo = mount.options.includes("ro") ? { ReadOnly: true } : {}
    return { Type: "tmpfs", Target: mount.target, ...readOnlyToo, ...tmpfsOptions }
  }
  const named = (key: string, record: object) => Object.keys(record).length === 0 ? {} : { [key]: record }
  const given = !mount.copy || mount.driver !== "" || mount.subpath !== ""
  return {
    Type: "volume", ...(mount.name === "" ? {} : { Source: mount.name }), Target: mount.target, ...readOnly,
    ...(given
      ? {
        VolumeOptions: {
          ...(mount.copy ? {} : { NoCopy: true }), ...named("Labels", mount.labels),
          ...(mount.subpath === "" ? {} : { Subpath: mount.subpath }),
          DriverConfig: {
            ...(mount.driver === "" ? {} : { Name: mount.driver }), ...named("Options", mount.driverOptions)
          }
        }
      }
      : {})
  }
}

/** What of `[SOURCE:]TARGET[:OPTIONS]` docker hands on as text, and we as data. */
const bindParts = (text: string) => {
  const [source = "", target = "", options = ""] = text.split(":")
  return { source, target, readonly: options.split(",").includes("ro") }
}

const withoutSlash = (path: string): string => path.replace(/(.)\/$/, "$1")

type Parse = (text: string) => Result.Result<unknown, TextError>

/** Each parser with its result made to look like docker's answer. */
const parsers: { readonly [flag: string]: Parse } = {
  "--ulimit": (text) => Result.map(parseUlimit(text), (limit) =>
    [{ Name: limit.name, Hard: limit.hard, Soft: limit.soft }]),
  "--env": (text) => Result.map(parseEnvironmentLine(text, { GIVEN: "given value" }), (line) => [line]),
  "--label": (text) => Result.map(parseLabel(text), ({ key, value }) => ({ [key]: value })),
  "--device": (text) => Result.map(parseDevice(text), ({ pathInContainer, pathOnHost, permissions }) =>
    [{ PathOnHost: pathOnHost, PathInContainer: pathInContainer, CgroupPermissions: permissions }]),
  "--device-read-bps": (text) => Result.map(parseThrottleBytes(text), ({ path, rate }) => [{ Path: path, Rate: rate }]),
  "--device-read-iops": (text) => Result.map(parseThrottleOperations(text), ({ path, rate }) =>
    [{ Path: path, Rate: rate }]),
  "--blkio-weight-device": (text) => Result.map(parseWeightDevice(text), ({ path, weight }) =>
    [{ Path: path, Weight: weight }]),
  "--blkio-weight": parseBlockWeight,
  "--mount": (text) => Result.map(parseMount(text, workingDirectory), (mount) => [apiMount(mount)]),
  "--volume": (text) => Result.map(parseVolume(text, workingDirectory), (mount) => mount._tag === "Tmpfs" ? mount : {
    source: mount._tag === "Bind" ? mount.source : mount.name, target: mount.target, readonly: mount.readonly
  }),
  "--tmpfs": (text) => Result.map(parseTmpfs(text), ({ options, target }) => ({ [target]: options.join(",") })),
  "--add-host": (text) => Result.map(parseExtraHost(text), ({ address, name }) => [`${name}:${address}`]),
  "--sysctl": (text) => Result.map(parseSysctl(text), ({ key, value }) => ({ [key]: value })),
  "--security-opt": parseSecurityOption,
  "--restart": (text) => Result.map(parseRestartPolicy(text), ({ maximumRetryCount, name }) =>
    ({ Name: name, MaximumRetryCount: maximumRetryCount })),
  "--network": parseNetworkMode,
  "--pid": parsePidMode,
  "--ipc": parseIpcMode,
  "--uts": parseUtsMode,
  "--cgroupns": parseCgroupnsMode,
  "--userns": parseUsernsMode,
  "--user": (text) => Result.map(parseUser(text), ({ group, user }) => group === "" ? user : `${user}:${group}`),
  "--platform": (text) => Result.map(parsePlatform(text, { os: "linux", architecture: "amd64" }), formatPlatform),
  "--cpus": parseCpus,
  "--memory-swappiness": parseMemorySwappiness,
  "--stop-timeout": parseStopTimeout,
  "--memory": parseByteSize,
  "--memory-swap": parseByteLimit,
  "--pids-limit": parsePidsLimit,
  "--oom-score-adj": parseOomScoreAdjustment,
  "--device-cgroup-rule": (text) => Result.map(parseDeviceCgroupRule(text), (rule) => [rule]),
  "--dns": (text) => Result.map(parseDnsServer(text), (address) => [address]),
  "--dns-search": (text) => Result.map(parseDnsSearch(text), (domain) => [domain]),
  "--health-interval": (text) => Result.map(parseDuration(text), Number)
}

/** Where we mean to differ, and what we say. */
const differences: { readonly [call: string]: unknown } = {
  // docker leaves the default to the engine
  "--restart=": { Name: "no", MaximumRetryCount: 0 },
  // A group that is not there is not there
  "--user=a:": "a",
  // Consistency means nothing on Linux and is not kept
  "--mount=type=bind,src=/a,dst=/b,consistency=cached": [{ Type: "bind", Source: "/a", Target: "/b" }]
}

/** docker's answer as our parser should give it. */
const expected = ([flag, text, , answer]: Answer): unknown => {
  const call = `${flag}=${text}`
  if (Object.hasOwn(differences, call)) return differences[call]
  switch (flag) {
    case "--volume": {
      const { readonly, source, target } = bindParts(String((answer as ReadonlyArray<string>)[0]))
      return { source: withoutSlash(source), target: withoutSlash(target), readonly }
    }
    // The client hands the text on; its meaning is tested below
    case "--security-opt": return expect.anything()
    // A duration of less than a nanosecond is left out as zero
    case "--health-interval": return answer ?? 0
    default: return answer
  }
}

/** Platform errors of docker quote its patterns; ours say which component is wrong. */
const comparable = (cause: string): string =>
  cause
    .replace(/: (OSAndVersion|platform) specifier component must match ".*"(?=: invalid argument)/, "")
    .replace("invalid OS component", "invalid component")

describe.each(Object.entries(parsers))("%s", (flag, parse) => {
  const ofFlag = answers.filter(([name]) => name === flag)

  it("means what it means to docker", () => {
    const taken = ofFlag.filter(([, , ok]) => ok)
    expect(taken.length).toBeGreaterThan(0)
    for (const answer of taken) {
      expect(pipe(parse(answer[1]), Result.getOrThrow), answer[1]).toEqual(expected(answer))
    }
  })

  const refused = ofFlag.filter(([, , ok]) => !ok)
  // Of some flags docker's client takes anything
  it.runIf(refused.length > 0)("refuses what docker refuses, in the same words and with a cure", () => {
    for (const [, text, , answer] of refused) {
      const result = parse(text)
      expect(Result.isFailure(result) ? result.failure.cause : result.success, text).toBe(comparable(String(answer)))
      expect(Result.isFailure(result) && result.failure.cure.length, text).toBeGreaterThan(10)
    }
  })
})
