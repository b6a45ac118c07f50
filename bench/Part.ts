/** One question of the benchmark: what is measured, what came out, and how that compares with our aims. */
import type { Samples } from "./Samples.ts"
import type { Workspace } from "./Workspace.ts"

/** Of the first named samples to the second. */
export interface Comparison {
  readonly of: string
  readonly to: string
  /** The largest ratio that is good enough. */
  readonly aim?: number
}

/** A bound on samples themselves. */
export interface Bound {
  readonly of: string
  readonly aim: number
  readonly better: "less" | "more"
}

export interface Outcome {
  readonly unit: string
  readonly samples: ReadonlyArray<Samples>
  readonly comparisons: ReadonlyArray<Comparison>
  readonly bounds?: ReadonlyArray<Bound>
  /** What a reader must know to read the numbers rightly, and who was missing. */
  readonly notes?: ReadonlyArray<string>
}

export interface Part {
  readonly key: string
  readonly title: string
  /** How often unless told otherwise. */
  readonly repetitions: number
  readonly measure: (workspace: Workspace, repetitions: number) => Promise<Outcome>
}
