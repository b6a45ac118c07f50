/** Which proxy a URL goes through, by the environment, with the rules that docker's own client follows (Go's httpproxy). */
import * as Result from "effect/Result"
import { hostPortOf, isAddress, isInBlock, isLoopback, isSameAddress, readHostPort } from "./NetworkPattern.ts"
import { RegistryError, registryError } from "./RegistryError.ts"

export interface Proxy {
  /** `http://host:port` or `https://host:port`, without credentials. */
  readonly url: string
  /** `Proxy-Authorization`, where the variable holds name and password. */
  readonly credentials?: { readonly username: string; readonly password: string }
}

export type Environment = Readonly<Record<string, string | undefined>>

/** Upper case first, as in Go; an empty variable is none. */
const variable = (environment: Environment, name: string): string =>
  environment[name] || environment[name.toLowerCase()] || ""

/** One entry of NO_PROXY against a target. */
const entryMatches = (entry: string, target: { readonly host: string; readonly port: string }): boolean => {
  if (entry.includes("/")) return isInBlock(entry, target.host)
  const { host, port } = readHostPort(entry)
  if (host === "" || (port !== "" && port !== target.port)) return false
  if (isAddress(host)) return isSameAddress(host, target.host)
  // `.name` and `*.name` mean what is below; `name` means itself, too
  const name = host.replace(/^\*(?=\.)/, "").replace(/\.$/, "")
  return name.startsWith(".") ? target.host.endsWith(name) : target.host === name || target.host.endsWith(`.${name}`)
}

/** Whether NO_PROXY excepts a URL. This machine is always excepted. */
export const isExcepted = (noProxy: string, url: URL): boolean => {
  const target = hostPortOf(url)
  if (isLoopback(target.host)) return true
  return noProxy.split(",").map((entry) => entry.trim()).some((entry) => entry === "*" || entryMatches(entry, target))
}

const readProxy = (text: string, name: string): Result.Result<Proxy, RegistryError> => {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`)
  const decoded = url === null ? undefined : decode(url)
  if (url === null || decoded === undefined || (url.protocol !== "http:" && url.protocol !== "https:")) {
    return Result.fail(registryError(
      { operation: "use the proxy of", object: name }, "invalid",
      "its value is not the address of an http or https proxy", `set ${name} to a form such as http://proxy:3128, or unset it`
    ))
  }
  return Result.succeed({
    url: url.origin,
    ...(url.username === "" ? {} : { credentials: decoded })
  })
}

/** Undefined when an escape in it is broken. */
const decode = (url: URL): { readonly username: string; readonly password: string } | undefined => {
  const broken = /%(?![0-9A-Fa-f]{2})/
  if (broken.test(url.username) || broken.test(url.password)) return undefined
  const bytes = (text: string) => new TextDecoder().decode(
    new Uint8Array([...text.matchAll(/%([0-9A-Fa-f]{2})|[\s\S]/g)].map((match) =>
      match[1] === undefined ? match[0].charCodeAt(0) : Number.parseInt(match[1], 16)))
  )
  return { username: bytes(url.username), password: bytes(url.password) }
}

/**
 * The proxy for a URL, undefined for the direct way. Fails when the variable that counts cannot be read: to go
 * directly where a proxy was wanted would not be what the user asked for.
 */
export const proxyFor = (environment: Environment, url: string): Result.Result<Proxy | undefined, RegistryError> => {
  const target = new URL(url)
  const name = target.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY"
  const text = variable(environment, name)
  if (text === "" || isExcepted(variable(environment, "NO_PROXY"), target)) return Result.succeed(undefined)
  return readProxy(text, name)
}
