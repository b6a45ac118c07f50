/**
 * Runs a credential helper, by the user's own configuration: docker-credential-helpers' protocol is one word as
 * argument, the input on standard input, the answer on standard output.
 */
import * as Effect from "effect/Effect"
import type { Environment } from "../../../domain/registry/Proxy.ts"
import { type RegistryError, registryError } from "../../../domain/registry/RegistryError.ts"

/** Bytes of an answer: a name and a secret. */
const answerLimit = 1_048_576

interface Answer {
  readonly exitCode: number
  readonly stdout: string
}

/** It may ask the user for something, so it has all the time it wants; an interruption kills it. */
export const runHelper = (
  helper: string, action: "get" | "store" | "erase", input: string, environment: Environment
): Effect.Effect<Answer, RegistryError> =>
  Effect.callback<Answer, RegistryError>((resume) => {
    const program = `docker-credential-${helper}`
    const fail = (cause: string) => resume(Effect.fail(registryError(
      { operation: "run the credential helper", object: program }, "unavailable", cause,
      "install it where PATH leads, or take it out of docker's config.json"
    )))
    const child = process.getBuiltinModule("node:child_process").spawn(program, [action], {
      env: environment, stdio: ["pipe", "pipe", "inherit"]
    })
    const parts: Array<Buffer> = []
    let length = 0
    child.stdout.on("data", (part: Buffer) => {
      length += part.length
      if (length <= answerLimit) parts.push(part)
      else child.kill("SIGKILL")
    })
    child.on("error", (error: NodeJS.ErrnoException) =>
      fail(error.code === "ENOENT" ? "there is no such program" : error.message))
    child.on("close", (code, signal) => {
      if (length > answerLimit) return fail(`it answered with more than ${answerLimit} bytes`)
      if (code === null) return fail(`it was ended by ${signal ?? "a signal"}`)
      resume(Effect.succeed({ exitCode: code, stdout: Buffer.concat(parts).toString("utf8") }))
    })
    // One that ends without reading is judged by how it ends
    child.stdin.on("error", () => {})
    child.stdin.end(input)
    return Effect.sync(() => child.kill("SIGKILL"))
  })
