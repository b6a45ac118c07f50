/** fx-engine as a command: the program as it is installed, by the Node that runs this benchmark. */
import { existsSync } from "node:fs"
import { join } from "node:path"
import type { Workspace } from "../Workspace.ts"

const bundle = join(import.meta.dirname, "../../dist/cli.cjs")

export const commandLine = (workspace: Workspace): ReadonlyArray<string> => {
  if (!existsSync(bundle)) throw new Error(`${bundle} is missing: npm run build`)
  const { execRoot, root } = workspace.paths
  return [bundle, "--root", root, "--exec-root", execRoot]
}
