/** Applets that tell who somebody is, by the files of the root they run in. */
import { facts, processes, readFile, write } from "../calls.ts"
import type { Running } from "../makeBehaviour.ts"
import { type Applets, complain, parseOptions } from "./Applet.ts"

interface Account {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

function* accounts(path: string): Running<ReadonlyArray<Account>> {
  const result = yield* readFile(path)
  if (!result.ok) return []
  return new TextDecoder().decode(result.value).split("\n").filter((line) => line.includes(":"))
    .map((line) => {
      const fields = line.split(":")
      return { name: fields[0]!, uid: Number(fields[2]), gid: Number(fields[3]) }
    })
}

function* id(args: ReadonlyArray<string>): Running<number> {
  const { flags, operands } = parseOptions(args)
  const users = yield* accounts("/etc/passwd")
  const groups = yield* accounts("/etc/group")
  const own = yield* facts()
  const asked = operands[0] === undefined
    ? undefined
    : users.find((one) => one.name === operands[0])
  if (operands[0] !== undefined && asked === undefined) {
    return yield* complain(`id: unknown user ${operands[0]}`)
  }
  const { uid, gid } = asked ?? own
  const all = asked === undefined ? [gid, ...own.groups.filter((one) => one !== gid)] : [gid]
  const userName = users.find((one) => one.uid === uid)?.name
  const groupName = (wanted: number) => groups.find((one) => one.uid === wanted)?.name
  const named = (number: number, name: string | undefined) =>
    name === undefined ? `${number}` : `${number}(${name})`
  const names = flags.has("n")
  if (flags.has("u")) yield* write(`${names ? userName ?? uid : uid}\n`)
  else if (flags.has("g")) yield* write(`${names ? groupName(gid) ?? gid : gid}\n`)
  else if (flags.has("G")) {
    yield* write(`${all.map((one) => names ? groupName(one) ?? one : one).join(" ")}\n`)
  } else {
    const list = all.map((one) => named(one, groupName(one))).join(",")
    const text = `uid=${named(uid, userName)} gid=${named(gid, groupName(gid))}`
    yield* write(list === "" ? `${text}\n` : `${text} groups=${list}\n`)
  }
  return 0
}

function* whoami(): Running<number> {
  const { uid } = yield* facts()
  const users = yield* accounts("/etc/passwd")
  const name = users.find((one) => one.uid === uid)?.name
  if (name === undefined) return yield* complain(`whoami: unknown uid ${uid}`)
  yield* write(`${name}\n`)
  return 0
}

function* ps(): Running<number> {
  const users = yield* accounts("/etc/passwd")
  const rows = (yield* processes()).map(({ pid, uid, argv }) => {
    const user = users.find((one) => one.uid === uid)?.name ?? String(uid)
    return `${String(pid).padStart(5)} ${user.padEnd(8)} ${argv.join(" ")}\n`
  })
  yield* write(`PID   USER     COMMAND\n${rows.join("")}`)
  return 0
}

export const accountApplets: Applets = { id, whoami: () => whoami(), ps: () => ps() }
