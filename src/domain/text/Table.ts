/** Columns of text aligned as docker's are: cells end with a tab, as wide as the widest cell above and below. */
import { displayWidth } from "./displayWidth.ts"

export interface TableStyle {
  /** Columns that a cell takes at least, its padding included. */
  readonly minimumWidth: number
  /** Spaces after the widest cell. */
  readonly padding: number
}

/** docker/cli, formatter.go: tabwriter.NewWriter(out, 10, 1, 3, ' ', 0). */
export const dockerTable: TableStyle = { minimumWidth: 10, padding: 3 }

/**
 * Aligns the cells of `text`: lines end with `\n`, cells with `\t`. As Go's text/tabwriter, a column is a run of
 * neighbouring lines that all have a cell there; what follows the last tab of a line is no cell and takes no part.
 */
export const alignTable = (text: string, style: TableStyle = dockerTable): string => {
  const lines = text.split("\n").map((line) => line.split("\t"))
  const widths = lines.map((cells) => Array.from({ length: cells.length - 1 }, () => 0))
  const mostCells = widths.reduce((most, line) => Math.max(most, line.length), 0)
  for (let column = 0; column < mostCells; column++) {
    for (let first = 0; first < lines.length; first++) {
      let end = first
      let width = style.minimumWidth
      while (end < lines.length && column < (widths[end]?.length ?? 0)) {
        width = Math.max(width, displayWidth(lines[end]?.[column] ?? "") + style.padding)
        end++
      }
      for (let line = first; line < end; line++) (widths[line] ?? [])[column] = width
      first = Math.max(first, end)
    }
  }
  return lines.map((cells, line) => cells.map((cell, column) => {
    const width = widths[line]?.[column]
    return width === undefined ? cell : cell + " ".repeat(width - displayWidth(cell))
  }).join("")).join("\n")
}
