/** Applets that change whose a file is, and who may use it. */
import { errnoOf, messageOf, status } from "../calls.ts"
import type { Running } from "../makeBehaviour.ts"
import { type Applets, complain, parseOptions } from "./Applet.ts"
import { namesOf } from "./listApplets.ts"

const symbolicMode = (before: number, text: string): number | undefined => {
  const match = /^([ugoa]*)([+=-])([rwxst]*)$/.exec(text)
  if (match === null) return undefined
  const who = match[1] === "" || match[1]!.includes("a") ? "ugo" : match[1]!
  const bits = [...match[3]!].reduce((sum, letter) => sum | ({ r: 4, w: 2, x: 1 }[letter] ?? 0), 0)
  let mask = 0
  for (const one of who) mask |= bits << { u: 6, g: 3, o: 0 }[one as "u" | "g" | "o"]
  const all = [...who].reduce(
    (sum, one) => sum | (7 << { u: 6, g: 3, o: 0 }[one as "u" | "g" | "o"]),
    0
  )
  return match[2] === "+"
    ? before | mask
    : match[2] === "-"
    ? before & ~mask
    : (before & ~all) | mask
}

function* chmod(args: ReadonlyArray<string>): Running<number> {
  // A mode such as -x is no option
  const [text = "", ...paths] = args.filter((one) => one !== "-R")
  let code = 0
  for (const path of paths) {
    const found = yield* status(path, true)
    if (!found.ok) {
      code = yield* complain(`chmod: ${path}: ${messageOf(found.errno)}`)
      continue
    }
    const mode = /^[0-7]+$/.test(text) ? parseInt(text, 8) : symbolicMode(found.value.mode, text)
    if (mode === undefined) return yield* complain(`chmod: invalid mode '${text}'`)
    const errno = yield* errnoOf({ _tag: "ChangeMode", path, mode })
    if (errno !== undefined) code = yield* complain(`chmod: ${path}: ${messageOf(errno)}`)
  }
  return code
}

function* idOf(file: string, text: string): Running<number | undefined> {
  if (/^\d+$/.test(text)) return Number(text)
  const names = yield* namesOf(file)
  return [...names].find(([, name]) => name === text)?.[0]
}

function* chown(args: ReadonlyArray<string>): Running<number> {
  const { flags, operands: [owner = "", ...paths] } = parseOptions(args)
  const follow = !flags.has("h")
  const [user = "", group] = owner.split(/[:.]/)
  let code = 0
  for (const path of paths) {
    const found = yield* status(path, follow)
    if (!found.ok) {
      code = yield* complain(`chown: ${path}: ${messageOf(found.errno)}`)
      continue
    }
    const uid = user === "" ? found.value.uid : yield* idOf("/etc/passwd", user)
    const gid = group === undefined || group === ""
      ? found.value.gid
      : yield* idOf("/etc/group", group)
    if (uid === undefined || gid === undefined) {
      return yield* complain(`chown: unknown user ${owner}`)
    }
    const errno = yield* errnoOf({ _tag: "ChangeOwner", path, uid, gid, follow })
    if (errno !== undefined) code = yield* complain(`chown: ${path}: ${messageOf(errno)}`)
  }
  return code
}

export const ownerApplets: Applets = { chmod, chown }
