import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { BenchReport } from "../../../src/cli/bench/index.js";
import { TINY, newFolder } from "../../model/folders.js";

const PEER = "src/cli/bench/pytorch_peer.py";
const COMMAND = "src/cli/bin/alignscope.mjs";
// Debian's python3-torch lies beside the system's own Python, which need not be the first on PATH.
const python = ["/usr/bin/python3", "python3"].find(
  (name) => spawnSync(name, ["-c", "import torch"]).status === 0,
);
const built = existsSync("dist/src/cli/main.js");

function printed(command: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: exit code ${String(status)}: ${stderr}`);
  return stdout;
}

const quick = ["--json", "--shape", "lab", "--repetitions", "1", "--batch", "2", "--pairs", "2"];

// Two processes load their libraries and time every operation, on a machine that may be busy with others.
const patience = { timeout: 300_000 };

describe.skipIf(!built)("alignscope bench --json (needs the build)", patience, () => {
  test("prints one document whose figures are finite and above 0, for the works that are named", () => {
    const report = JSON.parse(
      printed(process.execPath, [COMMAND, "bench", "model", "dpo-step", ...quick, "--backend", "wasm"]),
    ) as BenchReport;
    expect(report.backend.backend).toBe("wasm");
    expect(report.results.map(({ name }) => name)).toEqual([
      "matmul ceiling",
      "forward",
      "forward+backward",
      "dpo-step",
    ]);
    expectFigures(report);
  });

  test.skipIf(!python)("the PyTorch peer times the same work under the same names (needs torch)", () => {
    // All but pplm, which the peer does not have.
    const shared = ["model", "ops", "generate", "dpo-step"];
    const ours = JSON.parse(
      printed(process.execPath, [COMMAND, "bench", ...shared, ...quick, "--backend", "wasm"]),
    ) as BenchReport;
    const peer = JSON.parse(printed(python ?? "", [PEER, ...quick])) as BenchReport;
    const works = ({ results }: BenchReport): unknown[] =>
      results
        .filter(({ name }) => name !== "matmul ceiling") // grows with what is fast enough
        .map(({ name, shape, batch, positions }) => [name, shape, batch, positions]);
    expect(works(peer)).toEqual(works(ours));
    for (const report of [ours, peer]) expectFigures(report);
    const flops = ({ results }: BenchReport): number[] =>
      results.slice(1).map(({ gflops, secondsPerPass }) => (gflops ?? 0) * secondsPerPass);
    const ownFlops = flops(ours);
    flops(peer).forEach((value, i) => expect(value).toBeCloseTo(ownFlops[i] ?? Number.NaN, 9));

    const folder = newFolder();
    for (const [name, report] of Object.entries({ ours, peer }))
      writeFileSync(join(folder, `${name}.json`), JSON.stringify(report));
    const table = printed(process.execPath, [
      ...[COMMAND, "bench", "compare"],
      ...["ours", "peer"].map((name) => join(folder, `${name}.json`)),
    ]);
    for (const { name } of ours.results) expect(table).toContain(name);
  });
});

function expectFigures({ results, machine }: BenchReport): void {
  expect(machine.cores).toBeGreaterThan(0);
  for (const result of results) {
    const { secondsPerPass, secondsMin, secondsMax, tokensPerSecond, gflops, ofCeiling } = result;
    for (const figure of [secondsPerPass, tokensPerSecond, gflops, ofCeiling, result.peakMemoryBytes]) {
      if (figure !== null) expect(figure, result.name).toSatisfy((n: number) => Number.isFinite(n) && n > 0);
    }
    expect(secondsMin).toBeLessThanOrEqual(secondsPerPass);
    expect(secondsMax).toBeGreaterThanOrEqual(secondsPerPass);
  }
}

test.skipIf(!python)("the PyTorch peer is the same model: the golden loss to 1e-4 (needs torch)", () => {
  const { loss, golden } = JSON.parse(printed(python ?? "", [PEER, "--check", TINY])) as {
    loss: number;
    golden: number;
  };
  expect(Math.abs(loss - golden)).toBeLessThan(1e-4);
});
