#!/usr/bin/env node
// The `papermill-ts` command: loads the build and passes the arguments on.
import { existsSync } from "fs";

const built = new URL("../dist/command/papermill.js", import.meta.url);
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(
    `papermill-ts: Node.js ${process.versions.node} is too old: install Node.js 20.19 or newer (https://nodejs.org)`,
  );
  process.exitCode = 1;
} else if (existsSync(built)) {
  const { papermillProcess } = await import(built.href);
  process.exit(await papermillProcess(process.argv.slice(2)));
} else {
  console.error("papermill-ts: not built yet: run `npm run build` in the repository first");
  process.exitCode = 1;
}
