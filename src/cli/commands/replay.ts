/** `replay`: performs a recorded trace on a simulated machine and says where something else came of it. */
import * as Effect from "effect/Effect"
import { makeWorld } from "../../interpreters/simulated/makeWorld.ts"
import { SimulatedRuntime } from "../../interpreters/simulated/SimulatedRuntime.ts"
import { Simulation } from "../../interpreters/simulated/Simulation.ts"
import { type Difference, replay as replayTrace } from "../../interpreters/middleware/replayed.ts"
import { decodeTrace, type TraceEntry } from "../../interpreters/middleware/TraceEntry.ts"
import type { KernelOp } from "../../domain/kernel/KernelOp.ts"
import { perform } from "../../programs/Kernel.ts"
import { integer } from "../argv/Flag.ts"
import { ellipsis } from "../format/ellipsis.ts"
import { print, printLine } from "../terminal/print.ts"
import { Surroundings } from "../terminal/Surroundings.ts"
import { command } from "./Command.ts"
import { refusal } from "./CommandFailure.ts"
import { type Running, runningBefore, startAgain } from "./replay/runningBefore.ts"
import { filesSeen, makeFiles } from "./replay/filesBefore.ts"
import { simulatedHost } from "./replay/simulatedHost.ts"
import { isCgroup, worldBefore } from "./replay/worldBefore.ts"

/** Microseconds since the epoch; a replay always happens at the same time. */
const replayTime = 1_767_225_600_000_000

/** Layers that containers are made of which the trace starts, or which ran before. */
const layersOf = (
  entries: ReadonlyArray<TraceEntry>, running: ReadonlyArray<Running>
): ReadonlyArray<string> => [
  ...entries.flatMap(({ op }) => op.tag === "TreeCopy" || op.tag === "SubvolumeSnapshot" ? [op.payload.from] : []),
  ...entries.flatMap(({ op }) => op.tag === "SupervisorStart" ? op.payload.spec.program : [])
    .flatMap((step) => step._tag === "RootOverlay" ? step.lower : step._tag === "RootBind" ? [step.source] : []),
  ...running.flatMap(({ layers }) => layers)
]

/** The trace does not say what is in an image: a simulated busybox stands for any but `fx/hello`. */
const imagesOf = (layers: ReadonlyArray<string>) => {
  const isHello = (layer: string) => layer.endsWith("/hello-image")
  const helloImage = layers.find(isHello)
  const busyboxImage = layers.find((layer) => !isHello(layer))
  return {
    ...(helloImage === undefined ? {} : { helloImage }), ...(busyboxImage === undefined ? {} : { busyboxImage })
  }
}

const simulate = (entries: ReadonlyArray<TraceEntry>, seed: number) => {
  const running = runningBefore(entries)
  const images = imagesOf(layersOf(entries, running))
  const world = makeWorld({ host: simulatedHost(entries), now: replayTime, seed, ...images })
  const runtime = new SimulatedRuntime({ seed, now: replayTime })
  // What cannot be made beforehand shows as a difference
  const before = worldBefore(entries, running)
  const performEach = (ops: ReadonlyArray<KernelOp>) =>
    Effect.forEach(ops, (op) => Effect.ignore(perform(op.tag, op.payload as never)), { discard: true })
  const prepared = performEach(before).pipe(
    Effect.andThen(Effect.forEach(running, startAgain, { discard: true })),
    // A start begins with what an earlier one left being removed
    Effect.andThen(performEach(before.filter(({ tag }) => tag === "DirEnsure"))),
    Effect.andThen(makeFiles(
      filesSeen(entries, running), new Set(before.flatMap(({ payload, tag }) => tag === "FileWrite" ? [payload.path] : []))
    ))
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

/** Columns of a result in the list of differences, and how many of them are of what both begin with. */
const longest = 200
const context = 40

/** Two texts from shortly before the place where they part. */
const parting = (then: string, now: string): readonly [string, string] => {
  let same = 0
  while (same < then.length && then[same] === now[same]) same++
  const start = Math.max(then.length, now.length) <= longest ? 0 : Math.max(0, same - context)
  const from = (text: string) => `${start > 0 ? "…" : ""}${ellipsis(text.slice(start), longest)}`
  return [from(then), from(now)]
}

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
      const [then, now] = parting(expected, actual)
      yield* print(`${index} ${op.tag}: recorded ${then}, simulated ${now}\n`)
    }
    const count = differences.length
    yield* printLine(`${performed} operations, ${count} ${count === 1 ? "difference" : "differences"}`)
    return differences.length === 0 ? 0 : 1
  })
})
