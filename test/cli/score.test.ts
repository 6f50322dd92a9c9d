import { Readable, Writable } from "node:stream";
import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { scoreCommand, scoreLines } from "../../src/cli/commands/score.js";
import { UserError } from "../../src/base/errors.js";
import { openScorer, type Scorer } from "../../src/scorers/index.js";

/** Scores a text by its length, so that mixed-up answers are seen. */
const byLength: Scorer = {
  name: "by-length",
  score: (texts) => Promise.resolve(texts.map((text) => text.length / 1000)),
};

async function run(chunks: readonly (string | Uint8Array)[], jsonl = false, scorer = byLength) {
  let written = "";
  const output = new Writable({
    highWaterMark: 1,
    write(chunk: Buffer, _encoding, done) {
      written += chunk.toString();
      setImmediate(done);
    },
  });
  const input = Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
  const failure = await scoreLines(scorer, input, output, { jsonl }).catch((error: unknown) => error);
  const rows = written
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { rows, failure };
}

describe("alignscope score", () => {
  it("writes one JSON line per line of text, in order; blank lines are empty texts", async () => {
    const { rows, failure } = await run(["a\n\nabc", "d\r\nab"]);
    expect(failure).toBeUndefined();
    expect(rows).toEqual([{ score: 0.001 }, { score: 0 }, { score: 0.004 }, { score: 0.002 }]);
  });

  it("keeps every line apart and in order however the input arrives", async () => {
    const lines = Array.from({ length: 1000 }, (_, i) => "é".repeat(i % 90));
    const bytes = Buffer.from(`${lines.join("\n")}\n`);
    const chunks: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += 333) chunks.push(bytes.subarray(at, at + 333));
    const { rows } = await run(chunks);
    expect(rows.map(({ score }) => score)).toEqual(lines.map(({ length }) => length / 1000));
  });

  it("answers nothing to nothing, and ignores a byte order mark", async () => {
    expect((await run([])).rows).toEqual([]);
    expect((await run(["\uFEFFab\n"])).rows).toEqual([{ score: 0.002 }]);
  });

  it("keeps the other fields of JSON lines and replaces a score that is there", async () => {
    const input = ['{"id": 7, "text": "abc"}\n', '{"text": "a\u2028b", "score": 9, "more": [1]}\n', "\n"];
    const { rows } = await run(input, true);
    expect(rows).toEqual([
      { id: 7, text: "abc", score: 0.003 },
      { text: "a\u2028b", score: 0.003, more: [1] },
      { score: 0 },
    ]);
  });

  it.each([
    ["{oops", /^line 2 of standard input is not JSON: [^\n]+$/],
    ['{"prompt": "x"}', /^line 2 of standard input has no text: got \{"prompt": "x"\}[^\n]+$/],
    ['{"text": 3}', /^line 2 of standard input has no text[^\n]+$/],
    ['["text"]', /^line 2 of standard input has no text[^\n]+$/],
    ["null", /^line 2 of standard input has no text[^\n]+$/],
  ])("names the line of the bad record %j after answering those before it", async (line, message) => {
    const { rows, failure } = await run([`{"text": "ab"}\n${line}\n{"text": "never"}\n`], true);
    expect(rows).toEqual([{ text: "ab", score: 0.002 }]);
    expect(failure).toBeInstanceOf(UserError);
    expect((failure as UserError).message).toMatch(message);
  });

  it("answers an unknown scorer with the known ones before reading anything", async () => {
    const program = new Command().exitOverride();
    scoreCommand(program);
    await expect(program.parseAsync(["node", "x", "score", "--scorer", "detox"])).rejects.toThrow(
      /^unknown scorer: detox \(expected one of linear, profanity-check, toxic-bert, perspective\)$/,
    );
  });

  it("writes what a score is made of beside it, where that is asked for", async () => {
    const scorer = await openScorer("linear");
    let written = "";
    const output = new Writable({
      write(chunk: Buffer, _encoding, done) {
        written += chunk.toString();
        done();
      },
    });
    await scoreLines(scorer, Readable.from([Buffer.from("What a silly idea.\n\n")]), output, {
      attributes: true,
    });
    const [first, second] = written
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(first).toEqual({ score: first?.["score"], attributes: { TOXICITY: first?.["score"] } });
    expect(second).toEqual({ score: 0, attributes: { TOXICITY: 0 } });
  });

  it("numbers texts by their lines, however the input arrives", async () => {
    const rows: (number | undefined)[] = [];
    const scorer: Scorer = {
      name: "numbered",
      score: (texts, options) => {
        rows.push(options?.firstRow);
        return Promise.resolve(texts.map(() => 0));
      },
    };
    await run(["a\nb\n", "c\n", "d"], false, scorer);
    expect(rows).toEqual([1, 3, 4]);
  });

  it("answers an unknown reading with the known ones, and says in its help when Perspective ends", async () => {
    const program = new Command().exitOverride();
    scoreCommand(program);
    await expect(program.parseAsync(["node", "x", "score", "--reading", "mean"])).rejects.toThrow(
      /^unknown reading: mean \(expected one of max, toxicity\)$/,
    );
    let help = "";
    const command = program.commands[0]
      ?.exitOverride()
      .configureOutput({ writeOut: (text) => (help += text) });
    command?.outputHelp();
    for (const word of [
      "--attributes",
      "--reading",
      "--calibrated",
      "2026-12-31",
      "PERSPECTIVE_API_KEY",
      "toxic-bert",
    ])
      expect(help).toContain(word);
  });
});
