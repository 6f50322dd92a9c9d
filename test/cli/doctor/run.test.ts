import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Ajv } from "ajv";
import { expect, it, onTestFinished } from "vitest";
import { projectRoot } from "../../../src/base/paths.js";
import { models } from "../../../src/data/registry.js";
import { type Check, ok } from "../../../src/cli/doctor/check.js";
import { thisHost } from "../../../src/cli/doctor/host.js";
import { examine, type Report, reportText } from "../../../src/cli/doctor/examine.js";
import { proxyFor, reach } from "../../../src/cli/doctor/reach.js";
import { fakeForecast, fakeHost } from "./fake-host.js";

const check = (given: Partial<Check>): Check => ({
  ...{ name: "x", doing: "x", timeout: 50, vital: true },
  run: () => Promise.resolve([ok("x", "fine")]),
  ...given,
});

const examined = (...checks: Check[]): Promise<Report> =>
  examine({ host: fakeHost(), checks, forecast: () => Promise.resolve(fakeForecast(1)) });

it("turns a check that throws or never ends into a line with a remedy, and goes on", async () => {
  const report = await examined(
    check({ name: "throws", run: () => Promise.reject(new Error("boom\nat x")) }),
    check({ name: "hangs", vital: false, run: () => new Promise(() => undefined) }),
    check({ name: "fine" }),
  );
  expect(report.checks.map(({ lines }) => lines[0]?.sign)).toEqual(["problem", "note", "ok"]);
  expect(report.checks[0]?.lines[0]?.found).toBe("could not be looked at: boom");
  expect(report.checks[1]?.lines[0]?.found).toBe("could not be looked at: no result after 0.05 s");
  expect(report.runs).toBe(false);
  expect(reportText(report)).toMatch(/PROBLEM {2}throws.*\n +-> run .*\n[^]*cannot run: mend throws\./);
});

it("says so when the profile itself cannot be read", async () => {
  const report = await examine({
    host: fakeHost(),
    profile: "huge",
    checks: [check({ run: async ({ forecast }) => [ok("x", String(await forecast()))] })],
    forecast: () => Promise.reject(new Error("unknown profile: huge")),
  });
  expect(report.checks[0]?.lines[0]).toMatchObject({
    what: "profile",
    sign: "problem",
    found: "unknown profile: huge",
  });
});

it("ends programs that do not end, and notices those that are not there", async () => {
  const { run } = thisHost();
  const hanging = await run(process.execPath, ["-e", "setInterval(() => 0, 1000)"], 300);
  expect(hanging).toMatchObject({ code: null, failure: "timeout" });
  expect(await run("no-such-program-here", [], 1000)).toMatchObject({ code: null, failure: "missing" });
});

it("does not take a place below a file for a folder that can be written", () => {
  const { writable } = thisHost();
  expect(writable(join(projectRoot(), "package.json", "x"))).toBe(false);
  expect(writable(join(tmpdir(), "not-there-yet", "x"))).toBe(true);
});

it("reaches a server directly, says when a proxy refuses, and never waits longer than told", async () => {
  const server = createServer((_, response) => response.end("x"));
  server.on("connect", (_, socket) => socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  expect(await reach(url, undefined, 2000)).toMatchObject({ reached: true, answer: "HTTP 200" });
  expect(await reach("https://registry.example/", url, 2000)).toMatchObject({
    reached: false,
    answer: "proxy: HTTP 407",
  });
  const silent = createServer(() => undefined);
  await new Promise<void>((done) => silent.listen(0, "127.0.0.1", done));
  onTestFinished(() => (silent.closeAllConnections(), void silent.close()));
  const quiet = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/`;
  expect(await reach(quiet, undefined, 200)).toMatchObject({ reached: false, answer: "no answer in 0.2 s" });
});

it("takes the proxy from the usual variables, and none for hosts that NO_PROXY names", () => {
  const env = { HTTPS_PROXY: "proxy:3128", NO_PROXY: "localhost,.inside.example" };
  expect(proxyFor("https://registry.npmjs.org/", env)).toBe("http://proxy:3128");
  expect(proxyFor("https://npm.inside.example/", env)).toBeUndefined();
  expect(proxyFor("http://plain.example/", env)).toBeUndefined();
});

it("prints the promised JSON about this machine in under 20 s, a broken mirror included", () => {
  const mirror = mkdtempSync(join(tmpdir(), "alignscope-mirror-"));
  onTestFinished(() => rmSync(mirror, { recursive: true, force: true }));
  const [entry] = models().filter(({ sources }) => sources.mirror !== undefined && !sources.embedded);
  for (const { name } of entry?.files ?? []) {
    const path = join(mirror, entry?.sources.mirror ?? "", name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, "not these bytes");
  }
  const { stdout, status } = spawnSync(
    process.execPath,
    [join(projectRoot(), "src/cli/bin/alignscope.mjs"), "doctor", "--json", "--offline"],
    { encoding: "utf8", env: { ...process.env, ALIGNSCOPE_MIRROR: mirror } },
  );
  const report = JSON.parse(stdout) as Report;
  const valid = new Ajv({ allowUnionTypes: true }).validate(SCHEMA, report);
  expect(valid).toBe(true);
  expect(status).toBe(report.runs ? 0 : 1);
  expect(report.milliseconds).toBeLessThan(20_000);
  const lines = report.checks.flatMap((one) => one.lines);
  const signs = Object.fromEntries(lines.map(({ what, sign }) => [what, sign]));
  expect(signs).toMatchObject({ node: "ok", "addon zeromq": "ok", "backend cpu": "ok" });
  expect(lines.filter(({ sign, remedy }) => sign === "problem" && !remedy)).toEqual([]);
});

const text = { type: "string", minLength: 1 };
const SCHEMA = {
  type: "object",
  required: ["format", "profile", "runs", "milliseconds", "checks"],
  additionalProperties: false,
  properties: {
    format: { const: 1 },
    profile: text,
    runs: { type: "boolean" },
    milliseconds: { type: "number" },
    checks: {
      type: "array",
      minItems: 12,
      items: {
        type: "object",
        required: ["check", "milliseconds", "lines"],
        additionalProperties: false,
        properties: {
          check: text,
          milliseconds: { type: "number" },
          lines: {
            type: "array",
            minItems: 1,
            items: {
              type: "object",
              required: ["what", "sign", "found", "remedy", "stops", "details"],
              additionalProperties: false,
              properties: {
                what: text,
                sign: { enum: ["ok", "note", "problem"] },
                found: text,
                remedy: { type: ["string", "null"] },
                stops: { type: "boolean" },
                details: {
                  type: "object",
                  additionalProperties: { type: ["string", "number", "boolean", "null"] },
                },
              },
            },
          },
        },
      },
    },
  },
};
