/** This kernel beside a simulated host that is as this machine is, and how they differ in running a program. */
import { cpus, hostname, release, totalmem } from "node:os"
import { Effect } from "effect"
import { parseLayout } from "../../src/domain/cgroup/CgroupLayout.ts"
import { Engine } from "../../src/programs/Engine.ts"
import type { HostProfile } from "../../src/testing/index.ts"
import type { Ground } from "../laws/Ground.ts"
import { linuxGround } from "../laws/linuxGround.ts"
import { simulatedGround } from "../laws/simulatedGround.ts"
import { type Observation, Observer } from "./Observer.ts"
import { type Program, rendered } from "./Step.ts"

export interface Grounds {
  readonly real: Ground
  readonly simulated: Ground
  readonly close: () => Promise<void>
}

export const bothGrounds = async (): Promise<Grounds> => {
  const real = linuxGround()
  real.open()
  const texts = await real.run(Effect.provide(Effect.flatMap(Engine, (engine) => engine.hostTexts), real.layer))
  const layout = parseLayout(texts)
  const host: Partial<HostProfile> = {
    cgroups: layout.unified === undefined ? "v1" : layout.hierarchies.some(({ version }) => version === 1) ? "hybrid" : "v2",
    cpus: cpus().length, hostname: hostname(), kernelRelease: release(), memoryTotal: totalmem(), machine: texts.machine,
    lastCapability: texts.lastCapability, resolvConf: texts.resolvConf, hosts: texts.hosts
  }
  return { real, simulated: await simulatedGround(host, "the simulated kernel"), close: () => real.close() }
}

/** Where two runs of a program part, as a text to read; `undefined` when they do not. */
export const differenceOf = async ({ real, simulated }: Grounds, program: Program): Promise<string | undefined> => {
  const [here, there] = [new Observer(real), new Observer(simulated)]
  const [actual, modelled] = [await here.observe(program), await there.observe(program)]
  const left = [await real.leftovers(), await simulated.leftovers()]
  const parting = actual.findIndex((one, index) => JSON.stringify(one) !== JSON.stringify(modelled[index]))
  if (parting >= 0 || actual.length !== modelled.length) {
    const at = parting < 0 ? actual.length : parting
    return [
      "the kernels part at the step that is marked:",
      ...rendered(program).map((line, index) => `${index === at ? ">" : " "} ${line},`),
      ...(at >= program.length ? ["> the end"] : []),
      ...parted(actual[at], modelled[at])
    ].join("\n")
  }
  const defects = [...here.defects, ...there.defects]
  if (defects.length > 0) return ["a defect:", ...rendered(program), ...defects].join("\n")
  if (left.flat().length > 0) return ["left behind:", ...rendered(program), ...left.flat()].join("\n")
  return undefined
}

/** The lines that only one side has. */
const parted = (actual: Observation | undefined, modelled: Observation | undefined): ReadonlyArray<string> => {
  const lines = (one: unknown) => (JSON.stringify(one, undefined, 1) ?? "nothing").split("\n")
  const [ours, theirs] = [lines(actual), lines(modelled)]
  return [
    ...ours.filter((line) => !theirs.includes(line)).map((line) => `kernel:    ${line.trim()}`),
    ...theirs.filter((line) => !ours.includes(line)).map((line) => `simulated: ${line.trim()}`)
  ]
}
