/** A program that answers every line with a line, in order: how the C programs of this benchmark are driven. */
import { type ChildProcess, spawn } from "node:child_process"
import { createInterface } from "node:readline"

export class Coprocess {
  private readonly child: ChildProcess
  private readonly name: string
  private readonly waiting: Array<{
    readonly resolve: (line: string) => void
    readonly reject: (error: Error) => void
  }> = []

  constructor(name: string, argv: readonly [string, ...ReadonlyArray<string>], environment: NodeJS.ProcessEnv) {
    const [program, ...rest] = argv
    this.name = name
    this.child = spawn(program, rest, { stdio: ["pipe", "pipe", "inherit"], env: environment })
    createInterface({ input: this.child.stdout! }).on("line", (line) => this.waiting.shift()?.resolve(line))
    this.child.stdin!.on("error", () => undefined)
    this.child.on("exit", (code) => {
      for (const one of this.waiting.splice(0)) one.reject(new Error(`${name} ended with status ${code}`))
    })
  }

  ask(line: string): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.child.exitCode !== null) return reject(new Error(`${this.name} has ended`))
      this.waiting.push({ resolve, reject })
      this.child.stdin!.write(`${line}\n`)
    })
  }

  /** Ends its input and waits for its exit. */
  close(): Promise<void> {
    if (this.child.exitCode !== null) return Promise.resolve()
    return new Promise((resolve) => {
      this.child.on("exit", () => resolve())
      this.child.stdin!.end()
    })
  }
}
