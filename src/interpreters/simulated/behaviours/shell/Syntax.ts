/**
 * The tree of a shell script: the part of the POSIX grammar that container commands are made of.
 */

export type WordPart =
  | { readonly _tag: "Text"; readonly text: string; readonly quoted: boolean }
  /** `$name`, `${name}`, `${name:-word}`: `operator` is what stands between name and word. */
  | {
    readonly _tag: "Variable"
    readonly name: string
    readonly operator: string
    readonly word: string
    readonly quoted: boolean
  }
  | { readonly _tag: "Substitution"; readonly script: string; readonly quoted: boolean }
  | { readonly _tag: "Arithmetic"; readonly expression: string; readonly quoted: boolean }

export type Word = ReadonlyArray<WordPart>

export interface Redirect {
  readonly descriptor: 0 | 1 | 2
  readonly operator: "<" | ">" | ">>" | "&"
  readonly target: Word
}

/** `source` is the text of a command, for a shell of its own. */
export type Command =
  & { readonly source: string }
  & (
    | {
      readonly _tag: "Simple"
      readonly assignments: ReadonlyArray<readonly [name: string, value: Word]>
      readonly words: ReadonlyArray<Word>
      readonly redirects: ReadonlyArray<Redirect>
    }
    | {
      readonly _tag: "Pipeline"
      readonly commands: ReadonlyArray<Command>
      readonly negated: boolean
    }
    | {
      readonly _tag: "AndOr"
      readonly left: Command
      readonly right: Command
      readonly and: boolean
    }
    | { readonly _tag: "Sequence"; readonly commands: ReadonlyArray<Command> }
    | { readonly _tag: "Background"; readonly command: Command }
    | {
      readonly _tag: "Group"
      readonly body: Command
      readonly redirects: ReadonlyArray<Redirect>
      readonly subshell: boolean
    }
    | {
      readonly _tag: "If"
      readonly branches: ReadonlyArray<readonly [condition: Command, body: Command]>
      readonly otherwise: Command | undefined
    }
    | {
      readonly _tag: "While"
      readonly condition: Command
      readonly body: Command
      readonly until: boolean
    }
    | {
      readonly _tag: "For"
      readonly name: string
      readonly words: ReadonlyArray<Word> | undefined
      readonly body: Command
    }
    | {
      readonly _tag: "Case"
      readonly subject: Word
      readonly cases: ReadonlyArray<readonly [patterns: ReadonlyArray<Word>, body: Command]>
    }
    | { readonly _tag: "Function"; readonly name: string; readonly body: Command }
  )

/** `incomplete`: more input could still make it a script. */
export class SyntaxFault {
  readonly message: string
  readonly incomplete: boolean

  constructor(message: string, incomplete: boolean) {
    this.message = message
    this.incomplete = incomplete
  }
}
