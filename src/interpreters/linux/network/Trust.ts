/**
 * Whom we believe and who we are in TLS: the system's authorities, and for a registry those of its directory below
 * /etc/docker/certs.d with the certificates that we show.
 */
import * as Result from "effect/Result"
import * as fs from "node:fs"
import type { SecureContext } from "node:tls"
import { type CertificateFiles, certificateDirectory, readCertificateDirectory } from "../../../domain/registry/CertificateDirectory.ts"
import type { Environment } from "../../../domain/registry/Proxy.ts"
import { HttpFailure } from "../../../programs/registry/Http.ts"
import { tls } from "./nodeModules.ts"

/** Where distributions keep all authorities in one file: the list of Go's crypto/x509, root_linux.go. */
const bundles = [
  "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/pki/tls/cacert.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem"
]

/** Bytes of a file with certificates. */
const fileLimit = 16 << 20

const unusable = (cause: string): HttpFailure => new HttpFailure({ kind: "tls", cause })

const readFile = (path: string): string => {
  try {
    const { size } = fs.statSync(path)
    if (size > fileLimit) throw unusable(`${path} is too large for certificates`)
    return fs.readFileSync(path, "utf8")
  } catch (cause) {
    throw cause instanceof HttpFailure ? cause : unusable(`cannot read ${path}: ${(cause as Error).message}`)
  }
}

const optional = (path: string): string | undefined => {
  try {
    return readFile(path)
  } catch {
    return undefined
  }
}

const filesIn = (directory: string): ReadonlyArray<string> => {
  try {
    return fs.readdirSync(directory)
  } catch {
    return []
  }
}

/** As PEM. Undefined where the system has none: then Node's own count. SSL_CERT_FILE and SSL_CERT_DIR as in Go and OpenSSL. */
const systemAuthorities = (environment: Environment): ReadonlyArray<string> | undefined => {
  const { SSL_CERT_DIR: directories, SSL_CERT_FILE: file } = environment
  const single = file ? [readFile(file)] : bundles.map(optional).filter((text) => text !== undefined).slice(0, 1)
  const listed = (directories ?? "").split(":").filter((directory) => directory !== "").flatMap((directory) =>
    filesIn(directory).map((name) => optional(`${directory}/${name}`)).filter((text) => text !== undefined))
  const all = [...single, ...listed].filter((text) => text.includes("-----BEGIN "))
  return all.length === 0 ? undefined : all
}

/** What was read for a registry, to be read again when a file has changed. */
interface Identity {
  readonly stamp: string
  readonly context: SecureContext
}

/** What a connection is secured with; `key` differs where that does. */
export interface Security {
  readonly key: string
  readonly context: SecureContext
  readonly verify: boolean
}

export class Trust {
  private readonly roots: ReadonlyArray<string>
  private readonly environment: Environment
  private authorities: ReadonlyArray<string> | undefined
  private known = false
  private common: SecureContext | undefined
  private unverified: SecureContext | undefined
  private readonly identities = new Map<string, Identity>()

  /** `roots`: directories as `certificateRoots` gives them. */
  constructor(roots: ReadonlyArray<string>, environment: Environment) {
    this.roots = roots
    this.environment = environment
  }

  /** For a host and port as a URL has them. Throws an HttpFailure for certificates that cannot be used. */
  securityFor(host: string, verify: boolean): Security {
    const identity = this.identityOf(host, verify)
    if (identity !== undefined) return { key: `${host} ${verify} ${identity.stamp}`, context: identity.context, verify }
    return { key: String(verify), context: verify ? this.commonContext() : this.unverifiedContext(), verify }
  }

  private identityOf(host: string, verify: boolean): Identity | undefined {
    const found = this.roots.flatMap((root) => {
      const directory = certificateDirectory(root, host)
      const names = directory === undefined ? [] : filesIn(directory)
      return directory === undefined || names.length === 0 ? [] : [{ directory, names }]
    })
    if (found.length === 0) return undefined
    const stamp = JSON.stringify(found.map(({ directory, names }) =>
      names.map((name) => [name, fs.statSync(`${directory}/${name}`, { throwIfNoEntry: false })?.mtimeMs])))
    const key = `${host} ${verify}`
    const before = this.identities.get(key)
    if (before?.stamp === stamp) return before
    const read = found.map(({ directory, names }) => {
      const files = readCertificateDirectory(directory, names)
      if (Result.isFailure(files)) throw unusable(`${directory}: ${files.failure.cause}`)
      return { directory, files: files.success }
    })
    const identity = { stamp, context: this.makeContext(read, verify) }
    this.identities.set(key, identity)
    return identity
  }

  private makeContext(
    read: ReadonlyArray<{ readonly directory: string; readonly files: CertificateFiles }>, verify: boolean
  ): SecureContext {
    const authorities = read.flatMap(({ files }) => files.authorities).map(readFile)
    const clients = read.flatMap(({ files }) => files.clients)
    const system = this.systemAuthorities() ?? tls().rootCertificates
    try {
      return tls().createSecureContext({
        ...(verify ? { ca: [...system, ...authorities] } : {}),
        ...(clients.length === 0 ? {} : {
          cert: clients.map(({ certificate }) => readFile(certificate)), key: clients.map(({ key }) => readFile(key))
        })
      })
    } catch (cause) {
      throw cause instanceof HttpFailure
        ? cause
        : unusable(`${read.map(({ directory }) => directory).join(", ")}: ${(cause as Error).message}`)
    }
  }

  private systemAuthorities(): ReadonlyArray<string> | undefined {
    if (!this.known) this.authorities = systemAuthorities(this.environment)
    this.known = true
    return this.authorities
  }

  private commonContext(): SecureContext {
    const ca = this.systemAuthorities()
    return this.common ??= tls().createSecureContext(ca === undefined ? {} : { ca: [...ca] })
  }

  private unverifiedContext(): SecureContext {
    return this.unverified ??= tls().createSecureContext({})
  }
}
