#!/usr/bin/env node
/*
 * What `npm run reproduce`, `npm test` and the other scripts of package.json start: it makes a bare clone ready (packages,
 * build, links) and hands over. It runs before node_modules exists, so it is plain Node without a dependency; and it must
 * be able to tell an old Node that it is too old, so it keeps to syntax and module names that old ones can read.
 */
import { spawn } from "child_process";
import { createHash } from "crypto";
import * as fs from "fs";
import { dirname, join, relative } from "path";
import { fileURLToPath } from "url";

const root = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
const at = (...parts) => join(root, ...parts);
const modules = at("node_modules");
const installStamp = join(modules, ".alignscope-install");
const buildStamp = at("dist", ".alignscope-build");
const binaries = {
  alignscope: "src/cli/bin/alignscope.mjs",
  "papermill-ts": "src/papermill/bin/papermill-ts.mjs",
  "ts-jupyter-kernel": "kernels/typescript/bin/ts-jupyter-kernel.mjs",
};

/** Holds every import against the table of rooms. */
const rooms = ["--config", ".dependency-cruiser.mjs", "src", "kernels"];

const tasks = {
  reproduce: async (args) => (await ready()) || run(at("src/cli/bin/alignscope.mjs"), ["reproduce", ...args]),
  test: async (args) => (await ready()) || run(join(modules, "vitest/vitest.mjs"), ["run", ...args]),
  // Making a pack and running it is a task of its own.
  "test:slow": (args) => slowTests("--exclude", "test/cli/pack/**", ...args),
  "test:pack": (args) => slowTests("test/cli/pack", ...args),
  build: async () => ready(),
  current: async () => current(),
  lint: async (args) =>
    (await ready()) ||
    (await run(join(modules, "eslint/bin/eslint.js"), args.length > 0 ? args : ["."])) ||
    (await run(join(modules, "dependency-cruiser/bin/dependency-cruise.mjs"), rooms)) ||
    // Files, exports and dependencies that nobody uses.
    (await run(join(modules, "knip/bin/knip.js"), ["--no-progress"])) ||
    (await run(join(modules, "typescript/bin/tsc"), ["-p", at("test")])) ||
    // The pages' own script is compiled when pages are made: its types are checked here.
    (await run(join(modules, "typescript/bin/tsc"), ["-p", at("src/site/browser")])) ||
    run(join(modules, "prettier/bin/prettier.cjs"), ["--check", "--log-level", "warn", "."]),
  "docs:api": async (args) => (await ready()) || run(join(modules, "typedoc/bin/typedoc"), args),
  "setup:cuda": setupCuda,
};

/** Tests that are no part of `npm test`, in the folders named. */
async function slowTests(...args) {
  const config = ["--config", "vitest.slow.config.mts"];
  return (await ready()) || run(join(modules, "vitest/vitest.mjs"), ["run", ...config, ...args]);
}

/** Packages, links and build, in this order; 0 or the exit code of what failed. */
async function ready() {
  return (await install()) || link() || (await build());
}

/** Says as one line of JSON whether packages and build are what they would be made to be; changes nothing. */
function current() {
  const packages = fs.existsSync(join(modules, ".package-lock.json")) && (isInstalled() || installedByHand());
  const typescript = fs.existsSync(join(modules, "typescript/package.json"));
  const built = typescript && read(buildStamp) === wantedBuild();
  console.log(JSON.stringify({ packages: packages, build: built }));
  return 0;
}

function wantedInstall() {
  return hash(["package-lock.json"]) + " node " + process.versions.modules;
}

function isInstalled() {
  return read(installStamp) === wantedInstall() && fs.existsSync(join(modules, ".package-lock.json"));
}

function wantedBuild() {
  const compiler = JSON.parse(read(join(modules, "typescript/package.json"))).version;
  const own = ["package.json", "tsconfig.json"].filter((path) => fs.existsSync(at(path)));
  return hash([...own, ...sources("src"), ...sources("kernels")]) + " typescript " + compiler;
}

/** Runs `npm ci` unless node_modules already holds what package-lock.json asks for. */
async function install() {
  const start = Date.now();
  if (isInstalled()) return 0;
  if (!installedByHand()) {
    say("install", "npm ci (about a minute the first time)");
    const result = await npm(["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
    if (result.code !== 0) return fail(whyNpmFailed(result));
  }
  fs.writeFileSync(installStamp, wantedInstall());
  say("install", "packages are in place", start);
  return 0;
}

/**
 * Whether somebody's own `npm ci` or `npm install` already brought what the lockfile asks for, built for this Node: npm
 * keeps a copy of the lockfile in node_modules when it has finished.
 */
function installedByHand() {
  const stamp = read(installStamp);
  if (stamp !== undefined && !stamp.endsWith(" node " + process.versions.modules)) return false;
  const finished = read(join(modules, ".package-lock.json"));
  if (finished === undefined) return false;
  const have = JSON.parse(finished).packages;
  const want = JSON.parse(read(at("package-lock.json"))).packages;
  return Object.keys(want).every((path) => {
    if (path === "" || want[path].optional || want[path].devOptional) return true;
    return have[path] !== undefined && have[path].version === want[path].version;
  });
}

/** Compiles every package to its dist/ unless the builds there are of the same sources by the same compiler. */
async function build() {
  const start = Date.now();
  const wanted = wantedBuild();
  if (read(buildStamp) === wanted) return 0;
  fs.rmSync(buildStamp, { force: true });
  removeStale("dist", "");
  for (const folder of packages()) removeStale(folder + "/dist", folder + "/");
  const result = await compile();
  if (result.code !== 0) {
    const unwritten = whyNotWritten(result.words, "dist/");
    if (unwritten) return fail(unwritten);
    process.stderr.write(result.words);
    return fail("the build failed: mend what the compiler names above" + AGAIN);
  }
  fs.writeFileSync(buildStamp, wanted);
  say("build", "compiled to dist/", start);
  return 0;
}

/** The folders of this repository's own packages, the workspaces of package.json. */
function packages() {
  return JSON.parse(read(at("package.json"))).workspaces || [];
}

/** Removes what an earlier build left of sources that are gone: a file `x.js` would hide a folder `x/` that replaced it. */
function removeStale(built, source) {
  if (!fs.existsSync(at(built))) return;
  for (const entry of fs.readdirSync(at(built), { withFileTypes: true })) {
    const path = built + "/" + entry.name;
    if (entry.isDirectory()) {
      removeStale(path, source + entry.name + "/");
      if (!fs.existsSync(at(source + entry.name))) fs.rmSync(at(path), { recursive: true });
    } else if (/(\.d\.ts|\.js|\.js\.map)$/.test(entry.name)) {
      const name = entry.name.replace(/(\.d\.ts|\.js|\.js\.map)$/, ".ts");
      if (!fs.existsSync(at(source + name))) fs.rmSync(at(path));
    }
  }
}

/**
 * Lets notebooks write `import … from "alignscope"`, and `npx alignscope` and `npx papermill-ts` find this project's own:
 * node_modules/alignscope leads back here, node_modules/.bin to the two commands.
 */
function link() {
  const self = join(modules, "alignscope");
  if (!leadsTo(self, root)) {
    fs.rmSync(self, { recursive: false, force: true });
    fs.symlinkSync(process.platform === "win32" ? root : "..", self, "junction");
  }
  fs.mkdirSync(join(modules, ".bin"), { recursive: true });
  for (const name of Object.keys(binaries)) {
    const script = at(binaries[name]);
    if (!fs.existsSync(script)) continue;
    const command = join(modules, ".bin", name);
    if (process.platform === "win32") {
      fs.writeFileSync(command + ".cmd", '@node "' + script + '" %*\r\n');
    } else if (!leadsTo(command, script)) {
      fs.rmSync(command, { force: true });
      fs.chmodSync(script, 0o755);
      fs.symlinkSync(relative(dirname(command), script), command);
    }
  }
  return 0;
}

/** The native CUDA backend: half a gigabyte of libtensorflow, so only who asks for it downloads it. */
async function setupCuda() {
  const wanted = JSON.parse(read(at("package.json"))).peerDependencies["@tensorflow/tfjs-node-gpu"];
  const failed = await install();
  if (failed) return failed;
  const start = Date.now();
  say(
    "cuda",
    "npm install --no-save @tensorflow/tfjs-node-gpu@" + wanted + " (downloads libtensorflow for CUDA)",
  );
  const result = await npm([
    "install",
    "--no-save",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
    "@tensorflow/tfjs-node-gpu@" + wanted,
  ]);
  link(); // npm tidies away links that it did not make
  if (result.code !== 0) {
    process.stderr.write(result.words);
    return fail(
      "the CUDA backend was not installed (npm's words are above): it needs Linux on x86-64, and the hosts that serve " +
        "libtensorflow within reach; every other backend goes on working without it",
    );
  }
  say(
    "cuda",
    "installed; `npm run reproduce -- --backend cuda` uses it. A later `npm ci` removes it again",
    start,
  );
  return 0;
}

/** Runs npm, the one that started this script where there is one; what it says is kept, for one sentence to stand for it. */
function npm(args) {
  const env = Object.assign({}, process.env, { ONNXRUNTIME_NODE_INSTALL: "skip" });
  const own = process.env.npm_execpath;
  const viaNode = own !== undefined && /npm-cli\.c?js$/.test(own);
  const child = viaNode
    ? spawn(process.execPath, [own, ...args], { cwd: root, env, stdio: ["ignore", "ignore", "pipe"] })
    : spawn("npm", args, {
        cwd: root,
        env,
        stdio: ["ignore", "ignore", "pipe"],
        shell: process.platform === "win32",
      });
  let words = "";
  child.stderr.on("data", (chunk) => (words += chunk));
  return new Promise((done) => {
    child.on("error", (error) => done({ code: 1, words: String(error) }));
    child.on("close", (code) => done({ code: code === null ? 1 : code, words: words }));
  });
}

const AGAIN = ", then run the same command again";

/** One sentence for what npm says in many lines; of a failure that nobody has met here, npm's own lines come first. */
function whyNpmFailed(result) {
  const words = result.words;
  const code = (/\b(E[A-Z]{4,}|CERT_[A-Z_]+|[A-Z_]*SELF_SIGNED[A-Z_]*|UNABLE_TO_[A-Z_]+)\b/.exec(words) ||
    [])[1];
  const log = (/complete log of this run can be found in:\s*(.*\S)/.exec(words) || [])[1];
  const where = log ? " (npm's log: " + log + ")" : "";
  const named = code ? ", " + code : "";
  if (/spawn npm(\.cmd)? ENOENT/.test(words)) {
    return "npm is not installed: install it with Node.js" + AGAIN;
  }
  if (/ENOSPC|EDQUOT/.test(words)) {
    return "the disk is full: the packages need about 1 GB, make room" + where + AGAIN;
  }
  if (/EROFS/.test(words)) {
    return (
      "npm may not write here, the file system is read-only: copy this folder to a disk that can be written" +
      where +
      AGAIN
    );
  }
  if (/\b(EACCES|EPERM)\b/.test(words)) {
    return (
      "npm may not write here: make " +
      root +
      " and npm's cache writable for this user, or name another cache " +
      "with npm_config_cache=FOLDER" +
      where +
      AGAIN
    );
  }
  if (/\b407\b|proxy authentication/i.test(words)) {
    return (
      "npm could not reach its registry, the proxy wants a name and password: give them with " +
      "`npm config set https-proxy http://NAME:PASSWORD@HOST:PORT`" +
      where +
      AGAIN
    );
  }
  if (
    /\bCERT_|SELF_SIGNED|UNABLE_TO_(VERIFY|GET)|self.signed certificate|certificate has expired/.test(words)
  ) {
    return (
      "npm could not reach its registry, whose certificate is not trusted" +
      named +
      ": name your network's " +
      "certificates with `npm config set cafile FILE`" +
      where +
      AGAIN
    );
  }
  if (/\b(E401|E403)\b/.test(words)) {
    return (
      "npm's registry refuses to serve you (" +
      /\b(E401|E403)\b/.exec(words)[1] +
      "): log in with `npm login`, or name another with `npm config set registry URL`" +
      where +
      AGAIN
    );
  }
  if (
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ESOCKETTIMEDOUT|EHOSTUNREACH|ENETUNREACH|ERR_SOCKET_TIMEOUT|network/.test(
      words,
    )
  ) {
    return (
      "npm could not reach its registry" +
      named +
      ": connect this machine to it, set a proxy (HTTPS_PROXY), or " +
      "name a mirror with `npm config set registry URL`" +
      where +
      AGAIN
    );
  }
  const own = words
    .split("\n")
    .filter((line) => line.trim() !== "" && !/complete log of this run/.test(line));
  own.slice(0, 12).forEach((line) => console.error(line));
  return "npm ci failed with exit code " + result.code + ": mend what npm says above" + where + AGAIN;
}

/** One sentence for a file or folder that could not be written; undefined for any other text. */
function whyNotWritten(words, what) {
  if (/ENOSPC|EDQUOT/.test(words)) return "the disk is full: make room for " + what + AGAIN;
  if (/EROFS/.test(words)) {
    return (
      what +
      " cannot be written, the file system is read-only: copy this folder to a disk that can be written" +
      AGAIN
    );
  }
  if (/\b(EACCES|EPERM)\b/.test(words))
    return what + " cannot be written: make " + root + " writable for this user" + AGAIN;
  return undefined;
}

/** Runs the compiler; what it says is shown at its end, unless one sentence says it better. */
function compile() {
  const pretty = process.stdout.isTTY ? ["--pretty"] : [];
  const compiler = [join(modules, "typescript/bin/tsc"), "-b", root];
  const child = spawn(process.execPath, compiler.concat(pretty), {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let words = "";
  child.stdout.on("data", (chunk) => (words += chunk));
  child.stderr.on("data", (chunk) => (words += chunk));
  return new Promise((done) => {
    child.on("error", (error) => done({ code: 1, words: String(error) }));
    child.on("close", (code) => done({ code: code === null ? 1 : code, words: words }));
  });
}

/** Runs a Node script in the project root with this terminal; resolves with its exit code. Signals are passed on. */
function run(script, args) {
  return new Promise((done) => {
    const child = spawn(process.execPath, [script, ...args], { cwd: root, stdio: "inherit" });
    // A terminal sends SIGINT to both processes; this one waits for the other to finish in its own way.
    const wait = () => undefined;
    const pass = (signal) => child.kill(signal);
    process.on("SIGINT", wait);
    process.on("SIGTERM", pass);
    process.on("SIGHUP", pass);
    child.on("close", (code, signal) => {
      process.removeListener("SIGINT", wait);
      process.removeListener("SIGTERM", pass);
      process.removeListener("SIGHUP", pass);
      done(code === null ? (signal === "SIGINT" ? 130 : 143) : code);
    });
  });
}

/** Every file below `folder`, relative to the root, in an order that does not depend on the file system. */
function sources(folder) {
  if (!fs.existsSync(at(folder))) return [];
  return fs
    .readdirSync(at(folder), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .reduce((found, entry) => {
      const path = folder + "/" + entry.name;
      if (entry.isDirectory()) {
        return entry.name === "dist" || entry.name === "node_modules" ? found : found.concat(sources(path));
      }
      const counts = /(\.ts|^package\.json|^tsconfig\.json)$/.test(entry.name);
      return found.concat(counts ? [path] : []);
    }, []);
}

function hash(paths) {
  const sum = createHash("sha256");
  for (const path of paths)
    sum
      .update(path + "\0")
      .update(fs.readFileSync(at(path)))
      .update("\0");
  return sum.digest("hex");
}

function read(path) {
  return fs.existsSync(path) ? fs.readFileSync(path, "utf8") : undefined;
}

function leadsTo(link, target) {
  try {
    return fs.realpathSync(link) === fs.realpathSync(target);
  } catch {
    return false; // not there, or leads nowhere
  }
}

function say(step, text, start) {
  const time = start === undefined ? "" : " (" + ((Date.now() - start) / 1000).toFixed(1) + " s)";
  console.error("[" + step + "] " + text + time);
}

function fail(message) {
  console.error("alignscope: " + message);
  return 1;
}

const minimum = [20, 19];
const running = process.versions.node.split(".").map(Number);
const [name, ...rest] = process.argv.slice(2);
if (running[0] < minimum[0] || (running[0] === minimum[0] && running[1] < minimum[1])) {
  process.exitCode = fail(
    "Node.js " +
      process.versions.node +
      " is too old: install Node.js " +
      minimum.join(".") +
      " or newer (https://nodejs.org)" +
      AGAIN,
  );
} else if (!Object.prototype.hasOwnProperty.call(tasks, name)) {
  fail("unknown task: " + name + " (expected one of " + Object.keys(tasks).join(", ") + ")");
  process.exitCode = 2;
} else {
  tasks[name](rest).then(
    (code) => (process.exitCode = code),
    (error) => {
      // What this script itself writes: the stamps and links in node_modules and dist/.
      process.exitCode = fail(whyNotWritten(error.message, error.path || "this folder") || error.message);
    },
  );
}
