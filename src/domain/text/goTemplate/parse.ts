/** Template text → tree (text/template/parse, parse.go, with its wording of errors). */
import { quoteGo, unescapeGo } from "../goQuote.ts"
import { readGoInteger } from "../Integer.ts"
import { describeToken, Lexer, type Token, type TokenKind } from "./Lexer.ts"
import type { Command, Expression, Node, Pipeline } from "./Syntax.ts"
import { printSyntax } from "./Syntax.ts"
import { positionOf, TemplateFault } from "./TemplateFault.ts"

/** Longest template, in UTF-16 units, and deepest nesting of control structures and parentheses. */
const longest = 65_536
const deepest = 100

const endOfList = ["{{end}}", "{{else}}"] as const
type EndOfList = typeof endOfList[number]

interface List {
  readonly nodes: ReadonlyArray<Node>
  readonly end: EndOfList
}

const beginsOperand: ReadonlySet<TokenKind> = new Set<TokenKind>([
  "boolean", "character constant", "dot", "field", "identifier", "number", "nil", "raw string", "string",
  "variable", "("
])

const isEnd = (node: Node | EndOfList): node is EndOfList => typeof node === "string"

class Parser {
  private readonly input: string
  private readonly lexer: Lexer
  private readonly functions: (name: string) => boolean
  /** Tokens read ahead, the next one last. */
  private readonly ahead: Array<Token> = []
  private readonly variables: Array<string> = ["$"]
  private depth = 0
  private ranges = 0
  /** The token read last from the lexer: errors are reported on its line. */
  private reached = 0
  /** Where the action being parsed began, undefined outside of one. */
  private actionStart: number | undefined

  constructor(input: string, functions: (name: string) => boolean) {
    this.input = input
    this.lexer = new Lexer(input)
    this.functions = functions
  }

  parse(): ReadonlyArray<Node> {
    const nodes: Array<Node> = []
    while (this.peek().kind !== "end of file") {
      const node = this.textOrAction()
      if (isEnd(node)) return this.fail(`unexpected ${node}`)
      nodes.push(node)
    }
    return nodes
  }

  private next(): Token {
    const token = this.ahead.pop() ?? this.lexer.next()
    this.reached = Math.max(this.reached, token.index)
    return token
  }

  private peek(): Token {
    const token = this.next()
    this.ahead.push(token)
    return token
  }

  private nextNonSpace(): Token {
    let token = this.next()
    while (token.kind === "space") token = this.next()
    return token
  }

  private peekNonSpace(): Token {
    const token = this.nextNonSpace()
    this.ahead.push(token)
    return token
  }

  private fail(reason: string): never {
    throw new TemplateFault(`template: :${positionOf(this.input, this.reached).line}: ${reason}`)
  }

  private unexpected(token: Token, context: string): never {
    if (token.kind !== "error") return this.fail(`unexpected ${describeToken(token)} in ${context}`)
    const line = positionOf(this.input, token.index).line
    const started = this.actionStart === undefined ? line : positionOf(this.input, this.actionStart).line
    if (started === line) return this.fail(token.text)
    return this.fail(`${token.text}${token.text.endsWith(" action") ? "" : " in action"} started at :${started}`)
  }

  private expect(kind: TokenKind, context: string): void {
    const token = this.nextNonSpace()
    if (token.kind !== kind) this.unexpected(token, context)
  }

  private nested<A>(parse: () => A): A {
    if (this.depth >= deepest) return this.fail(`nested more than ${deepest} levels deep`)
    this.depth++
    const result = parse()
    this.depth--
    return result
  }

  private textOrAction(): Node | EndOfList {
    const token = this.nextNonSpace()
    if (token.kind === "text") return { _tag: "Text", index: token.index, text: token.text }
    if (token.kind !== "{{") return this.unexpected(token, "input")
    this.actionStart = token.index
    const node = this.action()
    this.actionStart = undefined
    return node
  }

  /** The left delimiter is behind us. */
  private action(): Node | EndOfList {
    const token = this.nextNonSpace()
    if (token.kind === "keyword") {
      switch (token.text) {
        case "if": case "with": case "range": return this.nested(() => this.control(token))
        case "end":
          this.expect("}}", "end")
          return "{{end}}"
        case "else": return this.otherwise()
        case "break": case "continue": return this.jump(token)
        default: return this.fail(`{{${token.text}}} is not supported: a format is a single template`)
      }
    }
    this.ahead.push(token)
    return { _tag: "Action", index: token.index, pipeline: this.pipeline("command", "}}") }
  }

  /** `{{else if` and `{{else with` leave the second word for `control`. */
  private otherwise(): EndOfList {
    const token = this.peekNonSpace()
    if (token.kind === "keyword" && (token.text === "if" || token.text === "with")) return "{{else}}"
    this.expect("}}", "else")
    return "{{else}}"
  }

  private jump(keyword: Token): Node {
    const token = this.nextNonSpace()
    if (token.kind !== "}}") this.unexpected(token, `{{${keyword.text}}}`)
    if (this.ranges === 0) this.fail(`{{${keyword.text}}} outside {{range}}`)
    return { _tag: keyword.text === "break" ? "Break" : "Continue", index: keyword.index }
  }

  private control(keyword: Token): Node {
    const context = keyword.text
    const scope = this.variables.length
    const tag = context === "if" ? "If" : context === "with" ? "With" : "Range"
    const pipeline = this.pipeline(context, "}}")
    if (tag === "Range") this.ranges++
    const body = this.list()
    if (tag === "Range") this.ranges--
    let otherwise: ReadonlyArray<Node> = []
    if (body.end === "{{else}}") {
      const token = this.peek()
      if (tag !== "Range" && token.kind === "keyword" && token.text === context) {
        otherwise = [this.nested(() => this.control(this.next()))]
      } else {
        const rest = this.list()
        if (rest.end !== "{{end}}") this.fail(`expected end; found ${rest.end}`)
        otherwise = rest.nodes
      }
    }
    this.variables.length = scope
    return { _tag: tag, index: pipeline.index, pipeline, body: body.nodes, otherwise }
  }

  private list(): List {
    const nodes: Array<Node> = []
    while (this.peekNonSpace().kind !== "end of file") {
      const node = this.textOrAction()
      if (isEnd(node)) return { nodes, end: node }
      nodes.push(node)
    }
    return this.fail("unexpected EOF")
  }

  private pipeline(context: string, end: "}}" | ")"): Pipeline {
    const { index } = this.peekNonSpace()
    const { assigns, variables } = this.declarations(context)
    const commands: Array<Command> = []
    while (true) {
      const token = this.nextNonSpace()
      if (token.kind === end) break
      if (!beginsOperand.has(token.kind)) this.unexpected(token, context)
      this.ahead.push(token)
      commands.push(this.command())
    }
    if (commands.length === 0) this.fail(`missing value for ${context}`)
    const idle = commands.findIndex(({ words: [first] }, stage) =>
      stage > 0 && first !== undefined && ["Boolean", "Dot", "Nil", "Number", "String"].includes(first._tag))
    if (idle > 0) this.fail(`non executable command in pipeline stage ${idle + 1}`)
    return { _tag: "Pipeline", index, variables, assigns, commands }
  }

  /** `$x :=`, `$x =`, and for range `$i, $x :=`. */
  private declarations(context: string): { readonly variables: ReadonlyArray<string>; readonly assigns: boolean } {
    const variables: Array<string> = []
    while (this.peekNonSpace().kind === "variable") {
      const variable = this.next()
      const after = this.peek()
      const operator = this.peekNonSpace()
      if (operator.kind === ":=" || operator.kind === "=") {
        this.next()
        variables.push(variable.text)
        this.variables.push(variable.text)
        return { variables, assigns: operator.kind === "=" }
      }
      if (operator.kind !== "character" || operator.text !== ",") {
        // A variable as a value: put it back, and the space after it, which ends an operand
        if (after.kind === "space") this.ahead.push(after)
        this.ahead.push(variable)
        return { variables, assigns: false }
      }
      this.next()
      variables.push(variable.text)
      this.variables.push(variable.text)
      if (context !== "range" || variables.length > 1) this.fail(`too many declarations in ${context}`)
      if (!["variable", "}}", ")"].includes(this.peekNonSpace().kind)) this.fail("range can only initialize variables")
    }
    return { variables, assigns: false }
  }

  /** Operands with spaces between, up to a pipe or the end of the pipeline. */
  private command(): Command {
    const words: Array<Expression> = []
    const { index } = this.peekNonSpace()
    while (true) {
      this.peekNonSpace()
      const operand = this.operand()
      if (operand !== undefined) words.push(operand)
      const token = this.next()
      if (token.kind === "space") continue
      if (token.kind === "}}" || token.kind === ")") this.ahead.push(token)
      else if (token.kind !== "|") this.unexpected(token, "operand")
      break
    }
    if (words.length === 0) this.fail("empty command")
    return { _tag: "Command", index, words }
  }

  /** A term and the fields after it. The node of `.A.B` begins at its second part, as Go has it. */
  private operand(): Expression | undefined {
    const base = this.term()
    if (base === undefined || this.peek().kind !== "field") return base
    const { index } = this.peek()
    const names: Array<string> = []
    while (this.peek().kind === "field") names.push(this.next().text.slice(1))
    switch (base._tag) {
      case "Field": return { ...base, index, names: [...base.names, ...names] }
      case "Variable": return { ...base, index, names: [...base.names, ...names] }
      case "Boolean": case "String": case "Number": case "Nil": case "Dot":
        return this.fail(`unexpected . after term ${quoteGo(printSyntax(base))}`)
      default: return { _tag: "Chain", index, base, names }
    }
  }

  private term(): Expression | undefined {
    const token = this.nextNonSpace()
    const { index, text } = token
    switch (token.kind) {
      case "identifier":
        if (!this.functions(text)) this.fail(`function ${quoteGo(text)} not defined`)
        return { _tag: "Identifier", index, name: text }
      case "dot": return { _tag: "Dot", index }
      case "nil": return { _tag: "Nil", index }
      case "boolean": return { _tag: "Boolean", index, value: text === "true" }
      case "field": return { _tag: "Field", index, names: [text.slice(1)] }
      case "variable":
        if (!this.variables.includes(text)) this.fail(`undefined variable ${quoteGo(text)}`)
        return { _tag: "Variable", index, name: text, names: [] }
      case "number": return this.number(token)
      case "character constant": {
        const value = unescapeGo(text.slice(1, -1), "'")
        if (value === undefined || value === "") return this.fail("invalid syntax")
        const code = value.codePointAt(0) ?? 0
        if (String.fromCodePoint(code) !== value) return this.fail(`malformed character constant: ${text}`)
        return { _tag: "Number", index, text, value: code, float: false }
      }
      case "string": {
        const value = unescapeGo(text.slice(1, -1), "\"")
        return value === undefined ? this.fail("invalid syntax") : { _tag: "String", index, text, value }
      }
      case "raw string": return { _tag: "String", index, text, value: text.slice(1, -1).replaceAll("\r", "") }
      case "(": return this.nested(() => this.pipeline("parenthesized pipeline", ")"))
      default:
        this.ahead.push(token)
        return undefined
    }
  }

  private number({ index, text }: Token): Expression {
    const integer = readGoInteger(text)
    if (integer !== undefined) {
      if (integer >= 2n ** 64n || integer < -(2n ** 63n)) return this.fail(`integer overflow: ${quoteGo(text)}`)
      const value = integer >= 2n ** 63n ? undefined : Number.isSafeInteger(Number(integer)) ? Number(integer) : integer
      return { _tag: "Number", index, text, value, float: false }
    }
    const decimal = /^[+-]?(?=\.?[0-9])[0-9]*(?:_[0-9]+)*(?:\.[0-9]*(?:_[0-9]+)*)?(?:[eE][+-]?[0-9]+)?$/
    if (!decimal.test(text)) return this.fail(`illegal number syntax: ${quoteGo(text)}`)
    if (!/[.eE]/.test(text)) return this.fail(`integer overflow: ${quoteGo(text)}`)
    return { _tag: "Number", index, text, value: Number(text.replaceAll("_", "")), float: true }
  }
}

/** Throws a TemplateFault. `functions` says which names are functions. */
export const parseTemplate = (input: string, functions: (name: string) => boolean): ReadonlyArray<Node> => {
  if (input.length > longest) throw new TemplateFault(`template: :1: longer than ${longest} characters`)
  return new Parser(input, functions).parse()
}
