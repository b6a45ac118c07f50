/**
 * Bundles the command line into dist. Start-up is mostly the loading of files, so a command finds what it needs in
 * few of them: what every command needs, what it takes to have an engine, the commands themselves, the simulated kernel.
 */
import { fileURLToPath } from "node:url"
import { defineConfig } from "rolldown"

const source = (path) => fileURLToPath(new URL(`src/${path}`, import.meta.url))

/** Chunks in order: a module belongs to the first one that reaches it by static imports from these files. */
const chunks = [
  ["core", ["cli/main.ts"]],
  ["engine", ["cli/runOnEngine.ts", "interpreters/linux/LinuxKernel.ts", "cli/commands/run.ts"]],
  ["version", ["cli/commands/version.ts"]],
  ["simulated", ["cli/simulatedHost.ts", "cli/instruments.ts", "cli/format/planText.ts", "cli/commands/replay.ts"]],
  ["commands", [
    "attach", "cp", "create", "exec", "images", "import", "info", "inspect", "kill", "logs", "pause", "ps", "rename", "restart",
    "rm", "rmi", "start", "stats", "stop", "systemCheck", "systemReap", "systemRecover", "top", "unpause", "update", "wait"
  ].map((name) => `cli/commands/${name}.ts`)]
]

/** All that is reached from `roots` by static imports. */
const closure = (roots, context) => {
  const seen = new Set()
  const visit = (id) => {
    if (seen.has(id)) return
    seen.add(id)
    context.getModuleInfo(id)?.importedIds.forEach(visit)
  }
  roots.forEach(visit)
  return seen
}

let members
const chunkOf = (id, context) => {
  members ??= chunks.map(([name, roots]) => [name, closure(roots.map(source), context)])
  return members.find(([, ids]) => ids.has(id))?.[0] ?? null
}

export default defineConfig({
  input: { cli: "src/cli/entry.ts" },
  platform: "node",
  tsconfig: false,
  external: (id) => id.startsWith("node:"),
  preserveEntrySignatures: "allow-extension",
  output: {
    dir: "dist",
    format: "esm",
    entryFileNames: "[name].mjs",
    chunkFileNames: "[name].mjs",
    banner: (chunk) => chunk.isEntry ? "#!/usr/bin/env node" : "",
    codeSplitting: { groups: [{ name: chunkOf }], includeDependenciesRecursively: false },
    minify: true,
    cleanDir: true
  }
})
