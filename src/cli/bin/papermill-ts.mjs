#!/usr/bin/env node
// The `papermill-ts` command: loads the build and passes the arguments on.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..");
const built = join(root, "dist", "src", "cli", "papermill.js");
if (existsSync(built)) {
  const { papermill } = await import(pathToFileURL(built).href);
  const code = await papermill(process.argv.slice(2));
  await Promise.all(
    [process.stdout, process.stderr].map((out) => new Promise((done) => out.write("", done))),
  );
  process.exit(code);
} else {
  console.error(`papermill-ts: not built yet: run \`npm run build\` in ${root} first`);
  process.exitCode = 1;
}
