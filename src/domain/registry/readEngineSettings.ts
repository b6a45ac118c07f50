/**
 * `/etc/fx-engine/daemon.json`: what the host's administrator says of registries and storage, in the words of docker's file
 * of this name.
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { StorageDriver } from "../layer/LayerRecord.ts"
import { parseStorageDriver } from "../layer/StorageDriver.ts"
import { dockerDomain } from "./dockerDefaults.ts"
import { readUrl } from "./HttpMessage.ts"
import { type RegistryError, registryError } from "./RegistryError.ts"
import type { RegistrySettings } from "./RegistrySettings.ts"

export interface EngineSettings extends RegistrySettings {
  readonly storageDriver?: StorageDriver
}

const texts = Schema.optionalKey(Schema.Array(Schema.String))

const decodeSettings = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.StructWithRest(
  Schema.Struct({
    "insecure-registries": texts, "registry-mirrors": texts, "storage-driver": Schema.optionalKey(Schema.String)
  }), [Schema.Record(Schema.String, Schema.Unknown)]
)))

const known: ReadonlySet<string> = new Set(["insecure-registries", "registry-mirrors", "storage-driver"])

/** A host with or without a port, an address with or without one, or a CIDR block. */
const isHost = (text: string): boolean => /^[A-Za-z0-9.:[\]_-]+(?:\/[0-9]{1,3})?$/.test(text)

/** `path`: for messages. What is not understood is refused: a setting without effect would mislead. */
export const readEngineSettings = (text: string, path: string): Result.Result<EngineSettings, RegistryError> => {
  const refuse = (cause: string, cure: string) =>
    Result.fail(registryError({ operation: "read the settings in", object: path }, "invalid", cause, cure))
  if (text.trim() === "") return Result.succeed({ mirrors: {}, insecure: [] })
  const decoded = decodeSettings(text)
  if (Option.isNone(decoded)) {
    return refuse(
      "it is not a JSON object of texts and lists of texts",
      `write {"insecure-registries": ["HOST:PORT"], "registry-mirrors": ["https://HOST"]}`
    )
  }
  const { "insecure-registries": insecure = [], "registry-mirrors": mirrors = [], "storage-driver": named, ...others } = decoded.value
  const unknown = Object.keys(others).filter((key) => !known.has(key))
  if (unknown.length > 0) {
    return refuse(`nothing is known of ${unknown.join(", ")}`, `leave it out: only ${[...known].join(", ")} are read`)
  }
  const noHost = insecure.find((entry) => !isHost(entry))
  if (noHost !== undefined) return refuse(`${JSON.stringify(noHost)} is not a host`, "write HOST, HOST:PORT or a block such as 10.0.0.0/8")
  const noUrl = mirrors.find((entry) => readUrl(entry) === undefined)
  if (noUrl !== undefined) return refuse(`${JSON.stringify(noUrl)} is not the address of a mirror`, "write it as https://HOST[:PORT]")
  const driver = named === undefined ? undefined : parseStorageDriver(named)
  if (driver !== undefined && Result.isFailure(driver)) return refuse(driver.failure.cause, driver.failure.cure)
  return Result.succeed({
    insecure, mirrors: mirrors.length === 0 ? {} : { [dockerDomain]: mirrors },
    ...(driver === undefined ? {} : { storageDriver: driver.success })
  })
}
