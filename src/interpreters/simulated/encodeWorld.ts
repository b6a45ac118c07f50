/**
 * Worlds as JSON text and back, so that a simulated host can stay in a file between two commands.
 */
import type { Event } from "./behaviours/Behaviour.ts"
import { EventLog } from "./behaviours/makeBehaviour.ts"
import { Table } from "./Table.ts"
import type { World } from "./World.ts"

/** Changed with the shape of the world. */
const format = "fx-world 1"

/** What JSON has no form for, under a key that nothing else uses. */
const encodeValue = (_key: string, value: unknown): unknown => {
  if (value instanceof Table) return { "#table": value.entries() }
  if (value instanceof EventLog) return { "#events": value.toArray() }
  if (value instanceof Map) return { "#map": [...value] }
  if (value instanceof Uint8Array) return { "#bytes": Buffer.from(value).toString("base64") }
  // JSON writes null for it; only open ends of times and sizes have it
  if (value === Number.POSITIVE_INFINITY) return { "#infinity": true }
  return value
}

const decodeValue = (_key: string, value: unknown): unknown => {
  if (typeof value !== "object" || value === null) return value
  if ("#table" in value) return Table.from(value["#table"] as Iterable<readonly [number, unknown]>)
  if ("#events" in value) return new EventLog(value["#events"] as Array<Event>)
  if ("#map" in value) return new Map(value["#map"] as Iterable<readonly [unknown, unknown]>)
  if ("#bytes" in value) return new Uint8Array(Buffer.from(value["#bytes"] as string, "base64"))
  if ("#infinity" in value) return Number.POSITIVE_INFINITY
  return value
}

/** Buffers convert themselves before a replacer sees them: they are looked for beforehand. */
const replacer = function(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const original = this[key]
  return encodeValue(key, original instanceof Uint8Array ? original : value)
}

export const encodeWorld = (world: World): string => JSON.stringify({ format, world }, replacer)

/** Throws an error that says what to do for a text that is no world of this version. */
export const decodeWorld = (text: string): World => {
  const decoded = JSON.parse(text, decodeValue) as {
    readonly format?: unknown
    readonly world?: World
  }
  if (decoded.format !== format || decoded.world === undefined) {
    throw new Error(
      `not a simulated world of this version (${String(decoded.format)} instead of ${format}): ` +
        "remove the file to begin a new one"
    )
  }
  return decoded.world
}
