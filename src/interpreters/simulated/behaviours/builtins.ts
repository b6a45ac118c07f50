/**
 * The programs that every simulated host and image may have: busybox by its applets, hello, and
 * those for tests.
 */
import { accountApplets } from "./applets/accountApplets.ts"
import type { Applets } from "./applets/Applet.ts"
import { fileApplets } from "./applets/fileApplets.ts"
import { listApplets } from "./applets/listApplets.ts"
import { ownerApplets } from "./applets/ownerApplets.ts"
import { systemApplets } from "./applets/systemApplets.ts"
import { test } from "./applets/test.ts"
import { textApplets } from "./applets/textApplets.ts"
import type { Behaviour, Behaviours } from "./Behaviour.ts"
import { write } from "./calls.ts"
import { hello } from "./hello.ts"
import { makeBehaviour } from "./makeBehaviour.ts"
import { shell } from "./shell/shell.ts"
import { stress } from "./stress.ts"

const applets: Applets = {
  ...textApplets,
  ...fileApplets,
  ...listApplets,
  ...ownerApplets,
  ...systemApplets,
  ...accountApplets,
  sh: shell,
  test: (args) => test("test", args),
  "[": (args) => test("[", args)
}

export const appletNames: ReadonlyArray<string> = Object.keys(applets).sort()

/** `busybox APPLET ARGUMENTS`; under an applet's own name the same as that. */
const busybox = makeBehaviour(function*(launch) {
  const [name, ...args] = launch.argv.slice(1)
  const applet = name === undefined || !Object.hasOwn(applets, name) ? undefined : applets[name]
  if (applet !== undefined) return yield* applet(args, { ...launch, argv: launch.argv.slice(1) })
  yield* write(
    name === undefined ? "BusyBox (simulated) multi-call binary.\n" : `${name}: applet not found\n`,
    name === undefined ? 1 : 2
  )
  return name === undefined ? 0 : 127
})

const byName = (name: string): Behaviour<never> =>
  makeBehaviour((launch) => applets[name]!(launch.argv.slice(1), launch)) as unknown as Behaviour<
    never
  >

export const builtins: Behaviours = {
  ...Object.fromEntries(appletNames.map((name) => [name, byName(name)])),
  ...(stress as unknown as Behaviours),
  busybox: busybox as unknown as Behaviour<never>,
  "/hello": hello as unknown as Behaviour<never>,
  hello: hello as unknown as Behaviour<never>
}

export const stressNames: ReadonlyArray<string> = Object.keys(stress)
