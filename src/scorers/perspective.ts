import { reasonOf, UserError } from "@alignscope/base/errors";
import { ATTRIBUTES, type AttributeScores } from "./attributes.js";
import { CachedSource, type SlowScorer, type Unscored } from "./cached-source.js";
import { Pacer, sleep } from "./pacing.js";
import { type Answer, readAnswer } from "./perspective-answer.js";
import { noToxicity, type ScoreOptions } from "./scorer.js";

export interface PerspectiveOptions {
  /** PERSPECTIVE_API_KEY unless told. It goes into a header of the request, and nowhere else. */
  readonly key?: string;
  /** PERSPECTIVE_URL, else Google's. */
  readonly baseUrl?: string;
  /** Requests a second at most, evenly spaced: PERSPECTIVE_QPS, else 1, Google's default quota. */
  readonly qps?: number;
  /** How often a text is asked for before it is given up; 6 unless told. */
  readonly attempts?: number;
  /** Pause before the second attempt in milliseconds, doubled for each further one; 1000 unless told. */
  readonly backoffMs?: number;
  /** The longest pause between two attempts, and the longest Retry-After that is waited for; 10 minutes unless told. */
  readonly longestWaitMs?: number;
  /** Milliseconds after which a request without an answer counts as failed; 30 000 unless told. */
  readonly timeoutMs?: number;
  /** Where scores are kept; see {@link ScoreCache}. */
  readonly cacheFolder?: string;
  readonly now?: () => Date;
}

/** The longest text that Perspective takes, in bytes of UTF-8. */
const PERSPECTIVE_LONGEST = 20_480;

/** From this moment on Perspective does not answer any more: Google announced its end for the last day of 2026. */
const SHUTDOWN = new Date("2027-01-01T00:00:00Z");

/** What one has to know before choosing it. */
export const PERSPECTIVE_DESCRIPTION =
  "Google's Perspective API, as the paper used it; needs PERSPECTIVE_API_KEY; ends on 2026-12-31, scores that were kept stay";

const wasShutDown =
  "Perspective was shut down at the end of 2026: use toxic-bert or linear; cached scores still work";

/** Text that is safe to show: in one line, not too long, and without the key in any form that a server could echo. */
function safe(text: string, key: string): string {
  let shown = text.replace(/([?&](?:key|access_token)=)[^&\s"'<>\\]*/gi, "$1…");
  for (const form of [key, encodeURIComponent(key), Buffer.from(key).toString("base64")]) {
    if (form !== "") shown = shown.replaceAll(form, "…");
  }
  shown = shown.replace(/\s+/g, " ").trim();
  return shown.length > 200 ? `${shown.slice(0, 200)}…` : shown;
}

/** The first bytes of a text that are whole characters. */
function cut(text: string): string {
  const bytes = Buffer.from(text, "utf8");
  if (bytes.length <= PERSPECTIVE_LONGEST) return text;
  let end = PERSPECTIVE_LONGEST;
  while (((bytes[end] as number) & 0xc0) === 0x80) end -= 1; // inside a character
  return bytes.subarray(0, end).toString("utf8");
}

function checkedUrl(baseUrl: string): string {
  let url: URL;
  try {
    url = new URL(baseUrl);
  } catch {
    throw new UserError(`PERSPECTIVE_URL is not an address: expected one such as ${googleUrl}`);
  }
  const local = ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && local)) {
    throw new UserError(
      `PERSPECTIVE_URL begins with ${url.protocol}//, expected https:// (the key would be sent for all to read)`,
    );
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}/v1alpha1/comments:analyze`;
}

const googleUrl = "https://commentanalyzer.googleapis.com";

function checkedKey(key: string | undefined): string | undefined {
  const trimmed = key?.trim(); // `$(cat file)` may bring a line feed
  if (!trimmed) return undefined;
  // The message of fetch about a header that it cannot send would show it.
  if (!/^[\x21-\x7e]+$/.test(trimmed)) {
    throw new UserError(
      "PERSPECTIVE_API_KEY has blanks or letters that no key has: set it to the key alone, as Google shows it",
    );
  }
  return trimmed;
}

function positive(value: number, name: string): number {
  if (value > 0) return value;
  throw new UserError(`${name} is ${value}, expected a number above 0 such as 1`);
}

/** Asks Perspective for one text after the other, at an even pace, and again where asking again may help. */
class PerspectiveService implements SlowScorer {
  readonly name = "perspective";
  readonly identity = "perspective:v1alpha1:en";
  readonly attributeNames = ATTRIBUTES;
  // A private field: no inspection of the scorer, as the output of a cell say, shows it.
  readonly #key: string | undefined;
  private readonly url: string;
  private readonly qps: number;
  private readonly pacer: Pacer;
  private readonly attempts: number;
  private readonly backoffMs: number;
  private readonly longestWaitMs: number;
  private readonly timeoutMs: number;
  private readonly now: () => Date;

  constructor(options: PerspectiveOptions) {
    const { env } = process;
    this.#key = checkedKey(options.key ?? env["PERSPECTIVE_API_KEY"]);
    this.url = checkedUrl(options.baseUrl ?? (env["PERSPECTIVE_URL"] || googleUrl));
    this.qps = positive(options.qps ?? Number(env["PERSPECTIVE_QPS"] || 1), "PERSPECTIVE_QPS");
    this.pacer = new Pacer(this.qps);
    this.attempts = options.attempts ?? 6;
    this.backoffMs = options.backoffMs ?? 1000;
    this.longestWaitMs = options.longestWaitMs ?? 600_000;
    this.timeoutMs = options.timeoutMs ?? 30_000;
    this.now = options.now ?? (() => new Date());
  }

  get hasKey(): boolean {
    return this.#key !== undefined;
  }

  /** Why nothing can be scored without a key. */
  withoutKey(what: string): UserError {
    if (this.now() >= SHUTDOWN) return new UserError(`${what}; ${wasShutDown}`);
    return new UserError(
      `${what}: set PERSPECTIVE_API_KEY to a key of Google's Perspective API (it ends on 2026-12-31), ` +
        "or use linear, which needs none",
    );
  }

  async scoreEach(
    texts: readonly Unscored[],
    keep: (text: string, scores: AttributeScores) => void,
    { onNote, signal }: Required<Pick<ScoreOptions, "onNote">> & Pick<ScoreOptions, "signal">,
  ): Promise<void> {
    const key = this.#key;
    if (key === undefined) {
      throw this.withoutKey(
        `PERSPECTIVE_API_KEY is not set and ${texts.length} texts are not in the cache of scores ` +
          `(the first is text ${texts[0]?.row})`,
      );
    }
    const unscorable: string[] = [];
    const failures: unknown[] = [];
    const queue = texts.values(); // one iterator for all workers
    const worker = async (): Promise<void> => {
      for (const { text, row } of queue) {
        if (failures.length > 0) return;
        try {
          const answer = await this.ask(text, row, key, {
            onNote,
            stopped: () => failures.length > 0,
            signal,
          });
          if (answer === undefined) return;
          if (answer.kind === "scores") keep(text, answer.scores);
          else if (answer.type === "COMMENT_EMPTY") keep(text, noToxicity(ATTRIBUTES));
          else unscorable.push(`text ${row} (${answer.type}: ${safe(answer.message, key)})`);
        } catch (error) {
          failures.push(error);
        }
      }
    };
    // An answer takes a part of a second: two requests under way keep one a second up, and so on.
    await Promise.all(Array.from({ length: Math.min(32, Math.ceil(2 * this.qps)) }, worker));
    if (failures.length > 0) throw failures[0];
    if (unscorable.length > 0) {
      const more = unscorable.length > 3 ? ` and ${unscorable.length - 3} more` : "";
      throw new UserError(
        `Perspective cannot score ${unscorable.slice(0, 3).join(", ")}${more}: leave out or change what is ` +
          "named; the scores of all others are in the cache",
      );
    }
  }

  /** One text's answer, after as many attempts as it takes; undefined when another text's failure stopped it. */
  private async ask(
    text: string,
    row: number,
    key: string,
    {
      onNote,
      stopped,
      signal,
    }: Required<Pick<ScoreOptions, "onNote">> & {
      stopped: () => boolean;
      signal: AbortSignal | undefined;
    },
  ): Promise<Extract<Answer, { kind: "scores" | "text" }> | undefined> {
    const sent = cut(text);
    if (sent !== text) {
      onNote(
        `text ${row} has ${Buffer.byteLength(text)} bytes: Perspective takes ${PERSPECTIVE_LONGEST}, the rest is not scored`,
      );
    }
    for (let attempt = 1; ; attempt += 1) {
      await this.pacer.turn(signal);
      if (stopped()) return undefined;
      const answer = await this.request(sent, key, signal);
      if (answer.kind === "scores" || answer.kind === "text") return answer;
      const message = safe(answer.message, key);
      const late = this.now() >= SHUTDOWN;
      if (answer.kind === "refused") {
        throw new UserError(
          answer.gone && late
            ? `${wasShutDown} (it answered ${message})`
            : `Perspective refused to score (${message}): check PERSPECTIVE_API_KEY and that its project may use ` +
                "the Perspective Comment Analyzer API; cached scores still work",
        );
      }
      const { waitMs: asked = 0 } = answer;
      if (attempt >= this.attempts || asked > this.longestWaitMs) {
        const tried = asked > this.longestWaitMs ? `wants ${Math.ceil(asked / 1000)} s of waiting` : "";
        throw new UserError(
          `Perspective ${tried || `gave no scores in ${attempt} attempts`} for text ${row} (${message}); ` +
            (late ? wasShutDown : "run it again later: what was scored is in the cache, the rest follows"),
        );
      }
      const doubled = Math.min(this.longestWaitMs, this.backoffMs * 2 ** (attempt - 1));
      const waitMs = Math.max(asked, doubled * (0.5 + 0.5 * Math.random()));
      if (waitMs >= 5000) onNote(`Perspective: ${message}; waiting ${Math.ceil(waitMs / 1000)} s`);
      if (answer.busy) this.pacer.close(waitMs);
      else await sleep(waitMs, signal);
    }
  }

  private async request(text: string, key: string, signal: AbortSignal | undefined): Promise<Answer> {
    const timeout = AbortSignal.timeout(this.timeoutMs);
    try {
      const response = await fetch(this.url, {
        method: "POST",
        // Not `?key=`: addresses end up in logs and messages, and a redirect must not carry the key elsewhere.
        headers: { "content-type": "application/json", "x-goog-api-key": key },
        redirect: "error",
        body: JSON.stringify({
          comment: { text, type: "PLAIN_TEXT" },
          languages: ["en"],
          requestedAttributes: Object.fromEntries(ATTRIBUTES.map((name) => [name, {}])),
          spanAnnotations: false,
          doNotStore: true,
        }),
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      });
      const { status, headers } = response;
      return readAnswer(status, headers.get("retry-after"), await response.text(), this.now());
    } catch (error) {
      signal?.throwIfAborted();
      const message = timeout.aborted ? `no answer in ${this.timeoutMs / 1000} s` : reasonOf(error);
      return { kind: "passing", message, busy: false };
    }
  }
}

/**
 * Google's Perspective API (v1alpha1, `comments:analyze`), the scorer of the paper's tables (docs/recipes.md#toxicity),
 * with every answer kept in the cache of scores. Google ends the service on 2026-12-31 and has changed its models without
 * notice: scores of different dates are not comparable, and the paper's absolute values are out of reach.
 *
 * Without a key it opens where scores have been kept, and answers for those texts.
 *
 * @throws UserError without a key and without kept scores; when scoring: in one line, never with the key, when the
 * service refuses, stays unreachable, or cannot score a text (all others are scored and kept first)
 */
export function openPerspective(options: PerspectiveOptions = {}): CachedSource {
  const service = new PerspectiveService(options);
  const source = new CachedSource(service, {
    ...(options.cacheFolder === undefined ? {} : { folder: options.cacheFolder }),
    ...(options.now === undefined ? {} : { now: options.now }),
  });
  if (!service.hasKey && source.cache.size === 0) {
    throw service.withoutKey("perspective needs a key, and no scores have been kept");
  }
  return source;
}
