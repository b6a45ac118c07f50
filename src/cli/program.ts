/** The program's own facts. */
import packageFacts from "../../package.json" with { type: "json" }

/** As users call it; errors begin with it. */
export const program = "fx-engine"

export const version: string = packageFacts.version

/** Architectures by Go's names, which images and docker's output use. */
const architectures: { readonly [node: string]: string } = { x64: "amd64", ia32: "386" }

export const goArchitecture = (): string => architectures[process.arch] ?? process.arch
