/**
 * A tree as a tar archive, as the addon's walk finds it: depth first, names in order, links as
 * links.
 */
import * as Result from "effect/Result"
import { encodeHeader, endOfArchive, padding } from "../../../domain/layer/TarEncoder.ts"
import type { EntryType, TarEntry } from "../../../domain/layer/TarEntry.ts"
import { type Draft, fail } from "../Draft.ts"
import { attributesOf, filesystemOf } from "../files/access.ts"
import { type Attributes, bytesOf } from "../files/Driver.ts"
import { driverOf } from "../files/drivers.ts"
import { sourcesOf } from "../files/overlayLayers.ts"
import { cover } from "../files/resolve.ts"
import type { Place } from "../World.ts"

/** A socket means nothing without the process that listens. */
const types: { readonly [type: string]: EntryType } = {
  file: "file", directory: "dir", symlink: "symlink", block: "block", character: "char",
  fifo: "fifo"
}

const nothing = new Uint8Array(0)

/** The same for all names of a file: in an overlay a node is a path, and its inode that of the layer it is in. */
export const identityOf = (draft: Draft, place: Place): string => {
  const filesystem = filesystemOf(draft, place)
  const { content } = filesystem
  const source = content._tag === "Overlay" ? sourcesOf(draft, content, String(place.node))[0] : undefined
  return source === undefined ? `${filesystem.id}:${place.node}` : `${source.filesystem}:${source.node}`
}

/** Attributes that mean something elsewhere too. */
const isPortable = (name: string): boolean =>
  name === "security.capability" || name.startsWith("user.")

/**
 * File systems that are views of the kernel: archived as the empty directory they are mounted on.
 */
export const isKernelView = (draft: Draft, place: Place): boolean =>
  ["proc", "sysfs", "cgroup", "cgroup2", "devpts", "mqueue"].includes(
    filesystemOf(draft, place).type
  )

const entryOf = (
  draft: Draft,
  place: Place,
  attributes: Attributes,
  path: string,
  type: EntryType,
  link: string
): TarEntry => {
  const filesystem = filesystemOf(draft, place)
  const driver = driverOf(filesystem)
  const keeps = type === "file" || type === "dir"
  const names = keeps ? driver.listAttributes(draft, filesystem, place.node).filter(isPortable) : []
  const valueOf = (name: string) =>
    Buffer.from(driver.readAttribute(draft, filesystem, place.node, name)!, "latin1")
  return {
    path,
    type,
    mode: attributes.mode,
    uid: attributes.uid,
    gid: attributes.gid,
    uname: "",
    gname: "",
    size: type === "file" ? attributes.size : 0,
    mtime: {
      seconds: Math.floor(attributes.modified / 1e6),
      nanoseconds: (attributes.modified % 1e6) * 1000
    },
    linkpath: link,
    devmajor: attributes.major,
    devminor: attributes.minor,
    sparse: null,
    xattrs: new Map(names.map((name) => [name, valueOf(name)]))
  }
}

/** The whole archive; the top is called `name`, and left out when that is "". */
export const packTree = (draft: Draft, top: Place, name: string): Uint8Array => {
  const pieces: Array<Uint8Array> = []
  const links = new Map<string, string>()
  const visit = (place: Place, path: string): void => {
    const attributes = attributesOf(draft, place)
    const type = types[attributes.type]
    if (type === undefined) return
    const key = identityOf(draft, place)
    const linked = type !== "dir" && attributes.links > 1 ? links.get(key) : undefined
    if (type !== "dir" && attributes.links > 1 && linked === undefined) links.set(key, path)
    if (path !== "") {
      const entry = entryOf(
        draft,
        place,
        attributes,
        path,
        linked === undefined ? type : "hardlink",
        linked ?? attributes.target ?? ""
      )
      const header = encodeHeader(entry)
      if (Result.isFailure(header)) {
        fail("EINVAL", path, `${header.failure.reason}; ${header.failure.hint}`)
      }
      const filesystem = filesystemOf(draft, place)
      const data = entry.type === "file"
        ? bytesOf(driverOf(filesystem).read(draft, filesystem, place.node))
        : nothing
      pieces.push(Result.getOrThrow(header), data, padding(data.length))
    }
    if (type !== "dir" || isKernelView(draft, place)) return
    const filesystem = filesystemOf(draft, place)
    const driver = driverOf(filesystem)
    for (const child of driver.list(draft, filesystem, place.node)) {
      const node = driver.lookup(draft, filesystem, place.node, child)
      if (node !== undefined) {
        visit(cover(draft, { mount: place.mount, node }), path === "" ? child : `${path}/${child}`)
      }
    }
  }
  visit(top, name)
  return new Uint8Array(Buffer.concat([...pieces, endOfArchive]))
}
