/** What a command sees of the user who typed it: environment, working directory, clock and files of their own. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { CommandFailure } from "../commands/CommandFailure.ts"

export class Surroundings extends Context.Service<Surroundings, {
  readonly environment: { readonly [name: string]: string | undefined }
  readonly workingDirectory: string
  /** Who the user is on this machine. */
  readonly user: { readonly uid: number; readonly gid: number }
  /** Minutes east of UTC at a time (milliseconds since the epoch), and the short name of the zone. */
  readonly zone: (time: number) => { readonly minutes: number; readonly name: string }
  /** A whole file. Fails in Go's words, `open PATH: no such file or directory`. */
  readonly readFile: (path: string) => Effect.Effect<Uint8Array, CommandFailure>
  /** The bytes of a file as they are read. */
  readonly streamFile: (path: string) => Stream.Stream<Uint8Array, CommandFailure>
  /** Makes a file that must not exist yet (`exclusive`), or replaces one. */
  readonly writeFile: (
    path: string, text: string, options: { readonly exclusive: boolean }
  ) => Effect.Effect<void, CommandFailure>
  /** A file of the stream's bytes, for its owner alone, that is there whole or not at all; a device or a pipe is written to. */
  readonly writeStream: <E, R>(
    path: string, data: Stream.Stream<Uint8Array, E, R>
  ) => Effect.Effect<void, E | CommandFailure, R>
  readonly exists: (path: string) => Effect.Effect<boolean>
  readonly removeFile: (path: string) => Effect.Effect<void>
}>()("fx/cli/terminal/Surroundings") {}
