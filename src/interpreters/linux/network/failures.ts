/** What Node says of a connection that failed, as the kinds that the programs know and words that a user knows. */
import { errnoMeaning } from "../../../domain/kernel/errno.ts"
import type { TransportFailure } from "../../../domain/registry/Retry.ts"
import { HttpFailure } from "../../../programs/registry/Http.ts"

interface NodeError {
  readonly code: string
  readonly message: string
  readonly syscall: string
  readonly address: string
  readonly port: string
  readonly hostname: string
}

const textOf = (value: unknown): string => typeof value === "string" || typeof value === "number" ? String(value) : ""

/** Of a failure to connect to any of several addresses the first counts. */
const readError = (error: unknown): NodeError => {
  const cause = error instanceof AggregateError ? error.errors[0] ?? error : error
  const { address, code, hostname, message, port, syscall } = cause as { readonly [K in keyof NodeError]?: unknown }
  return {
    code: textOf(code), message: textOf(message) || String(cause), syscall: textOf(syscall), address: textOf(address),
    port: textOf(port), hostname: textOf(hostname)
  }
}

/** connect(2): nobody is there, or there is no way to go. */
const unreachable: ReadonlySet<string> = new Set([
  "ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "EHOSTDOWN", "ENETDOWN", "EADDRNOTAVAIL", "EACCES", "EPERM", "EINVAL"
])

/**
 * Beginnings of codes of Node (errors.html, "ERR_TLS_*") and of OpenSSL (X509_verify_cert_error_string(3) without
 * `X509_V_ERR_`). `EPROTO` is what a handshake ends with when the other end does not speak TLS.
 */
const unproven = [
  "EPROTO", "ERR_TLS_", "ERR_SSL_", "ERR_OSSL_", "CERT_", "CRL_", "UNABLE_TO_", "SELF_SIGNED_CERT", "DEPTH_ZERO_",
  "HOSTNAME_MISMATCH", "INVALID_", "PATH_LENGTH_", "ERROR_IN_CERT", "UNSUPPORTED_", "AKID_", "KEYUSAGE_", "SUBJECT_ISSUER_",
  "CA_", "EE_KEY_", "EC_KEY_", "OCSP_"
]

const kindOf = ({ code, syscall }: NodeError): TransportFailure => {
  if (code === "ENOTFOUND") return "unknown"
  if (syscall === "getaddrinfo" || code.startsWith("EAI_")) return "name"
  if (code === "ETIMEDOUT" || code === "ERR_SOCKET_CONNECTION_TIMEOUT") return "timeout"
  if (syscall === "connect" && unreachable.has(code)) return "refused"
  return unproven.some((beginning) => code.startsWith(beginning)) ? "tls" : "broken"
}

/** What OpenSSL says in five ways, and Node with advice for programmers. */
const unknownAuthority = "its certificate is signed by an authority that this machine does not know"

/** Further words than strerror(3)'s for what happens to connections. */
const meanings: { readonly [code: string]: string } = {
  ENOTFOUND: "no such host", EAI_AGAIN: "the name service does not answer", ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset by peer", EPIPE: "the other end closed the connection", ETIMEDOUT: "connection timed out",
  EHOSTUNREACH: "no route to host", ENETUNREACH: "network is unreachable", EHOSTDOWN: "host is down",
  EADDRNOTAVAIL: "cannot assign requested address", ERR_SOCKET_CONNECTION_TIMEOUT: "connection timed out",
  EPROTO: "the other end does not speak TLS", ERR_SSL_WRONG_VERSION_NUMBER: "the other end does not speak TLS",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "the other end does not speak TLS", UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT: unknownAuthority, UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority,
  SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority, DEPTH_ZERO_SELF_SIGNED_CERT: unknownAuthority
}

/** `ssl3_get_record:wrong version number` has a dozen fields around it that help nobody. */
const wordsOf = (error: NodeError): string => {
  const { address, code, hostname, message, port } = error
  if (code.startsWith("HPE_")) return `the answer is not HTTP (${message.replace(/^Parse Error: /, "")})`
  const known = meanings[code] ?? (errnoMeaning(code) === code ? undefined : errnoMeaning(code))
  const socket = `${address.includes(":") ? `[${address}]` : address}${port && `:${port}`}`
  const where = hostname || (address && socket)
  return `${known ?? message}${where === "" ? "" : ` (${where})`}`
}

export const failureOf = (error: unknown): HttpFailure => {
  if (error instanceof HttpFailure) return error
  const read = readError(error)
  return new HttpFailure({ kind: kindOf(read), cause: wordsOf(read) })
}

/** Between us and the proxy, or by its word. */
export const proxyFailure = (proxy: string, error: unknown): HttpFailure => {
  const failure = failureOf(error)
  return failure.kind === "proxy" ? failure : new HttpFailure({ kind: "proxy", cause: `proxy ${proxy}: ${failure.cause}` })
}
