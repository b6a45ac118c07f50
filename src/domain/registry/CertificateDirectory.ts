/** `/etc/docker/certs.d/HOST[:PORT]`: authorities and client certificates of one registry, by the names of the files. */
import * as Result from "effect/Result"
import { compareBytes } from "../text/Utf8.ts"
import { RegistryError, registryError } from "./RegistryError.ts"

/** Searched in this order; `home` is the user's configuration directory, where there is one. */
export const certificateRoots = (home?: string): ReadonlyArray<string> =>
  ["/etc/docker/certs.d", ...(home === undefined ? [] : [`${home}/docker/certs.d`])]

/** The directory of a registry below a root. Undefined when the host cannot be a directory's name. */
export const certificateDirectory = (root: string, host: string): string | undefined =>
  /^[A-Za-z0-9[][A-Za-z0-9.:[\]-]{0,254}$/.test(host) && !host.includes("..") ? `${root}/${host.toLowerCase()}` : undefined

export interface CertificateFiles {
  /** Paths of PEM files: authorities that are trusted besides the system's. */
  readonly authorities: ReadonlyArray<string>
  /** Certificates that we show, each with its key. */
  readonly clients: ReadonlyArray<{ readonly certificate: string; readonly key: string }>
}

/** More than any registry has. */
const entryLimit = 256

/**
 * What a directory's entries mean: `*.crt` are authorities, `NAME.cert` with `NAME.key` a client's. A half of a pair
 * is a mistake that would show up as a refused connection.
 */
export const readCertificateDirectory = (
  directory: string, entries: ReadonlyArray<string>
): Result.Result<CertificateFiles, RegistryError> => {
  const names = [...entries].sort(compareBytes).slice(0, entryLimit)
  const present = new Set(names)
  const stems = (suffix: string) => names.filter((name) => name.endsWith(suffix) && name !== suffix)
    .map((name) => name.slice(0, -suffix.length))
  const lacking = [
    ...stems(".cert").map((stem) => [`${stem}.cert`, `${stem}.key`] as const),
    ...stems(".key").map((stem) => [`${stem}.key`, `${stem}.cert`] as const)
  ].find(([, other]) => !present.has(other))
  if (lacking !== undefined) {
    return Result.fail(registryError(
      { operation: "use the certificates in", object: directory }, "invalid",
      `${lacking[0]} is there without ${lacking[1]}`,
      "put certificate and key side by side; authorities end in .crt"
    ))
  }
  return Result.succeed({
    authorities: stems(".crt").map((stem) => `${directory}/${stem}.crt`),
    clients: stems(".cert").map((stem) => ({ certificate: `${directory}/${stem}.cert`, key: `${directory}/${stem}.key` }))
  })
}
