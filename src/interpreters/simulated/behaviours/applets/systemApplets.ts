/** Applets about the process, the system and time. */
import { signals } from "../../processes/signals.ts"
import { facts, finished, messageOf, perform, readFile, sleep, write } from "../calls.ts"
import type { Running } from "../makeBehaviour.ts"
import { type Applets, complain, parseOptions } from "./Applet.ts"

const units: { readonly [suffix: string]: number } = { "": 1, s: 1, m: 60, h: 3600, d: 86400 }

/** Seconds of an argument of sleep, or undefined. */
const seconds = (text: string): number | undefined => {
  if (/^inf(inity)?$/.test(text)) return Number.POSITIVE_INFINITY
  const match = /^(\d+(?:\.\d*)?|\.\d+)([smhd]?)$/.exec(text)
  return match === null ? undefined : Number(match[1]) * units[match[2]!]!
}

/** What stands for ever in a world whose times are exact integers: a hundred years. */
const forever = 3_155_760_000

function* sleepFor(args: ReadonlyArray<string>): Running<number> {
  if (args.length === 0) return yield* complain("Usage: sleep [N]...")
  let sum = 0
  for (const text of args) {
    const one = seconds(text)
    if (one === undefined) return yield* complain(`sleep: invalid number '${text}'`)
    sum += one
  }
  yield* sleep(Math.min(sum, forever))
  return 0
}

export const numberOfSignal = (text: string): number | undefined => {
  if (/^\d+$/.test(text)) return Number(text)
  const name = text.toUpperCase().replace(/^SIG/, "")
  return name === "EXIT" ? 0 : (signals as { readonly [name: string]: number })[`SIG${name}`]
}

/** `-9 PID`, `-TERM PID`, `-s NAME PID`; the name is for messages. */
export function* kill(args: ReadonlyArray<string>, name = "kill"): Running<number> {
  let signal: number | undefined = signals.SIGTERM
  let rest = [...args]
  if (rest[0] === "-l") {
    yield* write(Object.keys(signals).map((one) => `${one.slice(3)}\n`).join(""))
    return 0
  }
  if (rest[0] === "-s") {
    signal = numberOfSignal(rest[1] ?? "")
    rest = rest.slice(2)
  } else if (rest[0]?.startsWith("-") === true && rest[0] !== "--" && rest.length > 1) {
    signal = numberOfSignal(rest[0].slice(1))
    rest = rest.slice(1)
  }
  if (signal === undefined) return yield* complain(`${name}: bad signal name '${args[0]}'`)
  let code = 0
  for (const text of rest.filter((one) => one !== "--")) {
    if (!/^-?\d+$/.test(text)) {
      code = yield* complain(`${name}: invalid number '${text}'`)
      continue
    }
    const result = yield* perform({ _tag: "Kill", pid: Number(text), signal })
    if (!result.ok) {
      code = yield* complain(`${name}: can't kill pid ${text}: ${messageOf(result.errno)}`)
    }
  }
  return code
}

/** Runs a program in this one's place; 127 when there is none, 126 when it can't be run. */
export function* execute(
  name: string,
  argv: ReadonlyArray<string>,
  environment: ReadonlyArray<string>
): Running<number> {
  const result = yield* perform({ _tag: "Exec", argv, environment })
  if (result.ok) return 0
  yield* complain(`${name}: can't execute '${argv[0]}': ${messageOf(result.errno)}`)
  return result.errno === "ENOENT" ? 127 : 126
}

function* env(args: ReadonlyArray<string>): Running<number> {
  const { environment } = yield* facts()
  let rest = [...args]
  let variables = [...environment]
  for (;;) {
    const [first] = rest
    if (first === "-i" || first === "-") variables = []
    else if (first === "-u") {
      variables = variables.filter((one) => !one.startsWith(`${rest[1]}=`))
      rest = rest.slice(1)
    } else if (first !== undefined && /^[^=]+=/.test(first)) {
      variables = [
        ...variables.filter((one) => !one.startsWith(first.slice(0, first.indexOf("=") + 1))),
        first
      ]
    } else break
    rest = rest.slice(1)
  }
  if (rest.length > 0) return yield* execute("env", rest, variables)
  yield* write(variables.map((one) => `${one}\n`).join(""))
  return 0
}

function* hostname(args: ReadonlyArray<string>): Running<number> {
  const { operands } = parseOptions(args)
  if (operands.length === 0) {
    yield* write(`${(yield* facts()).hostname}\n`)
    return 0
  }
  const result = yield* perform({
    _tag: "WriteFile",
    path: "/proc/sys/kernel/hostname",
    data: operands[0]!,
    append: false
  })
  return result.ok
    ? 0
    : yield* complain(
      `hostname: sethostname: ${messageOf(result.errno === "EROFS" ? "EPERM" : result.errno)}`
    )
}

function* uname(args: ReadonlyArray<string>): Running<number> {
  const { flags } = parseOptions(args)
  const own = yield* facts()
  const fields: ReadonlyArray<readonly [string, string]> = [
    ["s", "Linux"],
    ["n", own.hostname],
    ["r", own.kernelRelease],
    ["v", "#1 SMP"],
    ["m", own.machine],
    ["o", "GNU/Linux"]
  ]
  const wanted = fields.filter(([letter]) =>
    flags.has("a") || flags.has(letter) || (flags.size === 0 && letter === "s")
  )
  yield* write(`${wanted.map(([, value]) => value).join(" ")}\n`)
  return 0
}

function* date(args: ReadonlyArray<string>): Running<number> {
  const { now } = yield* facts()
  const format = args.find((one) => one.startsWith("+"))
  yield* write(
    format === "+%s" ? `${Math.floor(now / 1e6)}\n` : `${new Date(now / 1000).toUTCString()}\n`
  )
  return 0
}

/** dd of zeros or of files: if=, of=, bs=, count=. */
function* dd(args: ReadonlyArray<string>): Running<number> {
  const values = new Map(args.map((one) => one.split("=") as [string, string]))
  const size = (text: string) =>
    Number(/^\d+/.exec(text)?.[0] ?? 0) *
    ({ k: 1024, M: 1024 ** 2, m: 1024 ** 2, G: 1024 ** 3 }[text.replace(/^\d+/, "")] ?? 1)
  const bytes = size(values.get("bs") ?? "512") * Number(values.get("count") ?? 1)
  const input = values.get("if") ?? "/dev/zero"
  const source = yield* readFile(input)
  if (!source.ok) return yield* complain(`dd: can't open '${input}': ${messageOf(source.errno)}`)
  // The buffer, which the input fills
  yield* perform({ _tag: "Allocate", bytes: Math.min(size(values.get("bs") ?? "512"), bytes) })
  const data = input === "/dev/zero"
    ? new Uint8Array(bytes)
    : source.value.subarray(0, values.has("count") ? bytes : undefined)
  const output = values.get("of")
  if (output === undefined) yield* write(data)
  else {
    const result = yield* perform({ _tag: "WriteFile", path: output, data, append: false })
    if (!result.ok) {
      return yield* complain(`dd: error writing '${output}': ${messageOf(result.errno)}`)
    }
  }
  const blocks = Math.ceil(data.length / size(values.get("bs") ?? "512"))
  yield* write(`${blocks}+0 records in\n${blocks}+0 records out\n`, 2)
  return 0
}

function* mount(): Running<number> {
  const table = yield* readFile("/proc/self/mounts")
  if (!table.ok) return yield* complain("mount: no /proc/mounts")
  yield* write(
    new TextDecoder().decode(table.value).split("\n").filter((line) => line !== "").map((line) => {
      const [source, point, type, options] = line.split(" ")
      return `${source} on ${point} type ${type} (${options})\n`
    }).join("")
  )
  return 0
}

export const systemApplets: Applets = {
  true: () => finished(0),
  false: () => finished(1),
  sleep: sleepFor,
  env,
  printenv: function*(args) {
    const { environment } = yield* facts()
    const found = environment.filter((one) =>
      args.length === 0 || args.includes(one.slice(0, one.indexOf("=")))
    )
    yield* write(
      found.map((one) => `${args.length === 0 ? one : one.slice(one.indexOf("=") + 1)}\n`).join("")
    )
    return found.length === 0 && args.length > 0 ? 1 : 0
  },
  pwd: function*() {
    yield* write(`${(yield* facts()).directory}\n`)
    return 0
  },
  hostname,
  uname,
  kill: (args) => kill(args),
  nproc: function*() {
    yield* write(`${(yield* facts()).cpus}\n`)
    return 0
  },
  date,
  dd,
  mount: () => mount(),
  tty: function*() {
    const terminal = (yield* facts()).stdio[0] === "Terminal"
    yield* write(terminal ? "/dev/pts/0\n" : "not a tty\n")
    return terminal ? 0 : 1
  },
  sync: () => finished(0)
}
