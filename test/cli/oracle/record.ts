/**
 * Records what docker's client makes of the command lines: `node test/cli/oracle/record.ts`, where docker's client (28)
 * is installed, writes `recorded.json` anew. The suites compare with the record, so they need no docker.
 */
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { helps, refused, understood } from "./commandLines.ts"
import { serve } from "./fakeDaemon.ts"
import { type Body, environment, fileContents, type Recorded } from "./Recorded.ts"

const directory = mkdtempSync(join(tmpdir(), "fx-oracle-"))
const socket = join(directory, "docker.sock")
const daemon = await serve(socket)

const files = Object.fromEntries(Object.entries(fileContents).map(([name, text]) => {
  const path = join(directory, name.slice(1).toLowerCase())
  writeFileSync(path, text)
  return [name, path]
}))

const withFiles = (word: string): string =>
  Object.entries(files).reduce((text, [name, path]) => text.replace(name, path), word)

interface Ran {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
  readonly body: unknown
}

const docker = (argv: ReadonlyArray<string>): Promise<Ran> => new Promise((resolve, reject) => {
  daemon.asked.length = 0
  const child = spawn("docker", argv.map(withFiles), {
    cwd: directory,
    env: { ...environment, PATH: process.env["PATH"] ?? "", HOME: directory, DOCKER_HOST: `unix://${socket}` },
    stdio: ["ignore", "pipe", "pipe"]
  })
  const output = { stdout: "", stderr: "" }
  child.stdout.on("data", (text) => output.stdout += text)
  child.stderr.on("data", (text) => output.stderr += text)
  child.on("error", reject)
  child.on("close", (exitCode) => {
    const created = daemon.asked.find(({ url }) => url.startsWith("/containers/create"))
    resolve({ exitCode: exitCode ?? -1, ...output, body: created?.body })
  })
})

/** The name of the temporary directory is no fact about docker. */
const neutral = (value: unknown): unknown => JSON.parse(JSON.stringify(value).replaceAll(directory, "/cwd"))

type Fields = Record<string, unknown>

const bodyOf = async (argv: ReadonlyArray<string>): Promise<Body> => {
  const { body, exitCode, stderr } = await docker(["create", ...argv])
  if (exitCode !== 0) throw new Error(`docker create ${argv.join(" ")}: ${stderr}`)
  const { HostConfig, NetworkingConfig: _, ...Config } = neutral(body) as Fields
  return { Config, HostConfig: HostConfig as Fields }
}

const differing = (fields: Fields, plain: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([key, value]) =>
    JSON.stringify(value) !== JSON.stringify(plain[key])))

const plain = await bodyOf(["image"])
const recorded: Recorded = { plain, understood: [], refused: [], helps: [] }
for (const argv of understood) {
  const body = await bodyOf(argv)
  recorded.understood.push({
    argv,
    body: { Config: differing(body.Config, plain.Config), HostConfig: differing(body.HostConfig, plain.HostConfig) }
  })
}
for (const argv of refused) {
  const { exitCode, stderr } = await docker(argv)
  recorded.refused.push({ argv, exitCode, stderr })
}
for (const path of helps) {
  const { stdout } = await docker([...path.split(" "), "--help"])
  recorded.helps.push({ path, stdout })
}
writeFileSync(new URL("recorded.json", import.meta.url), `${JSON.stringify(recorded, null, 1)}\n`)
await daemon.close()
rmSync(directory, { recursive: true })
