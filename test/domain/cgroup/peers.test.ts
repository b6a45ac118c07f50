import { describe, expect, it } from "vitest"
import { parseLayout } from "../../../src/domain/cgroup/CgroupLayout.ts"
import { writes } from "../../../src/domain/cgroup/CgroupLimits.ts"
import { separateFiles, separateHost, unifiedFiles, unifiedHost } from "./hosts.ts"
import { type PeerCase, peerCases, type Recorded } from "./peers.ts"

const hosts = {
  v1: { layout: parseLayout(separateHost), interfaceFiles: separateFiles },
  v2: { layout: parseLayout(unifiedHost), interfaceFiles: unifiedFiles }
}

const ours = (version: "v1" | "v2", { resources }: PeerCase) => {
  const { layout, interfaceFiles } = hosts[version]
  const plan = writes(layout, "/fx-engine/0123abc", resources, { interfaceFiles })
  return {
    lines: plan.writes.map(({ file, value }) => `${file} ${value}`),
    refused: plan.problems.some(({ severity }) => severity === "error")
  }
}

/** One key of io.max a line, so that lines can be compared whoever joined them. */
const apart = (lines: ReadonlyArray<string>) =>
  lines.flatMap((line) => {
    const found = /^(io\.max [0-9:]+) (.*)$/.exec(line)
    return found === null ? [line] : found[2]!.split(" ").map((key) => `${found[1]} ${key}`)
  }).sort()

const agrees = (recorded: Recorded, mine: ReturnType<typeof ours>) =>
  "refused" in recorded ? mine.refused : !mine.refused && JSON.stringify(apart(mine.lines)) === JSON.stringify(apart([...recorded]))

/** Where we differ from one of them or both, and why. */
const differences: { readonly [place: string]: string } = {
  "v2 crun: memory and swap, a reservation, v1's own": "what only v1 has is a warning, as in Docker and runc",
  "v1 runc: unlimited memory": "a fresh directory has no swap limit to lift",
  "v2 runc: unlimited memory": "a fresh directory has no swap limit to lift",
  "v1 crun: an unlimited reservation, and kernel memory": "kernel memory is deprecated and ignored; -1 is -1",
  "v2 crun: an unlimited reservation, and kernel memory": "kernel memory is ignored with a warning, as in runc",
  "v2 runc: shares, bandwidth and a cpuset": "the newer curve from shares to weight",
  "v2 crun: shares, bandwidth and a cpuset": "the newer curve from shares to weight",
  "v2 runc: usual shares": "the newer curve gives the default weight for the default shares",
  "v2 crun: usual shares": "the newer curve gives the default weight for the default shares",
  "v1 crun: an unlimited quota": "crun 1.8.1 writes -1 as an unsigned number",
  "v1 runc: idle": "runc 1.1.5 does not know it",
  "v2 runc: idle": "runc 1.1.5 does not know it",
  "v1 runc: real-time": "the kernel refuses because the parent has no budget: it depends on the parent",
  "v1 crun: real-time": "the kernel refuses because the parent has no budget: it depends on the parent",
  "v2 runc: real-time": "refused, like crun, instead of forgotten",
  "v1 crun: unlimited pids": "crun 1.8.1 writes -1, which v1 does not take",
  "v1 runc: a pids limit of 0": "0 is unlimited in Docker, and has to lift a limit on update",
  "v1 crun: a pids limit of 0": "0 is unlimited in Docker, and has to lift a limit on update",
  "v2 runc: a pids limit of 0": "0 is unlimited in Docker, and has to lift a limit on update",
  "v2 crun: a pids limit of 0": "0 is unlimited in Docker, and has to lift a limit on update",
  "v1 crun: a block weight": "crun 1.8.1 looks for the file of a scheduler that is gone",
  "v1 runc: a block weight for one device": "the kernel decides at the write whether the disk has the scheduler",
  "v1 crun: a block weight for one device": "the kernel decides at the write whether the disk has the scheduler",
  "v2 runc: a block weight for one device": "runc 1.1.5 forgets it unless BFQ is there",
  "v2 crun: a block weight for one device": "crun 1.8.1 gives up unless BFQ is there",
  "v1 runc: huge pages": "on this host the controller is on cgroup2, and that is used",
  "v1 crun: huge pages": "on this host the controller is on cgroup2, and that is used",
  "v2 runc: huge pages": "reservations are limited too, as the specification wants since 1.1",
  "v2 crun: huge pages": "reservations are limited too, as the specification wants since 1.1"
}

describe("limits are written as runc and crun write them", () => {
  const places = peerCases.flatMap((one) =>
    (["v1", "v2"] as const).flatMap((version) => (["runc", "crun"] as const).map((peer) => ({ one, version, peer })))
  )

  it.each(places.map((place) => ({ ...place, title: `${place.version} ${place.peer}: ${place.one.name}` })))(
    "$title",
    ({ one, peer, title, version }) => {
      const mine = ours(version, one)
      const same = agrees(one[version][peer], mine)
      if (differences[title] === undefined) expect({ mine, recorded: one[version][peer], same }).toMatchObject({ same: true })
      else expect({ mine, same }).toMatchObject({ same: false })
    }
  )

  it("and every difference that is listed is one of these cases", () => {
    const titles = places.map(({ one, peer, version }) => `${version} ${peer}: ${one.name}`)
    expect(titles).toEqual(expect.arrayContaining(Object.keys(differences)))
  })
})
