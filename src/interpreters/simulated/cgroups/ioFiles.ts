/**
 * The io and blkio controllers: limits and weights of block devices (block/blk-throttle.c,
 * blk-iocost.c).
 */
import { type Draft, fail } from "../Draft.ts"
import type { Cgroup } from "../World.ts"
import { type CgroupFiles, integer, lines, shown, valueOf } from "./CgroupFile.ts"
import { parseDisk, parseInteger, withDeviceLine } from "./values.ts"

const ioKeys = ["rbps", "wbps", "riops", "wiops"] as const

/** tg_set_limit(): `major:minor key=value …`; a device without limits has no line. */
const ioMax = (text: string, draft: Draft, cgroup: Cgroup): string => {
  const [device = "", ...pairs] = text.split(/\s+/)
  const disk = parseDisk(draft, device)
  const lines = valueOf(cgroup, "io.max", "")
  const before = new Map(
    (lines.split("\n").find((line) => line.startsWith(`${disk} `)) ?? "").split(" ").slice(1)
      .map((pair) => pair.split("=") as [string, string])
  )
  for (const pair of pairs) {
    const [key = "", value = ""] = pair.split("=")
    if (!(ioKeys as ReadonlyArray<string>).includes(key)) fail("EINVAL")
    if (value !== "max") parseInteger(value, 1, Number.MAX_SAFE_INTEGER, "ERANGE")
    before.set(key, value)
  }
  const values = ioKeys.map((key) => `${key}=${before.get(key) ?? "max"}`)
  return withDeviceLine(
    lines,
    disk,
    values.every((pair) => pair.endsWith("=max")) ? "" : values.join(" ")
  )
}

/** `default N`, `N`, or `major:minor N`; 1 to 10,000. */
const ioWeight = (text: string, draft: Draft, cgroup: Cgroup): string => {
  const before = valueOf(cgroup, "io.weight", "default 100\n")
  const device = /^(\d+:\d+)\s+(\S+)$/.exec(text)
  if (device !== null) {
    const disk = parseDisk(draft, device[1]!)
    return withDeviceLine(
      before,
      disk,
      device[2] === "default" ? "" : String(parseInteger(device[2]!, 1, 10_000, "EINVAL"))
    )
  }
  const weight = parseInteger(text.replace(/^default\s+/, ""), 1, 10_000, "EINVAL")
  return [`default ${weight}`, ...before.split("\n").slice(1)].join("\n")
}

export const ioFilesV2: CgroupFiles = {
  ...lines("io.max", "", ioMax),
  ...lines("io.weight", "default 100\n", ioWeight),
  ...shown("io.stat", () => "", true)
}

/** blk_throtl: `major:minor N`, 0 takes the limit away. */
const throttle = (name: string): CgroupFiles =>
  lines(name, "", (text, draft, cgroup) => {
    const [device = "", value = "", ...more] = text.split(/\s+/)
    if (more.length > 0) fail("EINVAL")
    const disk = parseDisk(draft, device)
    const limit = parseInteger(value, 0, Number.MAX_SAFE_INTEGER, "EINVAL")
    return withDeviceLine(valueOf(cgroup, name, ""), disk, limit === 0 ? "" : String(limit))
  })

const statistics = "Total 0\n"

export const blkioFilesV1: CgroupFiles = {
  ...throttle("blkio.throttle.read_bps_device"),
  ...throttle("blkio.throttle.write_bps_device"),
  ...throttle("blkio.throttle.read_iops_device"),
  ...throttle("blkio.throttle.write_iops_device"),
  ...shown("blkio.throttle.io_service_bytes", () => statistics, true),
  ...shown("blkio.throttle.io_service_bytes_recursive", () => statistics, true),
  ...shown("blkio.throttle.io_serviced", () => statistics, true),
  ...shown("blkio.throttle.io_serviced_recursive", () => statistics, true),
  ...integer("blkio.bfq.weight", 100, 1, 1000, "ERANGE"),
  ...shown("blkio.bfq.io_service_bytes_recursive", () => statistics, true),
  ...shown("blkio.bfq.io_serviced_recursive", () => statistics, true)
}
