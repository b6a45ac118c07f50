/**
 * `~/.docker/config.json`: whose credentials are where. Pure: reading the file and running helpers is the programs'
 * and the interpreter's part. What we do not know in the file is kept when it is written.
 */
import * as Base64 from "effect/encoding/Base64"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { type Credential, isToken } from "./Credential.ts"
import { dockerCredentialKey, isDockerDomain } from "./dockerDefaults.ts"
import { RegistryError, registryError } from "./RegistryError.ts"

/** Bytes of a configuration file that are read. */
export const dockerConfigLimit = 1_048_576

const optionalText = Schema.optionalKey(Schema.NullOr(Schema.String))

const AuthEntry = Schema.Struct({
  auth: optionalText,
  username: optionalText,
  password: optionalText,
  identitytoken: optionalText,
  registrytoken: optionalText
})
type AuthEntry = typeof AuthEntry.Type

const Known = Schema.Struct({
  auths: Schema.optionalKey(Schema.NullOr(Schema.Record(Schema.String, AuthEntry))),
  credsStore: optionalText,
  credHelpers: Schema.optionalKey(Schema.NullOr(Schema.Record(Schema.String, Schema.String)))
})

export interface DockerConfig {
  readonly known: typeof Known.Type
  /** The whole document, to be written back. */
  readonly document: Readonly<Record<string, unknown>>
}

export const emptyDockerConfig: DockerConfig = { known: {}, document: {} }

const decodeKnown = Schema.decodeUnknownOption(Schema.fromJsonString(Known))
const decodeDocument = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown)))

const unreadable = (path: string, cause: string): RegistryError =>
  registryError(
    { operation: "read credentials from", object: path }, "invalid", cause,
    "mend the file, or move it away and log in again"
  )

/** `path` is for messages. */
export const readDockerConfig = (text: string, path: string): Result.Result<DockerConfig, RegistryError> => {
  if (text.length > dockerConfigLimit) return Result.fail(unreadable(path, `the file is longer than ${dockerConfigLimit} bytes`))
  if (text.trim() === "") return Result.succeed(emptyDockerConfig)
  const known = decodeKnown(text)
  const document = decodeDocument(text)
  return Option.isNone(known) || Option.isNone(document)
    ? Result.fail(unreadable(path, "it is not JSON of the form that docker writes"))
    : Result.succeed({ known: known.value, document: document.value })
}

/** With tabs, as docker writes it. */
export const printDockerConfig = (config: DockerConfig): string => `${JSON.stringify(config.document, null, "\t")}\n`

/** The name of a registry in `auths`, in `credHelpers` and at helpers. */
export const credentialKey = (host: string): string => isDockerDomain(host) ? dockerCredentialKey : host

/** `https://host/v1/` → `host`: keys of older files are URLs. */
const hostOfKey = (key: string): string =>
  isDockerDomain(key.replace(/^https?:\/\//, "").split("/", 1)[0] ?? "")
    ? dockerCredentialKey
    : key.replace(/^https?:\/\//, "").split("/", 1)[0] ?? ""

const ownEntry = <A>(record: Readonly<Record<string, A>> | null | undefined, key: string): A | undefined =>
  record !== undefined && record !== null && Object.hasOwn(record, key) ? record[key] : undefined

/** `base64(name:password)`, perhaps with zero bytes behind, as docker pads it. */
const readAuth = (auth: string): { readonly username: string; readonly password: string } | undefined => {
  const decoded = Base64.decodeString(auth)
  if (Result.isFailure(decoded)) return undefined
  const colon = decoded.success.indexOf(":")
  if (colon < 0) return undefined
  return { username: decoded.success.slice(0, colon), password: decoded.success.slice(colon + 1).replace(/\0+$/, "") }
}

const readEntry = (entry: AuthEntry, host: string): Result.Result<Credential | undefined, RegistryError> => {
  if (entry.registrytoken && isToken(entry.registrytoken)) {
    return Result.succeed({ kind: "registry", token: entry.registrytoken })
  }
  if (entry.identitytoken && isToken(entry.identitytoken)) {
    return Result.succeed({ kind: "identity", token: entry.identitytoken })
  }
  if (entry.auth) {
    const pair = readAuth(entry.auth)
    return pair === undefined
      ? Result.fail(registryError(
        { operation: "read the credential of", object: host }, "invalid",
        "its `auth` in the configuration is not base64 of name:password", `log in again with: login ${host}`
      ))
      : Result.succeed({ kind: "password", ...pair })
  }
  return Result.succeed(
    entry.username ? { kind: "password", username: entry.username, password: entry.password ?? "" } : undefined
  )
}

export type CredentialSource =
  /** Ask `docker-credential-<helper>`, with `server` on its standard input. */
  | { readonly kind: "helper"; readonly helper: string; readonly server: string }
  | { readonly kind: "file" }

/** Helpers are found on PATH: a name with a slash would be something else. */
const helperPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** Where the credential of a registry is kept: its own helper before the general store before the file. */
export const credentialSource = (config: DockerConfig, host: string): Result.Result<CredentialSource, RegistryError> => {
  const server = credentialKey(host)
  const { credHelpers, credsStore } = config.known
  const helper = ownEntry(credHelpers, server) ?? ownEntry(credHelpers, host) ?? credsStore ?? ""
  if (helper === "") return Result.succeed({ kind: "file" })
  return helperPattern.test(helper)
    ? Result.succeed({ kind: "helper", helper, server })
    : Result.fail(registryError(
      { operation: "find the credential helper of", object: host }, "invalid",
      `the configuration names the helper ${JSON.stringify(helper)}`,
      "name it by the end of its program's name: docker-credential-NAME"
    ))
}

/** What the file itself holds for a registry; undefined when there is nothing. */
export const storedCredential = (config: DockerConfig, host: string): Result.Result<Credential | undefined, RegistryError> => {
  const { auths } = config.known
  const key = credentialKey(host)
  const entry = ownEntry(auths, key) ?? ownEntry(auths, host) ??
    Object.entries(auths ?? {}).find(([name]) => hostOfKey(name) === key)?.[1]
  return entry === undefined ? Result.succeed(undefined) : readEntry(entry, host)
}

const HelperAnswer = Schema.fromJsonString(Schema.Struct({ Username: Schema.String, Secret: Schema.String }))
const decodeHelperAnswer = Schema.decodeUnknownOption(HelperAnswer)

/** In place of a user name: the secret is an identity token (docker-credential-helpers). */
const tokenUser = "<token>"

/**
 * What a helper printed for `get`. One that has nothing says so in words and fails: undefined. Fails for anything
 * else; the text is not shown, it may hold the secret.
 */
export const readHelperAnswer = (
  answer: { readonly exitCode: number; readonly stdout: string }, helper: string, host: string
): Result.Result<Credential | undefined, RegistryError> => {
  if (answer.exitCode !== 0 && /credentials not found/i.test(answer.stdout)) return Result.succeed(undefined)
  const decoded = answer.exitCode === 0 ? decodeHelperAnswer(answer.stdout) : Option.none()
  if (Option.isNone(decoded)) {
    return Result.fail(registryError(
      { operation: "get the credential of", object: host }, "unavailable",
      answer.exitCode === 0
        ? `docker-credential-${helper} printed something else`
        : `docker-credential-${helper} failed (${answer.exitCode})`,
      `try the helper by hand: echo ${credentialKey(host)} | docker-credential-${helper} get`
    ))
  }
  const { Secret, Username } = decoded.value
  return Result.succeed(
    Username === tokenUser ? { kind: "identity", token: Secret } : { kind: "password", username: Username, password: Secret }
  )
}

/** What a helper is told for `store`, on its standard input. */
export const helperStoreInput = (host: string, credential: Credential): string => JSON.stringify({
  ServerURL: credentialKey(host),
  Username: credential.kind === "password" ? credential.username : tokenUser,
  Secret: credential.kind === "password" ? credential.password : credential.token
})

const withAuths = (
  config: DockerConfig, change: (auths: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>
): DockerConfig => {
  const auths = config.document["auths"]
  const document = { ...config.document, auths: change(typeof auths === "object" && auths !== null ? { ...auths } : {}) }
  return Option.match(decodeKnown(JSON.stringify(document)), {
    onNone: () => config,
    onSome: (known) => ({ known, document })
  })
}

/** The configuration after a login that is kept in the file. */
export const withCredential = (config: DockerConfig, host: string, credential: Credential): DockerConfig => {
  const entry = credential.kind === "password"
    ? { auth: Base64.encode(`${credential.username}:${credential.password}`) }
    : { [credential.kind === "identity" ? "identitytoken" : "registrytoken"]: credential.token }
  return withAuths(withoutCredential(config, host), (auths) => ({ ...auths, [credentialKey(host)]: entry }))
}

/** The configuration after a logout: no spelling of the registry is left. */
export const withoutCredential = (config: DockerConfig, host: string): DockerConfig =>
  withAuths(config, (auths) =>
    Object.fromEntries(Object.entries(auths).filter(([key]) => hostOfKey(key) !== credentialKey(host) && key !== credentialKey(host))))
