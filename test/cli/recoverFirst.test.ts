import { Effect, Layer, Stream } from "effect"
import { describe, expect, it } from "vitest"
import type { LogLevel } from "../../src/cli/argv/globalFlags.ts"
import { recoverFirst } from "../../src/cli/recoverFirst.ts"
import { OutputClosed, Terminal } from "../../src/cli/terminal/Terminal.ts"
import { ContainerError } from "../../src/domain/container/ContainerError.ts"
import { KernelError } from "../../src/domain/kernel/KernelError.ts"
import { Engine, type EngineError } from "../../src/programs/Engine.ts"
import type { Recovered } from "../../src/programs/container/recover.ts"

const full = new KernelError({ op: "DirEnsure", syscall: "mkdir", errno: "ENOSPC", path: "/var/lib/fx-engine" })
const partly: Recovered = { mended: ["removed a thing"], quarantined: [{ id: "abc".padEnd(64, "0"), reason: "no disk" }] }

/** What is said on stderr; `closed`: where nobody reads that. */
const said = async (recover: Effect.Effect<Recovered, EngineError>, level: LogLevel, closed = false): Promise<string> => {
  let text = ""
  const terminal = Layer.mock(Terminal, {
    input: Stream.empty,
    isTerminal: () => false,
    write: (stream, data) => closed
      ? Effect.fail(new OutputClosed({ stream, errno: "EPIPE" }))
      : Effect.sync(() => { text += `${stream}: ${data}` })
  })
  await Effect.runPromise(Effect.provide(recoverFirst(level), Layer.merge(terminal, Layer.mock(Engine, { recover } as Engine["Service"]))))
  return text
}

describe("what is done before every command", () => {
  it("tells of containers that could not be put in order, and with debug of all that was", async () => {
    const warning = "stderr: WARNING: container abc000000000 is left alone: no disk\n"
    expect(await said(Effect.succeed(partly), "info")).toBe(warning)
    expect(await said(Effect.succeed(partly), "debug")).toBe(`stderr: DEBUG: removed a thing\n${warning}`)
    expect(await said(Effect.succeed(partly), "error")).toBe("")
  })

  it("tells why nothing could be put in order, and lets the command go on", async () => {
    expect(await said(Effect.fail(full), "info")).toBe(
      "stderr: WARNING: what earlier runs have left could not be put in order: DirEnsure: mkdir /var/lib/fx-engine: no space left on device\n"
    )
    expect(await said(Effect.fail(full), "error")).toBe("")
  })

  it("stops the command where no engine may work", async () => {
    const error = new ContainerError({ operation: "use", object: "/run/x", kind: "conflict", cause: "it is another's", cure: "take one" })
    await expect(said(Effect.fail(error), "info")).rejects.toThrow("it is another's")
  })

  it("lets the command go on where nobody reads warnings", async () => {
    expect(await said(Effect.fail(full), "info", true)).toBe("")
  })
})
