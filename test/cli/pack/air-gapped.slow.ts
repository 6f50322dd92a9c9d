import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { BenchReport } from "../../../src/cli/bench/index.js";
import { projectRoot } from "../../../src/base/paths.js";
import type { PackSummary } from "../../../src/cli/pack/index.js";
import { newFolder } from "../../model/folders.js";

/** All that the host has: a shell, tar, gzip and the smallest of tools. No Node, no npm, no compiler. */
const TOOLS = "sh tar gzip cat cp mv rm mkdir ls chmod uname dirname sed tr head tail env pwd sort".split(
  " ",
);

const root = projectRoot();
const command = join(root, "src/cli/bin/alignscope.mjs");
const here = process.platform === "linux" && process.arch === "x64";

// A network of its own, with nothing but the loopback interface, where the system lets us have one.
const isolated = spawnSync("unshare", ["-n", "sh", "-c", "ip link set lo up"]).status === 0;

describe.skipIf(!here)("a pack, on a host that has nothing (needs Linux on x86-64)", () => {
  let folder: string;
  let summary: PackSummary;
  let unpacked: string;

  function build(out: string, ...options: string[]): PackSummary {
    const args = [command, "pack", "--json", "--out", out, ...options];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", cwd: folder });
    if (status !== 0) throw new Error(stderr);
    return JSON.parse(stdout) as PackSummary;
  }

  /** A command line of the host's shell, in the pack's folder. */
  function onHost(line: string): { status: number | null; stdout: string; stderr: string } {
    const inside = ["-i", `PATH=${join(folder, "tools")}`, "HOME=/nonexistent", "sh", "-c", line];
    const [program, args] = isolated
      ? ["unshare", ["-n", "sh", "-c", 'ip link set lo up; exec env "$@"', "sh", ...inside]]
      : ["env", inside];
    return spawnSync(program, args, { encoding: "utf8", cwd: unpacked, maxBuffer: 1e8 });
  }

  beforeAll(() => {
    folder = newFolder();
    mkdirSync(join(folder, "tools"));
    for (const tool of TOOLS) {
      const path = ["/bin", "/usr/bin"].map((bin) => join(bin, tool)).find(existsSync);
      if (path) symlinkSync(path, join(folder, "tools", tool));
    }
    summary = build(join(folder, "pack.tar.gz"));
    unpacked = folder;
    expect(onHost("tar xzf pack.tar.gz")).toMatchObject({ status: 0, stderr: "" });
    unpacked = join(folder, readdirSync(folder).find((name) => name.startsWith("alignscope-")) ?? "");
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("is at most 60 MB, and its summary tells the truth", () => {
    const archive = readFileSync(summary.path);
    expect(summary.bytes).toBe(archive.length);
    expect(summary.bytes).toBeLessThanOrEqual(60e6);
    expect(summary.sha256).toBe(createHash("sha256").update(archive).digest("hex"));
    expect(onHost("node --version").status).not.toBe(0);
  });

  test("unpacks itself once and is what MANIFEST says", () => {
    expect(onHost("./unpack-and-run.sh verify").stderr).toContain(
      `${summary.files} files are as MANIFEST says`,
    );
    expect(onHost("./unpack-and-run.sh verify").stderr).not.toContain("unpacking");
  });

  test.each(["wasm", "cpu"])("computes the golden values on %s", (backend) => {
    const { status, stdout } = onHost(
      `./unpack-and-run.sh parity test/fixtures/tiny-gpt2 --backend ${backend}`,
    );
    expect(stdout).toMatch(/^forward .* ok$/m);
    expect(status).toBe(0);
  });

  test("measures its speed", () => {
    const { status, stderr } = onHost("./unpack-and-run.sh --only bench --shape lab");
    expect(stderr).not.toContain("failed");
    expect(status).toBe(0);
    const report = JSON.parse(readFileSync(join(unpacked, "results/bench-wasm.json"), "utf8")) as BenchReport;
    expect(report.results.map(({ name }) => name)).toContain("dpo-step");
  });

  test("reproduces a notebook in its kernel, and writes nowhere else", () => {
    const { status, stdout } = onHost("./unpack-and-run.sh reproduce --only 2");
    expect(stdout).toMatch(/^2-preliminaries +ran/m);
    expect(status).toBe(0);
    expect(statSync(join(unpacked, "outputs/lab/site/index.html")).size).toBeGreaterThan(1000);
    expect(existsSync("/nonexistent")).toBe(false);
  });

  test("says in one line what is wrong with what was asked for", () => {
    expect(onHost("./unpack-and-run.sh --only everything")).toMatchObject({
      status: 1,
      stderr: "unpack-and-run: unknown step: everything (expected some of parity, bench, peer, reproduce)\n",
    });
  });

  test("built twice, it is the same archive, byte for byte", () => {
    const quick = ["--quality", "1", "--limit", "100"];
    const [first, second] = ["first", "second"].map((name) =>
      build(join(folder, `${name}.tar.gz`), ...quick),
    );
    expect(second?.sha256).toBe(first?.sha256);
  });
});
