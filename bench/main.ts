/** `npm run bench`: fx-engine beside C, crun, runc, podman and docker, in one run, as ratios. */
import { loadavg } from "node:os"
import { parseArgs } from "node:util"
import type { Part } from "./Part.ts"
import { coldRun } from "./parts/coldRun.ts"
import { detachedStarts } from "./parts/detachedStarts.ts"
import { idleMemory } from "./parts/idleMemory.ts"
import { imagesIn } from "./parts/imagesIn.ts"
import { imagesOut } from "./parts/imagesOut.ts"
import { simulatedOperations } from "./parts/simulatedOperations.ts"
import { startToExit } from "./parts/startToExit.ts"
import { describe } from "./report.ts"
import { unavailable, Workspace } from "./Workspace.ts"

const parts: ReadonlyArray<Part> = [startToExit, coldRun, detachedStarts, idleMemory, simulatedOperations, imagesIn, imagesOut]
/** Parts that make real containers. */
const real: ReadonlySet<string> = new Set(["a", "b", "c", "d", "f", "g"])

const usage = [
  "npm run bench -- [--parts a,b,…] [--repetitions N] [--quiet]",
  "  --quiet  wait before each round until the processors are idle",
  ...parts.map(({ key, repetitions, title }) => `  ${key}  ${title} (${repetitions} repetitions)`)
].join("\n")

const load = (): string => loadavg().map((one) => one.toFixed(2)).join(" ")

const runPart = async (part: Part, repetitions: number, waits: boolean): Promise<void> => {
  if (real.has(part.key) && unavailable !== undefined) {
    return console.log(`(${part.key}) ${part.title}\n  skipped: ${unavailable}\n`)
  }
  const workspace = new Workspace({ waits })
  const before = load()
  const stop = () => void workspace.dispose().finally(() => process.exit(130))
  process.once("SIGINT", stop).once("SIGTERM", stop)
  try {
    const outcome = await part.measure(workspace, repetitions)
    console.log(describe(part, outcome))
    const disturbed = workspace.disturbed === 0 ? "" : `, ${workspace.disturbed} rounds without a quiet moment`
    console.log(`  load average ${before} before, ${load()} after${disturbed}\n`)
  } finally {
    process.off("SIGINT", stop).off("SIGTERM", stop)
    await workspace.dispose()
  }
}

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: {
      parts: { type: "string" }, repetitions: { type: "string" }, quiet: { type: "boolean" },
      help: { type: "boolean", short: "h" }
    }
  })
  if (values.help) return console.log(usage)
  const wanted = values.parts === undefined ? parts.map(({ key }) => key) : values.parts.split(",")
  const chosen = parts.filter(({ key }) => wanted.includes(key))
  const repetitions = values.repetitions === undefined ? undefined : Number(values.repetitions)
  if (chosen.length !== wanted.length || (repetitions !== undefined && !(repetitions >= 1))) {
    console.error(usage)
    process.exitCode = 2
    return
  }
  for (const part of chosen) await runPart(part, repetitions ?? part.repetitions, values.quiet === true)
}

await main()
