/** The user's config.json, and the credential helpers that it names. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as fs from "node:fs"
import { dirname, join } from "node:path"
import { dockerConfigLimit } from "../../../domain/registry/DockerConfig.ts"
import type { Environment } from "../../../domain/registry/Proxy.ts"
import { type RegistryError, registryError, type RegistryErrorKind } from "../../../domain/registry/RegistryError.ts"
import { Credentials } from "../../../programs/registry/Credentials.ts"
import { type CredentialStore, dockerCredentials } from "../../../programs/registry/dockerCredentials.ts"
import { runHelper } from "./runHelper.ts"

/** `$DOCKER_CONFIG/config.json`, else in `.docker` of the home directory, as docker has it. */
export const dockerConfigPath = (environment: Environment, home: string): string =>
  join(environment["DOCKER_CONFIG"] || join(home, ".docker"), "config.json")

const attempt = <A>(
  operation: string, path: string, kind: RegistryErrorKind, cure: string, body: () => A
): Effect.Effect<A, RegistryError> =>
  Effect.try({
    try: body,
    catch: (fault) => registryError({ operation, object: path }, kind, (fault as Error).message, cure)
  })

const read = (path: string): string => {
  try {
    const { size } = fs.statSync(path)
    if (size > dockerConfigLimit) throw new Error(`it is longer than ${dockerConfigLimit} bytes`)
    return fs.readFileSync(path, "utf8")
  } catch (fault) {
    if ((fault as { code?: unknown }).code === "ENOENT") return ""
    throw fault
  }
}

/** Where a link leads, so that it stays one: such files are often kept elsewhere. */
const realPath = (path: string): string => {
  try {
    return fs.realpathSync(path)
  } catch {
    return path
  }
}

/**
 * Gives the new file the owner and mode of the one that it takes the place of. When there is none, it is its
 * directory's owner's, which matters for root in the home of somebody else.
 */
const keepOwner = (descriptor: number, target: string): void => {
  const old = fs.statSync(target, { throwIfNoEntry: false })
  const owner = old ?? fs.statSync(dirname(target))
  let mode = old === undefined ? 0o600 : old.mode & 0o777
  const { gid, uid } = fs.fstatSync(descriptor)
  try {
    if ((owner.uid !== uid || owner.gid !== gid) && (old !== undefined || process.geteuid?.() === 0)) {
      fs.fchownSync(descriptor, owner.uid, owner.gid)
    }
  } catch (fault) {
    if ((fault as { code?: unknown }).code !== "EPERM") throw fault
    // What its old group might do is not for the group of whoever replaces it.
    mode &= 0o700
  }
  fs.fchmodSync(descriptor, mode)
}

const replace = (path: string, text: string): void => {
  fs.mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const target = realPath(path)
  const beside = `${target}.${process.pid}.new`
  try {
    const descriptor = fs.openSync(beside, "wx", 0o600)
    try {
      fs.writeFileSync(descriptor, text)
      keepOwner(descriptor, target)
      fs.fsyncSync(descriptor)
    } finally {
      fs.closeSync(descriptor)
    }
    fs.renameSync(beside, target)
  } catch (fault) {
    fs.rmSync(beside, { force: true })
    throw fault
  }
}

/** `environment`: also that of the helpers, which are found on its PATH. */
export const credentialStore = (path: string, environment: Environment): CredentialStore => ({
  path,
  read: attempt("read credentials from", path, "invalid", "mend the file, or move it away and log in again", () => read(path)),
  write: (text) =>
    attempt("keep credentials in", path, "unavailable", "make the file and its directory writable", () => replace(path, text)),
  runHelper: (helper, action, input) => runHelper(helper, action, input, environment)
})

/** Asked anew for each token: a login elsewhere counts at once. */
export const layer = (path: string, environment: Environment): Layer.Layer<Credentials> =>
  Layer.sync(Credentials, () => ({ find: dockerCredentials(credentialStore(path, environment)).find }))
