/**
 * Programs of the differential suite: what a user may ask of an engine, as plain data. Containers are meant by
 * name, so that a step may find one that was renamed, removed, or never was.
 */
import type { ContainerConfig, ResourceConfig } from "../../src/domain/container/ContainerConfig.ts"

/** What the first process of a container does. */
export type Behaviour =
  /** A shell script that comes to its end. */
  | { readonly _tag: "Short"; readonly script: string }
  /** Sleeps, and handles no signal. */
  | { readonly _tag: "Idle" }
  /** Tells of USR1, ignores HUP and INT, and ends by TERM with the code 9. */
  | { readonly _tag: "Listening" }
  /** Copies its input to its output. */
  | { readonly _tag: "Cat" }
  /** Cannot be executed. */
  | { readonly _tag: "Broken"; readonly program: string }

export type Step =
  | { readonly _tag: "Create"; readonly name: string; readonly behaviour: Behaviour; readonly more: Partial<ContainerConfig> }
  | { readonly _tag: "Start"; readonly name: string }
  /** Attached from the beginning; to its end when it comes to one. */
  | { readonly _tag: "Run"; readonly name: string; readonly input: string }
  | { readonly _tag: "Attach"; readonly name: string; readonly input: string }
  | {
    readonly _tag: "Exec"; readonly name: string; readonly script: string
    readonly user: string; readonly workingDirectory: string; readonly env: ReadonlyArray<string>; readonly tty: boolean
  }
  | { readonly _tag: "Stop"; readonly name: string; readonly signal?: number; readonly patient: boolean }
  | { readonly _tag: "Kill"; readonly name: string; readonly signal: number }
  | { readonly _tag: "Pause" | "Unpause" | "Restart" | "Wait" | "Top" | "Inspect" | "Limits" | "Size"; readonly name: string }
  | { readonly _tag: "Rename"; readonly name: string; readonly to: string }
  | { readonly _tag: "Update"; readonly name: string; readonly resources: ResourceConfig }
  | { readonly _tag: "Remove"; readonly name: string; readonly force: boolean }
  | { readonly _tag: "Logs"; readonly name: string; readonly tail: number }
  | { readonly _tag: "Stat"; readonly name: string; readonly path: string; readonly follow: boolean }
  | { readonly _tag: "CopyOut"; readonly name: string; readonly path: string; readonly follow: boolean }
  | { readonly _tag: "CopyIn"; readonly name: string; readonly path: string; readonly tree: Tree; readonly owned: boolean }
  | { readonly _tag: "CopyBetween"; readonly name: string; readonly to: string; readonly path: string }

/** What is copied into a container: entries by their path in the archive. */
export type Tree = ReadonlyArray<TreeEntry>

export type TreeEntry = { readonly path: string; readonly mode: number; readonly uid: number } & (
  | { readonly type: "dir" }
  | { readonly type: "file"; readonly content: string }
  | { readonly type: "symlink"; readonly target: string }
)

export type Program = ReadonlyArray<Step>

/** Ends with TERM, or by force. The sleeper beside it is what it waits for. */
export const listeningScript =
  "trap 'echo usr1' USR1; trap 'exit 9' TERM; trap '' HUP INT; sleep 1000 & echo ready; while :; do wait; done"

export const commandOf = (behaviour: Behaviour): ReadonlyArray<string> => {
  switch (behaviour._tag) {
    case "Short":
      return ["sh", "-c", behaviour.script]
    case "Idle":
      return ["sleep", "1000"]
    case "Listening":
      return ["sh", "-c", listeningScript]
    case "Cat":
      return ["cat"]
    case "Broken":
      return [behaviour.program]
  }
}

/** A program as lines to read, and to make a named example of. */
export const rendered = (program: Program): ReadonlyArray<string> => program.map((step) => JSON.stringify(step))
