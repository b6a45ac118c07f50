/** Namespaces of all kinds, with what belongs to each (namespaces(7)). */
import type { NamespaceKind } from "../../../domain/kernel/InitOp.ts"

export interface IdRange {
  readonly inside: number
  readonly outside: number
  readonly count: number
}

export type Namespace =
  & {
    readonly id: number
    /** User namespace that owns it. */
    readonly owner: number
    /** Processes in it, namespaces below it, mounts of it; freed at 0. */
    readonly references: number
  }
  & (
    | { readonly kind: "mnt"; readonly root: number }
    /** `init`: its pid 1 by host pid, 0 before; `dead` once that has gone. */
    | {
      readonly kind: "pid"
      readonly parent: number
      readonly init: number
      readonly dead: boolean
      readonly next: number
    }
    | { readonly kind: "uts"; readonly hostname: string; readonly domainname: string }
    | {
      readonly kind: "user"
      readonly parent: number
      readonly creator: number
      readonly uidMap: ReadonlyArray<IdRange>
      readonly gidMap: ReadonlyArray<IdRange>
    }
    | {
      readonly kind: "net"
      readonly loopback: boolean
      readonly sysctls: { readonly [key: string]: string }
    }
    | { readonly kind: "ipc"; readonly sysctls: { readonly [key: string]: string } }
    /** Cgroup seen as the root, by hierarchy index. */
    | { readonly kind: "cgroup"; readonly roots: ReadonlyArray<number> }
    /** Offsets in nanoseconds. */
    | { readonly kind: "time"; readonly monotonic: number; readonly boottime: number }
  )
export type NamespaceOf<K extends NamespaceKind> = Extract<Namespace, { readonly kind: K }>
