/**
 * Bundles the command line into dist. Start-up is mostly the loading of files, so a command finds what it needs in few
 * of them: what every command needs, what it takes to have an engine, the commands themselves, the simulated kernel.
 */
import { chmodSync, rmSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { defineConfig } from "rolldown"

const source = (path) => fileURLToPath(new URL(`src/${path}`, import.meta.url))

/**
 * What takes long to load and is seldom needed: archives, the compiler of seccomp filters that are not the usual one,
 * and what single commands do.
 */
const seldom = [
  /src\/domain\/layer\//,
  /src\/domain\/seccomp\/(ArgumentCondition|Bpf|SyscallRules|argumentTree|assemble|compile|filterTree|searchTree|verdict|data\/syscall)/,
  /src\/domain\/cgroup\/(CgroupStats|StatsDisplay)\.ts/,
  /src\/domain\/container\/(LogLine|ProcessTable|execProgram|inspect|limitDifferences)\.ts/,
  /src\/programs\/container\/(change|check|copy|exec|logs|missingParts|prune|stats|top|update)\.ts/,
  /src\/interpreters\/linux\/(ArchiveReader|ArchiveWriter|BlobWriter|LayerWriter|Pump|entryRecords|layerRefusal)\.ts/
]

/** Chunks in order: a module belongs to the first one that reaches it by static imports from these files. */
const chunks = [
  ["core", ["cli/main.ts", "cli/commands/Command.ts"]],
  ["version", ["cli/commands/version.ts"]],
  ["engine", ["cli/runOnEngine.ts", "interpreters/linux/LinuxKernel.ts", "cli/commands/run.ts"]],
  ["images", ["programs/image/imageRoot.ts", "programs/image/removeUnfinished.ts"]],
  ["commands", [
    "attach", "cp", "create", "exec", "info", "kill", "logs", "pause", "ps", "rename", "restart", "rm", "start", "stats",
    "stop", "systemCheck", "systemReap", "systemRecover", "top", "unpause", "update", "wait"
  ].map((name) => `cli/commands/${name}.ts`)],
  ["imageCommands", [
    "programs/localImages.ts", "programs/localRegistries.ts", "interpreters/linux/LinuxCompression.ts", ...[
      "commit", "containerPrune", "diff", "export", "history", "imagePrune", "images", "import", "inspect", "load", "login", "logout", "pull", "push",
      "rmi", "run/pullMissing", "save", "search", "systemDf", "systemPrune", "tag"
    ].map((name) => `cli/commands/${name}.ts`)
  ]],
  ["registry", ["cli/remote/linuxRemote.ts"]],
  ["simulated", ["cli/simulatedHost.ts", "cli/remote/simulatedRemote.ts", "interpreters/simulated/SimulatedCompression.ts", "cli/instruments.ts", "cli/format/planText.ts", "cli/commands/replay.ts"]]
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
  const name = members.find(([, ids]) => ids.has(id))?.[0] ?? null
  return name === "engine" && seldom.some((pattern) => pattern.test(id)) ? "seldom" : name
}

/**
 * Loads chunks that are not needed for every command at their first use, not with the chunks that name them. Works as
 * long as no module needs one of these chunks while it is being loaded itself.
 */
const loadedLate = {
  name: "loaded-late",
  renderChunk(code) {
    let late = code
    for (const chunk of ["seldom", "version"]) {
      const line = `const require_${chunk} = require("./${chunk}.cjs");`
      if (!late.includes(line)) continue
      late = late.replace(line, "").replaceAll(new RegExp(`\\brequire_${chunk}\\.`, "g"), `(require_${chunk}()).`) +
        `\nvar loaded_${chunk};\nfunction require_${chunk}() { return loaded_${chunk} ??= require("./${chunk}.cjs"); }\n`
    }
    return late === code ? null : late
  }
}

/** Text of one byte a character loads faster. What is not ASCII stands in literals: it is escaped there. */
const asciiOnly = {
  name: "ascii-only",
  generateBundle(_, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type !== "chunk") continue
      chunk.code = chunk.code.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    }
  }
}

/**
 * A short command ends before eight megabytes are used up: none waits for the garbage collector. One that moves many
 * bytes does not keep for long what it has done with, as it would in a young generation that grows. Without the dashes
 * Node itself reads the file of `run --env-file`, wherever in the line that stands.
 */
const shebang = "#!/usr/bin/env -S node --min-semi-space-size=8 --max-semi-space-size=8 --"

/** npx runs the file as a program. Code that was kept for an earlier build is of no use. */
const executable = {
  name: "executable",
  writeBundle: ({ dir }) => {
    chmodSync(`${dir}/cli.cjs`, 0o755)
    rmSync(`${dir}/.cache`, { recursive: true, force: true })
  }
}

/**
 * Most schemas of the domain are there for their types alone. To build one, and to read a property, changes nothing:
 * those that nobody uses are left out, and so are the parts of effect that only they need.
 */
const treeshake = { manualPureFunctions: ["Schema"], propertyReadSideEffects: false }

const common = { platform: "node", tsconfig: false, treeshake }

export default defineConfig([
  {
    ...common,
    input: { cli: "src/cli/entry.ts" },
    plugins: [executable],
    output: {
      dir: "dist", format: "cjs", entryFileNames: "[name].cjs", banner: shebang, minify: true
    }
  },
  {
    ...common,
    input: { main: "src/cli/main.ts" },
    plugins: [loadedLate, asciiOnly],
    preserveEntrySignatures: "allow-extension",
    output: {
      dir: "dist",
      format: "cjs",
      entryFileNames: "[name].cjs",
      chunkFileNames: "[name].cjs",
      codeSplitting: { groups: [{ name: chunkOf, debugName: "chunkOf" }], includeDependenciesRecursively: false },
      minify: true
    }
  }
])
