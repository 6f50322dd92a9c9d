import { defineConfig } from "vitest/config";
import { packageSources } from "./test/packages.js";

/** What takes many minutes and is not part of `npm test`: see the scripts `test:…` of package.json. */
export default defineConfig({
  resolve: { alias: packageSources },
  test: {
    // Packages are imported as Node imports them.
    deps: { interopDefault: false },
    include: ["test/**/*.slow.ts"],
    pool: "forks",
    maxWorkers: 1,
    testTimeout: 15 * 60_000,
    hookTimeout: 30 * 60_000,
  },
});
