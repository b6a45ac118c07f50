/** Real files of this machine, of all kinds and sizes, in a directory of the test. */
import { execFileSync } from "node:child_process"
import { mkdirSync } from "node:fs"

/** Every so many of the files up to 64 kB, so that there are some `count` of them from everywhere. */
const script = `
  cd /
  find usr/share usr/lib -xdev \\( -type f -size -128 -o -type l \\) -print | LC_ALL=C sort > "$1.names"
  every=$(($(wc -l < "$1.names") / $2))
  awk -v every=$((every > 0 ? every : 1)) 'NR % every == 0' "$1.names" | head -n "$2" > "$1.chosen"
  tar --no-recursion -c --files-from="$1.chosen" | tar -x -C "$1" -p
  rm "$1.names" "$1.chosen"`

export const copyHostFiles = (directory: string, count: number): void => {
  mkdirSync(directory, { recursive: true })
  execFileSync("sh", ["-ec", script, "sh", directory, String(count)])
}
