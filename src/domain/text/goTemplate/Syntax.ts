/**
 * The tree of a parsed template, and how its expressions are written in error messages
 * (text/template/parse, node.go).
 */

/** Where a node begins: index in the template. */
interface At {
  readonly index: number
}

export type Expression =
  | At & { readonly _tag: "Boolean"; readonly value: boolean }
  | At & { readonly _tag: "Dot" }
  | At & { readonly _tag: "Nil" }
  | At & {
    readonly _tag: "Number"
    /** As written. */
    readonly text: string
    /** Undefined where it does not fit an int. */
    readonly value: number | bigint | undefined
    readonly float: boolean
  }
  | At & { readonly _tag: "String"; readonly text: string; readonly value: string }
  /** `.A.B` */
  | At & { readonly _tag: "Field"; readonly names: ReadonlyArray<string> }
  /** `$x.A`; the name with its dollar sign. */
  | At & { readonly _tag: "Variable"; readonly name: string; readonly names: ReadonlyArray<string> }
  /** A function's name. */
  | At & { readonly _tag: "Identifier"; readonly name: string }
  /** `(…).A` */
  | At & { readonly _tag: "Chain"; readonly base: Expression; readonly names: ReadonlyArray<string> }
  | Pipeline

export interface Command extends At {
  readonly _tag: "Command"
  /** At least one. */
  readonly words: ReadonlyArray<Expression>
}

export interface Pipeline extends At {
  readonly _tag: "Pipeline"
  /** `$x := ` or `$x = ` */
  readonly variables: ReadonlyArray<string>
  readonly assigns: boolean
  readonly commands: ReadonlyArray<Command>
}

export type Node =
  | At & { readonly _tag: "Text"; readonly text: string }
  | At & { readonly _tag: "Action"; readonly pipeline: Pipeline }
  | At & {
    readonly _tag: "If" | "With" | "Range"
    readonly pipeline: Pipeline
    readonly body: ReadonlyArray<Node>
    readonly otherwise: ReadonlyArray<Node>
  }
  | At & { readonly _tag: "Break" | "Continue" }

const dotted = (names: ReadonlyArray<string>): string => names.map((name) => `.${name}`).join("")

/** An expression as source text, spaces normalised. */
export const printSyntax = (node: Expression | Command): string => {
  switch (node._tag) {
    case "Boolean": return String(node.value)
    case "Dot": return "."
    case "Nil": return "nil"
    case "Number": case "String": return node.text
    case "Field": return dotted(node.names)
    case "Variable": return node.name + dotted(node.names)
    case "Identifier": return node.name
    case "Chain": {
      const base = printSyntax(node.base)
      return (node.base._tag === "Pipeline" ? `(${base})` : base) + dotted(node.names)
    }
    case "Command":
      return node.words.map((word) => word._tag === "Pipeline" ? `(${printSyntax(word)})` : printSyntax(word)).join(" ")
    case "Pipeline": {
      const assigned = node.variables.length === 0 ? "" : `${node.variables.join(", ")} ${node.assigns ? "=" : ":="} `
      return assigned + node.commands.map(printSyntax).join(" | ")
    }
  }
}
