/** A file of a control group: what reading gives and what writing does. */
import type { Draft } from "../Draft.ts"
import type { Cgroup } from "../World.ts"
import { alterCgroup, cgroupAt } from "./cgroupTree.ts"
import { parseInteger } from "./values.ts"

export interface CgroupFile {
  /** Also in the root of the hierarchy. */
  readonly root: boolean
  /** Absent: EINVAL, as for any file without a read method in kernfs. */
  readonly read?: (draft: Draft, cgroup: Cgroup) => string
  /** `text` without white space around it. Absent: EINVAL. */
  readonly write?: (draft: Draft, cgroup: Cgroup, text: string) => void
}

export interface CgroupFiles {
  readonly [name: string]: CgroupFile
}

export const store = (draft: Draft, cgroup: Cgroup, file: string, value: string): void => {
  const { values } = cgroupAt(draft, cgroup.id)
  alterCgroup(draft, cgroup.id, { values: { ...values, [file]: value } })
}

export const valueOf = (cgroup: Cgroup, file: string, initial: string): string =>
  cgroup.values[file] ?? initial

/** A file that remembers what `parse` makes of the text written. */
export const remembered = (
  name: string,
  initial: string | ((draft: Draft, cgroup: Cgroup) => string),
  parse: (text: string, draft: Draft, cgroup: Cgroup) => string,
  root = false
): CgroupFiles => ({
  [name]: {
    root,
    read: (draft, cgroup) => {
      const first = () => typeof initial === "string" ? initial : initial(draft, cgroup)
      return `${cgroup.values[name] ?? first()}\n`
    },
    write: (draft, cgroup, text) => store(draft, cgroup, name, parse(text, draft, cgroup))
  }
})

/** A file that remembers an integer; `outside` is the errno beyond the bounds. */
export const integer = (
  name: string,
  initial: number,
  minimum: number,
  maximum: number,
  outside = "EINVAL",
  root = false
): CgroupFiles =>
  remembered(
    name,
    String(initial),
    (text) => String(parseInteger(text, minimum, maximum, outside)),
    root
  )

/** Like `remembered`, for files whose value ends its own lines. */
export const lines = (
  name: string,
  initial: string,
  parse: (text: string, draft: Draft, cgroup: Cgroup) => string
): CgroupFiles => ({
  [name]: {
    root: false,
    read: (_draft, cgroup) => valueOf(cgroup, name, initial),
    write: (draft, cgroup, text) => store(draft, cgroup, name, parse(text, draft, cgroup))
  }
})

/** A file that is only read. */
export const shown = (
  name: string,
  read: (draft: Draft, cgroup: Cgroup) => string,
  root = false
): CgroupFiles => ({ [name]: { root, read } })

/** `key value` lines from the counters of a cgroup. */
export const counters = (cgroup: Cgroup, file: string, keys: ReadonlyArray<string>): string =>
  keys.map((key) => `${key} ${cgroup.events[`${file}/${key}`] ?? 0}\n`).join("")
