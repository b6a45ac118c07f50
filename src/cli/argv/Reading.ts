/** What a command line comes to before anything is done: a text to print, or a command to run. */

/** Printed, and the program ends. */
export interface Answer {
  readonly _tag: "Answer"
  readonly text: string
  readonly stream: "stdout" | "stderr"
  readonly exitCode: number
}

export const answer = (text: string): Answer => ({ _tag: "Answer", text, stream: "stdout", exitCode: 0 })

/** A mistake in flags: docker's status for all commands is 125. */
export const mistakenFlags = (sentence: string, usage: string, hint: string): Answer => ({
  _tag: "Answer", text: `${sentence}\n\n${usage}\n\n${hint}\n`, stream: "stderr", exitCode: 125
})

/** A mistake in what is no flag: 1. */
export const mistakenWords = (...paragraphs: ReadonlyArray<string>): Answer => ({
  _tag: "Answer", text: `${paragraphs.join("\n\n")}\n`, stream: "stderr", exitCode: 1
})
