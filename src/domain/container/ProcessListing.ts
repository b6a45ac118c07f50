/** The options of ps as `top` takes them: which columns, in which order of rows. There is no ps behind it. */
import * as Result from "effect/Result"
import { refuse, type TextError } from "../text/TextError.ts"
import { findColumn, type ColumnName, type ProcessColumn, processColumns } from "./ProcessColumn.ts"
import { bsdLayouts, otherNames, sysvLayout } from "./processLayouts.ts"

export interface ListedColumn {
  readonly title: string
  readonly column: ProcessColumn
  /** Columns on the screen. */
  readonly width: number
}

export interface SortKey {
  readonly column: ProcessColumn
  readonly descending: boolean
}

export interface ProcessListing {
  readonly columns: ReadonlyArray<ListedColumn>
  readonly sort: ReadonlyArray<SortKey>
  /** Children below their parents, and how the rows show it. */
  readonly forest: "none" | "drawn" | "indented"
}

/** What was read of the options so far. */
interface Draft {
  /** Letters of -f, -F, -l, -j, -y */
  readonly sysv: Set<string>
  /** Letters u, l, j */
  readonly bsd: Set<string>
  readonly lists: Array<ListedColumn>
  readonly sort: Array<SortKey>
  forest: ProcessListing["forest"]
  /** `c`: the name of the program rather than its command line. */
  namesOnly: boolean
  /** Some option was BSD's, a dash or none: another layout where none is asked for. */
  bsdStyle: boolean
  /** -O: its columns go among some usual ones. */
  among: boolean
}

const operation = "read ps options"

const supported = "top lists all processes of the container: -e -f -F -l -j -y, a x u l j, " +
  "-o LIST, -O LIST, --sort LIST, --forest or w; or filter the output"

const unknown = (option: string, cause = `unsupported ps option ${option}`) =>
  refuse(operation, option, cause, `use ${supported}`)

/** Options of ps that choose processes, which `top` leaves to the container. */
const choosing = /^[CGUgpqstu]$/

const listed = (column: ProcessColumn, title = column.title, width?: number): ListedColumn =>
  ({ title, column, width: Math.max(title.length, width ?? column.width ?? 0) })

const columnNamed = (name: string): Result.Result<ProcessColumn, TextError> => {
  const column = findColumn(name)
  return column === undefined
    ? refuse(operation, name, `unknown ps column "${name}"`, `use ${Object.keys(processColumns).join(", ")}`)
    : Result.succeed(column)
}

/** `NAME[:WIDTH][=TITLE]` */
const parseColumn = (written: string): Result.Result<ListedColumn, TextError> => Result.gen(function*() {
  const [, name = "", width, title] = /^([^:=]*)(?::([^=]*))?(?:=(.*))?$/s.exec(written) ?? []
  if (width !== undefined && !/^[1-9][0-9]{0,4}$/.test(width)) {
    return yield* refuse(operation, written, `bad width of a ps column: "${width}"`, "write a number such as user:20")
  }
  const column = yield* columnNamed(name)
  if (title !== undefined && title.startsWith("PID") && name !== "pid") {
    return yield* refuse(operation, written, `specifying "${name}=${title}" is not allowed`, "only pid is titled PID")
  }
  return listed(column, title, width === undefined ? undefined : Number(width))
})

/** Longer lists are nobody's wish. */
const mostColumns = 200

const parseList = (option: string, written: string): Result.Result<ReadonlyArray<ListedColumn>, TextError> =>
  Result.gen(function*() {
    const names = written.split(",")
    if (names.length > mostColumns) {
      return yield* refuse(operation, option, "too many ps columns", `name at most ${mostColumns}`)
    }
    const columns: Array<ListedColumn> = []
    for (const name of names) {
      if (name === "") {
        return yield* refuse(operation, written, "improper ps column list", "write names with commas between")
      }
      columns.push(yield* parseColumn(name))
    }
    return columns
  })

const parseSort = (written: string): Result.Result<ReadonlyArray<SortKey>, TextError> => Result.gen(function*() {
  const keys: Array<SortKey> = []
  for (const key of written.split(",").slice(0, mostColumns)) {
    keys.push({ column: yield* columnNamed(key.replace(/^[+-]/, "")), descending: key.startsWith("-") })
  }
  return keys
})

/** Options with a list after them; the value is the rest of the word or the next one. */
const readList = (draft: Draft, option: string, value: string | undefined): Result.Result<void, TextError> =>
  Result.gen(function*() {
    if (value === undefined || value === "") {
      const cure = "name columns, such as -o pid,user,cmd"
      return yield* refuse(operation, option, `ps option ${option} needs a list`, cure)
    }
    if (option === "--sort" || option === "k") {
      draft.sort.push(...yield* parseSort(value))
      return
    }
    if (option === "-O") draft.among = true
    draft.lists.push(...yield* parseList(option, value))
  })

/** Reads a letter that stands alone; false for one that takes a list or is not known. */
const readDashed = (draft: Draft, letter: string): boolean => {
  if ("fFljy".includes(letter)) draft.sysv.add(letter)
  else if (letter === "H") draft.forest = "indented"
  else if (letter === "x") draft.bsdStyle = true
  else return "Aeadw".includes(letter)
  return true
}

const readBare = (draft: Draft, letter: string): boolean => {
  draft.bsdStyle = true
  if ("ulj".includes(letter)) draft.bsd.add(letter)
  else if (letter === "f") draft.forest = "drawn"
  else if (letter === "c") draft.namesOnly = true
  else return "axgw".includes(letter)
  return true
}

/** A word of letters; true when the next word was its list. */
const readLetters = (
  draft: Draft, letters: string, dashed: boolean, next: string | undefined
): Result.Result<boolean, TextError> => Result.gen(function*() {
  const dash = dashed ? "-" : ""
  for (const [index, letter] of [...letters].entries()) {
    const option = `${dash}${letter}`
    if (letter === "o" || option === "-O" || option === "k") {
      const rest = letters.slice(index + 1)
      yield* readList(draft, option, rest === "" ? next : rest)
      return rest === ""
    }
    if (dashed && choosing.test(letter)) {
      return yield* unknown(option, `ps option ${option} would choose among processes`)
    }
    if (!(dashed ? readDashed : readBare)(draft, letter)) return yield* unknown(option)
  }
  return false
})

/** A `--long` option; true when the next word was its value. */
const readLong = (draft: Draft, word: string, next: string | undefined): Result.Result<boolean, TextError> =>
  Result.gen(function*() {
    const [, option = "", value] = /^(--[^=]*)(?:=(.*))?$/s.exec(word) ?? []
    switch (option) {
      case "--format":
      case "--sort":
        yield* readList(draft, option, value ?? next)
        return value === undefined
      case "--forest":
        draft.forest = "drawn"
        return false
      default:
        return yield* unknown(option)
    }
  })

/** -aux: ps, too, takes it for aux when there is no user x. */
const forgiven = (word: string): string => /^-(?=.*u)(?=.*[ax])[axugwfc]{2,}$/.test(word) ? word.slice(1) : word

const readWords = (words: ReadonlyArray<string>): Result.Result<Draft, TextError> => Result.gen(function*() {
  const draft: Draft = {
    sysv: new Set(), bsd: new Set(), lists: [], sort: [], forest: "none",
    namesOnly: false, bsdStyle: false, among: false
  }
  for (let index = 0; index < words.length; index++) {
    const word = forgiven(words[index] ?? "")
    const next = words[index + 1]
    const took = yield* word.startsWith("--")
      ? readLong(draft, word, next)
      : word.startsWith("-") && word !== "-"
      ? readLetters(draft, word.slice(1), true, next)
      : /^[a-zA-Z]+$/.test(word) || /^[a-zA-Z]*o/.test(word)
      ? readLetters(draft, word, false, next)
      : unknown(word)
    if (took) index++
  }
  return draft
})

const conflict = (draft: Draft): boolean =>
  draft.bsd.size + (draft.sysv.size > 0 ? 1 : 0) > 1 ||
  (draft.lists.length > 0 && (draft.bsd.size > 0 || ["F", "l", "j", "y"].some((letter) => draft.sysv.has(letter))))

const layoutOf = (draft: Draft): ReadonlyArray<ListedColumn> => {
  const { bsd, bsdStyle, lists, sysv } = draft
  const named = (names: ReadonlyArray<ColumnName | ProcessColumn>) =>
    names.map((name) => listed(typeof name === "string" ? processColumns[name] : name))
  if (draft.among) return [...named(["pid"]), ...lists, ...named(["s", "tname", "time", "args"])]
  if (lists.length > 0) return lists
  const [layout] = bsd
  return named(layout === undefined ? sysvLayout(sysv, bsdStyle) : bsdLayouts[layout] ?? [])
}

const pidColumn = processColumns.pid

/**
 * Options as ps takes them, of SysV's manner, BSD's and GNU's; none are -ef. As docker does, words are split at
 * spaces, and a listing without the title PID is refused.
 */
export const parseProcessListing = (options: ReadonlyArray<string>): Result.Result<ProcessListing, TextError> =>
  Result.gen(function*() {
    const words = options.join(" ").split(/[ \t\n\f\r]+/).filter((word) => word !== "")
    const draft = yield* readWords(words.length === 0 ? ["-ef"] : words)
    const written = words.join(" ")
    if (conflict(draft)) {
      return yield* refuse(operation, written, "conflicting ps layouts", "ask for one, such as -f, u or -o LIST")
    }
    if (draft.sysv.has("y") && !draft.sysv.has("l")) {
      return yield* refuse(operation, written, "ps option -y changes nothing but -l", "use -ly, or leave it out")
    }
    const columns = layoutOf(draft).map(({ column, ...rest }) =>
      ({ ...rest, column: draft.namesOnly ? otherNames.get(column) ?? column : column }))
    if (!columns.some(({ column, title }) => column === pidColumn && title === "PID")) {
      const cure = "have pid among the columns, with its title: -o pid,…"
      return yield* refuse(operation, written, "Couldn't find PID field in ps output", cure)
    }
    // ps draws a forest for -f when -o has said which columns there are
    const forest = draft.forest === "none" && draft.lists.length > 0 && draft.sysv.has("f") ? "drawn" : draft.forest
    return { columns, sort: draft.sort, forest }
  })
