/** Signals by name and number, as on x86-64 and arm64 (signal(7)) and as docker spells them (moby/sys, signal). */
import * as Result from "effect/Result"
import { refuse, type TextError } from "./TextError.ts"

/** Numbers 1 to 31 in order. */
const names = (
  "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP " +
  "TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS"
).split(" ")

/** Second names: signal(7). */
const aliases: { readonly [name: string]: string } = { IOT: "ABRT", CLD: "CHLD", POLL: "IO" }

/** The C library keeps 32 and 33 for itself, so real-time signals begin at 34. */
const firstRealTime = 34
const lastRealTime = 64

const realTime = (name: string): number | undefined => {
  const found = /^RT(MIN|MAX)(?:([+-])([0-9]{1,2}))?$/.exec(name)
  if (found === null) return undefined
  const [, end, sign, offset = "0"] = found
  if (sign !== undefined && sign !== (end === "MIN" ? "+" : "-")) return undefined
  const number = end === "MIN" ? firstRealTime + Number(offset) : lastRealTime - Number(offset)
  return number >= firstRealTime && number <= lastRealTime ? number : undefined
}

/** `TERM`, `SIGTERM`, `sigterm`, `15`, `RTMIN+3` → the number, 1 to 64. */
export const parseSignal = (text: string): Result.Result<number, TextError> => {
  const name = text.toUpperCase().replace(/^SIG/, "")
  const position = names.indexOf(Object.hasOwn(aliases, name) ? aliases[name] ?? "" : name)
  const number = /^[0-9]{1,2}$/.test(text) ? Number(text) : position >= 0 ? position + 1 : realTime(name)
  return number !== undefined && number >= 1 && number <= lastRealTime
    ? Result.succeed(number)
    : refuse(
      "parse signal", text, `invalid signal: ${text}`,
      "write a name such as SIGTERM or RTMIN+3, or a number from 1 to 64"
    )
}

/** `SIGTERM`, `SIGRTMIN+3`; a number without a name stays a number. */
export const formatSignal = (number: number): string => {
  const name = names[number - 1]
  if (name !== undefined) return `SIG${name}`
  if (number < firstRealTime || number > lastRealTime) return `${number}`
  return number === firstRealTime ? "SIGRTMIN" : `SIGRTMIN+${number - firstRealTime}`
}
