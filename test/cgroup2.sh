#!/usr/bin/env bash
# The root-only suites on a pure cgroup v2 kernel, in a virtual machine: `npm run test:cgroup2 [-- smoke]`. That is
# emulated, some twenty times slower than outside: `smoke` takes five to nine minutes there, the whole about an hour.
# FX_DIFFERENTIAL_SEEDS=1-3 and FX_CRASH_EVERY=1 say how much of the longest suites is run.
set -euo pipefail
cd "$(dirname "$0")/.."

# Where the tool is: beside the checkout, or as CGROUP2_VM_TOOL says.
tool=${CGROUP2_VM_TOOL:-$PWD/../shared/tools/cgroup2-vm}
if [ ! -x "$tool" ]; then
  echo "skipped: the cgroup v2 suite needs the cgroup2-vm tool (looked for $tool; set CGROUP2_VM_TOOL)"
  exit 0
fi

# From the quick ones to the slow ones.
suites=(test/linux/{lifecycle,security,supervisor,exec} test/native test/interpreters/linux) seconds=1500
if [ "${1:-}" != smoke ]; then
  suites+=(test/laws test/differential test/linux/{cli,peers,crash}) seconds=10800
fi
export FX_TEST_ORDER="${suites[*]}" FX_DIFFERENTIAL_SEEDS=${FX_DIFFERENTIAL_SEEDS:-1-3}

# What is built outside need not be built inside.
make -s -C native
# Node would read the certificates at each of its thousands of starts.
unset NODE_EXTRA_CA_CERTS
# Loading the modules once for each worker, not for each file, saves most of the time of the quick suites.
exec "$tool" --timeout "$seconds" --mem 6G --cpus 2 -- \
  node_modules/.bin/node node_modules/vitest/vitest.mjs run --reporter=verbose --no-isolate "${suites[@]}"
