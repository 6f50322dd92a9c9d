/*
 * Writes tfjs-node-kernels.json: the kernels that the native packages register, and the functions of node:util that they
 * call, read from what npm serves without installing it (its install script needs hosts other than the registry).
 *
 *   node test/tensors/tfjs-node-kernels.mjs
 */
import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { format, resolveConfig } from "prettier";

const PACKAGES = ["@tensorflow/tfjs-node-gpu@4.22.0", "@tensorflow/tfjs-node@4.22.0"];

const require = createRequire(import.meta.url);
const core = dirname(require.resolve("@tensorflow/tfjs-core/package.json"));
const folder = mkdtempSync(join(tmpdir(), "tfjs-node-kernels-"));
try {
  const lists = PACKAGES.map(readPackage);
  if (JSON.stringify(lists[0]) !== JSON.stringify(lists[1])) throw new Error("the packages differ");
  const target = join(import.meta.dirname, "tfjs-node-kernels.json");
  const json = JSON.stringify({ packages: PACKAGES, ...lists[0] });
  writeFileSync(target, await format(json, { ...(await resolveConfig(target)), filepath: target }));
} finally {
  rmSync(folder, { recursive: true });
}

/** Registers the package's kernels in this process, without its binary, and reads them back. */
function readPackage(name, index) {
  const own = join(folder, String(index));
  mkdirSync(own);
  const tarball = execFileSync("npm", ["pack", "--silent", name], { cwd: own, encoding: "utf8" }).trim();
  execFileSync("tar", ["xzf", tarball], { cwd: own });
  const dist = join(own, "package", "dist");
  // Its kernels take names and helpers from the umbrella package, which hands on those of tfjs-core; protocol buffers
  // are for TensorBoard.
  mkdirSync(join(own, "node_modules", "@tensorflow"), { recursive: true });
  for (const name of ["tfjs", "tfjs-core"]) symlinkSync(core, join(own, "node_modules", "@tensorflow", name));
  writeFileSync(join(dist, "proto", "api_pb.js"), "");
  require(join(dist, "register_all_kernels.js"));
  const tf = require("@tensorflow/tfjs-core");
  const kernels = tf.getKernelsForBackend("tensorflow").map(({ kernelName }) => kernelName);
  kernels.forEach((kernel) => tf.unregisterKernel(kernel, "tensorflow"));
  return { kernels: [...new Set(kernels)].sort(), nodeUtil: utilFunctions(dist) };
}

function utilFunctions(dist) {
  const names = new Set();
  for (const file of readdirSync(dist, { recursive: true })) {
    if (!file.endsWith(".js") || file.endsWith("_test.js")) continue;
    const code = readFileSync(join(dist, file), "utf8");
    const alias = /(\w+) = require\(["'](?:node:)?util["']\)/.exec(code)?.[1];
    if (!alias) continue;
    for (const [, name] of code.matchAll(new RegExp(`\\b${alias}\\.(\\w+)`, "g"))) names.add(name);
  }
  return [...names].sort();
}
