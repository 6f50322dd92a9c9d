import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { projectRoot } from "../../src/base/paths.js";

const bins = [
  "src/cli/bin/bootstrap.mjs",
  "src/cli/bin/alignscope.mjs",
  "src/papermill/bin/papermill-ts.mjs",
];
let clone: string;

function write(path: string, text: string): void {
  mkdirSync(dirname(join(clone, path)), { recursive: true });
  writeFileSync(join(clone, path), text);
}

beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), "alignscope-clone-"));
  for (const path of bins) cpSync(join(projectRoot(), path), join(clone, path));
  write("tsconfig.json", "{}");
  write("package.json", "{}");
  write("package-lock.json", JSON.stringify({ packages: { "": {} } }));
  write("fake/npm-cli.js", "console.error(process.env.FAKE_NPM); process.exit(1);");
});

afterEach(() => rmSync(clone, { recursive: true, force: true }));

function start(
  script: string,
  args: string[],
  env: Record<string, string | undefined> = {},
  options: string[] = [],
) {
  const { status, stderr } = spawnSync(process.execPath, [...options, join(clone, script), ...args], {
    encoding: "utf8",
    env: { ...process.env, npm_execpath: join(clone, "fake/npm-cli.js"), ...env },
  });
  return { code: status, lines: stderr.trim().split("\n") };
}

const LOG = "npm error A complete log of this run can be found in: /home/me/.npm/_logs/x-debug-0.log";

describe("a fresh clone whose packages cannot be installed", () => {
  it.each([
    [
      "no network",
      "code ENOTFOUND\nnpm error syscall getaddrinfo",
      /could not reach its registry, ENOTFOUND: connect this machine .*npm config set registry URL/,
    ],
    [
      "a silent registry",
      "code ETIMEDOUT\nnpm error network request",
      /could not reach its registry, ETIMEDOUT: connect/,
    ],
    [
      "a proxy that wants a password",
      "407 Proxy Authentication Required\nnpm error network",
      /the proxy wants a name and password: .*https-proxy/,
    ],
    [
      "a certificate of the house",
      "code SELF_SIGNED_CERT_IN_CHAIN\nnpm error network",
      /not trusted, SELF_SIGNED_CERT_IN_CHAIN: .*npm config set cafile FILE/,
    ],
    ["an expired certificate", "code CERT_HAS_EXPIRED", /not trusted, CERT_HAS_EXPIRED/],
    ["a registry that refuses", "code E401", /refuses to serve you \(E401\): log in/],
    [
      "a full disk",
      "code ENOSPC\nnpm error nospc There appears to be insufficient space",
      /the disk is full: the packages need about 1 GB/,
    ],
    ["a read-only folder", "code EROFS", /the file system is read-only: copy this folder/],
    [
      "a home of somebody else's",
      "code EACCES\nnpm error path /root/.npm",
      /npm may not write here: .*npm_config_cache=FOLDER/,
    ],
  ])("says in one sentence, after %s, what to do and where npm's log is", (_, words, sentence) => {
    const { code, lines } = start("src/cli/bin/bootstrap.mjs", ["test"], {
      FAKE_NPM: `npm error ${words}\n${LOG}`,
    });
    expect(code).toBe(1);
    expect(lines).toHaveLength(2); // what it began with, and why it ended
    expect(lines[1]).toMatch(sentence);
    expect(lines[1]).toMatch(
      /^alignscope: .* \(npm's log: \/home\/me\/\.npm\/_logs\/x-debug-0\.log\), then run the same command again$/,
    );
  });

  it("shows npm's own words, not without end, after what nobody has met", () => {
    const words = Array.from({ length: 40 }, (_, i) => `npm error line ${i}`).join("\n");
    const { lines } = start("src/cli/bin/bootstrap.mjs", ["test"], { FAKE_NPM: words });
    expect(lines.length).toBeLessThan(20);
    expect(lines).toContain("npm error line 0");
    expect(lines.at(-1)).toMatch(
      /^alignscope: npm ci failed with exit code 1: mend what npm says above, then/,
    );
  });

  it("says that npm is missing", () => {
    const { lines } = start("src/cli/bin/bootstrap.mjs", ["build"], { npm_execpath: "", PATH: "/nowhere" });
    expect(lines.at(-1)).toBe(
      "alignscope: npm is not installed: install it with Node.js, then run the same command again",
    );
  });
});

describe("a clone with packages whose build cannot be written", () => {
  it.each([
    ["ENOSPC: no space left on device, write", /^alignscope: the disk is full: make room for dist\/, then/],
    [
      "EROFS: read-only file system, mkdir",
      /^alignscope: dist\/ cannot be written, the file system is read-only/,
    ],
    [
      "EACCES: permission denied, open",
      /^alignscope: dist\/ cannot be written: make .* writable for this user/,
    ],
  ])("says in one sentence what to do: %s", (words, sentence) => {
    write("node_modules/.package-lock.json", JSON.stringify({ packages: {} }));
    write("node_modules/typescript/package.json", '{"version":"5"}');
    const message = `error TS5033: Could not write file 'dist/x.js': ${words}.`;
    write(
      "node_modules/typescript/bin/tsc",
      `console.log(${JSON.stringify(message)}); process.exitCode = 2;`,
    );
    const { code, lines } = start("src/cli/bin/bootstrap.mjs", ["build"]);
    expect(code).toBe(1);
    expect(lines.at(-1)).toMatch(sentence);
    expect(lines.join("\n")).not.toContain("TS5033");
  });
});

describe("an old Node.js", () => {
  it.each(bins)("is told in one line by %s that it is too old", (path) => {
    write(
      "old.cjs",
      "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '12.22.0' } });",
    );
    const { code, lines } = start(path, ["build"], {}, ["--require", join(clone, "old.cjs")]);
    expect(code).toBe(1);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/: Node\.js 12\.22\.0 is too old: install Node\.js 20\.19 or newer/);
  });

  it("of version 12 can parse the script that tells it so", () => {
    // Node 12 knows ECMAScript 2019, and of 2020 import() and import.meta; not `?.` and `??`.
    const { parse } = createRequire(import.meta.url)("acorn") as {
      parse: (text: string, options: object) => object;
    };
    const text = readFileSync(join(projectRoot(), "src/cli/bin/bootstrap.mjs"), "utf8");
    const tree = JSON.stringify(
      parse(text, { ecmaVersion: 2020, sourceType: "module", allowHashBang: true }),
    );
    expect(tree).not.toMatch(/"ChainExpression"|"operator":"\?\?"/);
    expect(text).not.toMatch(/from "node:/);
  });
});
