/** What clients do with containers, a few names and programs, so that they meet each other; and programs of several clients. */
import * as fc from "fast-check"

/**
 * What a container's first process does. `idle`: sleeps, and dies of SIGKILL only. `short`: ends with 3 by itself. `polite`:
 * ends with 5 at SIGTERM. `broken`: there is no such program.
 */
export type Program = "idle" | "short" | "polite" | "broken"

export type Command =
  | { readonly _tag: "Create"; readonly name: string; readonly program: Program }
  | { readonly _tag: "Rename"; readonly name: string; readonly to: string }
  | { readonly _tag: "Stop"; readonly name: string; readonly timeout: number }
  | { readonly _tag: "Kill"; readonly name: string; readonly signal: 9 | 15 }
  | { readonly _tag: "Remove"; readonly name: string; readonly force: boolean }
  | { readonly _tag: "Update"; readonly name: string; readonly pids: number }
  | {
    readonly _tag:
      | "Start" | "StartAttached" | "Restart" | "Pause" | "Unpause" | "Wait" | "Exec" | "Attach" | "Logs" | "CopyIn" | "CopyOut"
      | "Inspect" | "KillSupervisor"
    readonly name: string
  }
  | { readonly _tag: "List" | "Recover" }

/** The engine of a client dies at an operation, counted from the beginning of its round. */
export interface Crash {
  readonly client: number
  readonly at: number
  readonly when: "before" | "after"
}

/** What clients do at the same time, each one thing after the other; then all comes to rest. */
export interface Round {
  readonly clients: ReadonlyArray<ReadonlyArray<Command>>
  readonly crash: Crash | undefined
}

export interface Scenario {
  readonly cgroups: "v1" | "v2"
  /** Draws the order in which operations of the clients meet. */
  readonly schedule: number
  readonly rounds: ReadonlyArray<Round>
}

const name = fc.oneof(
  { weight: 5, arbitrary: fc.constant("n1") }, { weight: 3, arbitrary: fc.constant("n2") }, { weight: 1, arbitrary: fc.constant("n3") }
)

const program = fc.oneof(
  { weight: 4, arbitrary: fc.constant("idle" as const) }, { weight: 2, arbitrary: fc.constant("short" as const) },
  { weight: 3, arbitrary: fc.constant("polite" as const) }, { weight: 1, arbitrary: fc.constant("broken" as const) }
)

const create = fc.record({ _tag: fc.constant("Create" as const), name, program })

const of = (...tags: ReadonlyArray<Extract<Command, { readonly name: string }>["_tag"]>): fc.Arbitrary<Command> =>
  fc.record({ _tag: fc.constantFrom(...tags), name }) as fc.Arbitrary<Command>

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 5, arbitrary: create },
  { weight: 8, arbitrary: of("Start") },
  { weight: 2, arbitrary: of("StartAttached") },
  { weight: 5, arbitrary: fc.record({ _tag: fc.constant("Stop" as const), name, timeout: fc.constantFrom(0, 1) }) },
  { weight: 4, arbitrary: fc.record({ _tag: fc.constant("Kill" as const), name, signal: fc.constantFrom(9 as const, 15 as const) }) },
  { weight: 6, arbitrary: fc.record({ _tag: fc.constant("Remove" as const), name, force: fc.boolean() }) },
  { weight: 4, arbitrary: of("Restart") },
  { weight: 6, arbitrary: of("Pause", "Unpause") },
  { weight: 3, arbitrary: of("Wait") },
  { weight: 3, arbitrary: fc.record({ _tag: fc.constant("Rename" as const), name, to: name }) },
  { weight: 3, arbitrary: fc.record({ _tag: fc.constant("Update" as const), name, pids: fc.constantFrom(40, 50, 60) }) },
  { weight: 3, arbitrary: of("Exec") },
  { weight: 4, arbitrary: of("Logs", "Attach") },
  { weight: 4, arbitrary: of("CopyIn", "CopyOut") },
  { weight: 6, arbitrary: of("Inspect") },
  { weight: 2, arbitrary: fc.constant<Command>({ _tag: "List" }) },
  { weight: 1, arbitrary: fc.constant<Command>({ _tag: "Recover" }) }
)

const disturbing: fc.Arbitrary<Command> = fc.oneof(
  { weight: 12, arbitrary: command }, { weight: 1, arbitrary: of("KillSupervisor") }
)

const round = (disturbed: boolean): fc.Arbitrary<Round> =>
  fc.record({
    clients: fc.array(fc.array(disturbed ? disturbing : command, { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 4 }),
    crash: disturbed
      ? fc.option(fc.record({
        client: fc.nat({ max: 1 }), at: fc.nat({ max: 120 }), when: fc.constantFrom("before" as const, "after" as const)
      }), { nil: undefined })
      : fc.constant(undefined)
  })

/** One client makes something to work with; then several are at it. */
export const scenario = (cgroups: "v1" | "v2", disturbed: boolean): fc.Arbitrary<Scenario> =>
  fc.record({
    schedule: fc.nat({ max: 2 ** 31 }),
    first: fc.tuple(program, fc.boolean(), fc.option(program, { nil: undefined })),
    rounds: fc.array(round(disturbed), { minLength: 1, maxLength: 3 })
  }).map(({ first: [one, starts, other], rounds, schedule }) => ({
    cgroups, schedule,
    rounds: [{
      clients: [[
        { _tag: "Create" as const, name: "n1", program: one },
        ...(starts ? [{ _tag: "Start" as const, name: "n1" }] : []),
        ...(other === undefined ? [] : [{ _tag: "Create" as const, name: "n2", program: other }])
      ]],
      crash: undefined
    }, ...rounds]
  }))

/** `stop n1 timeout=0` */
export const showCommand = (command: Command): string =>
  Object.entries(command).map(([key, value]) => key === "_tag" ? String(value).toLowerCase() : key === "name" ? value : `${key}=${value}`)
    .join(" ")

export const showScenario = ({ cgroups, rounds, schedule }: Scenario): string =>
  [
    `cgroup ${cgroups}, schedule ${schedule}`,
    ...rounds.flatMap(({ clients, crash }, index) => [
      `round ${index}${crash === undefined ? "" : `, client ${crash.client} dies ${crash.when} its operation ${crash.at}`}`,
      ...clients.map((commands, client) => `  client ${client}: ${commands.map(showCommand).join("; ")}`)
    ])
  ].join("\n")
