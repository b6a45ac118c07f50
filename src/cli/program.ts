/** The program's own facts. */
import { readFileSync } from "node:fs"
import { findPackageJSON } from "node:module"

/** As users call it; errors begin with it. */
export const program = "fx-engine"

/** Read when asked for: sources and bundle lie at different depths below the same package.json. */
export const programVersion = (): string => {
  const path = findPackageJSON(".", import.meta.url)
  const facts = path === undefined ? {} : JSON.parse(readFileSync(path, "utf8")) as { readonly version?: string }
  return facts.version ?? "unknown"
}

/** Architectures by Go's names, which images and docker's output use. */
const architectures: { readonly [node: string]: string } = { x64: "amd64", ia32: "386" }

export const goArchitecture = (): string => architectures[process.arch] ?? process.arch
