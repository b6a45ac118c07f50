/** The image that comes with the package: `fx/hello`, a static program that prints what it sees from inside. */
import { statSync } from "node:fs"
import { noImageDefaults } from "../domain/image/Defaults.ts"
import type { Digest } from "../domain/image/Digest.ts"
import type { BuiltinImage } from "../domain/image/ImageRecord.ts"
import { builtFile } from "../interpreters/linux/addon.ts"
import { goArchitecture } from "./program.ts"

/** Bytes; 0 where the program was not built. */
const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0

/** The digests stand for contents that are no blobs: nobody looks for them. */
export const builtinImage = (image: {
  readonly id: string
  readonly name: string
  readonly directory: string
  readonly size: number
  readonly command: ReadonlyArray<string>
  readonly architecture: string
}): BuiltinImage => {
  const id = image.id as Digest
  const blob = { mediaType: "application/vnd.oci.image.layer.v1.tar", digest: id, size: image.size }
  return {
    record: {
      version: 2, id, target: { mediaType: "application/vnd.oci.image.manifest.v1+json", digest: id, size: 0 },
      platform: { os: "linux", architecture: image.architecture },
      createdAt: "1970-01-01T00:00:00Z", storedAt: "1970-01-01T00:00:00Z",
      layers: [{ diffId: id, chainId: id, blob }], size: image.size,
      config: { ...noImageDefaults, command: image.command }
    },
    names: [image.name],
    directories: [image.directory]
  }
}

export const builtinImages = (): ReadonlyArray<BuiltinImage> => {
  const directory = builtFile("hello-image")
  return [builtinImage({
    // SHA-256 of the reference, not of the content: an id that stays when the program is built anew
    id: "sha256:2ef476a1a983742f34fc590c76e887985849cffbca8d05774c227b5ef7f2a7ed",
    name: "docker.io/fx/hello:latest", directory, size: sizeOf(`${directory}/hello`), command: ["/hello"],
    architecture: goArchitecture()
  })]
}
