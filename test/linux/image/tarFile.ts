/** Archives entry by entry, as no tool would write them. */
import { Result } from "effect"
import { joinBytes } from "../../../src/domain/bytes/joinBytes.ts"
import { encodeHeader, endOfArchive, padding } from "../../../src/domain/layer/TarEncoder.ts"
import type { TarEntry } from "../../../src/domain/layer/TarEntry.ts"

export interface TarFile {
  readonly path: string
  readonly data?: Uint8Array
  readonly type?: TarEntry["type"]
  readonly target?: string
}

const nothing = new Uint8Array(0)

export const tarFile = ({ data = nothing, path, target = "", type = "file" }: TarFile): Uint8Array => {
  const entry: TarEntry = {
    path, type, mode: type === "dir" ? 0o755 : 0o644, uid: 0, gid: 0, uname: "", gname: "", size: data.length,
    mtime: { seconds: 1_700_000_000, nanoseconds: 0 }, linkpath: target, devmajor: 0, devminor: 0, xattrs: new Map(), sparse: null
  }
  return joinBytes([Result.getOrThrow(encodeHeader(entry)), data, padding(data.length)])
}

export const tarArchive = (files: ReadonlyArray<TarFile>): Uint8Array => joinBytes([...files.map(tarFile), endOfArchive])
