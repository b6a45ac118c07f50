/** The image that comes with the package: `fx/hello`, a static program that prints what it sees from inside. */
import { statSync } from "node:fs"
import type { ImageRecord } from "../domain/image/ImageRecord.ts"
import { noImageDefaults } from "../domain/image/ImageRecord.ts"
import { builtFile } from "../interpreters/linux/addon.ts"

/** SHA-256 of the reference, not of the content: a name that stays when the program is built anew. */
const id = "sha256:2ef476a1a983742f34fc590c76e887985849cffbca8d05774c227b5ef7f2a7ed"

const reference = "fx/hello:latest"

/** Bytes; 0 where the program was not built. */
const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0

export const builtinImages = (): ReadonlyArray<ImageRecord> => {
  const layer = builtFile("hello-image")
  return [{
    version: 1, id, reference, createdAt: "1970-01-01T00:00:00Z", layers: [layer], size: sizeOf(`${layer}/hello`),
    config: { ...noImageDefaults, command: ["/hello"] }
  }]
}
