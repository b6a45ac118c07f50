/** Random shell scripts of what the real busybox and the simulated one both know. */
import * as fc from "fast-check"

const words = ["a", "b", "'b c'", "x1", "\"$A\"", "$A", "''", "'*'", "\\$A", "a\"b\"c", "é", "1", "22"]
const word = fc.constantFrom(...words)
/** Few places, so that commands meet each other's traces. */
const place = fc.constantFrom("/f", "/g", "/d", "/d/f", "/d/e", "/d/e/g", "/tmp/f", "/link", "f", "/etc/passwd", "/missing/f", "/etc")
const fresh = fc.constantFrom("/f", "/g", "/d/f", "/d/e/g", "/tmp/f", "/link", "f", "/missing/f")
const mode = fc.constantFrom("640", "755", "1777", "u+x", "go-r", "a=r")
const number = fc.nat({ max: 5 }).map(String)

const joined = (...parts: ReadonlyArray<string | fc.Arbitrary<string>>): fc.Arbitrary<string> =>
  fc.tuple(...parts.map((part) => typeof part === "string" ? fc.constant(part) : part)).map((texts) => texts.join(" "))

const onFiles: fc.Arbitrary<string> = fc.oneof(
  joined("cat", place),
  joined("cat <", place),
  joined("mkdir", fc.constantFrom("/d", "/d/e", "/missing/d", "/f", "-p /d/e/g", "-p /a/b/c")),
  joined("touch", fresh),
  joined("rm", fc.constantFrom("", "-r", "-f", "-rf"), fc.constantFrom("/f", "/d", "/d/f", "/link", "/tmp/f", "/missing/f", "/etc/group")),
  // Without links: the real ones follow them in ways of their own
  joined("mv", fc.constantFrom("/f", "/g", "/d", "/d/e", "/missing/f"), fc.constantFrom("/d/f", "/d/e/g", "/tmp/f", "/missing/f")),
  joined("cp", fc.constantFrom("/d/f", "/etc/passwd", "/missing/f", "/d"), fc.constantFrom("/g", "/missing/f", "/tmp/c")),
  joined("cp -r", fc.constantFrom("/d/e", "/d/f"), fc.constantFrom("/g", "/missing/f", "/tmp/c")),
  joined("ln -s", place, "/link"),
  // Whether others may make links is a setting of the host: fs.protected_hardlinks
  joined("test $(id -u) -ne 0 || ln", place, fc.constantFrom("/d/h", "/h", "/missing/h")),
  joined("readlink", place),
  joined("chmod", mode, fresh),
  joined("chown", fc.constantFrom("1000:50", "alice", "0:0"), place),
  joined("stat -c '%n %a %u %g %F'", place),
  joined("ls", fc.constantFrom("", "-d"), fc.constantFrom("/d", "/d/e", "/f", "/tmp", "/missing", "/d /f", "/link")),
  joined("test", fc.constantFrom("-e", "-d", "-f", "-L", "-s"), place, "&& echo yes || echo no"),
  joined("head -n", number, place),
  joined("tail -n", number, place),
  joined("grep", fc.constantFrom("", "-c", "-q", "-v"), "a", place),
  joined("wc -l <", place)
)

const plain: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: onFiles },
  { weight: 1, arbitrary: joined("echo", word) },
  { weight: 1, arbitrary: joined("echo", word, word, ">", fresh) },
  { weight: 1, arbitrary: joined("echo", word, ">>", fresh) },
  { weight: 1, arbitrary: joined("echo -n", word, ">>", fresh) },
  { weight: 1, arbitrary: joined("echo", word, ">&2") },
  { weight: 1, arbitrary: joined("printf '%s-%s\\n'", word, number) },
  { weight: 1, arbitrary: joined("printf '%03d|%-4s|\\n'", number, fc.constantFrom("a", "\"$A\"", "é", "12345")) },
  { weight: 1, arbitrary: joined("[", word, fc.constantFrom("=", "!="), word, "]") },
  { weight: 1, arbitrary: joined("test", number, fc.constantFrom("-lt", "-eq", "-ge"), number) },
  { weight: 1, arbitrary: joined("seq", number) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      "id -u", "id -G", "hostname", "pwd", "true", "false", "cd /d 2> /dev/null", "cd /etc", "nothing-such", "/etc", "/etc/passwd",
      "echo $HOME $PATH", "echo ${A:-unset} ${B:+set}", "echo ${#A} ${A%c} ${A#b}", "A=value", "A='b c'", "export A", "unset A",
      "echo $#", "set -e", "trap 'echo bye' EXIT", "exit", "exit 3", "cat /proc/self/comm", "cat /proc/1/comm",
      "echo $((2 + 3 * 4)) $((7 / 2)) $((1 < 2))", "read line < /f; echo $line", "sleep 0", "wait", "cat /etc/hostname | wc -l",
      "{ f() { echo function $1; return 2; }; f x; }", "nproc | grep -c ."
    )
  }
)

/** A command of several, at most `depth` deep. */
const command = (depth: number): fc.Arbitrary<string> => {
  if (depth === 0) return plain
  const inner = command(depth - 1)
  return fc.oneof(
    { weight: 6, arbitrary: plain },
    { weight: 1, arbitrary: joined(inner, "&&", inner) },
    { weight: 1, arbitrary: joined(inner, "||", inner) },
    { weight: 1, arbitrary: joined("{", inner, "; echo $?; }") },
    { weight: 1, arbitrary: joined(inner, "| cat") },
    { weight: 1, arbitrary: joined(inner, "| wc -l") },
    { weight: 1, arbitrary: joined("(", inner, ";", inner, `) > /out${depth}`) },
    { weight: 1, arbitrary: joined("{ true;", inner, "; } 2> /dev/null") },
    { weight: 1, arbitrary: joined("if", inner, "; then", inner, "; else", inner, "; fi") },
    { weight: 1, arbitrary: joined("for i in 1 2", word, "; do echo $i;", inner, "; done") },
    { weight: 1, arbitrary: joined("n=0; while test $n -lt 2; do n=$((n + 1));", inner, "; done") },
    { weight: 1, arbitrary: joined("case", word, "in (a*) ", inner, ";; (*)", inner, ";; esac") },
    { weight: 1, arbitrary: inner.map((text) => `echo got $( ${text} )`) },
    { weight: 1, arbitrary: inner.map((text) => `! { ${text}; }`) },
    // In braces: before a pipe, `wait` would wait in a shell of its own, and for nothing
    { weight: 1, arbitrary: inner.map((text) => `{ (${text}) & wait; }`) }
  )
}

/** A script of up to so many lines. */
export const script = (lines: number): fc.Arbitrary<string> =>
  fc.array(command(2), { minLength: 1, maxLength: lines }).map((all) => all.join("\n"))
