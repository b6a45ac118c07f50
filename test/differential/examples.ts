/** Programs that once showed a difference, each by what it was about. */
import type { ContainerConfig } from "../../src/domain/container/ContainerConfig.ts"
import type { Behaviour, Program, Step, Tree } from "./Step.ts"

const create = (name: string, behaviour: Behaviour, more: Partial<ContainerConfig> = {}): Step =>
  ({ _tag: "Create", name, behaviour, more })
const idle: Behaviour = { _tag: "Idle" }
const listening: Behaviour = { _tag: "Listening" }
const short = (script: string): Behaviour => ({ _tag: "Short", script })
const start = (name: string): Step => ({ _tag: "Start", name })
const exec = (name: string, script: string, user = ""): Step =>
  ({ _tag: "Exec", name, script, user, workingDirectory: "", env: [], tty: false })

const inTheWay: Tree = [
  { type: "dir", path: "copied", mode: 0o755, uid: 0 },
  { type: "symlink", path: "copied/two", mode: 0o777, uid: 0, target: "f" },
  { type: "dir", path: "f", mode: 0o644, uid: 0 }
]

export const examples: { readonly [name: string]: Program } = {
  "a start that failed for want of its program is tried again": [
    create("n1", { _tag: "Broken", program: "nothing-such" }), start("n1"), start("n1"), { _tag: "Remove", name: "n1", force: false }
  ],
  "a start that failed at its working directory is tried again": [
    create("n1", short("echo there"), { workingDirectory: "/etc/passwd" }), start("n1"), { _tag: "Run", name: "n1", input: "" }
  ],
  "a container ends right after its start": [
    create("n1", short("exit 1"), { utsMode: "host", ipcMode: "none" }), start("n1"), { _tag: "Wait", name: "n1" }, start("n1")
  ],
  "a signal is sent that there is none of": [
    create("n1", idle), start("n1"), { _tag: "Kill", name: "n1", signal: 99 }, { _tag: "Kill", name: "n1", signal: 0 }
  ],
  "a paused container is killed by stop": [
    create("n1", idle), start("n1"), { _tag: "Pause", name: "n1" }, { _tag: "Stop", name: "n1", signal: 9, patient: false },
    { _tag: "Unpause", name: "n1" }
  ],
  "a read-only root has its working directory still to be made": [
    create("n1", short("pwd"), { workingDirectory: "/made/here", readonlyRootfs: true }), start("n1"), { _tag: "Logs", name: "n1", tail: -1 }
  ],
  "a user without rights writes to a read-only root": [
    create("n1", short("( echo a ) > /out; touch /f; mkdir /d; chmod 600 /etc/passwd"), { readonlyRootfs: true, user: "1000:50" }), start("n1")
  ],
  "something else is where a copy is to go": [
    create("n1", idle), start("n1"), { _tag: "CopyIn", name: "n1", path: "/", tree: inTheWay, owned: false },
    { _tag: "CopyBetween", name: "n1", to: "n1", path: "/etc/passwd" }, { _tag: "CopyIn", name: "n1", path: "/etc/passwd", tree: inTheWay, owned: true }
  ],
  "the namespaces of an ended container are joined": [
    create("n2", listening), create("n1", listening, { pidMode: "container:n2", ipcMode: "container:n2" }), start("n2"), start("n1"),
    { _tag: "Top", name: "n1" }, { _tag: "Kill", name: "n2", signal: 9 }, start("n1")
  ],
  "a directory is moved into itself": [
    create("n1", idle), start("n1"), exec("n1", "mkdir -p /d/e; touch /d/e/g; mv /d/e /d/e/g; mv /d /d/e/h")
  ],
  "an owner is changed through a link": [
    create("n1", idle), start("n1"), exec("n1", "touch /f; ln -s /f /link; chown alice /link; stat -c '%n %u' /f /link"),
    { _tag: "CopyOut", name: "n1", path: "/link", follow: true }
  ],
  "files are removed that the image has": [
    create("n1", short("rm /etc/group; rm -rf /home; mkdir /home; ls /home /etc | wc -l")), start("n1"), { _tag: "Size", name: "n1" }
  ],
  "a shell is sent SIGQUIT, which it ignores and its children do not": [
    create("n1", short("sh -c 'kill -QUIT $$; echo still here'; sleep 5 & kill -QUIT $!; kill $!; wait $!; echo $?"), { init: true }),
    start("n1"), { _tag: "Wait", name: "n1" }, { _tag: "Logs", name: "n1", tail: -1 }
  ],
  "a shell cannot open a file or fork": [
    create("n1", short("for i in 1 2 3 4 5 6; do sleep 0.2 & done; echo all; wait"), { resources: { pidsLimit: 4 } }), start("n1"),
    create("n2", short("echo a > /missing/f; echo $?; ( echo a ) > /etc/passwd/f; echo $?; cat < /etc")), start("n2")
  ]
}
