/** (d) What watching over an idle container costs: the proportional set size of its supervisor. */
import { readdirSync, readFileSync } from "node:fs"
import { installedEngines } from "../contestants/engines.ts"
import type { Part } from "../Part.ts"
import type { Samples } from "../Samples.ts"
import type { Workspace } from "../Workspace.ts"

const read = (path: string): string => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return ""
  }
}

/** Supervisors of this benchmark's containers by their argv: ours have an id, conmon the place of its state. */
const supervisors = (workspace: Workspace, ids: ReadonlySet<string>) => ({
  "fx-engine": (argv: ReadonlyArray<string>) => argv[0] === "fx-init" && ids.has(argv[1] ?? ""),
  podman: (argv: ReadonlyArray<string>) =>
    argv[0]?.endsWith("/conmon") === true && argv.some((word) => word.startsWith(`${workspace.directory}/`)),
  docker: (argv: ReadonlyArray<string>) => argv[0]?.endsWith("/containerd-shim-runc-v2") === true
})

/** Kilobytes, from smaps_rollup (proc_pid_smaps(5)). */
const proportionalSize = (pid: string): number =>
  Number(/^Pss:\s+([0-9]+) kB$/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1])

const sizesOf = (isOne: (argv: ReadonlyArray<string>) => boolean): ReadonlyArray<number> =>
  readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name))
    .filter((pid) => isOne(read(`/proc/${pid}/cmdline`).split("\0")))
    .map(proportionalSize).filter((size) => size > 0)

const ours = (workspace: Workspace): ReadonlySet<string> => {
  try {
    return new Set(readdirSync(`${workspace.paths.root}/containers`))
  } catch {
    return new Set()
  }
}

/** Milliseconds after which a container is idle: ours give back then what only the start needed. */
const untilIdle = 2000

export const idleMemory: Part = {
  key: "d",
  title: "memory of the supervisor of an idle container",
  repetitions: 10,
  measure: async (workspace, repetitions) => {
    const samples: Array<Samples> = []
    for (const { name, peer, removeIdle, startIdle } of installedEngines(workspace)) {
      for (const [containers, words] of [[1, "alone"], [repetitions, `one of ${repetitions}`]] as const) {
        await workspace.time(startIdle, { peer, times: containers })
        await new Promise((resolve) => setTimeout(resolve, untilIdle))
        const values = sizesOf(supervisors(workspace, ours(workspace))[name as "podman"])
        await workspace.time(removeIdle, { peer, times: containers })
        samples.push({ name: `${name}, ${words}`, values: values.length === 0 ? [NaN] : values })
      }
    }
    const many = `one of ${repetitions}`
    return {
      unit: "kB PSS", samples,
      comparisons: ["podman", "docker"].flatMap((peer) => ["alone", many].map((words) => ({
        of: `fx-engine, ${words}`, to: `${peer}, ${words}`
      }))),
      bounds: ["alone", many].map((words) => ({ of: `fx-engine, ${words}`, aim: 64, better: "less" as const }))
    }
  }
}
