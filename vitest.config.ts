import { defineConfig } from "vitest/config"
import { InOrder } from "./test/InOrder.ts"
import { patience } from "./test/patience.ts"

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 30_000 * patience,
    hookTimeout: 30_000 * patience,
    pool: "forks",
    maxWorkers: 2,
    sequence: { sequencer: InOrder }
  }
})
