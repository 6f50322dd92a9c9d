#!/usr/bin/env node
// The `ts-jupyter-kernel` command: loads the build and passes the arguments on.
import { existsSync } from "fs";

const built = new URL("../dist/command.js", import.meta.url);
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(
    `ts-jupyter-kernel: Node.js ${process.versions.node} is too old: install Node.js 20.19 or newer (https://nodejs.org)`,
  );
  process.exitCode = 1;
} else if (existsSync(built)) {
  const { main } = await import(built.href);
  process.exitCode = await main(process.argv.slice(2));
} else {
  console.error("ts-jupyter-kernel: not built yet: run `npm run build` in the repository first");
  process.exitCode = 1;
}
