/** (b) The command `run --rm true`, each time a process of its own. */
import { installedEngines } from "../contestants/engines.ts"
import { Library } from "../contestants/Library.ts"
import { isInstalled, type OciRuntime, ociRun } from "../contestants/ociRuntime.ts"
import { specimen } from "../contestants/specimen.ts"
import { type Contestant, interleave } from "../interleave.ts"
import type { Part } from "../Part.ts"

const runtimes: ReadonlyArray<OciRuntime> = ["crun", "runc"]

export const coldRun: Part = {
  key: "b",
  title: "the command `fx-engine run --rm --rootfs DIR true`, a process each time",
  repetitions: 40,
  measure: async (workspace, repetitions) => {
    const engines = installedEngines(workspace)
    const known = await specimen(await Library.open(workspace))
    const peers = runtimes.filter(isInstalled).map((runtime): Contestant => {
      const argv = ociRun(workspace, runtime, known)
      return { name: `${runtime} run`, measure: () => workspace.time(argv, { peer: true }) }
    })
    const samples = await interleave([
      ...engines.map(({ name, peer, runTrue }): Contestant => ({
        name: `${name} run`, measure: () => workspace.time(runTrue, { peer }), warmUp: 2
      })),
      {
        name: "node -e 0",
        measure: () => workspace.time([process.execPath, "-e", "0"], { peer: false })
      },
      ...peers
    ], repetitions, () => workspace.settle())
    const to = (name: string) => ({ of: "fx-engine run", to: name })
    return {
      unit: "ms", samples,
      comparisons: [
        { ...to("podman run"), aim: 0.4 }, to("docker run"), to("crun run"), to("runc run"), to("node -e 0")
      ],
      notes: ["`node -e 0` is what Node alone takes to start and end."]
    }
  }
}
