/**
 * What programs print and how they end was compared with busybox 1.35 for every line of this table.
 */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { builtins } from "../../../src/interpreters/simulated/behaviours/builtins.ts"
import { parseScript } from "../../../src/interpreters/simulated/behaviours/shell/parse.ts"
import { SyntaxFault } from "../../../src/interpreters/simulated/behaviours/shell/Syntax.ts"
import { brokenInvariants, calls, type Event, makeBehaviour } from "../../../src/testing/index.ts"
import { Client, containerOf, Machine, prepare, run } from "./SimulatedMachine.ts"

/** script → what it prints, the exit code in front; `!` begins what goes to the standard error. */
const table: ReadonlyArray<readonly [script: string, result: string]> = [
  ["echo a b  c", "0 a b c\n"],
  ["echo -n x; echo y", "0 xy\n"],
  ["echo -e 'a\\tb'", "0 a\tb\n"],
  ["exit 3", "3 "],
  ["exit 300", "44 "],
  ["exit abc", "2 !sh: exit: line 0: Illegal number: abc\n"],
  ["true && false || echo no", "0 no\n"],
  ["x=5; echo $x \"${x}y\" '$x'", "0 5 5y $x\n"],
  ["for i in 1 2 3; do echo $i; done", "0 1\n2\n3\n"],
  ["i=0; while [ $i -lt 3 ]; do i=$((i+1)); echo $i; done", "0 1\n2\n3\n"],
  ["until [ -f ff ]; do touch ff; done; ls ff", "0 ff\n"],
  ["nosuch; echo $?", "0 127\n!sh: nosuch: not found\n"],
  ["/etc; echo $?", "0 126\n!sh: /etc: Permission denied\n"],
  ["cat /nosuch; echo $?", "0 1\n!cat: can't open '/nosuch': No such file or directory\n"],
  ["sleep 0.01 & wait $!; echo $?", "0 0\n"],
  ["(exit 4); echo $?", "0 4\n"],
  ["{ echo g; echo h; } | cat", "0 g\nh\n"],
  ["echo hi | { read x; echo \"[$x]\"; }", "0 [hi]\n"],
  ["x=$(echo sub; exit 3); echo $x $?", "0 sub 3\n"],
  ["echo \"$(echo nested $(echo deep))\" `echo back`", "0 nested deep back\n"],
  ["case abc in a*) echo m;; *) echo n;; esac", "0 m\n"],
  ["f() { echo f $1; return 3; }; f q; echo $?", "0 f q\n3\n"],
  ["set -- p q; echo $# $1 $@; shift; echo $1; shift 5; echo $?", "0 2 p p q\nq\n1\n"],
  ["trap 'echo bye' EXIT; exit 5", "5 bye\n"],
  ["trap 'echo t; exit 7' TERM; kill -TERM $$; echo not", "7 t\n"],
  ["trap 'echo usr' USR1; kill -USR1 $$; echo after", "0 usr\nafter\n"],
  ["trap '' TERM; kill -TERM $$; echo alive", "0 alive\n"],
  [
    "sh -c 'trap \"exit 3\" TERM; while true; do sleep 0.05; done' & " +
    "sleep 0.02; kill $!; wait $!; echo $?",
    "0 3\n"
  ],
  ["sh -c 'kill -9 $$'; echo $?", "0 137\n!Killed\n"],
  ["sleep 5 & kill -9 $!; wait $!; echo $?", "0 137\n!Killed\n"],
  ["echo 1 > f; echo 2 >> f; cat f; wc -l < f", "0 1\n2\n2\n"],
  ["printf 'a b\\nc d\\n' > q; while read x y; do echo \"$y-$x\"; done < q", "0 b-a\nd-c\n"],
  ["echo > /nosuch/y; echo $?", "0 1\n!sh: can't create /nosuch/y: nonexistent directory\n"],
  ["mkdir d; touch d/a d/b; ls d; rm -r d; ls", "0 a\nb\n"],
  ["set -e; false; echo x", "1 "],
  ["if false; then echo a; elif true; then echo b; else echo c; fi", "0 b\n"],
  ["! true; echo $?; false | true; echo $?; true | false; echo $?", "0 1\n0\n1\n"],
  ["x='a b'; for i in $x; do echo $i; done; for i in \"$x\"; do echo $i; done", "0 a\nb\na b\n"],
  ["echo $((3+4*2)) $((7/2)) $((7%3)) $((1<2))", "0 11 3 1 1\n"],
  [
    "echo ${u:-def} ${u:=set} $u; x=abc.tar.gz; echo ${x%.gz} ${x%%.*} ${x#*.} ${x##*.} ${#x}",
    "0 def set set\nabc.tar abc tar.gz gz 10\n"
  ],
  ["a=1 env | grep ^a=; env -i A=1 sh -c 'echo $A$HOME'", "0 a=1\n1\n"],
  ["echo err >&2; echo out; nosuch 2>/dev/null; echo $?", "0 out\n127\n!err\n"],
  ["exec echo hi; echo no", "0 hi\n"],
  ["printf '%s-%d\\n' a 5 b 6; printf '%05d|%-5s|%x\\n' 42 ab 255", "0 a-5\nb-6\n00042|ab   |ff\n"],
  ["seq 3 | tail -n 1; yes | head -n 2; echo abc | head -c 2", "0 3\ny\ny\nab"],
  [
    "cd /; pwd; cd /nosuch; echo $?",
    "0 /\n2\n!sh: cd: line 0: can't cd to /nosuch: No such file or directory\n"
  ],
  ["if", "2 !sh: syntax error: unexpected end of file (expecting \"then\")\n"],
  ["echo a#b; # comment", "0 a#b\n"],
  [
    "[ 1 -lt 2 ]; echo $?; [ a = b ]; echo $?; [ -d / ]; echo $?; [ 1; echo $?",
    "0 0\n1\n0\n2\n!sh: missing ]\n"
  ],
  [
    "for i in 1 2 3; do [ $i = 2 ] && continue; echo $i; done; " +
    "while true; do echo once; break; done",
    "0 1\n3\nonce\n"
  ],
  [
    "ln -s t l; readlink l; echo hi > a; cp a b; mv b c; cat c; chmod 600 c; stat -c %a c",
    "0 t\nhi\n600\n"
  ],
  [
    "rm nosuch; echo $?; rm -f nosuch; echo $?; rmdir nosuch; echo $?",
    "0 1\n0\n1\n!rm: can't remove 'nosuch': No such file or directory\n" +
    "rmdir: 'nosuch': No such file or directory\n"
  ],
  ["mkdir -p x/y/z; ls x/y; rmdir x/y/z x/y x; ls x", "1 z\n!ls: x: No such file or directory\n"],
  [
    "kill 99999; echo $?; kill -0 $$; echo $?; sleep abc; echo $?",
    "0 1\n0\n1\n!sh: can't kill pid 99999: No such process\nsleep: invalid number 'abc'\n"
  ],
  [
    "dd if=/dev/zero of=z bs=10 count=2 2>/dev/null; wc -c < z; echo foo | tee g; cat g",
    "0 20\nfoo\nfoo\n"
  ],
  [
    "x=1; (x=2; echo $x); echo $x; eval 'y=3'; echo $y; export Z=4; sh -c 'echo $Z'",
    "0 2\n1\n3\n4\n"
  ],
  [
    "id; id -u; whoami; hostname; uname; nproc",
    "0 uid=0(root) gid=0(root)\n0\nroot\nsimulated\nLinux\n2\n"
  ],
  ["id nosuch; echo $?", "0 1\n!id: unknown user nosuch\n"],
  ["busybox echo x; busybox nosuch; echo $?", "0 x\n127\n!nosuch: applet not found\n"],
  ["ls -l /etc/hostname | cut 2>/dev/null; echo /etc/passw*d", "0 /etc/passwd\n"]
]

const zero = {
  _tag: "NodeMake", path: "/dev/zero", type: "c", mode: 0o666, major: 1, minor: 5, uid: 0, gid: 0
} as const
const work = { _tag: "WorkingDirectory", path: "/work", create: true } as const

describe("a shell in a container", () => {
  for (const [script, result] of table) {
    it(`${JSON.stringify(script)}`, () => {
      const machine = new Machine()
      // As a child of pid 1, which hears of signals that it does not handle
      const spec = containerOf(["sh", "-c", script], {}, [zero, work])
      const program = spec.program.map((op) => op._tag === "Exec" ? { ...op, reaper: true } : op)
      const ended = run(machine, { ...spec, program })
      const errors = ended.stderr === "" ? "" : `!${ended.stderr}`
      const printed = `${ended.exit?.code} ${ended.stdout}${errors}`
      assert.strictEqual(printed.replace(" groups=0(root)", ""), result)
      assert.deepStrictEqual(brokenInvariants(machine.world), [])
    })
  }

  it("reads its commands from the standard input, line by line", () => {
    const machine = new Machine()
    prepare(machine)
    const client = Client.start(
      machine,
      containerOf(["sh"], { stdio: { terminal: false, rows: 0, columns: 0, stdin: "open" } })
    )
    client.send("echo one\nfor i in 1 2\ndo echo $i\n")
    client.untilOutput("one")
    assert.strictEqual(client.stdout, "one\n")
    client.send("done\nexit 7\necho never\n")
    const ended = client.finish()
    assert.deepStrictEqual([ended.stdout, ended.exit?.code], ["one\n1\n2\n", 7])
  })

  it("gives up its own place to the last command", () => {
    const ended = run(new Machine(), containerOf(["sh", "-c", "true; ps"]))
    assert.strictEqual(ended.stdout.split("\n").length, 3)
  })

  it("takes any text for a script or says what is wrong with it", () => {
    const texts = fc.array(
      fc.constantFrom(
        "echo",
        "a",
        ";",
        "&&",
        "|",
        "(",
        ")",
        "if",
        "then",
        "fi",
        "$x",
        "\"",
        "'",
        "`",
        "${x",
        ">",
        "<",
        "\n",
        "{",
        "}",
        "case",
        "#",
        "$(("
      ),
      { maxLength: 12 }
    ).map((parts) => parts.join(" "))
    fc.assert(
      fc.property(texts, (text) => {
        try {
          parseScript(text)
        } catch (cause) {
          assert.instanceOf(cause, SyntaxFault)
        }
      }),
      { numRuns: 1000 }
    )
  })
})

describe("hello", () => {
  it("tells what it sees, as the real one does", () => {
    const machine = new Machine({
      files: { "/images/busybox/hello": { content: "ELF", mode: 0o755 } }
    })
    machine.do("CgroupEnsure", { directory: "/sys/fs/cgroup/fx" })
    machine.do("CgroupWrite", { directory: "/sys/fs/cgroup/fx", file: "memory.max", value: "64M" })
    const ended = run(
      machine,
      containerOf(["/hello"], { cgroup: "/sys/fs/cgroup/fx" }, [
        { _tag: "NamespaceUnshare", kinds: ["cgroup"] },
        { _tag: "Hostname", name: "box" },
        {
          _tag: "MountFilesystem",
          type: "cgroup2",
          source: "cgroup",
          target: "/sys/fs/cgroup",
          strict: false,
          options: [],
          attributes: ["ro"],
          copyUp: false
        }
      ])
    )
    assert.include(ended.stdout, "Hello from inside a container of fx-engine!")
    for (
      const line of [
        "  hostname      box\n", "  process       pid 1, parent 0\n", "  memory limit  64 MiB\n",
        "  pids limit    unlimited\n", "  mounts        4: / overlay, /proc proc"
      ]
    ) {
      assert.include(ended.stdout, line)
    }
    const exits = run(
      new Machine({ files: { "/images/busybox/hello": { content: "ELF", mode: 0o755 } } }),
      containerOf(["/hello", "--exit", "9"])
    )
    assert.deepStrictEqual([exits.stdout, exits.exit?.code], ["", 9])
  })
})

describe("a behaviour made of a generator", () => {
  const echo = makeBehaviour(function*({ argv }) {
    for (const word of argv) yield* calls.write(word)
    yield* calls.sleep(1)
    return argv.length
  })
  const done: Event = { _tag: "Done", value: undefined }

  it("can be gone on with from any state, again and again", () => {
    const states = [echo.start({ argv: ["a", "b"], environment: [] })]
    const events: ReadonlyArray<Event> = [{ _tag: "Start" }, done, done, done]
    const said = events.map((event, index) => {
      const [state, call] = echo.step(states[index]!, event)
      states.push(state)
      return call
    })
    assert.deepStrictEqual(said.map((call) => call._tag), ["Write", "Write", "Sleep", "Exit"])
    for (const index of [2, 0, 3, 1, 1, 3]) {
      assert.deepStrictEqual(echo.step(states[index]!, events[index]!)[1], said[index])
    }
  })

  it("is told of errors as values", () => {
    const [first] = echo.step(echo.start({ argv: ["a"], environment: [] }), { _tag: "Start" })
    assert.strictEqual(echo.step(first, { _tag: "Failed", errno: "EPIPE" })[1]._tag, "Sleep")
  })

  it("of the built-in kind is there under every applet's name", () => {
    for (const name of ["sh", "ls", "cat", "busybox", "/hello", "allocate", "on-signal", "["]) {
      assert.isDefined(builtins[name], name)
    }
  })
})
