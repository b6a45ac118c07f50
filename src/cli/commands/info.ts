/** `info`: the engine's place on this machine, and how much it has to do with. */
import * as Effect from "effect/Effect"
import { parseLayout } from "../../domain/cgroup/CgroupLayout.ts"
import type { HostTexts } from "../../domain/kernel/KernelOp.ts"
import { formatBinarySize } from "../../domain/text/ByteSize.ts"
import { formatInspected } from "../../domain/text/formatInspected.ts"
import { Engine, type Summary } from "../../programs/Engine.ts"
import { Images } from "../../programs/Images.ts"
import { text } from "../argv/Flag.ts"
import { formatHelp } from "../format/formatHelp.ts"
import { programVersion } from "../program.ts"
import { print } from "../terminal/print.ts"
import { command } from "./Command.ts"

/** `1`, `2`, or both: a hybrid layout. */
const cgroupVersion = (texts: HostTexts): string =>
  [...new Set(parseLayout(texts).hierarchies.map((hierarchy) => hierarchy.version))].sort().join(" and ")

/** Fields as `docker info --format` names them. */
const factsOf = (
  texts: HostTexts, containers: ReadonlyArray<Summary>, images: number, root: string,
  { driver, foreign }: { readonly driver: string; readonly foreign: ReadonlyArray<string> }
) => {
  const paused = containers.filter(({ state }) => state.name === "paused").length
  const up = containers.filter(({ state }) => state.process !== undefined).length
  return {
    Containers: containers.length,
    ContainersRunning: up - paused,
    ContainersPaused: paused,
    ContainersStopped: containers.length - up,
    Images: images,
    Driver: driver,
    LoggingDriver: "json-file",
    CgroupDriver: "cgroupfs",
    CgroupVersion: cgroupVersion(texts),
    KernelVersion: texts.kernelRelease,
    OSType: "linux",
    Architecture: texts.machine,
    NCPU: texts.cpus,
    MemTotal: texts.memoryTotal,
    Name: texts.hostname,
    DockerRootDir: root,
    ServerVersion: programVersion(),
    Warnings: foreign.map((sentence) => `WARNING: ${sentence}`)
  }
}

const shown = (facts: ReturnType<typeof factsOf>): string => `Containers: ${facts.Containers}
 Running: ${facts.ContainersRunning}
 Paused: ${facts.ContainersPaused}
 Stopped: ${facts.ContainersStopped}
Images: ${facts.Images}
Server Version: ${facts.ServerVersion}
Storage Driver: ${facts.Driver}
Logging Driver: ${facts.LoggingDriver}
Cgroup Driver: ${facts.CgroupDriver}
Cgroup Version: ${facts.CgroupVersion}
Kernel Version: ${facts.KernelVersion}
OSType: ${facts.OSType}
Architecture: ${facts.Architecture}
CPUs: ${facts.NCPU}
Total Memory: ${formatBinarySize(facts.MemTotal)}
Name: ${facts.Name}
Root Dir: ${facts.DockerRootDir}
${facts.Warnings.map((line) => `${line}\n`).join("")}`

export const info = command({
  forms: ["[OPTIONS]"],
  summary: "Display system-wide information",
  flags: { format: text(formatHelp.object, { short: "f" }) },
  arguments: { least: 0, most: 0 },
  interspersed: true,
  engine: "reads",
  run: ({ root, values: { format } }) => Effect.gen(function*() {
    const engine = yield* Engine
    const stored = yield* Images.use((images) => images.list)
    const facts = factsOf(yield* engine.hostTexts, yield* engine.list, stored.length, root, yield* engine.storage)
    if (format === "") yield* print(shown(facts))
    else yield* print(`${yield* Effect.fromResult(formatInspected(format, facts, new Set()))}\n`)
    return 0
  })
})
