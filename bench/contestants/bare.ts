/** The bare C programs: a container without an engine, and an engine without TypeScript. */
import { join } from "node:path"
import { containerDirectory, cgroupParent, runDirectory } from "../../src/domain/container/Paths.ts"
import { builtFile } from "../../src/interpreters/linux/addon.ts"
import { Coprocess } from "../Coprocess.ts"
import type { Workspace } from "../Workspace.ts"
import type { Specimen } from "./specimen.ts"

const timed = (workspace: Workspace, argv: readonly [string, ...ReadonlyArray<string>]) => {
  const process = new Coprocess("bare", argv, workspace.environment)
  workspace.atEnd(() => process.close())
  return async (): Promise<number> => Number(await process.ask("")) / 1e6
}

/** Milliseconds of a container, each time it is called. */
export const bareContainer = (workspace: Workspace, specimen: Specimen): () => Promise<number> =>
  timed(workspace, [
    workspace.program("bare"), workspace.rootfs, join(workspace.directory, "bare-container"),
    `${workspace.group}/bare`, workspace.file("filter", specimen.filter)
  ])

/** The same with our supervisor: as in the engine, but for records and locks. */
export const bareEngine = (workspace: Workspace, specimen: Specimen): () => Promise<number> => {
  const { paths } = workspace
  const { id } = specimen.supervisor
  return timed(workspace, [
    workspace.program("bare"), workspace.rootfs, containerDirectory(paths, id),
    `${cgroupParent(paths)}/${id}`, workspace.file("filter", specimen.filter), builtFile("fx-init"),
    workspace.file("specification", specimen.specification), runDirectory(paths, id)
  ])
}
