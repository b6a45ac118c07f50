/** Measurements of one thing: their median is what is usual, their minimum is what noise cannot touch. */
export interface Samples {
  readonly name: string
  readonly values: ReadonlyArray<number>
}

export const median = (samples: Samples): number => {
  const sorted = [...samples.values].sort((left, right) => left - right)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

export const minimum = (samples: Samples): number => Math.min(...samples.values)

export const maximum = (samples: Samples): number => Math.max(...samples.values)
