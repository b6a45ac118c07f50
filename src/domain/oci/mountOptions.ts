/** Mount options of an OCI spec (fstab words) → attributes, propagation, and the file system's own options. */
import type { MountAttribute, Propagation } from "../kernel/InitOp.ts"

export interface MountOptions {
  readonly attributes: ReadonlyArray<MountAttribute>
  readonly propagation: Propagation | undefined
  /** `rbind`, `bind`, or neither. */
  readonly bind: "bind" | "rbind" | undefined
  /** Copy what the mount point held into the new file system. */
  readonly copyUp: boolean
  readonly data: ReadonlyArray<{ readonly key: string; readonly value?: string }>
}

const attributes: { readonly [word: string]: MountAttribute } = {
  ro: "ro", nosuid: "nosuid", nodev: "nodev", noexec: "noexec", noatime: "noatime", relatime: "relatime",
  strictatime: "strictatime", nodiratime: "nodiratime", nosymfollow: "nosymfollow"
}

/** A word that takes an earlier one back. */
const opposites: { readonly [word: string]: MountAttribute } = {
  rw: "ro", suid: "nosuid", dev: "nodev", exec: "noexec", atime: "noatime", diratime: "nodiratime",
  symfollow: "nosymfollow"
}

const propagations: ReadonlySet<string> = new Set([
  "private", "rprivate", "slave", "rslave", "shared", "rshared", "unbindable", "runbindable"
])

/** Words without meaning for mount(2) and those that Docker passes on. */
const ignored: ReadonlySet<string> = new Set(["defaults", "sync", "async", "newinstance", "z", "Z", "norelatime", "loud"])

/** The recursive forms `rro`, `rnosuid`, … of the runtime spec set the attribute on the whole tree. */
export const parseMountOptions = (words: ReadonlyArray<string>): MountOptions => {
  const set = new Set<MountAttribute>()
  let propagation: Propagation | undefined
  let bind: "bind" | "rbind" | undefined
  let copyUp = false
  const data: Array<{ key: string; value?: string }> = []
  for (const word of words) {
    const recursive = word.startsWith("r") ? attributes[word.slice(1)] : undefined
    if (word === "bind" || word === "rbind") bind = word
    else if (propagations.has(word)) propagation = word as Propagation
    else if (attributes[word] !== undefined) set.add(attributes[word])
    else if (opposites[word] !== undefined) set.delete(opposites[word])
    else if (recursive !== undefined && !propagations.has(word)) {
      set.add(recursive)
      set.add("recursive")
    } else if (word === "tmpcopyup") copyUp = true
    else if (!ignored.has(word)) {
      const equals = word.indexOf("=")
      data.push(equals < 0 ? { key: word } : { key: word.slice(0, equals), value: word.slice(equals + 1) })
    }
  }
  return { attributes: [...set], propagation, bind, copyUp, data }
}
