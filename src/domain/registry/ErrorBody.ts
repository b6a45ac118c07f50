/** What a registry says when it refuses (OCI distribution 1.1, "Error codes"), and the error that we make of it. */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { printable } from "./printable.ts"
import { RegistryError, registryError, type RegistryErrorKind, type Subject } from "./RegistryError.ts"

export interface ErrorEntry {
  readonly code: string
  readonly message: string
  /** JSON where it was not a text. */
  readonly detail: string
}

/** Bytes of an error body that are looked at. */
export const errorBodyLimit = 65_536

const entryLimit = 16

const Entry = Schema.Struct({
  code: Schema.optionalKey(Schema.Unknown),
  message: Schema.optionalKey(Schema.Unknown),
  detail: Schema.optionalKey(Schema.Unknown)
})

/** `errors` as the specification has it; `details` and `message` as token servers and proxies write them. */
const Body = Schema.fromJsonString(Schema.Struct({
  errors: Schema.optionalKey(Schema.NullOr(Schema.Array(Entry))),
  code: Schema.optionalKey(Schema.Unknown),
  message: Schema.optionalKey(Schema.Unknown),
  details: Schema.optionalKey(Schema.Unknown)
}))

const decodeBody = Schema.decodeUnknownOption(Body)

const shown = (value: unknown): string =>
  value === undefined || value === null ? "" : printable(typeof value === "string" ? value : JSON.stringify(value))

/** The entries of an error body; none when it is not one (an HTML page of a proxy, say). */
export const readErrorBody = (bytes: Uint8Array): ReadonlyArray<ErrorEntry> => {
  if (bytes.length > errorBodyLimit) return []
  const body = decodeBody(new TextDecoder().decode(bytes))
  if (Option.isNone(body)) return []
  const { code, details, errors, message } = body.value
  if (errors !== undefined && errors !== null) {
    return errors.slice(0, entryLimit).map((entry) => ({
      code: shown(entry.code), message: shown(entry.message), detail: shown(entry.detail)
    }))
  }
  const text = shown(message ?? details)
  return text === "" ? [] : [{ code: shown(code), message: text, detail: "" }]
}

const kindOfStatus = (status: number): RegistryErrorKind => {
  if (status === 401 || status === 403) return "denied"
  if (status === 404) return "missing"
  if (status === 405 || status === 501) return "unsupported"
  if (status === 429) return "limited"
  return status >= 500 || status === 408 || status === 425 ? "unavailable" : "invalid"
}

const kindsOfCodes: Readonly<Record<string, RegistryErrorKind>> = {
  DENIED: "denied", UNAUTHORIZED: "denied", TOOMANYREQUESTS: "limited", UNSUPPORTED: "unsupported",
  MANIFEST_UNKNOWN: "missing", NAME_UNKNOWN: "missing", BLOB_UNKNOWN: "missing", BLOB_UPLOAD_UNKNOWN: "missing"
}

/** Named by the code where it says more than the status. */
const namedKind = (status: number, code: string): RegistryErrorKind =>
  status >= 500 || !Object.hasOwn(kindsOfCodes, code) ? kindOfStatus(status) : kindsOfCodes[code] ?? kindOfStatus(status)

export interface Refusal {
  /** Host and port of the registry, as `login` takes it. */
  readonly host: string
  readonly status: number
  readonly body: Uint8Array
  /** Whether the request carried credentials of the user. */
  readonly authenticated: boolean
}

const cureOf = (kind: RegistryErrorKind, refusal: Refusal): string => {
  switch (kind) {
    case "denied":
      return refusal.authenticated
        ? `check that your account may do this, or log in as another user with: login ${refusal.host}`
        : `log in first with: login ${refusal.host}`
    case "missing":
      return refusal.authenticated
        ? "check the name, the tag or the digest"
        : `check the name, the tag or the digest; if it is private, log in with: login ${refusal.host}`
    case "limited":
      return refusal.authenticated
        ? "wait before you try again"
        : `wait before you try again, or log in for a higher limit with: login ${refusal.host}`
    case "unavailable":
      return "try again later; what is here already is kept"
    case "unsupported":
      return "this registry does not offer it: use another registry for it"
    default:
      return "check the name and the registry's rules"
  }
}

const describe = (entries: ReadonlyArray<ErrorEntry>): string =>
  printable(
    entries.map(({ code, detail, message }) => {
      const text = [message.toLowerCase() === code.toLowerCase() ? "" : message, detail === "{}" ? "" : detail]
        .filter((part) => part !== "").join(", ")
      return code === "" ? text : text === "" ? code : `${code} (${text})`
    }).join("; ")
  )

/** The error for a response that says no. */
export const errorOfResponse = (subject: Subject, refusal: Refusal): RegistryError => {
  const entries = readErrorBody(refusal.body)
  const code = entries[0]?.code ?? ""
  const kind = namedKind(refusal.status, code)
  const said = entries.length === 0 ? "" : `: ${describe(entries)}`
  return registryError(subject, kind, `${refusal.host} answered ${refusal.status}${said}`, cureOf(kind, refusal), {
    status: refusal.status,
    ...(code === "" ? {} : { code })
  })
}
