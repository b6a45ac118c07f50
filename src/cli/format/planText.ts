/** The operations of a plan, to be read by people or by programs. */
import * as Schema from "effect/Schema"
import type { InitOp } from "../../domain/kernel/InitOp.ts"
import { type KernelOp, KernelOps } from "../../domain/kernel/KernelOp.ts"

/** Longer values are cut: a plan shows what is done, not the bytes of it. */
const longest = 160

const plain = /^[\w./:@%+,=*~^-]+$/

const cut = (text: string): string => text.length > longest ? `${text.slice(0, longest)}…` : text

const valueText = (value: unknown): string => {
  if (typeof value === "string") return value !== "" && plain.test(value) ? cut(value) : JSON.stringify(cut(value))
  if (value instanceof Uint8Array) return `${value.length} bytes`
  return cut(JSON.stringify(value) ?? "")
}

/** File modes are read in octal. */
const fieldText = (name: string, value: unknown): string =>
  `${name}=${name === "mode" && typeof value === "number" ? `0${value.toString(8)}` : valueText(value)}`

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === "" || value === false || (Array.isArray(value) && value.length === 0)

const fieldsText = (fields: object): string =>
  Object.entries(fields).filter(([, value]) => !isEmpty(value)).map(([name, value]) => fieldText(name, value)).join(" ")

const initText = ({ _tag, ...fields }: InitOp): string => `${_tag.padEnd(20)} ${fieldsText(fields)}`.trimEnd()

/** Inside the container, in order. */
const programLines = (program: ReadonlyArray<InitOp>): ReadonlyArray<string> =>
  program.map((op, index) => `        ${String(index + 1).padStart(3)}  ${initText(op)}`)

const opLines = (op: KernelOp, index: number): ReadonlyArray<string> => {
  const head = `${String(index + 1).padStart(4)}  ${op.tag.padEnd(16)} `
  if (op.tag !== "SupervisorStart") return [`${head}${fieldsText(op.payload)}`.trimEnd()]
  const { program, ...spec } = op.payload.spec
  return [`${head}${fieldsText(spec)}`, ...programLines(program)]
}

/** A line an operation, and a line for each operation inside the container. */
export const planText = (operations: ReadonlyArray<KernelOp>): string =>
  operations.length === 0
    ? "nothing to do\n"
    : operations.flatMap(opLines).map((line) => `${line}\n`).join("")

/** A JSON object a line: `tag` and `payload`, as a trace has them. */
export const planJson = (operations: ReadonlyArray<KernelOp>): string =>
  operations.map(({ payload, tag }) => {
    const codec = Schema.toCodecJson(KernelOps[tag].payload as Schema.Codec<unknown, unknown>)
    return `${JSON.stringify({ tag, payload: Schema.encodeUnknownSync(codec)(payload) })}\n`
  }).join("")
