/** The network of this machine, and the user's own credentials: what registries are reached by. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { homedir } from "node:os"
import { join } from "node:path"
import type { RegistryError } from "../../domain/registry/RegistryError.ts"
import { dockerConfigPath, layer as credentialLayer, credentialStore } from "../../interpreters/linux/network/DockerConfigFile.ts"
import { layer as digester } from "../../interpreters/linux/network/LinuxDigester.ts"
import { layer as http } from "../../interpreters/linux/network/LinuxHttp.ts"
import type { Remote } from "../../programs/Registries.ts"
import { dockerCredentials } from "../../programs/registry/dockerCredentials.ts"
import { Registry } from "../../programs/registry/Registry.ts"
import { readSettings } from "./readSettings.ts"

export interface RemoteOptions {
  /** Directory of the user's config.json; "" for docker's own. */
  readonly config: string
  /** The file of settings; "" for the host's, which need not be there. */
  readonly settings: string
}

export const linuxRemote = ({ config, settings }: RemoteOptions): Effect.Effect<Remote, RegistryError> =>
  Effect.gen(function*() {
    const registries = yield* readSettings(settings)
    const environment = process.env
    const path = config === "" ? dockerConfigPath(environment, homedir()) : join(config, "config.json")
    return {
      file: path,
      credentials: dockerCredentials(credentialStore(path, environment)),
      registry: Registry.layer({ settings: registries, environment }).pipe(
        Layer.provide(Layer.mergeAll(http({ environment }), digester, credentialLayer(path, environment)))
      )
    }
  })
