/**
 * Encodes what a supervisor is told: magic, layout, total length, the fields of the specification,
 * then the program as u32 count and, per operation, u32 opcode, u32 length of its fields, the fields.
 * The layout is in `wireTable.ts`; the reader is `native/init`.
 */
import type { InitOp } from "./InitOp.ts"
import type { SupervisorSpec } from "./Supervisor.ts"
import {
  type Field, type FieldValues, opTable, type Row, startFields, wireLayout, wireMagic
} from "./wireTable.ts"

const encoder = new TextEncoder()

/** Below this many characters a loop in JavaScript is quicker than the call into TextEncoder. */
const shortText = 48

class Writer {
  bytes = new Uint8Array(16_384)
  at = 0

  /** Makes room for `more` bytes after `at`. */
  private reserve(more: number): void {
    if (this.at + more <= this.bytes.length) return
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.at + more))
    larger.set(this.bytes.subarray(0, this.at))
    this.bytes = larger
  }

  u32(value: number): void {
    this.reserve(4)
    this.patch(this.at, value)
    this.at += 4
  }

  patch(at: number, value: number): void {
    const bytes = this.bytes
    bytes[at] = value
    bytes[at + 1] = value >>> 8
    bytes[at + 2] = value >>> 16
    bytes[at + 3] = value >>> 24
  }

  /** Two's complement, exact for every safe integer. */
  u64(value: number): void {
    this.u32(value >>> 0)
    this.u32(Math.floor(value / 2 ** 32) >>> 0)
  }

  bits(numbers: ReadonlyArray<number>): void {
    let low = 0
    let high = 0
    for (const number of numbers) {
      if (number < 32) low |= 1 << number
      else high |= 1 << number - 32
    }
    this.u32(low)
    this.u32(high)
  }

  /** Ends a text or bytes: a NUL at least, then up to the next multiple of 4. */
  private seal(start: number, end: number): void {
    this.patch(start - 4, end - start)
    const next = end + 4 & ~3
    this.bytes.fill(0, end, next)
    this.at = next
  }

  text(value: string): void {
    if (value.includes("\0")) {
      throw new RangeError(
        `encodeSpec: ${JSON.stringify(value)} holds a NUL, which no path or argument can carry`
      )
    }
    this.reserve(8 + value.length * 3)
    const start = this.at + 4
    if (value.length <= shortText) {
      const bytes = this.bytes
      let index = 0
      for (; index < value.length; index++) {
        const code = value.charCodeAt(index)
        if (code > 0x7f) break
        bytes[start + index] = code
      }
      if (index === value.length) return this.seal(start, start + index)
    }
    const { written } = encoder.encodeInto(value, this.bytes.subarray(start))
    this.seal(start, start + written)
  }

  binary(value: Uint8Array): void {
    this.reserve(8 + value.length)
    const start = this.at + 4
    this.bytes.set(value, start)
    this.seal(start, start + value.length)
  }

  texts(values: ReadonlyArray<string>): void {
    this.u32(values.length)
    for (const value of values) this.text(value)
  }

  words(values: ReadonlyArray<number>): void {
    this.u32(values.length)
    for (const value of values) this.u32(value)
  }

  options(values: FieldValues["options"]): void {
    this.u32(values.length)
    for (const { key, value } of values) {
      this.text(key)
      this.u32(value === undefined ? 0 : 1)
      if (value !== undefined) this.text(value)
    }
  }

  fields<A>(fields: ReadonlyArray<Field<A>>, from: A): void {
    for (const [, kind, value] of fields) {
      switch (kind) {
        case "u32":
          this.u32(value(from))
          break
        case "u64":
          this.u64(value(from))
          break
        case "bits":
          this.bits(value(from))
          break
        case "text":
          this.text(value(from))
          break
        case "bytes":
          this.binary(value(from))
          break
        case "texts":
          this.texts(value(from))
          break
        case "words":
          this.words(value(from))
          break
        case "options":
          this.options(value(from))
      }
    }
  }

  op(op: InitOp): void {
    const { fields, opcode } = opTable[op._tag] as Row<InitOp>
    this.u32(opcode)
    this.u32(0)
    const start = this.at
    this.fields(fields, op)
    this.patch(start - 4, this.at - start)
  }
}

/** Kept between calls so that a start allocates only its result. */
const writer = new Writer()

/**
 * The bytes for fd 3 of `fx-init`. `attach`: attachFlags of the client on fd 4. A text with a NUL
 * inside is a defect: no kernel interface could take it.
 */
export const encodeSpec = (spec: SupervisorSpec, attach: number): Uint8Array<ArrayBuffer> => {
  writer.at = 0
  writer.u32(wireMagic)
  writer.u32(wireLayout)
  writer.u32(0)
  writer.fields(startFields, { spec, attach })
  writer.u32(spec.program.length)
  for (const op of spec.program) writer.op(op)
  writer.patch(8, writer.at)
  return writer.bytes.slice(0, writer.at)
}
