/** Where the descriptors of a program lead: to files, pipes, and one another. */
import type { Redirection } from "../behaviours/Behaviour.ts"
import { alter, type Draft, fail } from "../Draft.ts"
import { attributesOf, filesystemOf, requireAccess } from "../files/access.ts"
import * as files from "../files/fileCalls.ts"
import { resolve } from "../files/resolve.ts"
import { close, hold } from "./descriptors.ts"
import type { Descriptor, Process } from "./Process.ts"

/** Paths that stand for a process's own descriptors. */
const ownDescriptor = /^\/(?:dev\/std(in|out|err)|(?:proc\/self|dev)\/fd\/([012]))$/

const openPath = (
  draft: Draft,
  stdio: Process["stdio"],
  path: string,
  mode: "read" | "write" | "append"
): Descriptor => {
  const own = ownDescriptor.exec(path)
  if (own !== null) {
    return stdio[own[2] === undefined ? { in: 0, out: 1, err: 2 }[own[1]!]! : Number(own[2])]!
  }
  if (mode === "read") {
    const place = resolve(draft, path, true)
    const attributes = attributesOf(draft, place)
    requireAccess(draft, attributes, 4, path)
    if (attributes.type === "character") return { _tag: "Null" }
    return { _tag: "File", filesystem: filesystemOf(draft, place).id, node: place.node, offset: 0 }
  }
  const place = files.writeFile(draft, path, "", { mode: 0o666, append: mode === "append" })
  if (attributesOf(draft, place).type !== "file") return { _tag: "Null" }
  return { _tag: "File", filesystem: filesystemOf(draft, place).id, node: place.node, offset: 0 }
}

const openFor = (
  draft: Draft,
  process: Process,
  stdio: Process["stdio"],
  redirection: Redirection
): Descriptor => {
  if ("from" in redirection) return stdio[redirection.from]
  if ("path" in redirection) return openPath(draft, stdio, redirection.path, redirection.mode)
  if (!process.pipes.includes(redirection.pipe)) fail("EBADF")
  return redirection.end === "read"
    ? { _tag: "PipeRead", pipe: redirection.pipe }
    : { _tag: "PipeWrite", pipe: redirection.pipe }
}

export const redirected = (
  draft: Draft,
  process: Process,
  redirections: ReadonlyArray<Redirection>
): Process["stdio"] => {
  let result = process.stdio
  for (const one of redirections) {
    result = result.with(
      one.descriptor,
      openFor(draft, process, result, one)
    ) as unknown as Process["stdio"]
  }
  return result
}

/** Puts other descriptors in the place of a process's own. */
export const replaceStdio = (draft: Draft, process: Process, stdio: Process["stdio"]): void => {
  for (const descriptor of stdio) hold(draft, descriptor)
  alter(draft, process.pid, { stdio })
  for (const descriptor of process.stdio) close(draft, descriptor)
}
