/**
 * What `dist/cli.cjs` is: V8's compile cache is switched on before anything larger is loaded. All is bundled as
 * CommonJS: an ES module that names `node:fs` loads all of Node's streams with it, and the first one Node's loader.
 */
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
const { createRequire, enableCompileCache } = process.getBuiltinModule("node:module")
// Where nothing can be written the cache is used as it is, or not at all
enableCompileCache(`${import.meta.dirname}/.cache`)
const bundle = createRequire(import.meta.filename)("./main.cjs") as { readonly main: typeof main }
void bundle.main(process.argv.slice(2), import.meta.filename)
