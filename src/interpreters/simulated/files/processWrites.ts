/** What can be written to the files of /proc/PID, by whom, and what it does. */
import { alter, current, type Draft, fail } from "../Draft.ts"
import { capability, hasCapability } from "../processes/credentials.ts"
import { alterNamespace, namespaceAt } from "../processes/namespaces.ts"
import type { Process } from "../processes/Process.ts"
import type { IdRange } from "../World.ts"

/**
 * The score at least CAP_SYS_RESOURCE has set: below it only such a process may go
 * (fs/proc/base.c).
 */
const writeOomScore = (draft: Draft, process: Process, text: string): void => {
  if (!/^-?\d+$/.test(text)) fail("EINVAL")
  const value = Number(text)
  if (value < -1000 || value > 1000) fail("EINVAL")
  const lowers = value < process.oomScoreAdjust
  if (lowers && !hasCapability(draft, current(draft), capability.sysResource, draft.initial.user)) {
    fail("EACCES")
  }
  alter(draft, process.pid, { oomScoreAdjust: value })
}

/** UID_GID_MAP_MAX_EXTENTS */
const mapLines = 340

/** map_write(): once, without overlap, by someone privileged in the parent namespace. */
const writeIdMap = (
  draft: Draft,
  process: Process,
  kind: "uidMap" | "gidMap",
  text: string
): void => {
  const id = process.namespaces.user
  const namespace = namespaceAt(draft, "user", id)
  const caller = current(draft)
  if (namespace[kind].length > 0) fail("EPERM")
  const ranges = text.split("\n").filter((line) => line.trim() !== "").map((line): IdRange => {
    const fields = line.trim().split(/\s+/).map(Number)
    if (fields.length !== 3 || fields.some((one) => !Number.isInteger(one) || one < 0)) {
      fail("EINVAL")
    }
    return { inside: fields[0]!, outside: fields[1]!, count: fields[2]! }
  })
  if (ranges.length === 0 || ranges.length > mapLines || ranges.some((one) => one.count === 0)) {
    fail("EINVAL")
  }
  const overlap = (field: "inside" | "outside") =>
    ranges.some((one, at) =>
      ranges.some((other, index) =>
        index > at && one[field] < other[field] + other.count &&
        other[field] < one[field] + one.count
      )
    )
  if (overlap("inside") || overlap("outside")) fail("EINVAL")
  const capable = hasCapability(
    draft,
    caller,
    kind === "uidMap" ? capability.setuid : capability.setgid,
    namespace.parent
  )
  const single = ranges.length === 1 && ranges[0]!.count === 1 &&
    ranges[0]!.outside === (kind === "uidMap" ? caller.uid : caller.gid)
  if (!capable && !single) fail("EPERM")
  alterNamespace(draft, "user", id, { [kind]: ranges })
}

export const writeProcessFile = (
  draft: Draft,
  process: Process,
  name: string,
  text: string
): void => {
  switch (name) {
    case "oom_score_adj":
      return writeOomScore(draft, process, text.trim())
    case "uid_map":
      return writeIdMap(draft, process, "uidMap", text)
    case "gid_map":
      return writeIdMap(draft, process, "gidMap", text)
    case "setgroups":
    case "comm":
      return
    default:
      return fail("EACCES")
  }
}
