/** (a) `true` from create to removed, in this process, against C that does the same. */
import { bareContainer, bareEngine } from "../contestants/bare.ts"
import { Library, startToExit as runOne } from "../contestants/Library.ts"
import { isInstalled, type OciRuntime, ociRun } from "../contestants/ociRuntime.ts"
import { specimen } from "../contestants/specimen.ts"
import { type Contestant, interleave } from "../interleave.ts"
import type { Part } from "../Part.ts"

/** Turns until V8 has compiled what is used. */
const warmUp = 150
const runtimes: ReadonlyArray<OciRuntime> = ["crun", "runc"]

export const startToExit: Part = {
  key: "a",
  title: "start to exit of `true` and removal: fx-engine as a library, warm",
  repetitions: 200,
  measure: async (workspace, repetitions) => {
    const library = await Library.open(workspace)
    const known = await specimen(library)
    const program = runOne(library.config(["true"]))
    const here = async (): Promise<number> => {
      const began = performance.now()
      await library.run(program)
      return performance.now() - began
    }
    const peers = runtimes.filter(isInstalled).map((runtime): Contestant => {
      const argv = ociRun(workspace, runtime, known)
      return { name: `${runtime} run`, every: 4, measure: () => workspace.time(argv, { peer: true }) }
    })
    const samples = await interleave([
      { name: "fx-engine, library", measure: here, warmUp },
      { name: "bare C", measure: bareContainer(workspace, known), warmUp: 20 },
      { name: "bare C with our supervisor", measure: bareEngine(workspace, known), warmUp: 20 },
      ...peers
    ], repetitions, () => workspace.settle())
    return {
      unit: "ms", samples,
      comparisons: [
        { of: "fx-engine, library", to: "bare C", aim: 1.3 },
        { of: "fx-engine, library", to: "bare C with our supervisor" },
        { of: "fx-engine, library", to: "crun run", aim: 0.25 },
        { of: "fx-engine, library", to: "runc run" }
      ],
      notes: ["bare C keeps no records, no log and no supervisor; crun and runc make no overlay and no log."]
    }
  }
}
