/** Archives that go into containers and come out of them, as lists of what is in them. */
import { Result } from "effect"
import { finish, start, step, type TarEvent } from "../../src/domain/layer/TarDecoder.ts"
import { encodeHeader, endOfArchive, padding } from "../../src/domain/layer/TarEncoder.ts"
import type { TarEntry } from "../../src/domain/layer/TarEntry.ts"
import type { Tree, TreeEntry } from "./Step.ts"

const toEntry = (one: TreeEntry): TarEntry => ({
  path: one.path, type: one.type, mode: one.mode, uid: one.uid, gid: one.uid, uname: "", gname: "",
  size: one.type === "file" ? Buffer.byteLength(one.content) : 0, mtime: { seconds: 1_700_000_000, nanoseconds: 0 },
  linkpath: one.type === "symlink" ? one.target : "", devmajor: 0, devminor: 0, xattrs: new Map(), sparse: null
})

export const encodeTree = (tree: Tree): Uint8Array =>
  Buffer.concat([
    ...tree.flatMap((one) => {
      const header = Result.getOrThrow(encodeHeader(toEntry(one)))
      if (one.type !== "file") return [header]
      const content = Buffer.from(one.content)
      return [header, content, padding(content.length)]
    }),
    endOfArchive
  ])

/** What an archive holds, a line an entry, by name: times and sizes of directories are left out. */
export const listArchive = (bytes: Uint8Array): ReadonlyArray<string> => {
  const lines: Array<{ line: string; content: Array<Uint8Array> }> = []
  const take = (events: ReadonlyArray<TarEvent>): void => {
    for (const event of events) {
      if (event._tag === "Failed") lines.push({ line: `damaged: ${event.error.message}`, content: [] })
      if (event._tag === "Data") lines.at(-1)?.content.push(event.bytes.slice())
      if (event._tag !== "Entry") continue
      const { devmajor, devminor, gid, linkpath, mode, path, size, type, uid } = event.entry
      const device = type === "char" || type === "block" ? ` ${devmajor}:${devminor}` : ""
      lines.push({ line: `${path} ${type} ${mode.toString(8)} ${uid}:${gid} ${size} ${linkpath}${device}`, content: [] })
    }
  }
  const [events, decoder] = step(start(), bytes)
  take(events)
  take(finish(decoder))
  return lines.map(({ content, line }) => `${line} ${JSON.stringify(Buffer.concat(content).toString("utf8").slice(0, 500))}`).sort()
}
