/** What is kept about a container rather than done to it: log files, restart policy, annotations. And its limits. */
import * as Result from "effect/Result"
import { type ContainerConfig, defaultConfig } from "../../../domain/container/ContainerConfig.ts"
import { parseMemorySwappiness, parsePidsLimit } from "../../../domain/text/flags/Cpus.ts"
import { formatPlatform, parsePlatform } from "../../../domain/text/flags/Platform.ts"
import { parseRestartPolicy } from "../../../domain/text/flags/RestartPolicy.ts"
import { explained, type Refusal } from "./processPart.ts"
import { resourcesOf } from "./resourceFlags.ts"
import type { ContainerValues, RunInput } from "./RunInput.ts"

/** Units of --log-opt max-size are powers of 1000 (moby, jsonfilelog: units.FromHumanSize). */
const logSize = (text: string): number | undefined => {
  const found = /^([0-9]+(?:\.[0-9]+)?) ?([kmgt]?)b?$/i.exec(text)
  const power = "kmgt".indexOf((found?.[2] ?? "").toLowerCase()) + (found?.[2] === "" ? 0 : 1)
  const bytes = Math.trunc(Number(found?.[1]) * 1000 ** power)
  return found !== null && Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined
}

const logOf = (values: ContainerValues): Result.Result<ContainerConfig["log"], Refusal> => {
  const driver = values["log-driver"] || "json-file"
  const pairs = values["log-opt"].map((option) => {
    const equals = option.indexOf("=")
    return equals < 0 ? [option, ""] as const : [option.slice(0, equals), option.slice(equals + 1)] as const
  })
  if (driver === "none") {
    return pairs.length > 0
      ? Result.fail("invalid logging opts for driver none")
      : Result.succeed({ driver, maxSize: 0, maxFiles: 1 })
  }
  if (driver !== "json-file") return Result.fail(`the logging driver ${driver} is not supported: use json-file or none`)
  let { maxFiles, maxSize } = defaultConfig("").log
  for (const [key, value] of pairs) {
    if (key === "max-size") {
      const size = value === "-1" ? 0 : logSize(value)
      if (size === undefined) {
        return Result.fail(`invalid value for max-size: ${JSON.stringify(value)}: write a size such as 10m, or -1`)
      }
      maxSize = size
    } else if (key === "max-file") {
      if (!/^[0-9]{1,4}$/.test(value) || Number(value) < 1) {
        return Result.fail(`invalid value for max-file: ${JSON.stringify(value)}: write a number of files, 1 or more`)
      }
      maxFiles = Number(value)
    } else return Result.fail(`unknown log opt '${key}' for json-file log driver: use max-size and max-file`)
  }
  return Result.succeed({ driver, maxSize, maxFiles })
}

export const recordPart = (values: ContainerValues, input: RunInput) => Result.gen(function*() {
  const restart = yield* explained(parseRestartPolicy(values.restart))
  if (values.rm && restart.name !== "no") {
    return yield* Result.fail("conflicting options: cannot specify both --restart and --rm")
  }
  const { platform } = values
  return {
    platform: platform === "" ? "" : formatPlatform(yield* explained(parsePlatform(platform, input.host))),
    annotations: Object.fromEntries(values.annotation.map((pair) => {
      const equals = pair.indexOf("=")
      return equals < 0 ? [pair, ""] : [pair.slice(0, equals), pair.slice(equals + 1)]
    })),
    restart,
    autoRemove: values.rm,
    log: yield* logOf(values)
  }
})

/** moby, daemon/daemon_unix.go: verifyPlatformContainerResources. */
const contradiction = ({ cpuPeriod, cpuQuota, nanoCpus }: ContainerConfig["resources"]): Refusal | undefined => {
  if (nanoCpus === undefined) return undefined
  if (cpuPeriod !== undefined) return "Conflicting options: Nano CPUs and CPU Period cannot both be set"
  return cpuQuota === undefined ? undefined : "Conflicting options: Nano CPUs and CPU Quota cannot both be set"
}

export const limitPart = (values: ContainerValues) => Result.gen(function*() {
  const resources = resourcesOf(values)
  const contradicts = contradiction(resources)
  if (contradicts !== undefined) return yield* Result.fail(`${contradicts}: use --cpus alone, or the other two`)
  const swappiness = yield* explained(parseMemorySwappiness(String(values["memory-swappiness"] ?? -1)))
  yield* explained(parsePidsLimit(String(values["pids-limit"] ?? 0)))
  const lists = {
    blkioWeightDevice: values["blkio-weight-device"],
    blkioDeviceReadBps: values["device-read-bps"],
    blkioDeviceWriteBps: values["device-write-bps"],
    blkioDeviceReadIOps: values["device-read-iops"],
    blkioDeviceWriteIOps: values["device-write-iops"]
  }
  return {
    cgroupParent: values["cgroup-parent"],
    resources: {
      ...resources,
      ...(swappiness === -1 ? {} : { memorySwappiness: swappiness }),
      ...(values["oom-kill-disable"] ? { oomKillDisable: true } : {}),
      ...Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0))
    }
  }
})
