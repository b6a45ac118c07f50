/**
 * What every kind of file system owes: the operations of an inode, without permissions, mounts and
 * read-only states, which are the business of `access.ts` and `resolve.ts`.
 */
import type { Draft } from "../Draft.ts"
import type { Content, Filesystem, Node, Place } from "../World.ts"

export type FileType = "file" | "directory" | "symlink" | "block" | "character" | "fifo" | "socket"

export interface Attributes {
  readonly type: FileType
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly links: number
  readonly size: number
  readonly modified: number
  readonly major: number
  readonly minor: number
  readonly target?: string
}

export type NewNode =
  & { readonly mode: number; readonly uid: number; readonly gid: number }
  & (
    | { readonly type: "file"; readonly content: Content }
    | { readonly type: "directory" }
    | { readonly type: "symlink"; readonly target: string }
    | { readonly type: "block" | "character"; readonly major: number; readonly minor: number }
    | { readonly type: "fifo" }
    | { readonly type: "socket"; readonly listener: number }
  )

export interface AttributeChange {
  readonly mode?: number
  readonly uid?: number
  readonly gid?: number
  readonly modified?: number
}

/**
 * Every function may fail with the errno of the kind of file system; names exist where one is
 * taken.
 */
export interface Driver {
  readonly lookup: (
    draft: Draft,
    filesystem: Filesystem,
    directory: Node,
    name: string
  ) => Node | undefined
  readonly parent: (draft: Draft, filesystem: Filesystem, directory: Node) => Node
  readonly attributes: (draft: Draft, filesystem: Filesystem, node: Node) => Attributes
  /** Sorted. */
  readonly list: (draft: Draft, filesystem: Filesystem, directory: Node) => ReadonlyArray<string>
  readonly read: (draft: Draft, filesystem: Filesystem, node: Node) => Content
  readonly write: (draft: Draft, filesystem: Filesystem, node: Node, content: Content) => void
  /** `name` is free. */
  readonly create: (
    draft: Draft,
    filesystem: Filesystem,
    directory: Node,
    name: string,
    made: NewNode
  ) => Node
  readonly link: (
    draft: Draft,
    filesystem: Filesystem,
    directory: Node,
    name: string,
    node: Node
  ) => void
  /** Takes the name away; ENOTEMPTY for a directory that holds something. */
  readonly remove: (draft: Draft, filesystem: Filesystem, directory: Node, name: string) => void
  /** The target name is free or of the same type (an empty directory). */
  readonly rename: (
    draft: Draft,
    filesystem: Filesystem,
    from: Node,
    name: string,
    to: Node,
    newName: string
  ) => void
  readonly change: (
    draft: Draft,
    filesystem: Filesystem,
    node: Node,
    change: AttributeChange
  ) => void
  readonly readAttribute: (
    draft: Draft,
    filesystem: Filesystem,
    node: Node,
    name: string
  ) => string | undefined
  readonly writeAttribute: (
    draft: Draft,
    filesystem: Filesystem,
    node: Node,
    name: string,
    value: string
  ) => void
  readonly listAttributes: (
    draft: Draft,
    filesystem: Filesystem,
    node: Node
  ) => ReadonlyArray<string>
  /** Where a magic link of proc leads, which no path can say. */
  readonly jump?: (draft: Draft, filesystem: Filesystem, node: Node) => Place | undefined
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export const sizeOf = (content: Content): number =>
  typeof content === "string" ? Buffer.byteLength(content) : content.length

export const textOf = (content: Content): string =>
  typeof content === "string" ? content : decoder.decode(content)

export const bytesOf = (content: Content): Uint8Array =>
  typeof content === "string" ? encoder.encode(content) : content

/** `added` after `before`, as text when both are. */
export const concatenate = (before: Content, added: Content): Content => {
  if (typeof before === "string" && typeof added === "string") return before + added
  return Buffer.concat([bytesOf(before), bytesOf(added)])
}
