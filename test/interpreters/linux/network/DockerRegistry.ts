/** Debian's docker-registry on loopback with a storage of its own, for as long as a test wants it. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { patience } from "../../../patience.ts"

const missing = ([["docker-registry", "docker-registry"], ["htpasswd", "apache2-utils"], ["openssl", "openssl"]] as const)
  .filter(([program]) => !(process.env["PATH"] ?? "").split(":").some((directory) => existsSync(join(directory, program))))
  .map(([, name]) => name)

/** Why tests against a real registry cannot run here, or undefined. */
export const unavailable: string | undefined = missing.length === 0 ? undefined : `needs apt-get install ${missing.join(" ")}`

export const titled = (title: string): string => unavailable === undefined ? title : `${title} [skipped: ${unavailable}]`

export interface RegistryOptions {
  /** Name and password that it wants. */
  readonly user?: { readonly name: string; readonly password: string }
  /** PEM files. */
  readonly tls?: { readonly certificate: string; readonly key: string; readonly clientAuthority?: string }
  /** Tokens of this issuer, signed by what is certified there. */
  readonly token?: { readonly realm: string; readonly service: string; readonly issuer: string; readonly bundle: string }
}

const block = (name: string, fields: object): string =>
  `${name}:\n${Object.entries(fields).map(([key, value]) => `  ${key}: ${JSON.stringify(value)}\n`).join("")}`

/** JSON is YAML. */
const configuration = (directory: string, options: RegistryOptions): string => {
  const { tls, token, user } = options
  const http = {
    addr: "127.0.0.1:0", secret: "no secret",
    ...(tls === undefined ? {} : {
      tls: {
        certificate: tls.certificate, key: tls.key, ...(tls.clientAuthority === undefined ? {} : { clientcas: [tls.clientAuthority] })
      }
    })
  }
  const auth = {
    ...(user === undefined ? {} : { htpasswd: { realm: "test", path: join(directory, "htpasswd") } }),
    ...(token === undefined ? {} : {
      token: { realm: token.realm, service: token.service, issuer: token.issuer, rootcertbundle: token.bundle }
    })
  }
  return `version: 0.1\n${block("log", { level: "info" })}${
    block("storage", { filesystem: { rootdirectory: join(directory, "storage") }, delete: { enabled: true } })
  }${block("http", http)}${Object.keys(auth).length === 0 ? "" : block("auth", auth)}`
}

export class DockerRegistry {
  readonly directory: string
  /** `127.0.0.1:PORT` */
  readonly host: string
  private readonly child: ChildProcess

  private constructor(directory: string, host: string, child: ChildProcess) {
    this.directory = directory
    this.host = host
    this.child = child
  }

  static async start(options: RegistryOptions = {}): Promise<DockerRegistry> {
    const directory = mkdtempSync("/tmp/fx-test-registry-")
    mkdirSync(join(directory, "storage"))
    if (options.user !== undefined) {
      const { name, password } = options.user
      writeFileSync(join(directory, "htpasswd"), execFileSync("htpasswd", ["-Bbn", name, password]))
    }
    writeFileSync(join(directory, "config.yml"), configuration(directory, options))
    // Into a file: a test that waits for another program reads no pipe, and a full one would stop the registry
    const log = join(directory, "log")
    const errors = openSync(log, "w")
    const child = spawn("docker-registry", ["serve", join(directory, "config.yml")], { stdio: ["ignore", "ignore", errors] })
    closeSync(errors)
    let ended = false
    child.once("exit", () => { ended = true })
    for (const end = Date.now() + 20_000 * patience;;) {
      const said = readFileSync(log, "utf8")
      const match = /listening on (?:127\.0\.0\.1|\[::\]):([0-9]+)/.exec(said)
      if (match !== null) return new DockerRegistry(directory, `127.0.0.1:${match[1]}`, child)
      if (ended || Date.now() > end) throw new Error(`docker-registry ${ended ? "has ended" : "does not listen"}: ${said}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once("exit", resolve))
    this.child.kill("SIGKILL")
    await ended
    rmSync(this.directory, { recursive: true, force: true })
  }
}

export interface Authority {
  readonly directory: string
  /** PEM file. */
  readonly certificate: string
  /** A certificate of it: PEM files. `extensions` as openssl has them. */
  readonly certify: (name: string, extensions: string) => { readonly certificate: string; readonly key: string }
}

const run = (...arguments_: ReadonlyArray<string>): void =>
  void execFileSync("openssl", arguments_, { stdio: ["ignore", "ignore", "pipe"] })

/** An authority that nobody knows. */
export const makeAuthority = (directory: string): Authority => {
  mkdirSync(directory, { recursive: true })
  const file = (name: string) => join(directory, name)
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
  run("req", "-x509", ...newKey, "-keyout", file("ca.key"), "-out", file("ca.crt"), "-days", "2", "-subj", "/CN=fx test authority")
  return {
    directory,
    certificate: file("ca.crt"),
    certify: (name, extensions) => {
      const [key, request, certificate, extension] = ["key", "csr", "crt", "ext"].map((suffix) => file(`${name}.${suffix}`)) as [
        string, string, string, string
      ]
      run("req", ...newKey, "-keyout", key, "-out", request, "-subj", `/CN=${name}`)
      writeFileSync(extension, extensions)
      run(
        "x509", "-req", "-in", request, "-CA", file("ca.crt"), "-CAkey", file("ca.key"), "-CAcreateserial", "-days", "2",
        "-extfile", extension, "-out", certificate
      )
      return { certificate, key }
    }
  }
}
