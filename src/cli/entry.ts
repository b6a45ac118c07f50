/**
 * What `dist/cli.cjs` is: the first few lines of the program, by which the rest is loaded. All is bundled as CommonJS:
 * an ES module that names `node:fs` loads all of Node's streams with it, and the first one Node's loader.
 */
import { createRequire } from "node:module"
import { Bundle } from "./Bundle.ts"
import type { main } from "./main.ts"

/** The engine keeps its records with node:sqlite as it is from there on. */
const leastVersion = 24

if (Number(process.versions.node.split(".")[0]) < leastVersion) {
  console.error(
    `fx-engine needs Node ${leastVersion} or newer and this is ${process.version}: ` +
      "run it with npx, which finds the project's own"
  )
  process.exit(125)
}

const argv = process.argv.slice(2)
const prefix = argv.includes("--simulated") ? "simulated-" : ""
const nameOf = (words: ReadonlyArray<string>): string => prefix + words.join("-")

/** What may be the command, without knowing which flags have a value: no more than a guess. */
const guesses = (): ReadonlyArray<string> => {
  const words = argv.filter((word) => /^[a-z]+$/.test(word)).slice(0, 3)
  return words.flatMap((word, index) => [nameOf(words.slice(index, index + 2)), nameOf([word])])
}

const bundle = new Bundle(import.meta.dirname, createRequire(import.meta.filename))
bundle.lookFor(guesses())
const { main: begin } = bundle.load("main.cjs") as { readonly main: typeof main }

/** An exit status of the engine's own, from 125 on, tells of a command that did not get far. */
const leastFailure = 125

void begin(argv, import.meta.filename, (path) => {
  process.on("exit", (code) => {
    if (code < leastFailure) bundle.keep(nameOf(path.split(" ")))
  })
})
