/** Control groups and the hierarchies they stand in. */
import type { Sorted } from "../Sorted.ts"

export interface Hierarchy {
  readonly version: 1 | 2
  /** Of a named v1 hierarchy without controllers, e.g. `systemd`. */
  readonly name: string
  readonly controllers: ReadonlyArray<string>
  readonly root: number
}

export interface Cgroup {
  readonly id: number
  /** Index into `hierarchies`. */
  readonly hierarchy: number
  readonly parent: number
  readonly name: string
  readonly children: Sorted<number>
  /** Controllers handed on to children (v2). */
  readonly subtree: ReadonlyArray<string>
  /** Values written, by file name; the others have the kernel's defaults. */
  readonly values: { readonly [file: string]: string }
  /** Live processes in this very cgroup. */
  readonly processes: ReadonlyArray<number>
  /** Of this and all below: live processes, charged pids, bytes. */
  readonly population: number
  readonly tasks: number
  readonly memory: number
  readonly memoryPeak: number
  readonly tasksPeak: number
  readonly frozen: boolean
  /** Microseconds used by processes here, and by cgroups below that were removed. */
  readonly cpu: number
  /** Counters of pids.events, memory.events and their v1 likes, by `file/key`. */
  readonly events: { readonly [counter: string]: number }
  /** Instructions of an attached device program, bytes; 0: none. */
  readonly devices: number
}
