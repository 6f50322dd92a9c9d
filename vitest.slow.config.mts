import { defineConfig } from "vitest/config";

/** What takes many minutes and is not part of `npm test`: see the scripts `test:…` of package.json. */
export default defineConfig({
  test: {
    include: ["test/**/*.slow.ts"],
    pool: "forks",
    maxWorkers: 1,
    testTimeout: 15 * 60_000,
    hookTimeout: 30 * 60_000,
  },
});
