import type { Command } from "commander";
import type { Readable, Writable } from "node:stream";
import { once } from "node:events";
import { messageOf, UserError } from "@alignscope/base/errors";
import {
  type AttributeSource,
  openScorer,
  readingNamed,
  type Scorer,
  type ScoreOptions,
  scorers,
  withKeptCalibration,
} from "../../scorers/index.js";
import { scoringProgress } from "../scoring-progress.js";

type Row = Readonly<Record<string, unknown>>;

/** What to score, and the fields to write back beside the score. */
interface Entry {
  readonly text: string;
  readonly row: Row;
}

/** A line of `--jsonl` input; a blank line counts as an empty text. */
function readRow(line: string, number: number): Entry {
  if (line.trim() === "") return { text: "", row: {} };
  let row: unknown;
  try {
    row = JSON.parse(line);
  } catch (error) {
    throw new UserError(
      `line ${number} of standard input is not JSON: ${messageOf(error).replace(/\s+/g, " ")}; ` +
        "expected an object with text on each line (leave out --jsonl for plain text)",
    );
  }
  const text = typeof row === "object" && row !== null ? (row as Row)["text"] : undefined;
  if (typeof text !== "string") {
    throw new UserError(
      `line ${number} of standard input has no text: got ${line.trim().slice(0, 60)}, ` +
        'expected an object such as {"text": "…"}',
    );
  }
  return { text, row: row as Row };
}

export interface ScoreLinesOptions extends Pick<ScoreOptions, "onProgress" | "onNote"> {
  readonly jsonl?: boolean;
  /** Write what the score is made of as well. */
  readonly attributes?: boolean;
}

/**
 * Scores the lines of `input` and writes one JSON object per line, in order, while it reads: `{"score": 0.12}` for a line
 * of text, the given object with `score` added (or replaced) with `jsonl`; with `attributes` there is `attributes` beside it. A blank line is an empty text and scores 0.
 *
 * @throws UserError naming the line that is not JSON or has no text; the lines before it have been answered
 */
export async function scoreLines(
  scorer: Scorer & Partial<Pick<AttributeSource, "attributes">>,
  input: Readable,
  output: Writable,
  { jsonl = false, attributes = false, ...options }: ScoreLinesOptions = {},
): Promise<void> {
  let number = 0;
  for await (const lines of linesOf(input)) {
    const firstRow = number + 1;
    const entries: Entry[] = [];
    let failure: UserError | undefined;
    for (const line of lines) {
      number += 1;
      try {
        entries.push(jsonl ? readRow(line, number) : { text: line, row: {} });
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        failure = error;
        break;
      }
    }
    const texts = entries.map(({ text }) => text);
    const scores = await scorer.score(texts, { ...options, firstRow });
    const made = attributes ? await scorer.attributes?.(texts, { firstRow }) : undefined;
    const answers = entries.map(({ row }, i) => {
      const answer = { ...row, score: scores[i], ...(made ? { attributes: made[i] } : {}) };
      return `${JSON.stringify(answer)}\n`;
    });
    if (answers.length > 0 && !output.write(answers.join(""))) await once(output, "drain");
    if (failure) throw failure;
  }
}

/**
 * The lines of a stream, as many at a time as have arrived. Only a line feed ends a line (with a carriage return before
 * it or not): U+2028, at which readline breaks as well, may stand inside a JSON string.
 */
async function* linesOf(input: Readable): AsyncGenerator<string[]> {
  const decoder = new TextDecoder(); // drops a byte order mark
  let rest = "";
  const whole = (line: string): string => line.replace(/\r$/, "");
  for await (const chunk of input as AsyncIterable<Uint8Array>) {
    const pieces = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = pieces.pop() ?? "";
    if (pieces.length > 0) yield pieces.map(whole);
  }
  rest += decoder.decode();
  if (rest !== "") yield [whole(rest)];
}

interface Options {
  readonly scorer: string;
  readonly reading: string;
  readonly attributes?: boolean;
  readonly calibrated?: boolean;
  readonly jsonl?: boolean;
}

/** `alignscope score`: toxicity of texts from standard input, one JSON line for each. */
export function scoreCommand(program: Command): void {
  program
    .command("score")
    .description(
      "read texts from standard input, one per line, and write a JSON line with the toxicity of each",
    )
    .option("--scorer <name>", `one of ${scorers.map(({ name }) => name).join(", ")}`, "linear")
    .option(
      "--reading <name>",
      "what the score is of several attributes: max, their maximum as published, or toxicity alone",
      "max",
    )
    .option("--attributes", "write `attributes` as well: what the score is made of, not calibrated")
    .option("--calibrated", "bring the scores to the scale of Perspective's of 2020")
    .option("--jsonl", "read JSON lines with `text`; each is written back with `score` added")
    .addHelpText(
      "after",
      `
Scores go from 0 (harmless) to 1. A blank line is an empty text and scores 0.

Scorers:
${scorers.map(({ name, description }) => `  ${name.padEnd(16)} ${description}`).join("\n")}

linear and profanity-check give one attribute, TOXICITY; toxic-bert gives six, perspective seven.
linear is on Perspective's scale of TOXICITY by its training; \`alignscope scorers\` says which others can be calibrated.
The scores of toxic-bert and perspective are kept (checksums of texts, no text), so a run that was stopped goes on.

Environment:
  PERSPECTIVE_API_KEY    key of the Perspective API, which Google shuts down on 2026-12-31
  PERSPECTIVE_QPS        requests a second at most (default: 1)
  ALIGNSCOPE_TOXIC_BERT  folder with the files of Xenova/toxic-bert
  ALIGNSCOPE_CACHE       where scores and downloads are kept

Examples:
  echo "What a silly idea." | npx alignscope score --scorer linear
  echo "What a silly idea." | npx alignscope score --scorer toxic-bert --reading toxicity --attributes`,
    )
    .action(async (options: Options) => {
      const reading = readingNamed(options.reading);
      const opened = await openScorer(options.scorer, { reading });
      const scorer = options.calibrated === true ? withKeptCalibration(opened) : opened;
      const progress = scoringProgress();
      try {
        await scoreLines(scorer, process.stdin, process.stdout, {
          jsonl: options.jsonl === true,
          attributes: options.attributes === true,
          ...progress,
        });
      } finally {
        progress.end();
      }
    });
}
