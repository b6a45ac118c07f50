/** An image as `inspect` shows it: docker's fields and names. */
import type { GoMap, GoValue } from "../../domain/text/goTemplate/GoValue.ts"
import type { ImageConfig } from "../../domain/image/ImageConfig.ts"
import { familiarReference } from "../../domain/image/Reference.ts"
import { isFlat } from "../../domain/layer/StorageDriver.ts"
import type { InspectedImage } from "../../programs/Images.ts"

const orNull = (value: unknown): GoValue => (value ?? null) as GoValue

/** Fields of the config that are only in the JSON when they say something; templates may ask for them always. */
const optional = ["ExposedPorts", "StopSignal", "Healthcheck", "Shell"] as const

const configView = (config: ImageConfig["config"] = {}, complete: boolean): GoMap => ({
  User: config.User ?? "",
  Env: orNull(config.Env),
  Cmd: orNull(config.Cmd),
  Volumes: orNull(config.Volumes),
  WorkingDir: config.WorkingDir ?? "",
  Entrypoint: orNull(config.Entrypoint),
  OnBuild: orNull(config.OnBuild),
  Labels: orNull(config.Labels),
  ...Object.fromEntries(
    optional.filter((name) => complete || config[name] !== undefined).map((name) => [name, orNull(config[name])])
  )
})

/** moby, graphdriver/overlay2: Metadata; an image that is not unpacked has no directories. */
const driverView = ({ directories: [upper, ...lower], driver }: InspectedImage): GoMap => ({
  Data: isFlat(driver) ? null : {
    ...(lower.length === 0 ? {} : { LowerDir: lower.join(":") }),
    ...(upper === undefined ? {} : { UpperDir: upper })
  },
  Name: driver
})

/** `complete`: with the fields that the JSON leaves out. */
export const imageView = (inspected: InspectedImage, complete: boolean): GoMap => {
  const { config, image } = inspected
  const { author = "", variant = "" } = config
  const osVersion = config["os.version"] ?? ""
  return {
    Id: image.id,
    RepoTags: image.tags.map(familiarReference),
    RepoDigests: image.digests.map(familiarReference),
    Parent: image.record.parent ?? "",
    Comment: config.history?.at(-1)?.comment ?? "",
    Created: image.record.createdAt,
    DockerVersion: "",
    Author: author,
    Config: configView(config.config, complete),
    Architecture: config.architecture ?? "",
    ...(complete || variant !== "" ? { Variant: variant } : {}),
    Os: config.os ?? "",
    ...(complete || osVersion !== "" ? { OsVersion: osVersion } : {}),
    Size: image.record.size,
    GraphDriver: driverView(inspected),
    RootFS: { Type: "layers", Layers: image.record.layers.map(({ diffId }) => diffId) },
    Metadata: { LastTagTime: "0001-01-01T00:00:00Z" }
  }
}
