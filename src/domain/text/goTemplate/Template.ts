/**
 * Go's text/template as far as `--format` uses it: text, fields, variables, pipelines, if, with, range, functions.
 * No define, template or block. Templates and their output are bounded, so anybody's format may be run.
 */
import * as Result from "effect/Result"
import { textError, type TextError } from "../TextError.ts"
import { Evaluation, type EvaluateOptions } from "./Evaluation.ts"
import { findFunction } from "./Functions.ts"
import type { GoValue } from "./GoValue.ts"
import { parseTemplate } from "./parse.ts"
import type { Node } from "./Syntax.ts"
import { TemplateFault } from "./TemplateFault.ts"

export interface Template {
  readonly text: string
  readonly nodes: ReadonlyArray<Node>
}

const cure = "see Go's text/template for the language, and --format json for the fields there are"

/** Faults become TextErrors with docker's prefix; anything else is a defect and flies on. */
const attempt = <A>(operation: string, text: string, run: () => A): Result.Result<A, TextError> => {
  try {
    return Result.succeed(run())
  } catch (fault) {
    if (fault instanceof TemplateFault) {
      return Result.fail(textError(operation, text, `template parsing error: ${fault.message}`, cure))
    }
    throw fault
  }
}

/** The cause of a failure reads `template parsing error: template: :LINE: …`, as docker prints it. */
export const parse = (text: string): Result.Result<Template, TextError> =>
  attempt("parse format", text, () => ({
    text, nodes: parseTemplate(text, (name) => findFunction(name) !== undefined)
  }))

const optionsOf = (options: Partial<EvaluateOptions>): EvaluateOptions => ({
  missingKey: options.missingKey ?? "default", forHeader: options.forHeader ?? false
})

/** The text that `template` makes of `data`. Nothing of it on failure. */
export const execute = (
  template: Template, data: GoValue, options: Partial<EvaluateOptions> = {}
): Result.Result<string, TextError> =>
  attempt("apply format", template.text, () => {
    const evaluation = new Evaluation(template.text, data, optionsOf(options))
    evaluation.run(template.nodes)
    return evaluation.output
  })

/** As `execute`, but what was written before a failure stays and the failure does not matter: headings. */
export const executeLeniently = (template: Template, data: GoValue, options: Partial<EvaluateOptions> = {}): string => {
  const evaluation = new Evaluation(template.text, data, optionsOf(options))
  attempt("apply format", template.text, () => evaluation.run(template.nodes))
  return evaluation.output
}
