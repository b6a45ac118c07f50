/**
 * Who a container's process runs as: `--user` against the container's own /etc/passwd and /etc/group.
 * The texts come from inside an untrusted root: lines are parsed leniently and ids are range-checked.
 */
import * as Result from "effect/Result"

export interface ResolvedUser {
  readonly uid: number
  readonly gid: number
  /** Supplementary groups, ascending, without duplicates. */
  readonly groups: ReadonlyArray<number>
  readonly home: string
}

interface PasswdEntry {
  readonly name: string
  readonly uid: number
  readonly gid: number
  readonly home: string
}

interface GroupEntry {
  readonly name: string
  readonly gid: number
  readonly members: ReadonlyArray<string>
}

/** moby/sys/user: ids are 0 to 2³¹ − 1. */
const parseId = (text: string | undefined): number | undefined => {
  if (text === undefined || !/^[0-9]{1,10}$/.test(text)) return undefined
  const id = Number(text)
  return id <= 0x7fffffff ? id : undefined
}

/** passwd(5); lines that do not parse are passed over. */
export const parsePasswd = (text: string): ReadonlyArray<PasswdEntry> => {
  const entries: Array<PasswdEntry> = []
  for (const line of text.split("\n")) {
    const fields = line.trim().split(":")
    const uid = parseId(fields[2])
    const gid = parseId(fields[3])
    if (fields[0] === undefined || fields[0] === "" || uid === undefined || gid === undefined) continue
    entries.push({ name: fields[0], uid, gid, home: fields[5] ?? "" })
  }
  return entries
}

/** group(5) */
export const parseGroup = (text: string): ReadonlyArray<GroupEntry> => {
  const entries: Array<GroupEntry> = []
  for (const line of text.split("\n")) {
    const fields = line.trim().split(":")
    const gid = parseId(fields[2])
    if (fields[0] === undefined || fields[0] === "" || gid === undefined) continue
    entries.push({ name: fields[0], gid, members: (fields[3] ?? "").split(",").filter((name) => name !== "") })
  }
  return entries
}

/** A number that names no group is itself; a name must exist. */
const findGroup = (groups: ReadonlyArray<GroupEntry>, text: string): Result.Result<number, string> => {
  const named = groups.find((group) => group.name === text)
  if (named !== undefined) return Result.succeed(named.gid)
  const id = parseId(text)
  if (id !== undefined) return Result.succeed(id)
  return Result.fail(/^-?[0-9]+$/.test(text)
    ? `group ${text}: uids and gids must be in range 0-2147483647`
    : `unable to find group ${text}: no matching entries in group file`)
}

/**
 * Resolves `name|uid[:group|gid]` ("" is root) and --group-add. As Docker: a named or numbered user found
 * in passwd brings its home and primary group, and, when no group was given, the groups that list it as
 * a member.
 */
export const resolveUser = (
  user: string, groupAdd: ReadonlyArray<string>, files: { readonly passwd: string; readonly group: string }
): Result.Result<ResolvedUser, string> => {
  const colon = user.indexOf(":")
  const userPart = colon < 0 ? user : user.slice(0, colon)
  const groupPart = colon < 0 ? "" : user.slice(colon + 1)
  const groups = parseGroup(files.group)
  const number = userPart === "" ? 0 : parseId(userPart)
  const passwd = parsePasswd(files.passwd)
  const entry = passwd.find((candidate) => candidate.name === userPart) ??
    (number === undefined ? undefined : passwd.find((candidate) => candidate.uid === number))
  if (entry === undefined && number === undefined) {
    return Result.fail(/^-?[0-9]+$/.test(userPart)
      ? `user ${userPart}: uids and gids must be in range 0-2147483647`
      : `unable to find user ${userPart}: no matching entries in passwd file`)
  }
  let gid = entry?.gid ?? 0
  const supplementary = new Set<number>()
  if (groupPart !== "") {
    const found = findGroup(groups, groupPart)
    if (Result.isFailure(found)) return Result.fail(found.failure)
    gid = found.success
  } else if (entry !== undefined) {
    for (const group of groups) if (group.members.includes(entry.name)) supplementary.add(group.gid)
  }
  for (const added of groupAdd) {
    const found = findGroup(groups, added)
    if (Result.isFailure(found)) return Result.fail(found.failure)
    supplementary.add(found.success)
  }
  return Result.succeed({
    uid: entry?.uid ?? number ?? 0,
    gid,
    groups: [...supplementary].sort((a, b) => a - b),
    home: entry === undefined || entry.home === "" ? "/" : entry.home
  })
}
