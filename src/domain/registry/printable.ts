/** Text of a stranger, made fit for a message on a terminal: no control characters, no more than a line. */

const longestShown = 300

/** Control characters, also those of 8 bits, and what turns the direction of writing. */
const unprintable = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g

export const printable = (text: string): string => {
  const line = text.slice(0, 4 * longestShown).replace(unprintable, " ").trim()
  return line.length > longestShown ? `${line.slice(0, longestShown)}…` : line
}
