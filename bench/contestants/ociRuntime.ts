/** crun and runc: given the spec that our own container compiles to, without an overlay. */
import { spawnSync } from "node:child_process"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import type { RuntimeSpec } from "../../src/domain/oci/RuntimeSpec.ts"
import type { Workspace } from "../Workspace.ts"
import type { Specimen } from "./specimen.ts"

export type OciRuntime = "crun" | "runc"

export const isInstalled = (program: string): boolean => spawnSync(program, ["--version"]).status === 0

/**
 * Debian 12's know version 1.0 of the specification; crun 1.8 takes a recursive bind of a file for one of
 * a directory.
 */
const adapted = (
  spec: RuntimeSpec, rootfs: string, files: string, cgroupsPath: string
): RuntimeSpec => ({
  ...spec,
  ociVersion: "1.0.2",
  root: { ...spec.root, path: rootfs },
  mounts: spec.mounts.map((mount) =>
    mount.source?.startsWith("/") === true
      ? {
        ...mount, source: join(files, mount.source.slice(mount.source.lastIndexOf("/"))),
        options: (mount.options ?? []).map((word) => word === "rbind" ? "bind" : word)
      }
      : mount),
  linux: { ...spec.linux, cgroupsPath }
})

/** The command that runs `true` to its end and removes it. */
export const ociRun = (workspace: Workspace, runtime: OciRuntime, specimen: Specimen): ReadonlyArray<string> => {
  const bundle = join(workspace.directory, runtime)
  for (const [name, text] of Object.entries(specimen.files)) workspace.file(`${runtime}/files/${name}`, text)
  const group = `${workspace.group}/${runtime}`
  const spec = adapted(specimen.spec, workspace.rootfs, join(bundle, "files"), group)
  workspace.file(`${runtime}/config.json`, JSON.stringify(spec))
  const state = join(bundle, "state")
  mkdirSync(state)
  return [runtime, "--root", state, "run", "--bundle", bundle, `bench-${runtime}`]
}
