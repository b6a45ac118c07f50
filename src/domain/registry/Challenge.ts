/** `WWW-Authenticate`: how a registry wants to be asked (RFC 9110 §11.6.1, RFC 6750 §3, RFC 7617). */
import { lines, type ResponseFields } from "./HttpMessage.ts"

export interface Challenge {
  /** In lower case: schemes are compared without regard to it. */
  readonly scheme: string
  /** Names in lower case. */
  readonly parameters: ReadonlyMap<string, string>
  readonly token68?: string
}

/** More than any registry sends: a header of this size is an attack or an accident. */
export const challengeLimits = { characters: 16_384, challenges: 16, parameters: 32 }

const tokenPattern = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y
const token68Pattern = /[A-Za-z0-9._~+/-]+=*/y
const spacePattern = /[ \t]*/y
const separatorPattern = /[ \t]*(?:,[ \t]*)*/y
const equalsPattern = /[ \t]*=[ \t]*/y
const quotedPattern = /"((?:[^"\\\u0000-\u0008\u000a-\u001f\u007f]|\\[\t\u0020-\u007e\u0080-\u00ff])*)"/y

/** Reads on in one text; every method moves on only if it finds what it names. */
class Cursor {
  private at = 0
  private readonly text: string

  constructor(text: string) {
    this.text = text
  }

  get done(): boolean {
    return this.at >= this.text.length
  }

  take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.at
    const match = pattern.exec(this.text)
    if (match === null) return undefined
    this.at += match[0].length
    return match
  }

  /** Goes back when the reading gives undefined. */
  attempt<A>(read: () => A | undefined): A | undefined {
    const start = this.at
    const result = read()
    if (result === undefined) this.at = start
    return result
  }

  /** Whether a list element ends here. */
  get atEnd(): boolean {
    return this.done || this.text[this.at] === ","
  }
}

const readParameter = (cursor: Cursor): readonly [string, string] | undefined =>
  cursor.attempt(() => {
    const name = cursor.take(tokenPattern)?.[0]
    if (name === undefined || cursor.take(equalsPattern) === undefined) return undefined
    const quoted = cursor.take(quotedPattern)?.[1]
    const value = quoted === undefined ? cursor.take(tokenPattern)?.[0] : quoted.replace(/\\(.)/gs, "$1")
    if (value === undefined) return undefined
    cursor.take(spacePattern)
    return cursor.atEnd ? [name.toLowerCase(), value] : undefined
  })

const readToken68 = (cursor: Cursor): string | undefined =>
  cursor.attempt(() => {
    const token = cursor.take(token68Pattern)?.[0]
    cursor.take(spacePattern)
    return cursor.atEnd ? token : undefined
  })

/** All parameters up to the next scheme; undefined when there are too many or one is there twice. */
const readParameters = (cursor: Cursor): ReadonlyMap<string, string> | undefined => {
  const parameters = new Map<string, string>()
  for (;;) {
    const parameter = readParameter(cursor)
    if (parameter === undefined) return parameters
    if (parameters.has(parameter[0]) || parameters.size === challengeLimits.parameters) return undefined
    parameters.set(...parameter)
    cursor.take(separatorPattern)
  }
}

const readChallenge = (cursor: Cursor): Challenge | undefined => {
  const scheme = cursor.take(tokenPattern)?.[0]?.toLowerCase()
  if (scheme === undefined) return undefined
  const space = cursor.take(spacePattern)?.[0] ?? ""
  if (space === "" && !cursor.atEnd) return undefined
  const parameters = readParameters(cursor)
  if (parameters === undefined) return undefined
  if (parameters.size > 0 || cursor.atEnd) return { scheme, parameters }
  const token68 = readToken68(cursor)
  return token68 === undefined ? undefined : { scheme, parameters, token68 }
}

/** The challenges of one header line; undefined when it breaks the grammar or a limit. */
export const readChallenges = (text: string): ReadonlyArray<Challenge> | undefined => {
  if (text.length > challengeLimits.characters) return undefined
  const cursor = new Cursor(text)
  const challenges: Array<Challenge> = []
  for (;;) {
    cursor.take(separatorPattern)
    if (cursor.done) return challenges
    const challenge = readChallenge(cursor)
    if (challenge === undefined || challenges.length === challengeLimits.challenges) return undefined
    challenges.push(challenge)
  }
}

/** How we answer: with a token of another server, or with name and password. */
export type Wanted =
  | { readonly scheme: "bearer"; readonly realm: string; readonly service: string; readonly scope: string }
  | { readonly scheme: "basic" }

/** The best challenge that we can answer, undefined when there is none. A token gives less away than a password. */
export const chooseChallenge = (fields: ResponseFields): Wanted | undefined => {
  const challenges = lines(fields, "www-authenticate").slice(0, challengeLimits.challenges)
    .flatMap((line) => readChallenges(line) ?? [])
  const bearer = challenges.find(({ parameters, scheme }) => scheme === "bearer" && parameters.has("realm"))
  if (bearer !== undefined) {
    const parameter = (name: string) => bearer.parameters.get(name) ?? ""
    return { scheme: "bearer", realm: parameter("realm"), service: parameter("service"), scope: parameter("scope") }
  }
  return challenges.some(({ scheme }) => scheme === "basic") ? { scheme: "basic" } : undefined
}
