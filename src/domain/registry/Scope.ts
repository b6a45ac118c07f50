/** What a token shall allow, e.g. `repository:team/app:pull,push` (distribution, "Token Scope Documentation"). */
import { compareBytes } from "../text/Utf8.ts"

export interface Scope {
  /** `repository`, `repository(plugin)`, `registry`, … */
  readonly type: string
  /** May hold colons: a host with a port in front of the name. */
  readonly name: string
  readonly actions: ReadonlyArray<string>
}

/** Scopes in one text that are read; a token for more would not fit in a header. */
const scopeLimit = 64

export const repositoryScope = (name: string, ...actions: ReadonlyArray<"pull" | "push" | "delete">): Scope => ({
  type: "repository", name, actions
})

/** What listing all repositories takes. */
export const catalogScope: Scope = { type: "registry", name: "catalog", actions: ["*"] }

/** Scopes of a challenge, between spaces. Those that are not of the form `type:name:actions` are left out. */
export const readScopes = (text: string): ReadonlyArray<Scope> =>
  text.split(/ +/, scopeLimit).flatMap((part) => {
    const match = /^([a-z0-9]+(?:\([a-z0-9]+\))?):([^\s"\\]+):([a-z*,]*)$/.exec(part)
    if (match === null) return []
    const [, type = "", name = "", actions = ""] = match
    return [{ type, name, actions: actions.split(",").filter((action) => action !== "") }]
  })

const printScope = ({ actions, name, type }: Scope): string => `${type}:${name}:${actions.join(",")}`

/** One scope per resource, with all its actions; sorted, so that equal wishes are equal texts. */
export const mergeScopes = (scopes: ReadonlyArray<Scope>): ReadonlyArray<string> => {
  const merged = new Map<string, Scope>()
  for (const scope of scopes) {
    const key = `${scope.type}:${scope.name}`
    const actions = new Set([...merged.get(key)?.actions ?? [], ...scope.actions])
    merged.set(key, { ...scope, actions: [...actions].sort(compareBytes) })
  }
  return [...merged.values()].filter(({ actions }) => actions.length > 0).map(printScope).sort(compareBytes)
}
