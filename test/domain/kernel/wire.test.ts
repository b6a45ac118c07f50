import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { describe } from "vitest"
import { renderOpsHeader } from "../../../scripts/generateOps.ts"
import type { InitOp, InitTag } from "../../../src/domain/kernel/InitOp.ts"
import { SupervisorSpec } from "../../../src/domain/kernel/Supervisor.ts"
import { encodeSpec } from "../../../src/domain/kernel/wire.ts"
import {
  type Field,
  type FieldKind,
  opTable,
  type Row,
  startFields,
  wireLayout,
  wireMagic
} from "../../../src/domain/kernel/wireTable.ts"

/** Reads the encoding as the C side does, from its description alone. */
class Reader {
  at = 0
  readonly bytes: Uint8Array
  readonly view: DataView
  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  u32(): number {
    this.at += 4
    return this.view.getUint32(this.at - 4, true)
  }

  u64(): bigint {
    this.at += 8
    return this.view.getBigUint64(this.at - 8, true)
  }

  raw(): Uint8Array {
    const length = this.u32()
    const start = this.at
    this.at = start + ((length + 4) & ~3)
    expect(this.bytes.subarray(start + length, this.at).every((byte) => byte === 0)).toBe(true)
    return this.bytes.slice(start, start + length)
  }

  text(): string {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(this.raw())
  }

  list<A>(item: () => A): Array<A> {
    return Array.from({ length: this.u32() }, item)
  }

  read(kind: FieldKind): unknown {
    switch (kind) {
      case "u32":
        return this.u32()
      case "u64":
      case "bits":
        return this.u64()
      case "text":
        return this.text()
      case "bytes":
        return this.raw()
      case "texts":
        return this.list(() => this.text())
      case "words":
        return this.list(() => this.u32())
      case "options":
        return this.list(() => {
          const key = this.text()
          return this.u32() === 1 ? { key, value: this.text() } : { key }
        })
    }
  }
}

/** What a reader must give for a value: numbers in two's complement, sets as bits, lone surrogates replaced. */
const expected = (kind: FieldKind, value: unknown): unknown => {
  switch (kind) {
    case "u64":
      return BigInt.asUintN(64, BigInt(value as number))
    case "bits":
      return (value as ReadonlyArray<number>).reduce((all, bit) => all | (1n << BigInt(bit)), 0n)
    case "text":
      return (value as string).toWellFormed()
    case "texts":
      return (value as ReadonlyArray<string>).map((text) => text.toWellFormed())
    case "options":
      return (value as ReadonlyArray<{ key: string; value?: string }>).map(({ key, value }) =>
        value === undefined
          ? { key: key.toWellFormed() }
          : { key: key.toWellFormed(), value: value.toWellFormed() }
      )
    default:
      return value
  }
}

const expectFields = <A>(reader: Reader, fields: ReadonlyArray<Field<A>>, from: A): void => {
  for (const [name, kind, value] of fields) {
    expect([name, reader.read(kind)]).toEqual([name, expected(kind, value(from))])
  }
}

const tagOf = new Map(Object.entries(opTable).map(([tag, { opcode }]) => [opcode, tag as InitTag]))

const expectRoundTrip = (spec: SupervisorSpec, attach: number): void => {
  const reader = new Reader(encodeSpec(spec, attach))
  expect([reader.u32(), reader.u32(), reader.u32()]).toEqual([
    wireMagic,
    wireLayout,
    reader.bytes.length
  ])
  expectFields(reader, startFields, { spec, attach })
  expect(reader.u32()).toBe(spec.program.length)
  for (const op of spec.program) {
    expect(tagOf.get(reader.u32())).toBe(op._tag)
    const end = reader.u32() + reader.at
    expectFields(reader, (opTable[op._tag] as Row<InitOp>).fields, op)
    expect(reader.at).toBe(end)
  }
  expect(reader.at).toBe(reader.bytes.length)
}

/** No kernel interface takes a NUL, and the encoder refuses it: the other properties are about other texts. */
const withoutNul = <A>(value: A): A =>
  (typeof value === "string"
    ? value.replaceAll("\0", "")
    : value instanceof Uint8Array || typeof value !== "object" || value === null
      ? value
      : Array.isArray(value)
        ? value.map(withoutNul)
        : Object.fromEntries(
            Object.entries(value).map(([key, part]) => [key, withoutNul(part)])
          )) as A

const spec: SupervisorSpec = {
  id: "c",
  directory: "/run/c",
  stdio: { terminal: false, rows: 0, columns: 0, stdin: "null" },
  namespaces: [],
  cgroup: "",
  uidMap: [],
  gidMap: [],
  program: [],
  killFiles: [],
  killProcs: [],
  removeDirectories: [],
  oomFile: "",
  onExit: []
}

const fieldsOf = (op: InitOp): Record<string, unknown> =>
  Object.fromEntries(
    (opTable[op._tag] as Row<InitOp>).fields.map(([name, , value]) => [name, value(op)])
  )

describe("the wire", () => {
  it.effect.prop(
    "gives back every specification and program",
    { spec: SupervisorSpec },
    ({ spec }) => Effect.sync(() => expectRoundTrip(withoutNul(spec), 7)),
    { arbitrary: { runs: 300 } }
  )

  it("grows with the program", () => {
    const env = Array.from(
      { length: 20_000 },
      (_, index) => `NAME_${index}=${"é".repeat(index % 60)}`
    )
    expectRoundTrip({ ...spec, program: [{ _tag: "Exec", argv: ["x"], env, reaper: true }] }, 0)
  })

  it("refuses a text with a NUL and names it", () => {
    expect(() => encodeSpec({ ...spec, cgroup: "/a\0b" }, 0)).toThrow(/"\/a\\u0000b" holds a NUL/)
  })

  it("does not keep the bytes of an earlier encoding", () => {
    const first = encodeSpec({ ...spec, id: "first" }, 0)
    const copy = first.slice()
    encodeSpec({ ...spec, id: "other" }, 0)
    expect(first).toEqual(copy)
  })

  it("writes the kernel's numbers", () => {
    expect(fieldsOf({ _tag: "NamespaceUnshare", kinds: ["cgroup", "net"] })).toEqual({
      kinds: 0x42000000
    })
    expect(
      fieldsOf({ _tag: "MountPropagation", path: "/", propagation: "rprivate" })
    ).toMatchObject({ propagation: 0x44000 })
    expect(
      fieldsOf({
        _tag: "MountAttributes",
        path: "/",
        attributes: ["ro", "relatime", "recursive"],
        propagation: "slave"
      })
    ).toEqual({
      path: "/",
      attributesSet: 1,
      attributesClear: 0x70,
      attributesRecursive: 1,
      propagation: 0x80000
    })
    expect(fieldsOf({ _tag: "Rlimit", resource: "nofile", soft: 5, hard: "unlimited" })).toEqual({
      resource: 7,
      soft: 5,
      hard: -1
    })
    expect(
      fieldsOf({ _tag: "Seccomp", filter: new Uint8Array(), flags: ["log", "specAllow", "tsync"] })
    ).toMatchObject({ flags: 7 })
    expect(fieldsOf({ _tag: "TimeNamespace", boottime: { seconds: -3, nanoseconds: 4 } })).toEqual({
      offsets: "boottime -3 4\n"
    })
    expect(
      fieldsOf({
        _tag: "NodeMake",
        path: "/x",
        type: "b",
        mode: 0o600,
        major: 1,
        minor: 2,
        uid: 3,
        gid: 4
      })
    ).toMatchObject({ type: 0o060000 })
  })

  it("writes id maps as the kernel reads them, with the id that root has outside", () => {
    const uidMap = [
      { inside: 5, outside: 1, count: 5 },
      { inside: 0, outside: 100_000, count: 65_536 }
    ]
    const values = Object.fromEntries(
      startFields.map(([name, , value]) => [name, value({ spec: { ...spec, uidMap }, attach: 0 })])
    )
    expect(values).toMatchObject({
      uidMap: "5 1 5\n0 100000 65536\n",
      outsideUid: 100_000,
      outsideGid: 0
    })
  })

  it("numbers every operation once", () => {
    expect(tagOf.size).toBe(Object.keys(opTable).length)
  })

  it("is what native/ops.h was made from", () => {
    expect(readFileSync(new URL("../../../native/ops.h", import.meta.url), "utf8")).toBe(
      renderOpsHeader()
    )
  })
})
