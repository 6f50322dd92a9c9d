import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import type { Continuations, MakePairsOptions } from "../../../src/alignment/pairs/index.js";
import { projectRoot } from "../../../src/base/paths.js";
import { mulberry32 } from "../../../src/base/random.js";
import { Tokenizer } from "../../../src/model/index.js";

export const lab = join(projectRoot(), "data/lab/model");
export const tokenizer = (): Promise<Tokenizer> => Tokenizer.load(lab);

/** An empty folder, gone after the file's tests. */
export function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "alignscope-pairs-"));
  afterAll(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** Texts with everything that has ever broken a line format. */
export const prompts = Array.from(
  { length: 37 },
  (_, i) =>
    [
      "The harbour of",
      "Ein Käfig für 🐦‍⬛ und",
      "line\u2028separator \u2029 in",
      'a "quoted\\ thing\r\nand',
      "日本の山は",
    ][i % 5] + ` ${i}`,
);

/** Continuations of one to nine tokens of the prompt, drawn from the stream of the row. */
function drawing(side: number): Continuations {
  return (some, { rows, seed }) =>
    Promise.resolve(
      some.map((ids, i) => {
        const random = mulberry32(seed * 1_000_003 + (rows[i] ?? 0) * 2 + side);
        return Array.from(
          { length: 1 + Math.floor(random() * 9) },
          () => ids[Math.floor(random() * ids.length)] ?? 0,
        );
      }),
    );
}

/** A number per text that is none of the texts' business. */
export const scorer = {
  name: "length",
  score: (texts: readonly string[]) => Promise.resolve(texts.map((text) => 1 / (1 + text.length))),
};

export async function pairOptions(path: string): Promise<MakePairsOptions> {
  return {
    prompts,
    positive: drawing(0),
    negative: drawing(1),
    tokenizer: await tokenizer(),
    scorer,
    path,
    seed: 42,
    rowsPerChunk: 4,
    settings: { model: "none", negative: { iterations: 3 } },
  };
}

/**
 * {@link pairOptions} in a process of its own, which runs the build.
 *
 * @param options.killAfter SIGKILL as soon as so many rows are reported
 * @param options.tear SIGKILL within this write (from 1), when so many bytes of it are on the disk
 * @param options.blocks no file may grow beyond so many KiB
 */
export async function makeInChild(
  path: string,
  options: {
    killAfter?: number;
    tear?: { write: number; bytes: number };
    blocks?: number;
    shard?: string;
  } = {},
): Promise<{ signal: NodeJS.Signals | null; code: number | null; output: string }> {
  const built = (file: string): string => JSON.stringify(join(projectRoot(), file));
  const script = `
    const fs = require("node:fs");
    const { makePairs } = require(${built("dist/src/alignment/pairs/index.js")});
    const { parseShard } = require(${built("dist/src/cli/pair-making.js")});
    const { mulberry32 } = require(${built("src/base/dist/random.js")});
    const { Tokenizer } = require(${built("dist/src/model/index.js")});
    // A file system that is full gives an error only; ulimit sends a signal as well.
    process.on("SIGXFSZ", () => {});
    const { tear, shard } = ${JSON.stringify(options)};
    const real = fs.writeSync;
    let writes = 0;
    fs.writeSync = (descriptor, data, offset, length, ...rest) => {
      const isRows = Buffer.isBuffer(data) && data.toString("utf8", 0, 6) === '{"id":';
      if (!tear || !isRows) return real(descriptor, data, offset, length, ...rest);
      if (++writes < tear.write) return real(descriptor, data, offset, length, ...rest);
      real(descriptor, data, offset, Math.min(tear.bytes, length - 1));
      process.kill(process.pid, "SIGKILL");
      for (;;);
    };
    require("node:module").syncBuiltinESMExports();
    const drawing = (side) => async (some, { rows, seed }) => some.map((ids, i) => {
      const random = mulberry32(seed * 1_000_003 + rows[i] * 2 + side);
      return Array.from({ length: 1 + Math.floor(random() * 9) }, () => ids[Math.floor(random() * ids.length)]);
    });
    (async () => {
      const tokenizer = await Tokenizer.load(${JSON.stringify(lab)});
      await makePairs({
        prompts: ${JSON.stringify(prompts)}, positive: drawing(0), negative: drawing(1), tokenizer,
        scorer: { name: "length", score: async (texts) => texts.map((text) => 1 / (1 + text.length)) },
        path: ${JSON.stringify(path)}, seed: 42, rowsPerChunk: 4,
        ...(shard ? { shard: parseShard(shard) } : {}),
        settings: { model: "none", negative: { iterations: 3 } },
        onProgress: (done) => process.stdout.write(done + "\\n"),
      });
    })().catch((error) => { console.log(error.message); process.exitCode = 1; });`;
  const limited = options.blocks === undefined ? "" : `ulimit -f ${options.blocks}; `;
  const child = spawn("bash", ["-c", `${limited}exec "$0" -e "$1"`, process.execPath, script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.on("data", (data: Buffer) => {
    output += data.toString();
    const rows = output.split("\n").slice(0, -1).map(Number);
    if (options.killAfter !== undefined && rows.some((done) => done >= (options.killAfter ?? 0)))
      child.kill("SIGKILL");
  });
  await new Promise<void>((resolve) => child.on("close", () => resolve()));
  return { signal: child.signalCode, code: child.exitCode, output };
}
