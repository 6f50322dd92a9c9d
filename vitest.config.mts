import { defineConfig } from "vitest/config";
import { packageSources } from "./test/packages.js";

export default defineConfig({
  resolve: { alias: packageSources },
  test: {
    // Packages are imported as Node imports them.
    deps: { interopDefault: false },
    include: ["test/**/*.test.ts"],
    // Models and kernels want a core each and some memory: two files at a time, also on larger machines.
    pool: "forks",
    maxWorkers: 2,
    // A kernel takes seconds to start on a busy machine.
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
