/** Calls as generator functions, for bodies of behaviours. */
import type { Call, Event, Facts, Redirection, Seen, Status, Waited } from "./Behaviour.ts"
import type { Running } from "./makeBehaviour.ts"

/** What a call came to: its value, the errno, or the signal that ended it. */
export type Result<A> =
  | { readonly ok: true; readonly value: A }
  | { readonly ok: false; readonly errno: string }

/**
 * Performs a call to its end; a caught signal meanwhile is told to `onSignal`, and the call begins
 * again.
 */
export function* perform<A>(call: Call, onSignal?: (signal: number) => void): Running<Result<A>> {
  for (;;) {
    const event: Event = yield call
    if (event._tag === "Done") return { ok: true, value: event.value as A }
    if (event._tag === "Failed") return { ok: false, errno: event.errno }
    if (event._tag === "Signal") onSignal?.(event.signal)
  }
}

/** The errno of a call that failed. */
export function* errnoOf(call: Call): Running<string | undefined> {
  const result = yield* perform(call)
  return result.ok ? undefined : result.errno
}

const noCalls: ReadonlyArray<never> = []

/** A value without any call. */
export function* finished<A>(value: A): Running<A> {
  yield* noCalls
  return value
}

/** A call whose failure nobody asks about. */
export function* act(call: Call): Running<void> {
  yield* perform(call)
}

export function* write(text: string | Uint8Array, descriptor: 1 | 2 = 1): Running<void> {
  if (text.length > 0) yield* act({ _tag: "Write", descriptor, data: text })
}

/** Seconds as a number; the signal that ended the sleep early, or 0. */
export function* sleep(seconds: number): Running<number> {
  const event: Event = yield { _tag: "Sleep", micros: Math.round(seconds * 1_000_000) }
  return event._tag === "Signal" ? event.signal : 0
}

/** Waits for a caught signal, and gives its number. */
export function* pause(): Running<number> {
  for (;;) {
    const event: Event = yield { _tag: "Pause" }
    if (event._tag === "Signal") return event.signal
  }
}

/** From now on the signal ends a sleep or pause instead of the program. */
export function* handle(
  signal: number,
  how: "catch" | "ignore" | "default" = "catch"
): Running<void> {
  yield* act({ _tag: "Handle", signal, how })
}

export function* facts(): Running<Facts> {
  const result = yield* perform<Facts>({ _tag: "Facts" })
  return (result as { readonly value: Facts }).value
}

export function* processes(): Running<ReadonlyArray<Seen>> {
  const result = yield* perform<ReadonlyArray<Seen>>({ _tag: "Processes" })
  return result.ok ? result.value : []
}

export const status = (path: string, follow: boolean): Running<Result<Status>> =>
  perform({ _tag: "Stat", path, follow })

export const list = (path: string): Running<Result<ReadonlyArray<string>>> =>
  perform({ _tag: "List", path })

export const readFile = (path: string): Running<Result<Uint8Array>> =>
  perform({ _tag: "ReadFile", path })

/** The next bytes of the standard input; empty at its end. */
export const readInput = (): Running<Result<Uint8Array>> =>
  perform<Uint8Array>({ _tag: "Read", descriptor: 0 })

/** The same for those that take an error for the end. */
export function* read(): Running<Uint8Array> {
  const result = yield* readInput()
  return result.ok ? result.value : new Uint8Array(0)
}

export const spawn = (
  argv: ReadonlyArray<string>,
  redirections: ReadonlyArray<Redirection> = [],
  environment?: ReadonlyArray<string>,
  dispositions?: ReadonlyMap<number, "ignore" | "default">
): Running<Result<number>> =>
  perform({
    _tag: "Spawn",
    argv,
    redirections,
    ...(environment === undefined ? {} : { environment }),
    ...(dispositions === undefined ? {} : { dispositions })
  })

export const wait = (pid: number, onSignal?: (signal: number) => void): Running<Result<Waited>> =>
  perform({ _tag: "Wait", pid, poll: false }, onSignal)

/** Texts of strerror(3) as glibc has them. */
const messages: { readonly [errno: string]: string } = {
  EPERM: "Operation not permitted", ENOENT: "No such file or directory", ESRCH: "No such process",
  EIO: "Input/output error", ENOEXEC: "Exec format error", EBADF: "Bad file descriptor",
  ECHILD: "No child processes", EAGAIN: "Resource temporarily unavailable",
  ENOMEM: "Cannot allocate memory", EACCES: "Permission denied", EBUSY: "Device or resource busy",
  EEXIST: "File exists", EXDEV: "Invalid cross-device link", ENODEV: "No such device",
  ENOTDIR: "Not a directory", EISDIR: "Is a directory", EINVAL: "Invalid argument",
  ETXTBSY: "Text file busy", EFBIG: "File too large", ENOSPC: "No space left on device",
  EROFS: "Read-only file system", EPIPE: "Broken pipe", ERANGE: "Numerical result out of range",
  ENAMETOOLONG: "File name too long", ENOTEMPTY: "Directory not empty",
  ELOOP: "Too many levels of symbolic links", ENXIO: "No such device or address"
}

export const messageOf = (errno: string): string => messages[errno] ?? errno
