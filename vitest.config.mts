import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Models and kernels want a core each and some memory: two files at a time, also on larger machines.
    pool: "forks",
    maxWorkers: 2,
    // A kernel takes seconds to start on a busy machine.
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
