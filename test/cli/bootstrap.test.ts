import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { projectRoot } from "../../src/base/paths.js";

/** A bare clone in small: the real start script, a lockfile, one source, and a stand-in for npm that notes its calls. */
let clone: string;

function write(path: string, text: string): void {
  mkdirSync(dirname(join(clone, path)), { recursive: true });
  writeFileSync(join(clone, path), text);
}

const lockfile = (version: string): string =>
  JSON.stringify({
    packages: { "": {}, "node_modules/a": { version }, "node_modules/b": { version, optional: true } },
  });

beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), "alignscope-clone-"));
  cpSync(join(projectRoot(), "src/cli/bin/bootstrap.mjs"), join(clone, "src/cli/bin/bootstrap.mjs"));
  write(
    "src/cli/bin/alignscope.mjs",
    "console.log(`ran ${process.argv.slice(2).join(' ')}`); process.exitCode = 3;",
  );
  write("src/one.ts", "export const one = 1;");
  write("tsconfig.json", "{}");
  write("package.json", JSON.stringify({ peerDependencies: { "@tensorflow/tfjs-node-gpu": "4.22.0" } }));
  write("package-lock.json", lockfile("1.0.0"));
  // `npm ci` brings a compiler that notes each build and a test runner that shows its arguments.
  write(
    "fake/npm-cli.js",
    `const fs = require("fs"), root = ${JSON.stringify(clone)};
     fs.appendFileSync(root + "/npm.log", process.argv.slice(2).join(" ") + " " + process.env.ONNXRUNTIME_NODE_INSTALL + "\\n");
     if (process.env.FAKE_NPM_FAILS) { console.error("npm error " + process.env.FAKE_NPM_FAILS); process.exit(1); }
     if (process.argv[2] !== "ci") process.exit(0);
     const write = (path, text) => { fs.mkdirSync(require("path").dirname(root + "/node_modules/" + path), { recursive: true }); fs.writeFileSync(root + "/node_modules/" + path, text); };
     write("typescript/package.json", JSON.stringify({ version: "5" }));
     write("typescript/bin/tsc", "const fs = require('fs'); fs.appendFileSync('build.log', 'built\\\\n'); fs.mkdirSync('dist', { recursive: true }); process.exitCode = Number(process.env.FAKE_TSC || 0);");
     write("vitest/vitest.mjs", "console.log('tests ' + process.argv.slice(2).join(' '));");
     write(".package-lock.json", fs.readFileSync(root + "/package-lock.json"));`,
  );
});

afterEach(() => rmSync(clone, { recursive: true, force: true }));

function start(args: string[], environment: Record<string, string> = {}, nodeOptions: string[] = []) {
  const result = spawnSync(
    process.execPath,
    [...nodeOptions, join(clone, "src/cli/bin/bootstrap.mjs"), ...args],
    {
      encoding: "utf8",
      env: { ...process.env, npm_execpath: join(clone, "fake/npm-cli.js"), ...environment },
    },
  );
  return { code: result.status, out: result.stdout, err: result.stderr };
}

function log(name: string): string[] {
  const path = join(clone, name);
  return existsSync(path) ? readFileSync(path, "utf8").trim().split("\n") : [];
}

describe("the scripts of package.json on a bare clone", () => {
  it("install, build and hand over, with the arguments and the exit code", () => {
    const first = start(["reproduce", "--profile", "lab"]);
    expect(first.out).toBe("ran reproduce --profile lab\n");
    expect(first.code).toBe(3);
    expect(log("npm.log")).toEqual(["ci --no-audit --no-fund --loglevel=error skip"]);
    expect(first.err).toMatch(
      /\[install\] .*\n\[install\] packages are in place \(.* s\)\n\[build\] .* \(.* s\)\n/,
    );
    expect(start(["test", "-t", "x"]).out).toBe("tests run -t x\n");
  });

  it("do neither a second time when nothing changed", () => {
    start(["build"]);
    expect(start(["build"])).toEqual({ code: 0, out: "", err: "" });
    expect([log("npm.log").length, log("build.log").length]).toEqual([1, 1]);
  });

  it("install again when the lockfile changed, and build again when a source changed", () => {
    start(["build"]);
    write("package-lock.json", lockfile("2.0.0"));
    start(["build"]);
    write("src/one.ts", "export const one = 2;");
    start(["build"]);
    expect([log("npm.log").length, log("build.log").length]).toEqual([2, 2]);
  });

  it("leave packages alone that somebody installed by hand", () => {
    start(["build"]);
    rmSync(join(clone, "node_modules/.alignscope-install"));
    start(["build"]);
    expect(log("npm.log")).toHaveLength(1);
  });

  it("let notebooks and npx find the project by its name", () => {
    start(["build"]);
    expect(realpathSync(join(clone, "node_modules/alignscope"))).toBe(realpathSync(clone));
    expect(realpathSync(join(clone, "node_modules/.bin/alignscope"))).toBe(
      realpathSync(join(clone, "src/cli/bin/alignscope.mjs")),
    );
  });

  it("end with 1 when the build fails, and build again next time", () => {
    expect(start(["build"], { FAKE_TSC: "2" }).code).toBe(1);
    expect(start(["build"]).code).toBe(0);
    expect(log("build.log")).toHaveLength(2);
  });

  it("tell an old Node in one line that it is too old", () => {
    write(
      "old.cjs",
      "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.20.4' } });",
    );
    const { code, err } = start(["test"], {}, ["--require", join(clone, "old.cjs")]);
    expect(code).toBe(1);
    expect(err).toBe(
      "alignscope: Node.js 18.20.4 is too old: install Node.js 20.19 or newer (https://nodejs.org), then run the same command again\n",
    );
  });

  it("list the tasks when one is unknown, with exit code 2", () => {
    const { code, err } = start(["bild"]);
    expect(code).toBe(2);
    expect(err).toContain(
      "unknown task: bild (expected one of reproduce, test, test:slow, test:pack, build, current, lint, docs:api, setup:cuda)",
    );
  });

  it("add the CUDA backend only when asked, without touching the lockfile", () => {
    expect(start(["setup:cuda"]).code).toBe(0);
    expect(log("npm.log")[1]).toContain("install --no-save");
    expect(log("npm.log")[1]).toContain("@tensorflow/tfjs-node-gpu@4.22.0");
  });
});

describe("the alignscope command before the build", () => {
  it("says in one line how to build", () => {
    const bin = join(clone, "src/cli/bin/alignscope.mjs");
    cpSync(join(projectRoot(), "src/cli/bin/alignscope.mjs"), bin);
    chmodSync(bin, 0o755);
    const result = spawnSync(process.execPath, [bin, "status"], { encoding: "utf8" });
    expect(result.status).toBe(1);
    expect(result.stderr).toMatch(/^alignscope: not built yet: run `npm run build` in .* first\n$/);
  });
});
