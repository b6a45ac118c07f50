/** The system calls on files that programs make, with ids and modes as the program sees them. */
import type { FileCall, Status } from "../behaviours/Behaviour.ts"
import { alter, type Draft, fail, processOf } from "../Draft.ts"
import { attributesOf, execute, requireAccess } from "../files/access.ts"
import { type Attributes, bytesOf } from "../files/Driver.ts"
import * as entries from "../files/entryCalls.ts"
import * as files from "../files/fileCalls.ts"
import { resolve, resolveDirectory } from "../files/resolve.ts"
import { overflowId, toHost, toInside } from "./credentials.ts"
import type { Process } from "./Process.ts"

const statusOf = (draft: Draft, process: Process, attributes: Attributes): Status => {
  const { user } = process.namespaces
  return {
    ...attributes,
    uid: toInside(draft, user, "uidMap", attributes.uid) ?? overflowId,
    gid: toInside(draft, user, "gidMap", attributes.gid) ?? overflowId
  }
}

const changeDirectory = (draft: Draft, pid: number, path: string): void => {
  const place = resolveDirectory(draft, path)
  requireAccess(draft, attributesOf(draft, place), execute, path)
  alter(draft, pid, { directory: place })
}

/** Content of a file, with what the memory devices give. */
const readFile = (draft: Draft, path: string): Uint8Array => {
  const place = resolve(draft, path, true)
  if (attributesOf(draft, place).type === "character") return new Uint8Array(0)
  return bytesOf(files.readFile(draft, path))
}

export const performFileCall = (draft: Draft, pid: number, call: FileCall): unknown => {
  const process = processOf(draft, pid)
  const { uid, gid } = process
  switch (call._tag) {
    case "ReadFile":
      return readFile(draft, call.path)
    case "WriteFile":
      return void files.writeFile(draft, call.path, call.data, { mode: 0o666, append: call.append })
    case "List":
      return files.list(draft, call.path)
    case "Stat":
      return statusOf(draft, process, files.status(draft, call.path, call.follow))
    case "MakeDirectory":
      return void files.makeDirectory(draft, call.path, call.mode)
    case "MakeNode": {
      const mode = 0o666 & ~process.umask
      return void files.makeNode(
        draft,
        call.path,
        call.type === "fifo"
          ? { type: "fifo", mode, uid, gid }
          : { type: call.type, mode, uid, gid, major: call.major, minor: call.minor }
      )
    }
    case "RemoveFile":
      return entries.remove(draft, call.path, false)
    case "RemoveDirectory":
      return entries.remove(draft, call.path, true)
    case "Rename":
      return entries.rename(draft, call.from, call.to)
    case "Link":
      return files.makeLink(draft, call.from, call.to)
    case "Symlink":
      return void files.makeSymlink(draft, call.target, call.path)
    case "ChangeMode":
      return files.changeMode(draft, call.path, call.mode)
    case "ChangeOwner": {
      const { user } = process.namespaces
      return files.changeOwner(
        draft,
        call.path,
        toHost(draft, user, "uidMap", call.uid) ?? fail("EINVAL"),
        toHost(draft, user, "gidMap", call.gid) ?? fail("EINVAL"),
        call.follow
      )
    }
    case "ChangeDirectory":
      return changeDirectory(draft, pid, call.path)
  }
}
