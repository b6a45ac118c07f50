/** `login`: shows a registry who the user is, and keeps what it takes. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Credential } from "../../domain/registry/Credential.ts"
import { dockerDomain, isDockerDomain } from "../../domain/registry/dockerDefaults.ts"
import type { RegistryError } from "../../domain/registry/RegistryError.ts"
import { Registries } from "../../programs/Registries.ts"
import { text, boolean, type Values } from "../argv/Flag.ts"
import { askLine, askSecret } from "../terminal/ask.ts"
import { complain, printLine } from "../terminal/print.ts"
import { Terminal } from "../terminal/Terminal.ts"
import type { OutputClosed } from "../terminal/Terminal.ts"
import { command } from "./Command.ts"
import { type CommandFailure, refusal } from "./CommandFailure.ts"

const flags = {
  password: text("Password or Personal Access Token (PAT)", { short: "p" }),
  "password-stdin": boolean("Take the Password or Personal Access Token (PAT) from stdin"),
  username: text("Username", { short: "u" })
}

/** A registry as users and older files write it: `https://host/v1/` is `host`. */
export const domainOf = (server: string | undefined): string => {
  const host = (server ?? "").replace(/^https?:\/\//, "").split("/", 1)[0] ?? ""
  return host === "" || isDockerDomain(host) ? dockerDomain : host
}

/** Bytes of a password that stdin may have. */
const longestPassword = 65_536

const passwordFromStdin: Effect.Effect<string, CommandFailure, Terminal> = Effect.gen(function*() {
  const { input } = yield* Terminal
  const decoder = new TextDecoder()
  const text = yield* Stream.runFoldEffect(input, () => "", (before, piece) => {
    const after = before + decoder.decode(piece, { stream: true })
    return after.length > longestPassword ? Effect.fail(refusal("what stdin has is no password: it is too long")) : Effect.succeed(after)
  })
  return text.replace(/\r?\n$/, "")
})

const noTerminal = refusal(
  "Error: Cannot perform an interactive login from a non TTY device: use --username and --password-stdin"
)

const typed = (
  given: { readonly username: string; readonly password: string }
): Effect.Effect<Credential, CommandFailure | OutputClosed, Terminal> => Effect.gen(function*() {
  const terminal = yield* Terminal
  if (!terminal.isTerminal("stdin")) return yield* noTerminal
  const username = given.username === "" ? (yield* askLine("Username: ")).trim() : given.username
  if (username === "") return yield* refusal("Error: Non-null Username Required")
  const password = given.password === "" ? yield* askSecret("Password: ") : given.password
  if (password === "") return yield* refusal("Error: Password Required")
  return { kind: "password", username, password }
})

/** What is known already is tried before the user is asked. */
const known = (
  domain: string
): Effect.Effect<Credential | undefined, RegistryError | OutputClosed, Registries | Terminal> => Effect.gen(function*() {
  const registries = yield* Registries
  const credential = yield* registries.credential(domain)
  if (credential === undefined) return undefined
  const who = credential.kind === "password" ? ` [Username: ${credential.username}]` : ""
  yield* complain(`Authenticating with existing credentials...${who}`)
  return credential
})

const givenCredential = (
  values: Values<typeof flags>
): Effect.Effect<Credential | undefined, CommandFailure, Terminal> => Effect.gen(function*() {
  const { password, username } = values
  if (password !== "" && values["password-stdin"]) {
    return yield* refusal("conflicting options: cannot specify both --password and --password-stdin")
  }
  if (values["password-stdin"] && username === "") return yield* refusal("the --password-stdin option requires --username to be set")
  const secret = values["password-stdin"] ? yield* passwordFromStdin : password
  return username === "" || secret === "" ? undefined : { kind: "password", username, password: secret }
})

const unencrypted = (file: string): string =>
  `\nWARNING! Your credentials are stored unencrypted in '${file}'.\n` +
  "Name a credential helper in that file, credsStore or credHelpers, to have them kept safely.\n"

export const login = command({
  forms: ["[OPTIONS] [SERVER]"],
  summary: "Authenticate to a registry",
  details: "Authenticate to a registry.\nDefaults to Docker Hub if no server is specified.",
  flags,
  arguments: { least: 0, most: 1 },
  interspersed: true,
  engine: "changes",
  asFound: true,
  run: ({ arguments: [server], values }) => Effect.gen(function*() {
    const registries = yield* Registries
    const domain = domainOf(server)
    const given = yield* givenCredential(values)
    if (values.password !== "") yield* complain("WARNING! Using --password via the CLI is insecure. Use --password-stdin.")
    const bare = values.username === "" && values.password === ""
    const old = given === undefined && bare ? yield* known(domain) : undefined
    const accepted = old === undefined ? undefined : yield* registries.login(domain, old).pipe(
      Effect.catchIf((error) => error.kind === "denied", (error) => Effect.as(complain(error.message), undefined))
    )
    const done = accepted ?? (yield* registries.login(domain, given ?? (yield* typed(values))))
    if (accepted === undefined && done.helper === undefined) yield* complain(unencrypted(done.file))
    yield* printLine("Login Succeeded")
    return 0
  })
})
