/** The platform whose images the host runs best. */
import * as Effect from "effect/Effect"
import { type ImagePlatform, normalizePlatform } from "../../domain/image/Platform.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { platformOfMachine } from "../../domain/text/flags/Platform.ts"
import { Host } from "../Host.ts"

export const hostPlatform: Effect.Effect<ImagePlatform, KernelError, Host> = Effect.gen(function*() {
  const { texts } = yield* (yield* Host).facts
  return normalizePlatform(platformOfMachine(texts.machine))
})
