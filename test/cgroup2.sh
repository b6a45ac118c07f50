#!/usr/bin/env bash
# The root-only suite on a pure cgroup v2 kernel, in a virtual machine: `npm run test:cgroup2 [-- smoke]`.
set -euo pipefail
cd "$(dirname "$0")/.."

# Where the tool is: beside the checkout, or as CGROUP2_VM_TOOL says.
tool=${CGROUP2_VM_TOOL:-$PWD/../shared/tools/cgroup2-vm}
if [ ! -x "$tool" ]; then
  echo "skipped: the cgroup v2 suite needs the cgroup2-vm tool (looked for $tool; set CGROUP2_VM_TOOL)"
  exit 0
fi

# Emulation is some twenty times slower, and what is built outside need not be built inside.
if [ "${1:-}" = smoke ]; then
  suites=(test/linux/lifecycle.test.ts) seconds=1500
else
  suites=(test/linux test/native test/interpreters/linux) seconds=7200
fi
exec "$tool" --timeout "$seconds" --mem 6G --cpus 2 -- \
  node_modules/.bin/node node_modules/vitest/vitest.mjs run --reporter=verbose "${suites[@]}"
