/** Outcomes as text: ratios first, then what they were made of. */
import type { Bound, Comparison, Outcome, Part } from "./Part.ts"
import { maximum, median, minimum, type Samples } from "./Samples.ts"

/** Four significant digits. */
const digits = (value: number): string =>
  value >= 1000 ? value.toFixed(0) : value.toFixed(value >= 100 ? 1 : value >= 10 ? 2 : 3)

const verdict = (met: boolean): string => met ? "met" : "MISSED"

const find = (outcome: Outcome, name: string): Samples | undefined =>
  outcome.samples.find((one) => one.name === name)

const ratioLine = (outcome: Outcome, { aim, of, to }: Comparison): ReadonlyArray<string> => {
  const [ours, theirs] = [find(outcome, of), find(outcome, to)]
  if (ours === undefined || theirs === undefined) return []
  const usual = median(ours) / median(theirs)
  const least = minimum(ours) / minimum(theirs)
  const wanted = aim === undefined ? "" : `   aim ≤ ${aim}: ${verdict(usual <= aim)}`
  return [`  ${usual.toFixed(3)} (of minima ${least.toFixed(3)})   ${of} / ${to}${wanted}`]
}

const boundLine = (outcome: Outcome, { aim, better, of }: Bound): ReadonlyArray<string> => {
  const samples = find(outcome, of)
  if (samples === undefined) return []
  const value = median(samples)
  const met = better === "less" ? value <= aim : value >= aim
  const sign = better === "less" ? "≤" : "≥"
  return [`  ${digits(value)} ${outcome.unit}   ${of}   aim ${sign} ${aim}: ${verdict(met)}`]
}

export const describe = (part: Part, outcome: Outcome): string => {
  const width = Math.max(...outcome.samples.map(({ name }) => name.length), 8)
  const row = (name: string, cells: ReadonlyArray<string>) =>
    `  ${name.padEnd(width)}${cells.map((cell) => cell.padStart(11)).join("")}`
  return [
    `(${part.key}) ${part.title}`,
    ...outcome.comparisons.flatMap((one) => ratioLine(outcome, one)),
    ...(outcome.bounds ?? []).flatMap((one) => boundLine(outcome, one)),
    "",
    row(outcome.unit, ["median", "min", "max", "samples"]),
    ...outcome.samples.map((one) =>
      row(one.name, [median(one), minimum(one), maximum(one)].map(digits).concat(String(one.values.length)))),
    ...(outcome.notes ?? []).map((note) => `  ${note}`),
    ""
  ].join("\n")
}
