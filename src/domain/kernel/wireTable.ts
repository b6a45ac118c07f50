/**
 * What goes over the wire to `native/init`: for the head of a specification and for each InitOp the
 * fields in order, each with its kind and how it is taken from the value. The encoder walks this
 * table, and `scripts/generateOps.ts` writes the C structures and readers from it, so that the two
 * agree.
 */
import type { InitOp, InitTag, MountAttribute } from "./InitOp.ts"
import {
  combine, mountAttributeAtimeMask, mountAttributeFlags, namespaceFlags, nodeTypes,
  propagationFlags, rlimitNumbers, seccompFlags
} from "./kernelNumbers.ts"
import type { IdMap, SupervisorSpec } from "./Supervisor.ts"

/**
 * Kinds of fields, all little endian and padded to 4 bytes. `bits`: a 64-bit set given as bit
 * numbers. `text`: u32 length, bytes, NUL. `bytes`: the same, any content. `texts`, `words` and
 * `options`: u32 count, then the items; an option is a text, u32 1 or 0 and, after 1, a text.
 */
export interface FieldValues {
  readonly u32: number
  readonly u64: number
  readonly bits: ReadonlyArray<number>
  readonly text: string
  readonly bytes: Uint8Array
  readonly texts: ReadonlyArray<string>
  readonly words: ReadonlyArray<number>
  readonly options: ReadonlyArray<{ readonly key: string; readonly value?: string }>
}
export type FieldKind = keyof FieldValues

export type Field<A> = {
  readonly [K in FieldKind]: readonly [name: string, kind: K, value: (from: A) => FieldValues[K]]
}[FieldKind]

export interface Row<A> {
  readonly opcode: number
  readonly fields: ReadonlyArray<Field<A>>
}

const flag = (value: boolean): number => value ? 1 : 0

/** RLIM_INFINITY is all ones, which is −1 in two's complement. */
const limit = (value: number | "unlimited"): number => value === "unlimited" ? -1 : value

const isAccessTime = (name: MountAttribute): boolean =>
  name === "noatime" || name === "relatime" || name === "strictatime"

const attributes: ReadonlyArray<Field<{ readonly attributes: ReadonlyArray<MountAttribute> }>> = [
  ["attributesSet", "u32", (op) => combine(mountAttributeFlags, op.attributes)],
  [
    "attributesClear", "u32",
    (op) => op.attributes.some(isAccessTime) ? mountAttributeAtimeMask : 0
  ],
  ["attributesRecursive", "u32", (op) => flag(op.attributes.includes("recursive"))]
]

type Offset = { readonly seconds: number; readonly nanoseconds: number } | undefined

/** A line of /proc/PID/timens_offsets: time_namespaces(7). */
const offsetLine = (clock: string, offset: Offset): string =>
  offset === undefined ? "" : `${clock} ${offset.seconds} ${offset.nanoseconds}\n`

/** The text for /proc/PID/uid_map: user_namespaces(7). */
const mapText = (map: ReadonlyArray<IdMap>): string =>
  map.map(({ inside, outside, count }) => `${inside} ${outside} ${count}\n`).join("")

/** The id outside that is `0` inside, or 0 when none is. */
const outsideRoot = (map: ReadonlyArray<IdMap>): number =>
  map.find(({ inside, count }) => inside === 0 && count > 0)?.outside ?? 0

/** Codes of `Stdio.stdin`. */
export const stdinCodes = { null: 0, open: 1, once: 2 } as const

/** A specification together with the attachFlags of the client on fd 4. */
export interface Start {
  readonly spec: SupervisorSpec
  readonly attach: number
}

const pidNamespaceProcess = ({ spec: { pidNamespace } }: Start) =>
  typeof pidNamespace === "object" ? pidNamespace : undefined

export const startFields: ReadonlyArray<Field<Start>> = [
  ["attach", "u32", ({ attach }) => attach],
  ["id", "text", ({ spec }) => spec.id],
  ["directory", "text", ({ spec }) => spec.directory],
  ["exitFile", "text", ({ spec }) => spec.exitFile ?? ""],
  ["logPath", "text", ({ spec }) => spec.log?.path ?? ""],
  ["logMaxSize", "u64", ({ spec }) => spec.log?.maxSize ?? 0],
  ["logMaxFiles", "u32", ({ spec }) => spec.log?.maxFiles ?? 1],
  ["terminal", "u32", ({ spec }) => flag(spec.stdio.terminal)],
  ["rows", "u32", ({ spec }) => spec.stdio.rows],
  ["columns", "u32", ({ spec }) => spec.stdio.columns],
  ["stdin", "u32", ({ spec }) => stdinCodes[spec.stdio.stdin]],
  ["namespaces", "u32", ({ spec }) => combine(namespaceFlags, spec.namespaces)],
  [
    "pidNamespacePath", "text",
    ({ spec }) => typeof spec.pidNamespace === "string" ? spec.pidNamespace : ""
  ],
  ["pidNamespacePid", "u32", (start) => pidNamespaceProcess(start)?.pid ?? 0],
  ["pidNamespaceStartTime", "u64", (start) => pidNamespaceProcess(start)?.startTime ?? 0],
  ["cgroup", "text", ({ spec }) => spec.cgroup],
  ["uidMap", "text", ({ spec }) => mapText(spec.uidMap)],
  ["gidMap", "text", ({ spec }) => mapText(spec.gidMap)],
  ["outsideUid", "u32", ({ spec }) => outsideRoot(spec.uidMap)],
  ["outsideGid", "u32", ({ spec }) => outsideRoot(spec.gidMap)],
  ["killFiles", "texts", ({ spec }) => spec.killFiles],
  ["killProcs", "texts", ({ spec }) => spec.killProcs],
  ["removeDirectories", "texts", ({ spec }) => spec.removeDirectories],
  ["oomFile", "text", ({ spec }) => spec.oomFile],
  ["onExit", "texts", ({ spec }) => spec.onExit]
]

type Of<T extends InitTag> = Extract<InitOp, { readonly _tag: T }>

/** Opcodes are never given to another operation, only added. */
export const opTable: { readonly [T in InitTag]: Row<Of<T>> } = {
  CgroupAttach: { opcode: 1, fields: [["files", "texts", (op) => op.files]] },
  NamespaceUnshare: {
    opcode: 2,
    fields: [["kinds", "u32", (op) => combine(namespaceFlags, op.kinds)]]
  },
  NamespaceJoin: {
    opcode: 3,
    fields: [["kind", "u32", (op) => namespaceFlags[op.kind]], ["path", "text", (op) => op.path]]
  },
  NamespaceEnter: {
    opcode: 4,
    fields: [
      ["pid", "u32", (op) => op.process.pid],
      ["startTime", "u64", (op) => op.process.startTime],
      ["kinds", "u32", (op) => combine(namespaceFlags, op.kinds)]
    ]
  },
  TimeNamespace: {
    opcode: 5,
    fields: [[
      "offsets", "text",
      (op) => offsetLine("monotonic", op.monotonic) + offsetLine("boottime", op.boottime)
    ]]
  },
  Hostname: { opcode: 6, fields: [["name", "text", (op) => op.name]] },
  Domainname: { opcode: 7, fields: [["name", "text", (op) => op.name]] },
  MountPropagation: {
    opcode: 8,
    fields: [
      ["path", "text", (op) => op.path],
      ["propagation", "u32", (op) => propagationFlags[op.propagation]]
    ]
  },
  OomScoreAdjust: { opcode: 9, fields: [["value", "text", (op) => String(op.value)]] },
  TreeOpen: {
    opcode: 10,
    fields: [
      ["slot", "u32", (op) => op.slot],
      ["source", "text", (op) => op.source],
      ["recursive", "u32", (op) => flag(op.recursive)],
      ["withinPid", "u32", (op) => op.within?.pid ?? 0],
      ["withinStartTime", "u64", (op) => op.within?.startTime ?? 0]
    ]
  },
  RootOverlay: {
    opcode: 11,
    fields: [
      ["at", "text", (op) => op.at],
      ["lower", "texts", (op) => op.lower],
      ["upper", "text", (op) => op.upper],
      ["work", "text", (op) => op.work],
      ["withoutSync", "u32", (op) => flag(op.volatile)]
    ]
  },
  PivotRoot: { opcode: 12, fields: [["at", "text", (op) => op.at]] },
  DirMake: {
    opcode: 13,
    fields: [["path", "text", (op) => op.path], ["mode", "u32", (op) => op.mode]]
  },
  SymlinkMake: {
    opcode: 14,
    fields: [["target", "text", (op) => op.target], ["path", "text", (op) => op.path]]
  },
  NodeMake: {
    opcode: 15,
    fields: [
      ["path", "text", (op) => op.path],
      ["type", "u32", (op) => nodeTypes[op.type]],
      ["mode", "u32", (op) => op.mode],
      ["major", "u32", (op) => op.major],
      ["minor", "u32", (op) => op.minor],
      ["uid", "u32", (op) => op.uid],
      ["gid", "u32", (op) => op.gid]
    ]
  },
  MountFilesystem: {
    opcode: 16,
    fields: [
      ["type", "text", (op) => op.type],
      ["source", "text", (op) => op.source],
      ["target", "text", (op) => op.target],
      ["strict", "u32", (op) => flag(op.strict)],
      ["options", "options", (op) => op.options],
      ...attributes,
      ["copyUp", "u32", (op) => flag(op.copyUp)]
    ]
  },
  MountDevpts: {
    opcode: 17,
    fields: [
      ["target", "text", (op) => op.target],
      ["options", "options", (op) => op.options],
      ["console", "u32", (op) => flag(op.console)]
    ]
  },
  MountTree: {
    opcode: 18,
    fields: [
      ["slot", "u32", (op) => op.slot],
      ["target", "text", (op) => op.target],
      ...attributes,
      ["propagation", "u32", (op) => propagationFlags[op.propagation]]
    ]
  },
  MaskPaths: { opcode: 19, fields: [["paths", "texts", (op) => op.paths]] },
  ReadonlyPaths: { opcode: 20, fields: [["paths", "texts", (op) => op.paths]] },
  MountAttributes: {
    opcode: 21,
    fields: [["path", "text", (op) => op.path], ...attributes, ["propagation", "u32", (op) => propagationFlags[op.propagation]]]
  },
  Sysctl: {
    opcode: 22,
    fields: [["key", "text", (op) => op.key], ["value", "text", (op) => op.value]]
  },
  LoopbackUp: { opcode: 23, fields: [] },
  Console: {
    opcode: 24,
    fields: [
      ["open", "u32", (op) => flag(op.open)],
      ["bindConsole", "u32", (op) => flag(op.bindConsole)]
    ]
  },
  Rlimit: {
    opcode: 25,
    fields: [
      ["resource", "u32", (op) => rlimitNumbers[op.resource]],
      ["soft", "u64", (op) => limit(op.soft)],
      ["hard", "u64", (op) => limit(op.hard)]
    ]
  },
  Keyring: { opcode: 26, fields: [["name", "text", (op) => op.name]] },
  Personality: { opcode: 27, fields: [["persona", "u32", (op) => op.persona]] },
  Umask: { opcode: 28, fields: [["mask", "u32", (op) => op.mask]] },
  NoNewPrivileges: { opcode: 29, fields: [] },
  Seccomp: {
    opcode: 30,
    fields: [
      ["flags", "u32", (op) => combine(seccompFlags, op.flags)],
      ["filter", "bytes", (op) => op.filter]
    ]
  },
  BoundingSet: { opcode: 31, fields: [["capabilities", "bits", (op) => op.capabilities]] },
  User: {
    opcode: 32,
    fields: [
      ["uid", "u32", (op) => op.uid],
      ["gid", "u32", (op) => op.gid],
      ["groups", "words", (op) => op.groups]
    ]
  },
  Capabilities: {
    opcode: 33,
    fields: [
      ["effective", "bits", (op) => op.effective],
      ["permitted", "bits", (op) => op.permitted],
      ["inheritable", "bits", (op) => op.inheritable],
      ["ambient", "bits", (op) => op.ambient]
    ]
  },
  WorkingDirectory: {
    opcode: 34,
    fields: [["path", "text", (op) => op.path], ["create", "u32", (op) => flag(op.create)]]
  },
  Exec: {
    opcode: 35,
    fields: [
      ["argv", "texts", (op) => op.argv],
      ["env", "texts", (op) => op.env],
      ["reaper", "u32", (op) => flag(op.reaper)]
    ]
  },
  RootBind: {
    opcode: 36,
    fields: [["at", "text", (op) => op.at], ["source", "text", (op) => op.source]]
  }
}

/** "FXI1" read as a little-endian number: the first word of every encoding. */
export const wireMagic = 0x31495846

/** FNV-1a (32 bit) of names, codes and kinds: a supervisor of another layout refuses the bytes. */
const digest = (): number => {
  let text = startFields.map(([name, kind]) => `${name}:${kind};`).join("")
  for (const [tag, { fields, opcode }] of Object.entries(opTable)) {
    text += `${tag}=${opcode}(`
    for (const [name, kind] of fields) text += `${name}:${kind};`
  }
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0
  }
  return hash
}

export const wireLayout = digest()
