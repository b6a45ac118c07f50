/** Mirrors and registries without protection, as the user configures them, and the endpoints that follow from it. */
import * as Result from "effect/Result"
import { dockerDomain, dockerRegistryHost, isDockerDomain } from "./dockerDefaults.ts"
import { type Endpoint, readEndpoint } from "./Endpoint.ts"
import { readUrl } from "./HttpMessage.ts"
import { isInBlock, isLoopback, readHostPort } from "./NetworkPattern.ts"
import { RegistryError, registryError } from "./RegistryError.ts"

export interface RegistrySettings {
  /**
   * By domain, URLs in the order in which they are tried before the registry itself. `registry-mirrors` of docker's
   * daemon.json are those of its own domain.
   */
  readonly mirrors: Readonly<Record<string, ReadonlyArray<string>>>
  /** `insecure-registries` of daemon.json: `host`, `host:port` or CIDR blocks. */
  readonly insecure: ReadonlyArray<string>
}

export const defaultRegistrySettings: RegistrySettings = { mirrors: {}, insecure: [] }

const settingError = (object: string, cause: string, cure: string): RegistryError =>
  registryError({ operation: "use the registry", object }, "invalid", cause, cure)

/** Without TLS or without a check of the certificate: as configured, and this machine, as docker does. */
export const isInsecure = (settings: RegistrySettings, domain: string): boolean => {
  const { host, port } = readHostPort(domain)
  if (isLoopback(host)) return true
  return settings.insecure.some((entry) => {
    if (entry.includes("/")) return isInBlock(entry, host)
    const named = readHostPort(entry)
    return named.host === host && (named.port === "" || named.port === port)
  })
}

export interface Candidate extends Endpoint {
  readonly mirror: boolean
  /** Only to be used when the one before it cannot be talked to at all: the same registry without TLS. */
  readonly fallback: boolean
}

const label = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,62}[a-zA-Z0-9])?"

/** A host's name or address, an IPv6 address in brackets, and perhaps a port (distribution's reference grammar, "domain"). */
const domainPattern = new RegExp(`^(?:${label}(?:\\.${label})*|\\[[0-9a-fA-F:.]+\\])(?::[0-9]{1,5})?$`)

const mirrorsOf = (settings: RegistrySettings, domain: string): Result.Result<ReadonlyArray<Candidate>, RegistryError> => {
  const name = isDockerDomain(domain) ? dockerDomain : domain
  const urls = Object.hasOwn(settings.mirrors, name) ? settings.mirrors[name] ?? [] : []
  const mirrors: Array<Candidate> = []
  for (const text of urls) {
    const host = readUrl(text)?.host ?? ""
    const endpoint = readEndpoint(text, !isInsecure(settings, host))
    if (endpoint === undefined) {
      return Result.fail(settingError(text, "this mirror's address is not an http or https URL", "write it as https://HOST[:PORT][/PATH]"))
    }
    mirrors.push({ ...endpoint, mirror: true, fallback: false })
  }
  return Result.succeed(mirrors)
}

/**
 * Where the API of a reference's domain may be found, in the order in which it is tried. `pull` may use mirrors;
 * everything else goes to the registry itself.
 */
export const candidatesFor = (
  settings: RegistrySettings, domain: string, purpose: "pull" | "other"
): Result.Result<ReadonlyArray<Candidate>, RegistryError> => {
  if (domain.length > 255 || !domainPattern.test(domain)) {
    return Result.fail(settingError(domain, "this is not the name of a host", "write it as HOST or HOST:PORT"))
  }
  const host = isDockerDomain(domain) ? dockerRegistryHost : domain
  const insecure = isInsecure(settings, host)
  const secured = readEndpoint(`https://${host}`, !insecure)
  const open = readEndpoint(`http://${host}`, false)
  if (secured === undefined || open === undefined) {
    return Result.fail(settingError(domain, "this is not the name of a host", "write it as HOST or HOST:PORT"))
  }
  const own: ReadonlyArray<Candidate> = insecure
    ? [{ ...secured, mirror: false, fallback: false }, { ...open, mirror: false, fallback: true }]
    : [{ ...secured, mirror: false, fallback: false }]
  return purpose === "pull"
    ? Result.map(mirrorsOf(settings, domain), (mirrors) => [...mirrors, ...own])
    : Result.succeed(own)
}
