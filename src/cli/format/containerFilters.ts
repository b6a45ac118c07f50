/** `ps --filter`: conditions of one name are alternatives, but all labels must hold (moby, daemon/list.go). */
import * as Result from "effect/Result"
import { parsePortRange } from "../../domain/text/flags/PortRange.ts"
import { refuse, textError, type TextError } from "../../domain/text/TextError.ts"
import type { StateName } from "../../domain/container/ContainerRecord.ts"
import type { Summary } from "../../programs/Engine.ts"

export interface Filter {
  readonly name: string
  readonly value: string
}

/** `NAME=VALUE` as --filter takes it. */
export const parseFilter = (text: string): Result.Result<Filter, TextError> => {
  const equals = text.indexOf("=")
  return equals < 0
    ? refuse("parse filter", text, "bad format of filter (expected name=value)", "write name=value")
    : Result.succeed({ name: text.slice(0, equals).trim().toLowerCase(), value: text.slice(equals + 1).trim() })
}

const states: ReadonlyArray<StateName> = ["created", "running", "paused", "restarting", "removing", "exited", "dead"]

/** As Docker's filters match: by regular expression, and one that cannot be read matches nothing but itself. */
const matches = (pattern: string, text: string): boolean => {
  if (pattern === text) return true
  try {
    return new RegExp(pattern, "u").test(text)
  } catch {
    return false
  }
}

const labelHolds = (labels: { readonly [key: string]: string }, wanted: string): boolean => {
  const equals = wanted.indexOf("=")
  const key = equals < 0 ? wanted : wanted.slice(0, equals)
  return Object.hasOwn(labels, key) && (equals < 0 || labels[key] === wanted.slice(equals + 1))
}

const isOf = ({ record }: Summary, image: string): boolean =>
  [image, `${image}:latest`].includes(record.config.image) || `${record.config.image}:latest` === image ||
  (record.imageId !== "" && (record.imageId === image || record.imageId.replace("sha256:", "").startsWith(image)))

/** The host's path or the container's, as docker asks for a volume by name or target. */
const mounts = ({ record }: Summary, path: string): boolean =>
  record.config.mounts.some((mount) => mount.target === path || (mount._tag === "Bind" && mount.source === path))

type Test = (one: Summary, value: string, all: ReadonlyArray<Summary>) => boolean

/** The one that `value` names, by name or beginning of its id. */
const reference = (all: ReadonlyArray<Summary>, value: string): Summary | undefined =>
  all.find(({ record }) => record.name === value.replace(/^\//, "") || record.id === value) ??
  all.find(({ record }) => value !== "" && record.id.startsWith(value))

/** moby, api/types/filters: GetBoolOrDefault. */
const isTrue = (value: string): boolean => value === "1" || value === "true"
const isFalse = (value: string): boolean => value === "0" || value === "false"

const tests: { readonly [name: string]: Test } = {
  id: ({ record }, value) => matches(value, record.id),
  name: ({ record }, value) => matches(value, record.name) || matches(value, `/${record.name}`),
  label: ({ record }, value) => labelHolds(record.config.labels, value),
  status: ({ state }, value) => state.name === value,
  exited: ({ state }, value) => state.name === "exited" && String(state.exit?.code ?? 0) === value,
  ancestor: isOf,
  network: ({ record }, value) => record.config.networkMode === value,
  volume: mounts,
  // Health checks are stored and not performed: no container has a health
  health: (_, value) => value === "none",
  // No container has ports, of its own or the host's: `create` takes neither --expose nor --publish
  expose: () => false,
  publish: () => false,
  // A task is a container that a cluster's manager started
  "is-task": (_, value) => isFalse(value),
  before: ({ record }, value, all) => record.createdAt < (reference(all, value)?.record.createdAt ?? ""),
  since: ({ record }, value, all) => record.createdAt > (reference(all, value)?.record.createdAt ?? "")
}

const healths: ReadonlyArray<string> = ["none", "starting", "healthy", "unhealthy"]

const filtering = "filter containers"

const refuseFilter = (filter: Filter, cause: string, cure: string) =>
  refuse(filtering, `${filter.name}=${filter.value}`, cause, cure)

const check = (filter: Filter, all: ReadonlyArray<Summary>): Result.Result<void, TextError> => {
  const { name, value } = filter
  if (!Object.hasOwn(tests, name)) {
    return refuseFilter(filter, `invalid filter '${name}'`, `use one of ${Object.keys(tests).join(", ")}`)
  }
  if (name === "status" && !states.some((state) => state === value)) {
    return refuseFilter(filter, `invalid filter 'status=${value}'`, `use one of ${states.join(", ")}`)
  }
  if (name === "health" && !healths.includes(value)) {
    return refuseFilter(filter, `invalid filter 'health=${value}'`, `use one of ${healths.join(", ")}`)
  }
  if (name === "exited" && !/^[0-9]{1,3}$/.test(value)) {
    return refuseFilter(filter, `invalid filter 'exited=${value}'`, "write an exit status")
  }
  if (name === "is-task" && !isTrue(value) && !isFalse(value)) {
    return refuseFilter(filter, `invalid filter 'is-task=${value}'`, "use one of true, false")
  }
  if (name === "expose" || name === "publish") {
    return Result.mapBoth(parsePortRange(value), {
      onFailure: ({ cause, cure }) =>
        textError(filtering, `${name}=${value}`, `invalid filter '${name}=${value}': ${cause}`, cure),
      onSuccess: () => undefined
    })
  }
  if ((name === "before" || name === "since") && reference(all, value) === undefined) {
    return refuseFilter(filter, `No such container: ${value}`, "name one that ps -a shows")
  }
  return Result.void
}

export const filterContainers = (
  all: ReadonlyArray<Summary>, filters: ReadonlyArray<Filter>
): Result.Result<ReadonlyArray<Summary>, TextError> => Result.gen(function*() {
  for (const filter of filters) yield* check(filter, all)
  const tasks = filters.filter(({ name }) => name === "is-task")
  const [first] = tasks
  if (first !== undefined && tasks.some(({ value }) => isTrue(value) !== isTrue(first.value))) {
    const cause = "invalid filter 'is-task': it cannot be both true and false"
    return yield* refuseFilter(first, cause, "ask for one of them")
  }
  const byName = Map.groupBy(filters, ({ name }) => name)
  return all.filter((one) =>
    [...byName].every(([name, wanted]) => {
      const holds = ({ value }: Filter) => tests[name]!(one, value, all)
      return name === "label" ? wanted.every(holds) : wanted.some(holds)
    }))
})
