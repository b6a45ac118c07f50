/**
 * Programs that exist only in the simulation, for tests of limits: `allocate 80M [SECONDS]`, `forks
 * N`, and `on-signal NAME CODE`, which ends with CODE at the signal.
 */
import { numberOfSignal } from "./applets/systemApplets.ts"
import { handle, messageOf, pause, perform, sleep, spawn, write } from "./calls.ts"
import { makeBehaviour } from "./makeBehaviour.ts"

const suffixes = "kmg"

const bytesOf = (text: string): number => {
  const match = /^(\d+)([kmg]?)/i.exec(text)
  return match === null
    ? 0
    : Number(match[1]) * 1024 ** (suffixes.indexOf(match[2]!.toLowerCase() || " ") + 1)
}

/** A hundred years. */
const forever = 3_155_760_000

export const stress = {
  allocate: makeBehaviour(function*({ argv }) {
    const result = yield* perform({ _tag: "Allocate", bytes: bytesOf(argv[1] ?? "1M") })
    if (!result.ok) {
      yield* write(`allocate: ${messageOf(result.errno)}\n`, 2)
      return 1
    }
    yield* write("allocated\n")
    yield* sleep(Number(argv[2] ?? 0))
    return 0
  }),
  forks: makeBehaviour(function*({ argv }) {
    let started = 0
    for (let count = 0; count < Number(argv[1] ?? 1); count++) {
      const child = yield* spawn(["sleep", String(forever)])
      if (child.ok) started++
      else {
        yield* write(`forks: ${messageOf(child.errno)} after ${started}\n`, 2)
        return 1
      }
    }
    yield* write(`started ${started}\n`)
    yield* sleep(Number(argv[2] ?? 0))
    return 0
  }),
  "on-signal": makeBehaviour(function*({ argv }) {
    const signal = numberOfSignal(argv[1] ?? "TERM") ?? 15
    yield* handle(signal)
    yield* write("ready\n")
    yield* pause()
    return Number(argv[2] ?? 0)
  })
}
