/** The signals sent to this process: to whoever takes them, and otherwise the end of the program. */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { constants } from "node:os"

/** Signals that end a program unless it says otherwise, and that a terminal or a service manager sends. */
const ending = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM"] as const

/**
 * Not passed on. KILL and STOP cannot be; CHLD, PIPE, URG and the faults are about this process; TTIN and TTOU
 * are the shell's job control; WINCH is told by the terminal's new size, and means "shut down" to some servers.
 */
const own: ReadonlySet<string> = new Set([
  "SIGKILL", "SIGSTOP", "SIGCHLD", "SIGPIPE", "SIGURG", "SIGWINCH", "SIGTTIN", "SIGTTOU",
  "SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGTRAP", "SIGSYS", "SIGPROF"
])

/** By name, each number once: IOT, POLL and UNUSED are second names. */
const passedOn: ReadonlyArray<readonly [NodeJS.Signals, number]> = [
  ...new Map(
    Object.entries(constants.signals).filter(([name]) => !own.has(name))
      .map(([name, number]) => [number, [name as NodeJS.Signals, number] as const])
  ).values()
]

/** As docker's: whoever asks three times for the end means this program too. */
const patience = 3

export class NodeSignals {
  private takers = 0
  private requests = 0

  /** Calls `end` with the number of a signal that nobody takes, and again with each further one. */
  watch(end: (signal: number) => void): void {
    for (const name of ending) {
      process.on(name, () => {
        if (this.takers === 0) return end(constants.signals[name])
        if (name !== "SIGINT" && name !== "SIGTERM") return
        this.requests++
        if (this.requests < patience) return
        process.stderr.write(`got ${patience} SIGTERM/SIGINTs, forcefully exiting\n`)
        process.exit(1)
      })
    }
  }

  /** While it runs, signals come here. */
  readonly taken: Stream.Stream<number> = Stream.callback((queue) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        this.takers++
        const listeners = passedOn.map(([name, number]) => {
          const listener = () => void Queue.offerUnsafe(queue, number)
          process.on(name, listener)
          return [name, listener] as const
        })
        return listeners
      }),
      (listeners) => Effect.sync(() => {
        this.takers--
        for (const [name, listener] of listeners) process.off(name, listener)
      })
    ))
}
