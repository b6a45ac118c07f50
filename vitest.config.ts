import { defineConfig } from "vitest/config"

/** The virtual machine of the cgroup v2 suite is about twenty times slower than the host. */
const slowness = process.env["CGROUP2_VM"] === "1" ? 20 : 1

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 30_000 * slowness,
    hookTimeout: 30_000 * slowness,
    pool: "forks",
    maxWorkers: 2
  }
})
