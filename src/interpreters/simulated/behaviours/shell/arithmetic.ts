/** Integer arithmetic of `$((…))`: the operators of C that scripts use, with their precedence. */

const levels: ReadonlyArray<ReadonlyArray<string>> = [
  ["||"],
  ["&&"],
  ["==", "!="],
  ["<=", ">=", "<", ">"],
  ["+", "-"],
  ["*", "/", "%"]
]

const apply = (operator: string, left: number, right: number): number => {
  switch (operator) {
    case "||":
      return left !== 0 || right !== 0 ? 1 : 0
    case "&&":
      return left !== 0 && right !== 0 ? 1 : 0
    case "==":
      return left === right ? 1 : 0
    case "!=":
      return left !== right ? 1 : 0
    case "<=":
      return left <= right ? 1 : 0
    case ">=":
      return left >= right ? 1 : 0
    case "<":
      return left < right ? 1 : 0
    case ">":
      return left > right ? 1 : 0
    case "+":
      return left + right
    case "-":
      return left - right
    case "*":
      return left * right
    case "/":
      return right === 0 ? 0 : Math.trunc(left / right)
    default:
      return right === 0 ? 0 : left % right
  }
}

/** The value; names are asked of `variable`. What is no expression counts as 0. */
export const evaluateArithmetic = (
  expression: string,
  variable: (name: string) => number
): number => {
  const tokens =
    expression.match(/\d+|[A-Za-z_]\w*|\|\||&&|[=!<>]=|[-+*/%<>()!]|\$[A-Za-z_?#!]\w*/g) ?? []
  let at = 0
  const unary = (): number => {
    const token = tokens[at++] ?? "0"
    if (token === "-") return -unary()
    if (token === "+") return unary()
    if (token === "!") return unary() === 0 ? 1 : 0
    if (token === "(") {
      const value = binary(0)
      at++
      return value
    }
    return /^\d/.test(token) ? Number(token) : variable(token.replace(/^\$/, ""))
  }
  const binary = (level: number): number => {
    if (level === levels.length) return unary()
    let value = binary(level + 1)
    while (levels[level]!.includes(tokens[at] ?? "")) {
      const operator = tokens[at++]!
      value = apply(operator, value, binary(level + 1))
    }
    return value
  }
  return binary(0)
}
