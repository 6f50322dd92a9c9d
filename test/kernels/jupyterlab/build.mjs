/*
 * Builds JupyterLab from npm for the tests that drive it: `node test/kernels/jupyterlab/build.mjs`. What was built is kept
 * in the cache until something here changes.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "@alignscope/base/paths";

const here = import.meta.dirname;
const sources = ["package.json", "index.html", "app.mjs"];

/** Where the page and its scripts lie once they are built. */
export function labFolder() {
  const hash = createHash("sha256");
  for (const name of [...sources, "build.mjs"]) hash.update(readFileSync(join(here, name)));
  return join(cacheFolder(), "jupyterlab", hash.digest("hex").slice(0, 16));
}

/**
 * Packages are of use to the bundler only: 200 MB that are removed again. 170 MB more, for diagrams that no notebook here
 * holds, are not even fetched: package.json puts a small package in place of mermaid.
 */
async function buildLab(target) {
  mkdirSync(join(target, ".."), { recursive: true });
  const folder = mkdtempSync(`${target}-`);
  try {
    for (const name of sources) copyFileSync(join(here, name), join(folder, name));
    const options = [
      "--ignore-scripts",
      "--legacy-peer-deps",
      "--no-package-lock",
      "--no-audit",
      "--no-fund",
    ];
    const { status } = spawnSync("npm", ["install", ...options], { cwd: folder, stdio: "inherit" });
    if (status !== 0) throw new Error(`npm install ended with ${status}`);
    await bundle(folder);
    renameSync(join(folder, "dist"), target);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function bundle(root) {
  const { build } = await import("vite");
  await build({
    configFile: false,
    logLevel: "error",
    root,
    base: "./",
    // How style sheets of JupyterLab name those of other packages.
    resolve: { alias: [{ find: /^~/, replacement: "" }] },
    plugins: [asText],
    // Nothing of it goes over a network.
    build: { target: "esnext", minify: false },
  });
}

/** JupyterLab's scripts import icons, and the style of scroll bars, as text. */
const asText = {
  name: "as-text",
  enforce: "pre",
  async resolveId(source, importer) {
    if (!/\.svg$|\.raw\.css$/.test(source)) return undefined;
    const found = await this.resolve(source, importer, { skipSelf: true });
    return found && `${found.id}?raw`;
  },
};

if (process.argv[1] === import.meta.filename) {
  const target = labFolder();
  if (!existsSync(target)) await buildLab(target);
  console.log(`JupyterLab is in ${target}`);
}
