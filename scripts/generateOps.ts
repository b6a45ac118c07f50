/**
 * Writes `native/ops.h` from the wire table: opcodes, a structure per operation and a reader for
 * each, so that the C side cannot differ from the encoder. Run: `node scripts/generateOps.ts`.
 */
import { writeFileSync } from "node:fs"
import { attachFlags, framePayloadLimit, FrameType } from "../src/domain/kernel/Supervisor.ts"
import {
  type FieldKind,
  opTable,
  startFields,
  stdinCodes,
  wireLayout,
  wireMagic
} from "../src/domain/kernel/wireTable.ts"

type Named = ReadonlyArray<
  readonly [name: string, kind: FieldKind, ...rest: ReadonlyArray<unknown>]
>

const snake = (name: string): string =>
  name.replace(/[A-Z]/g, (letter, at) => (at ? "_" : "") + letter.toLowerCase())

const constant = (prefix: string, name: string): string =>
  `FX_${prefix}_${snake(name).toUpperCase()}`

const types: { readonly [K in FieldKind]: string } = {
  u32: "uint32_t ",
  u64: "uint64_t ",
  bits: "uint64_t ",
  text: "struct fx_text ",
  bytes: "struct fx_bytes ",
  texts: "struct fx_list ",
  words: "struct fx_list ",
  options: "struct fx_list "
}

const readers: { readonly [K in FieldKind]: string } = {
  u32: "fx_read_u32",
  u64: "fx_read_u64",
  bits: "fx_read_u64",
  text: "fx_read_text",
  bytes: "fx_read_bytes",
  texts: "fx_read_texts",
  words: "fx_read_words",
  options: "fx_read_options"
}

const enumeration = (
  name: string,
  prefix: string,
  values: Readonly<Record<string, number>>
): string =>
  `enum ${name} {\n${Object.entries(values)
    .map(([key, value]) => `    ${constant(prefix, key)} = ${value},\n`)
    .join("")}};\n`

const structure = (name: string, fields: Named): string =>
  fields.length === 0
    ? ""
    : `struct ${name} {\n${fields.map(([field, kind]) => `    ${types[kind]}${snake(field)};\n`).join("")}};\n`

const reader = (name: string, fields: Named): string =>
  fields.length === 0
    ? ""
    : `static inline bool read_${name}(struct fx_reader *reader, struct ${name} *into)\n{\n    return ${fields
        .map(([field, kind]) => `${readers[kind]}(reader, &into->${snake(field)})`)
        .join("\n        && ")};\n}\n`

/** A macro that applies its argument to (OPCODE, name) of each: a switch cannot miss one. */
const each = (macro: string, names: ReadonlyArray<string>): string =>
  `#define ${macro}(X)${names
    .map((name) => ` \\\n    X(FX_OP_${name.slice(3).toUpperCase()}, ${name.slice(3)})`)
    .join("")}\n`

/** The whole text of `native/ops.h`. */
export const renderOpsHeader = (): string => {
  const opcodes = Object.fromEntries(
    Object.entries(opTable).map(([tag, { opcode }]) => [tag, opcode])
  )
  const rows = Object.entries(opTable).map(
    ([tag, { fields }]) => [`fx_${snake(tag)}`, fields as Named] as const
  )
  return [
    `/*
 * Made by scripts/generateOps.ts from src/domain/kernel/wireTable.ts: change that and run it again.
 *
 * Structures point into the bytes they were read from. A reader returns false when the bytes end early
 * or are not of the given kind; the structure is then undefined.
 */
#ifndef FX_OPS_H
#define FX_OPS_H

#include "init/wire.h"
`,
    `#define FX_WIRE_MAGIC 0x${wireMagic.toString(16)}u\n#define FX_WIRE_LAYOUT 0x${wireLayout.toString(16)}u`,
    `#define FX_FRAME_PAYLOAD_LIMIT ${framePayloadLimit}u\n`,
    enumeration("fx_frame", "FRAME", FrameType),
    enumeration("fx_attach", "ATTACH", attachFlags),
    enumeration("fx_stdin", "STDIN", stdinCodes),
    enumeration("fx_opcode", "OP", opcodes),
    structure("fx_start", startFields),
    reader("fx_start", startFields),
    each(
      "FX_EACH_OP",
      rows.filter(([, fields]) => fields.length > 0).map(([name]) => name)
    ),
    each(
      "FX_EACH_EMPTY_OP",
      rows.filter(([, fields]) => fields.length === 0).map(([name]) => name)
    ),
    ...rows
      .flatMap(([name, fields]) => [structure(name, fields), reader(name, fields)])
      .filter((text) => text !== ""),
    "#endif\n"
  ].join("\n")
}

if (import.meta.main) writeFileSync(new URL("../native/ops.h", import.meta.url), renderOpsHeader())
