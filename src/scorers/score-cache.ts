import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readFileSync, readSync } from "node:fs";
import { dirname, join } from "node:path";
import { sha256Of } from "@alignscope/base/checksum";
import { messageOf, UserError } from "@alignscope/base/errors";
import { appendToFile, writeFileAtomic } from "@alignscope/base/files";
import { cacheFolder } from "@alignscope/base/paths";
import { ATTRIBUTES, type Attribute, type AttributeScores } from "./attributes.js";

/** One line of the file. */
interface Line {
  readonly key: string;
  readonly scores: AttributeScores;
  /** When it was scored, ISO 8601: Perspective changes its models without saying so. */
  readonly at: string;
  /** Eight digits of the sha256 of the rest, so that a damaged number is noticed. */
  readonly check: string;
}

export interface ScoreCacheOptions {
  /** Where the files are; `scores` in the project's cache folder (ALIGNSCOPE_CACHE) unless told. */
  readonly folder?: string;
  readonly now?: () => Date;
}

/**
 * Scores that were paid for, kept on disk: one file `NAME.jsonl` for each slow scorer, one line per text. A line bears the sha256 of
 * the scorer's identity, its attributes and the text, never the text.
 *
 * Lines are only ever appended, each by a single write that begins and ends with a line feed, so a process that is
 * killed loses at most the line it was writing, and several processes may use one file. What is damaged is passed over
 * and copied to `NAME.jsonl.damaged`; those texts are scored again.
 *
 * @example
 * const cache = new ScoreCache("perspective", "perspective:v1alpha1", ATTRIBUTES);
 * cache.get("What a silly idea."); // undefined, or its scores
 */
export class ScoreCache {
  readonly path: string;
  private readonly now: () => Date;
  private readonly known = new Map<string, AttributeScores>();
  private readonly damaged: string[] = [];
  /** How far the file has been read: behind a line feed. */
  private read = 0;

  constructor(
    name: string,
    private readonly identity: string,
    private readonly attributes: readonly Attribute[],
    { folder = join(cacheFolder(), "scores"), now = () => new Date() }: ScoreCacheOptions = {},
  ) {
    this.path = join(folder, `${name}.jsonl`);
    this.now = now;
  }

  /** How many texts have scores, of this identity or another. */
  get size(): number {
    this.refresh();
    return this.known.size;
  }

  /** The scores of a text, if they are known; {@link refresh} looks for those of other processes. */
  get(text: string): AttributeScores | undefined {
    return this.known.get(this.keyOf(text));
  }

  /**
   * Keeps a text's scores, on disk before it returns.
   *
   * @throws UserError when the file cannot be written
   */
  put(text: string, scores: AttributeScores): void {
    const key = this.keyOf(text);
    const rest = { key, scores, at: this.now().toISOString() };
    const line: Line = { ...rest, check: checkOf(rest) };
    try {
      mkdirSync(dirname(this.path), { recursive: true });
      // The line feed in front ends a line that another process was killed in.
      appendToFile(this.path, `\n${JSON.stringify(line)}\n`);
    } catch (error) {
      throw new UserError(
        `cannot keep scores in ${this.path}: ${messageOf(error)}; ` +
          "make the folder writable, or name another with ALIGNSCOPE_CACHE",
      );
    }
    this.known.set(key, scores);
  }

  /** Reads what this or another process has appended since the last time. */
  refresh(): void {
    const bytes = this.tail();
    const end = bytes.lastIndexOf(10) + 1; // what is behind it is still being written
    if (end === 0) return;
    this.read += end;
    const before = this.damaged.length;
    for (const text of bytes.subarray(0, end).toString("utf8").split("\n")) {
      if (text.trim() === "") continue;
      const line = lineOf(text);
      if (line) this.known.set(line.key, line.scores);
      else this.damaged.push(text);
    }
    if (this.damaged.length > before) this.setAside();
  }

  private tail(): Buffer {
    let file: number;
    try {
      file = openSync(this.path, "r");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return Buffer.alloc(0);
      throw new UserError(`cannot read the kept scores ${this.path}: ${messageOf(error)}`);
    }
    try {
      const bytes = Buffer.alloc(Math.max(0, fstatSync(file).size - this.read));
      return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, this.read));
    } finally {
      closeSync(file);
    }
  }

  private setAside(): void {
    const path = `${this.path}.damaged`;
    const lines = `${this.damaged.join("\n")}\n`;
    try {
      if (!existsSync(path) || readFileSync(path, "utf8") !== lines) writeFileAtomic(path, lines);
    } catch {
      // They are still in the file itself, which is never rewritten.
    }
  }

  private keyOf(text: string): string {
    return sha256Of(JSON.stringify([this.identity, this.attributes, text]));
  }
}

function checkOf(rest: Omit<Line, "check">): string {
  return sha256Of(JSON.stringify([rest.key, rest.scores, rest.at])).slice(0, 8);
}

function lineOf(text: string): Line | undefined {
  try {
    const line = JSON.parse(text) as Partial<Line> | null;
    const { key, scores, at, check } = line ?? {};
    if (typeof key !== "string" || typeof at !== "string" || typeof scores !== "object") return undefined;
    const entries = Object.entries(scores ?? {});
    const fits = entries.every(
      ([name, value]) => (ATTRIBUTES as readonly string[]).includes(name) && value >= 0 && value <= 1,
    );
    return fits && "TOXICITY" in scores && check === checkOf({ key, scores, at })
      ? { key, scores, at, check }
      : undefined;
  } catch {
    return undefined;
  }
}
