/** `replay`: performs a recorded trace on a simulated machine and says where something else came of it. */
import * as Effect from "effect/Effect"
import { defaultHost, type HostProfile } from "../../interpreters/simulated/HostProfile.ts"
import { makeWorld } from "../../interpreters/simulated/makeWorld.ts"
import { SimulatedRuntime } from "../../interpreters/simulated/SimulatedRuntime.ts"
import { Simulation } from "../../interpreters/simulated/Simulation.ts"
import { type Difference, replay as replayTrace } from "../../interpreters/middleware/replayed.ts"
import { decodeTrace, type TraceEntry } from "../../interpreters/middleware/TraceEntry.ts"
import { parseLayout } from "../../domain/cgroup/CgroupLayout.ts"
import { perform } from "../../programs/Kernel.ts"
import { integer } from "../argv/Flag.ts"
import { ellipsis } from "../format/ellipsis.ts"
import { print, printLine } from "../terminal/print.ts"
import { Surroundings } from "../terminal/Surroundings.ts"
import { command } from "./Command.ts"
import { refusal } from "./CommandFailure.ts"
import { hostTextsOf, isCgroup, worldBefore } from "./replay/worldBefore.ts"

/** The machine that the trace is of, as far as it says. */
const hostOf = (entries: ReadonlyArray<TraceEntry>): HostProfile => {
  const texts = hostTextsOf(entries)
  if (texts === undefined) return defaultHost
  const { hierarchies, unified } = parseLayout(texts)
  const legacy = hierarchies.some(({ version }) => version === 1)
  return {
    ...defaultHost,
    cgroups: !legacy ? "v2" : unified === undefined ? "v1" : "hybrid",
    kernelRelease: texts.kernelRelease, machine: texts.machine, hostname: texts.hostname, cpus: texts.cpus,
    memoryTotal: texts.memoryTotal, resolvConf: texts.resolvConf, hosts: texts.hosts, user: texts.user
  }
}

/** Microseconds since the epoch; a replay always happens at the same time. */
const replayTime = 1_767_225_600_000_000

/** Layers that containers of the trace are made of. */
const layersOf = (entries: ReadonlyArray<TraceEntry>): ReadonlyArray<string> =>
  entries.flatMap(({ op }) => op.tag === "SupervisorStart" ? op.payload.spec.program : [])
    .flatMap((step) => step._tag === "RootOverlay" ? step.lower : [])

/** The trace does not say what is in an image: a simulated busybox stands for any but `fx/hello`. */
const imagesOf = (entries: ReadonlyArray<TraceEntry>) => {
  const isHello = (layer: string) => layer.endsWith("/hello-image")
  const helloImage = layersOf(entries).find(isHello)
  const busyboxImage = layersOf(entries).find((layer) => !isHello(layer))
  return {
    ...(helloImage === undefined ? {} : { helloImage }), ...(busyboxImage === undefined ? {} : { busyboxImage })
  }
}

const simulate = (entries: ReadonlyArray<TraceEntry>, seed: number) => {
  const world = makeWorld({ host: hostOf(entries), now: replayTime, seed, ...imagesOf(entries) })
  const runtime = new SimulatedRuntime({ seed, now: replayTime })
  // What cannot be made beforehand shows as a difference
  const prepared = Effect.forEach(
    worldBefore(entries), (op) => Effect.ignore(perform(op.tag, op.payload as never)), { discard: true }
  )
  return runtime.run(Effect.provide(Effect.andThen(prepared, replayTrace(entries)), new Simulation({ world }).layer()))
}

/** Kernels of one version differ in which control files they have: only the cgroups themselves are compared. */
const isAboutFiles = ({ actual, expected, op }: Difference): boolean => {
  if (op.tag !== "DirList" || !isCgroup(op.payload.path)) return false
  const cgroups = (list: string): string | undefined => {
    const names = list.startsWith("[") ? JSON.parse(list) as ReadonlyArray<string> : undefined
    return names?.filter((name) => !/[._]|^tasks$/.test(name)).join()
  }
  return cgroups(expected) !== undefined && cgroups(expected) === cgroups(actual)
}

/** Columns of a result in the list of differences. */
const longest = 200

export const replay = command({
  forms: ["[OPTIONS] FILE"],
  summary: "Perform a recorded trace on the simulated kernel and say where it differs",
  flags: { seed: integer("Choose another order of what happens at the same time") },
  arguments: { least: 1, most: 1 },
  interspersed: true,
  engine: "nothing",
  run: ({ arguments: [file = ""], values }) => Effect.gen(function*() {
    const surroundings = yield* Surroundings
    const bytes = yield* Effect.mapError(surroundings.readFile(file), (error) => refusal(error.message))
    const entries = yield* Effect.fromResult(decodeTrace(new TextDecoder().decode(bytes))).pipe(
      Effect.mapError((error) => refusal(error.message))
    )
    const replayed = yield* Effect.tryPromise({
      try: () => simulate(entries, values.seed ?? 0),
      catch: (fault) => refusal(`the replay did not come to an end: ${fault instanceof Error ? fault.message : fault}`)
    })
    const { performed } = replayed
    const differences = replayed.differences.filter((one) => !isAboutFiles(one))
    for (const { actual, expected, index, op } of differences) {
      const [then, now] = [ellipsis(expected, longest), ellipsis(actual, longest)]
      yield* print(`${index} ${op.tag}: recorded ${then}, simulated ${now}\n`)
    }
    const count = differences.length
    yield* printLine(`${performed} operations, ${count} ${count === 1 ? "difference" : "differences"}`)
    return differences.length === 0 ? 0 : 1
  })
})
