/** Ends a container's supervisor by SIGKILL, as an operator in despair or the OOM killer might. */
import { Effect } from "effect"
import { runDirectory } from "../../src/domain/container/Paths.ts"
import { parseStatus } from "../../src/domain/kernel/Supervisor.ts"
import { Engine } from "../../src/programs/Engine.ts"
import { Host } from "../../src/programs/Host.ts"
import { perform } from "../../src/programs/Kernel.ts"

/** `together`: the container's init too, so that nobody is left to tell of the end. */
export const killSupervisor = (reference: string, together: boolean) =>
  Effect.gen(function*() {
    const engine = yield* Engine
    const { paths } = yield* Host
    const { record } = yield* engine.find("inspect", reference)
    const text = yield* perform("FileRead", { path: `${runDirectory(paths, record.id)}/status`, limit: 65_536 })
    const { init, supervisor } = parseStatus(text)!
    yield* perform("ProcessSignal", { process: supervisor, signal: 9 })
    if (together) yield* perform("ProcessSignal", { process: init!, signal: 9 })
  })

/** What must hold after it, whoever looks first. */
export const afterwards = (reference: string) =>
  Effect.gen(function*() {
    const engine = yield* Engine
    const found = yield* engine.check({ repair: false })
    const { mended, quarantined } = yield* engine.recover
    const { state } = yield* engine.find("inspect", reference)
    const again = yield* engine.check({ repair: false })
    // It can be started and removed as any other
    yield* engine.start(reference)
    yield* engine.remove(reference, { force: true })
    return { found, mended, quarantined, again, state }
  })
