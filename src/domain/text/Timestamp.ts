/** Points in time, in nanoseconds since the epoch: RFC 3339 as Go prints it, and what --since and --until accept. */
import * as Result from "effect/Result"
import { parseDuration } from "./GoDuration.ts"
import { refuse, type TextError } from "./TextError.ts"

const operation = "parse timestamp"
const cure = "write RFC 3339 such as 2024-01-02T15:04:05Z, seconds since the epoch, or how long ago, such as 10m"

const second = 1_000_000_000n
const millisecond = 1_000_000n

/**
 * moby api/types/time/timestamp.go: date, hour, minute, second, fraction and zone may each be left
 * out from the right.
 */
const form =
  /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2})(?::(\d{2})(?::(\d{2})(?:[.,](\d+))?)?)?)?(Z|[+-]\d{2}:\d{2})?$/

const zoneMinutes = (zone: string): number => {
  if (zone === "Z") return 0
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6))
  return zone.startsWith("-") ? -minutes : minutes
}

/** Digits after the point → nanoseconds; digits past the ninth are dropped. */
const fractionNanoseconds = (digits: string): bigint => BigInt(digits.slice(0, 9).padEnd(9, "0"))

/**
 * The nanoseconds of an RFC 3339 time or a beginning of one, or undefined.
 * `localZoneMinutes` (east of UTC) is the zone of a text that names none.
 */
export const readTimestamp = (text: string, localZoneMinutes = 0): bigint | undefined => {
  const found = form.exec(text)
  if (found === null) return undefined
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, seconds = 0] =
    found.slice(1, 7).map((digits) => Number(digits ?? 0))
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  if (date.getUTCMonth() !== month - 1 || day === 0 || hour > 23 || minute > 59 || seconds > 59) return undefined
  date.setUTCHours(hour, minute, seconds)
  const zone = found[8] === undefined ? localZoneMinutes : zoneMinutes(found[8])
  return BigInt(date.getTime() - zone * 60_000) * millisecond + fractionNanoseconds(found[7] ?? "")
}

/** Seconds since the epoch, with an optional fraction. */
const readEpochSeconds = (text: string): bigint | undefined => {
  const found = /^(-?)(\d{1,18})(?:\.(\d{1,100}))?$/.exec(text)
  if (found === null) return undefined
  const magnitude = BigInt(found[2] ?? "0") * second + fractionNanoseconds(found[3] ?? "")
  return found[1] === "-" ? -magnitude : magnitude
}

/**
 * A value of --since or --until: a duration before `now` (`10m`), RFC 3339 or a beginning of it, or seconds
 * since the epoch (`1700000000.5`; a bare `0` is the epoch). Nanoseconds since the epoch.
 */
export const parseTimestamp = (
  text: string,
  reference: { readonly now: bigint; readonly localZoneMinutes?: number }
): Result.Result<bigint, TextError> => {
  if (text.length > 200) return refuse(operation, text, "failed to parse value as time or duration", cure)
  const duration = text === "0" ? undefined : parseDuration(text)
  if (duration !== undefined && Result.isSuccess(duration)) return Result.succeed(reference.now - duration.success)
  const found = readTimestamp(text, reference.localZoneMinutes) ?? readEpochSeconds(text)
  if (found !== undefined) return Result.succeed(found)
  const quoted = JSON.stringify(text)
  return refuse(operation, text, text.includes("-")
    ? `parsing time ${quoted}: not an RFC 3339 time, or out of range`
    : `failed to parse value as time or duration: ${quoted}`, cure)
}

interface Moment {
  /** `2006-01-02T15:04:05` on the clocks of the zone. */
  readonly clock: string
  /** Nine digits. */
  readonly fraction: string
}

const momentOf = (nanoseconds: bigint, zone: number): Moment => {
  const fraction = ((nanoseconds % second) + second) % second
  const milliseconds = Number((nanoseconds - fraction) / millisecond) + zone * 60_000
  return { clock: new Date(milliseconds).toISOString().slice(0, 19), fraction: fraction.toString().padStart(9, "0") }
}

const zoneText = (zone: number, colon: string): string => {
  const minutes = Math.abs(zone)
  const digits = (count: number) => Math.trunc(count).toString().padStart(2, "0")
  return `${zone < 0 ? "-" : "+"}${digits(minutes / 60)}${colon}${digits(minutes % 60)}`
}

const rfcZone = (zone: number): string => zone === 0 ? "Z" : zoneText(zone, ":")

/** Go's RFC3339Nano, as in inspect and the log files: trailing zeros of the fraction are left out. Years 0 to 9999. */
export const formatTimestamp = (nanoseconds: bigint, zoneMinutes = 0): string => {
  const { clock, fraction } = momentOf(nanoseconds, zoneMinutes)
  const digits = fraction.replace(/0+$/, "")
  return `${clock}${digits === "" ? "" : `.${digits}`}${rfcZone(zoneMinutes)}`
}

/** Always nine digits of fraction, so that lines align: `logs --timestamps` (moby, log.RFC3339NanoFixed). */
export const formatLogTimestamp = (nanoseconds: bigint, zoneMinutes = 0): string => {
  const { clock, fraction } = momentOf(nanoseconds, zoneMinutes)
  return `${clock}.${fraction}${rfcZone(zoneMinutes)}`
}

/** `2006-01-02 15:04:05 -0700 MST`, the CreatedAt of `ps`. */
export const formatCreatedAt = (nanoseconds: bigint, zoneMinutes = 0, zoneName = "UTC"): string =>
  `${momentOf(nanoseconds, zoneMinutes).clock.replace("T", " ")} ${zoneText(zoneMinutes, "")} ${zoneName}`
