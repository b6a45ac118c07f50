/**
 * One operation as it was performed: what was asked, what came of it, and when. A trace is a file
 * of such entries, one JSON object a line, in the order in which the operations began.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { KernelError } from "../../domain/kernel/KernelError.ts"
import { type KernelOp, KernelOps, type KernelTag } from "../../domain/kernel/KernelOp.ts"

export type TraceOutcome =
  | { readonly _tag: "Success"; readonly value: unknown }
  | { readonly _tag: "Failure"; readonly error: KernelError }
  /** It was interrupted, or its engine died. */
  | { readonly _tag: "Interrupted" }

export interface TraceEntry {
  /** Place in the order of beginning, from 0. */
  readonly index: number
  readonly op: KernelOp
  readonly outcome: TraceOutcome
  /** Nanoseconds since the trace began. */
  readonly startedNs: number
  readonly durationNs: number
  /** Of an archive that passed, where which they were is left out: they are in the user's files. */
  readonly bytes?: number
}

interface Codec {
  readonly encode: (value: unknown) => unknown
  readonly decode: (value: unknown) => Result.Result<unknown, Schema.SchemaError>
}

const codecs = new Map<unknown, Codec>()

/** The JSON codec of a payload or success schema. */
const codecOf = (schema: Schema.Top): Codec => {
  const known = codecs.get(schema)
  if (known !== undefined) return known
  const json = Schema.toCodecJson(schema as Schema.Codec<unknown, unknown>)
  const made: Codec = {
    encode: Schema.encodeUnknownSync(json),
    decode: Schema.decodeUnknownResult(json)
  }
  codecs.set(schema, made)
  return made
}

const payloadCodec = (tag: KernelTag): Codec => codecOf(KernelOps[tag].payload)
const successCodec = (tag: KernelTag): Codec => codecOf(KernelOps[tag].success)

const ErrorFields = Schema.toCodecJson(KernelError)
const encodeError = Schema.encodeUnknownSync(ErrorFields)
const decodeError = Schema.decodeUnknownResult(ErrorFields)

/** A line of a trace, without the newline. */
export const encodeTraceEntry = (
  { bytes, index, op, outcome, startedNs, durationNs }: TraceEntry
): string =>
  JSON.stringify({
    index,
    tag: op.tag,
    payload: payloadCodec(op.tag).encode(op.payload),
    ...(outcome._tag === "Success"
      ? { result: successCodec(op.tag).encode(outcome.value) ?? null }
      : {}),
    ...(outcome._tag === "Failure" ? { error: encodeError(outcome.error) } : {}),
    startedNs,
    durationNs,
    ...(bytes === undefined ? {} : { bytes })
  })

/** Why a text is no trace, and in which line. */
export class TraceError extends Schema.TaggedError<TraceError>()("TraceError", {
  line: Schema.Int,
  reason: Schema.String
}) {
  override get message(): string {
    return `trace: line ${this.line}: ${this.reason}: record it again with this version`
  }
}

const Line = Schema.Struct({
  index: Schema.Int,
  tag: Schema.String,
  payload: Schema.Unknown,
  result: Schema.optionalKey(Schema.Unknown),
  error: Schema.optionalKey(Schema.Unknown),
  startedNs: Schema.Number,
  durationNs: Schema.Number,
  bytes: Schema.optionalKey(Schema.Int)
})

const decodeLine = Schema.decodeUnknownResult(Schema.fromJsonString(Line))

const decodeOutcome = (
  tag: KernelTag,
  line: typeof Line.Type
): Result.Result<TraceOutcome, Schema.SchemaError> => {
  if ("error" in line) {
    return Result.map(decodeError(line.error), (error) => ({ _tag: "Failure", error }) as const)
  }
  if ("result" in line) {
    return Result.map(
      successCodec(tag).decode(line.result),
      (value) => ({ _tag: "Success", value }) as const
    )
  }
  return Result.succeed({ _tag: "Interrupted" })
}

const refuse = (line: number, reason: string) => Result.fail(new TraceError({ line, reason }))

/** `line`: its number in the file, from 1, for the error. */
export const decodeTraceEntry = (
  text: string,
  line: number
): Result.Result<TraceEntry, TraceError> => {
  const fields = decodeLine(text)
  if (Result.isFailure(fields)) return refuse(line, "not an entry of a trace")
  const { bytes, index, tag, startedNs, durationNs } = fields.success
  if (!Object.hasOwn(KernelOps, tag)) return refuse(line, `no operation is called ${tag}`)
  const payload = payloadCodec(tag as KernelTag).decode(fields.success.payload)
  if (Result.isFailure(payload)) return refuse(line, `the payload is none of ${tag}`)
  const outcome = decodeOutcome(tag as KernelTag, fields.success)
  if (Result.isFailure(outcome)) return refuse(line, `the result is none of ${tag}`)
  const op = { tag, payload: payload.success } as KernelOp
  return Result.succeed({
    index, op, outcome: outcome.success, startedNs, durationNs, ...(bytes === undefined ? {} : { bytes })
  })
}

/** A whole trace; empty lines are passed over, the first bad line ends it. */
export const decodeTrace = (text: string): Result.Result<ReadonlyArray<TraceEntry>, TraceError> => {
  const entries: Array<TraceEntry> = []
  for (const [at, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue
    const entry = decodeTraceEntry(line, at + 1)
    if (Result.isFailure(entry)) return Result.fail(entry.failure)
    entries.push(entry.success)
  }
  return Result.succeed(entries)
}
