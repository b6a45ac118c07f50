/** Runs a parsed template over a value (text/template, exec.go, with its wording of errors). */
import { quoteGo } from "../goQuote.ts"
import { byteLength } from "../Utf8.ts"
import { findFunction, type Parameter, type TemplateFunction } from "./Functions.ts"
import {
  display, GoFloat, GoMethod, GoStruct, type GoValue, isArray, isInteger, isMap, isTrue, sortedKeys, typeName
} from "./GoValue.ts"
import { type Command, type Expression, type Node, type Pipeline, printSyntax } from "./Syntax.ts"
import { FunctionFault, positionOf, TemplateFault } from "./TemplateFault.ts"

export interface EvaluateOptions {
  /** What a map without the key gives: `<no value>`, or an error as in `inspect`. */
  readonly missingKey: "default" | "error"
  /** Uses the functions that leave headings as they are. */
  readonly forHeader: boolean
}

/** Nodes visited and characters written before a template is stopped. */
const mostSteps = 1_000_000
const mostOutput = 16 * 1024 * 1024

/** A value and whether Go would hold it in an `interface {}`, which errors about its fields mention. */
interface Held {
  readonly value: GoValue
  readonly boxed: boolean
}

interface Variable extends Held {
  readonly name: string
}

type Flow = "on" | "break" | "continue"

const noPrevious = Symbol("no previous command")
type Previous = GoValue | typeof noPrevious

const unboxed = (value: GoValue): Held => ({ value, boxed: false })

const parameterTypes: { readonly [parameter in Parameter]: string } = {
  any: "interface {}", string: "string", int: "int", strings: "[]string"
}

export class Evaluation {
  /** What was written so far; also there after a fault. */
  output = ""
  private readonly template: string
  private readonly options: EvaluateOptions
  private variables: Array<Variable>
  private steps = 0
  /** Where errors are reported. */
  private current: { readonly index: number; readonly print: () => string } | undefined

  constructor(template: string, data: GoValue, options: EvaluateOptions) {
    this.template = template
    this.options = options
    this.variables = [{ name: "$", value: data, boxed: false }]
  }

  /** Throws a TemplateFault. */
  run(nodes: ReadonlyArray<Node>): void {
    this.walkList(nodes, this.variables[0] ?? unboxed(undefined))
  }

  private fail(reason: string): never {
    if (this.current === undefined) throw new TemplateFault(`template: : ${reason}`)
    const { index, print } = this.current
    const { line, lineStart } = positionOf(this.template, index)
    const column = byteLength(this.template.slice(lineStart, index))
    throw new TemplateFault(`template: :${line}:${column}: executing "" at <${print()}>: ${reason}`)
  }

  private at(node: Expression | Command): void {
    this.current = { index: node.index, print: () => printSyntax(node) }
  }

  private step(): void {
    if (++this.steps > mostSteps) this.fail(`stopped after ${mostSteps} steps`)
  }

  private write(text: string): void {
    if (this.output.length + text.length > mostOutput) this.fail(`output longer than ${mostOutput} characters`)
    this.output += text
  }

  private walkList(nodes: ReadonlyArray<Node>, dot: Held): Flow {
    for (const node of nodes) {
      const flow = this.walk(node, dot)
      if (flow !== "on") return flow
    }
    return "on"
  }

  private walk(node: Node, dot: Held): Flow {
    this.step()
    switch (node._tag) {
      case "Text":
        this.write(node.text)
        return "on"
      case "Action": {
        const value = this.pipeline(node.pipeline, dot)
        if (node.pipeline.variables.length === 0) this.print(node.pipeline, value)
        return "on"
      }
      case "Break": return "break"
      case "Continue": return "continue"
    }
    const scope = this.variables.length
    const flow = node._tag === "Range" ? this.walkRange(node, dot) : this.walkBranch(node, dot)
    this.variables.length = scope
    return flow
  }

  private print(pipeline: Pipeline, value: GoValue): void {
    this.at(pipeline)
    if (value instanceof GoMethod) this.fail(`can't print ${printSyntax(pipeline)} of type func`)
    this.write(value === undefined || value === null ? "<no value>" : display(value))
  }

  private walkBranch(node: Extract<Node, { readonly _tag: "If" | "With" | "Range" }>, dot: Held): Flow {
    const value = this.pipeline(node.pipeline, dot)
    if (!isTrue(value)) return this.walkList(node.otherwise, dot)
    return this.walkList(node.body, node._tag === "With" ? unboxed(value) : dot)
  }

  private walkRange(node: Extract<Node, { readonly _tag: "If" | "With" | "Range" }>, dot: Held): Flow {
    const value = this.pipeline(node.pipeline, dot)
    const mark = this.variables.length
    const [first, second] = node.pipeline.variables
    const iterate = (key: GoValue, element: Held): Flow => {
      this.step()
      if (second !== undefined) this.variables[mark - 1] = { name: second, ...element }
      if (first !== undefined) {
        const held = second === undefined ? element : unboxed(key)
        this.variables[mark - (second === undefined ? 1 : 2)] = { name: first, ...held }
      }
      const flow = this.walkList(node.body, element)
      this.variables.length = mark
      return flow
    }
    if (isInteger(value) && second !== undefined) this.fail(`can't use ${value} to iterate over more than one variable`)
    let count = 0
    for (const [key, element] of this.elements(value)) {
      count++
      if (iterate(key, element) === "break") break
    }
    return count === 0 ? this.walkList(node.otherwise, dot) : "on"
  }

  private *elements(value: GoValue): Generator<readonly [key: GoValue, element: Held]> {
    if (value === undefined || value === null) return
    if (isArray(value)) {
      for (const [index, element] of value.entries()) yield [index, { value: element, boxed: true }]
    } else if (isMap(value)) {
      for (const key of sortedKeys(value)) yield [key, { value: value[key], boxed: true }]
    } else if (isInteger(value)) {
      for (let index = 0; index < value; index++) yield [index, unboxed(index)]
    } else this.fail(`range can't iterate over ${display(value)}`)
  }

  private pipeline(pipeline: Pipeline, dot: Held): GoValue {
    this.at(pipeline)
    let value: Previous = noPrevious
    for (const command of pipeline.commands) value = this.command(command, dot, value).value
    const result = value === noPrevious ? undefined : value
    for (const name of pipeline.variables) {
      if (pipeline.assigns) this.assign(name, result)
      else this.variables.push({ name, ...unboxed(result) })
    }
    return result
  }

  private assign(name: string, value: GoValue): void {
    const index = this.variables.findLastIndex((variable) => variable.name === name)
    if (index < 0) this.fail(`undefined variable: ${name}`)
    this.variables[index] = { name, ...unboxed(value) }
  }

  private variable(name: string): Held {
    return this.variables.findLast((variable) => variable.name === name) ?? this.fail(`undefined variable: ${name}`)
  }

  private command(command: Command, dot: Held, previous: Previous): Held {
    this.step()
    const [first, ...words] = command.words
    if (first === undefined) return this.fail("empty command")
    switch (first._tag) {
      case "Field": case "Chain": return this.fields(first, dot, words, previous)
      case "Variable": 
        if (first.names.length > 0) return this.fields(first, dot, words, previous)
        break
      case "Identifier": return unboxed(this.invoke(first, command, words, dot, previous))
    }
    if (first._tag !== "Pipeline") this.at(first)
    if (words.length > 0 || previous !== noPrevious) {
      return this.fail(`can't give argument to non-function ${printSyntax(first)}`)
    }
    if (first._tag === "Nil") return this.fail("nil is not a command")
    return this.value(first, dot)
  }

  /** An expression that stands for a value by itself. */
  private value(node: Expression, dot: Held): Held {
    if (node._tag !== "Pipeline") this.at(node)
    switch (node._tag) {
      case "Boolean": case "String": return unboxed(node.value)
      case "Dot": return dot
      case "Nil": return unboxed(null)
      case "Number": return unboxed(this.constant(node))
      case "Pipeline": return unboxed(this.pipeline(node, dot))
      case "Identifier": return unboxed(this.invoke(node, node, [], dot, noPrevious))
      case "Variable": case "Field": case "Chain": return this.fields(node, dot, [], noPrevious)
    }
  }

  private constant(node: Extract<Expression, { readonly _tag: "Number" }>): GoValue {
    if (node.value === undefined) return this.fail(`${node.text} overflows int`)
    return node.float && typeof node.value === "number" ? new GoFloat(node.value) : node.value
  }

  /** `.A.B`, `$x.A`, `(…).A`: only the last name may be a method and have arguments. */
  private fields(
    node: Extract<Expression, { readonly _tag: "Field" | "Chain" | "Variable" }>,
    dot: Held, words: ReadonlyArray<Expression>, previous: Previous
  ): Held {
    this.at(node)
    let receiver = dot
    if (node._tag === "Variable") receiver = this.variable(node.name)
    // The base stays the place of errors, as in Go
    else if (node._tag === "Chain") {
      if (node.base._tag === "Nil") this.fail("nil; can't evaluate fields")
      receiver = this.value(node.base, dot)
    }
    for (const [index, name] of node.names.entries()) {
      const last = index === node.names.length - 1
      receiver = this.field(receiver, name, dot, last ? words : [], last ? previous : noPrevious)
    }
    return receiver
  }

  private field(
    receiver: Held, name: string, dot: Held, words: ReadonlyArray<Expression>, previous: Previous
  ): Held {
    const { boxed, value } = receiver
    if (value === undefined) return this.missing(`nil data; no entry for key ${quoteGo(name)}`)
    if (value === null) return this.fail(`nil pointer evaluating interface {}.${name}`)
    const hasArguments = words.length > 0 || previous !== noPrevious
    if (value instanceof GoStruct && Object.hasOwn(value.fields, name)) {
      const found = value.fields[name]
      if (found instanceof GoMethod) return unboxed(this.callMethod(found, name, words, dot, previous))
      return hasArguments ? this.fail(`${name} has arguments but cannot be invoked as function`) : unboxed(found)
    }
    if (isMap(value)) {
      if (hasArguments) return this.fail(`${name} is not a method but has arguments`)
      if (Object.hasOwn(value, name)) return { value: value[name], boxed: true }
      return this.missing(`map has no entry for key ${quoteGo(name)}`)
    }
    return this.fail(`can't evaluate field ${name} in type ${boxed ? "interface {}" : typeName(value)}`)
  }

  private missing(reason: string): Held {
    return this.options.missingKey === "error" ? this.fail(reason) : unboxed(undefined)
  }

  private callMethod(
    method: GoMethod, name: string, words: ReadonlyArray<Expression>, dot: Held, previous: Previous
  ): GoValue {
    const given = words.length + (previous === noPrevious ? 0 : 1)
    const wanted = method.parameters.length
    if (given !== wanted) return this.fail(`wrong number of args for ${name}: want ${wanted} got ${given}`)
    const values = words.map((word, index) => this.argument(word, method.parameters[index] ?? "any", dot))
    if (previous !== noPrevious) values.push(this.check(previous, false, method.parameters.at(-1) ?? "any"))
    return method.call(...values.filter((value) => typeof value === "string"))
  }

  /** Calls a function with the words after it and the value piped into it, which comes last. */
  private invoke(
    node: Extract<Expression, { readonly _tag: "Identifier" }>, whole: Expression | Command,
    words: ReadonlyArray<Expression>, dot: Held, previous: Previous
  ): GoValue {
    this.at(node)
    const { name } = node
    const callee = findFunction(name, this.options.forHeader)
    if (callee === undefined) return this.fail(`${quoteGo(name)} is not a defined function`)
    this.checkArity(name, callee, words.length + (previous === noPrevious ? 0 : 1))
    if (name === "and" || name === "or") return this.shortCircuit(name === "or", words, dot, previous)
    const parameter = (index: number): Parameter => callee.parameters[index] ?? callee.rest ?? "any"
    const values = words.map((word, index) => this.argument(word, parameter(index), dot))
    if (previous !== noPrevious) values.push(this.check(previous, false, parameter(words.length)))
    try {
      return callee.call(values)
    } catch (error) {
      if (!(error instanceof FunctionFault)) throw error
      this.at(whole)
      return this.fail(`error calling ${name}: ${error.message}`)
    }
  }

  private checkArity(name: string, { parameters, rest }: TemplateFunction, given: number): void {
    const wanted = parameters.length
    if (rest === undefined ? given === wanted : given >= wanted) return
    this.fail(`wrong number of args for ${name}: want ${rest === undefined ? "" : "at least "}${wanted} got ${given}`)
  }

  private shortCircuit(stopsAt: boolean, words: ReadonlyArray<Expression>, dot: Held, previous: Previous): GoValue {
    let value: GoValue
    for (const word of words) {
      // nil as it stands here has no type, so that its fields are not missed
      value = word._tag === "Nil" ? undefined : this.argument(word, "any", dot)
      if (isTrue(value) === stopsAt) return value
    }
    return previous === noPrevious ? value : previous
  }

  private argument(node: Expression, parameter: Parameter, dot: Held): GoValue {
    this.step()
    this.at(node)
    if (parameter !== "any") {
      if (node._tag === "Nil") return this.fail(`cannot assign nil to ${parameterTypes[parameter]}`)
      if (node._tag === "Boolean" || node._tag === "Number" || node._tag === "String") {
        return this.literal(node, parameter)
      }
    }
    const held = this.value(node, dot)
    return this.check(held.value, held.boxed, parameter)
  }

  /** A literal for a typed parameter: `1e3` is an int here if one is wanted. */
  private literal(
    node: Extract<Expression, { readonly _tag: "Boolean" | "Number" | "String" }>, parameter: Exclude<Parameter, "any">
  ): GoValue {
    if (parameter === "strings") return this.fail(`can't handle ${printSyntax(node)} for arg of type []string`)
    const fits = parameter === "string"
      ? node._tag === "String"
      : node._tag === "Number" && Number.isInteger(node.value)
    return fits
      ? node.value
      : this.fail(`expected ${parameter === "string" ? "string" : "integer"}; found ${printSyntax(node)}`)
  }

  /** Lets a value through that the parameter takes. Arrays of strings count as `[]string`. */
  private check(value: GoValue, boxed: boolean, parameter: Parameter): GoValue {
    if (parameter === "any") return value ?? null
    const type = parameterTypes[parameter]
    if (value === undefined || (value === null && !boxed)) return this.fail(`invalid value; expected ${type}`)
    const fits = parameter === "string"
      ? typeof value === "string"
      : parameter === "int"
      ? typeof value === "number" && Number.isInteger(value)
      : isArray(value) && value.every((item) => typeof item === "string")
    if (fits) return value
    const actual = value === null ? "interface {}" : typeName(value)
    return this.fail(`wrong type for value; expected ${type}; got ${actual}`)
  }
}
