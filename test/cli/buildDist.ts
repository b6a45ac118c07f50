/** Bundles the program from the sources as they are: what lies in dist may be of yesterday. */
import { join, resolve } from "node:path"
import { type InputOptions, type OutputOptions, rolldown } from "rolldown"

const project = resolve(import.meta.dirname, "../..")

interface BuildOptions extends InputOptions {
  readonly output: OutputOptions
}

/** Below dist, from where package and addon are found. Gives the path; whoever calls removes it. */
export const buildDist = async (name: string): Promise<string> => {
  const dir = join(project, "dist", `${name}-${process.pid}`)
  const config = await import(join(project, "rolldown.config.mjs")) as { readonly default: ReadonlyArray<BuildOptions> }
  for (const { output, ...input } of config.default) {
    const bundle = await rolldown({ ...input, cwd: project })
    await bundle.write({ ...output, dir })
    await bundle.close()
  }
  return dir
}
