import { readdirSync, readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { UserError } from "../../src/base/errors.js";
import { ATTRIBUTES, openScorer, scorers } from "../../src/scorers/index.js";
import { openPerspective, type PerspectiveOptions } from "../../src/scorers/perspective.js";
import { serve, temporaryFolder } from "../data/helpers.js";

const KEY = "AIza-secret/key+of=tests";

interface Received {
  readonly at: number;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: {
    comment: { text: string; type: string };
    requestedAttributes: Record<string, unknown>;
    [more: string]: unknown;
  };
}

/** Scores by the length of the text, each attribute a little more than the one before. */
const scoresOf = (text: string): Record<string, number> =>
  Object.fromEntries(ATTRIBUTES.map((name, i) => [name, Math.min(1, text.length / 100 + i / 1000)]));

const good = (text: string): object => ({
  attributeScores: Object.fromEntries(
    Object.entries(scoresOf(text)).map(([name, value]) => [
      name,
      { summaryScore: { value, type: "PROBABILITY" } },
    ]),
  ),
  languages: ["en"],
});

const send = (response: ServerResponse, status: number, body: object | string, headers = {}): void => {
  response.writeHead(status, headers).end(typeof body === "string" ? body : JSON.stringify(body));
};

const failure = (status: number, message: string, details: object[] = []): object => ({
  error: { code: status, message, status: "X", details },
});

/** A Perspective of this machine: `answer` decides, or every text gets its scores. */
async function perspective(
  answer: (received: Received, response: ServerResponse, count: number) => void = ({ body }, response) =>
    send(response, 200, good(body.comment.text)),
) {
  const received: Received[] = [];
  const { url } = await serve((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
    request.on("end", () => {
      const body = JSON.parse(Buffer.from(text, "latin1").toString()) as Received["body"];
      const one = { at: performance.now(), url: request.url ?? "", headers: request.headers, body };
      received.push(one);
      answer(one, response, received.length);
    });
  });
  const cacheFolder = temporaryFolder();
  const options: PerspectiveOptions = {
    key: KEY,
    baseUrl: url,
    qps: 1000,
    backoffMs: 1,
    attempts: 4,
    cacheFolder,
  };
  return { received, options, cacheFolder };
}

async function messageOfFailure(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UserError);
  expect((error as Error).message).not.toContain("\n");
  expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(KEY);
  return (error as Error).message;
}

/** Nothing that is said aside may bear the key either. */
const said: string[] = [];
beforeEach(() => {
  said.length = 0;
  for (const name of ["log", "warn", "error"] as const)
    vi.spyOn(console, name).mockImplementation((...words: unknown[]) => said.push(inspect(words)));
  vi.stubEnv("PERSPECTIVE_API_KEY", "");
  vi.stubEnv("PERSPECTIVE_QPS", "");
});
afterEach(() => {
  expect(said.join("\n")).not.toContain(KEY);
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

describe("what Perspective is asked", () => {
  it("is seven attributes of an English text, not to be stored, with the key in a header", async () => {
    const { received, options } = await perspective();
    const [scores] = await openPerspective(options).attributes(["What a silly idea."]);
    expect(scores).toEqual(scoresOf("What a silly idea."));
    expect(received).toHaveLength(1);
    const [{ url, headers, body }] = received as [Received];
    expect(url).toBe("/v1alpha1/comments:analyze");
    expect(headers["x-goog-api-key"]).toBe(KEY);
    expect(body).toEqual({
      comment: { text: "What a silly idea.", type: "PLAIN_TEXT" },
      languages: ["en"],
      requestedAttributes: Object.fromEntries(ATTRIBUTES.map((name) => [name, {}])),
      spanAnnotations: false,
      doNotStore: true,
    });
  });

  it("is read as the maximum by default, as TOXICITY where that is asked for", async () => {
    const { options } = await perspective(({ body }, response) => {
      const answer = good(body.comment.text) as { attributeScores: Record<string, object> };
      answer.attributeScores["PROFANITY"] = { summaryScore: { value: 0.9 } };
      send(response, 200, answer);
    });
    const open = (more: object) => openScorer("perspective", { perspective: options, ...more });
    expect(await (await open({})).score(["ab"])).toEqual([0.9]);
    expect(await (await open({ protocol: "corrected" })).score(["ab"])).toEqual([scoresOf("ab")["TOXICITY"]]);
    expect(await (await open({ protocol: "corrected", reading: "max" })).score(["ab"])).toEqual([0.9]);
    expect((await open({ reading: "toxicity" })).reading).toBe("toxicity");
  });

  it("keeps the order of many texts, asks once for equal ones and never for blank ones", async () => {
    const { received, options } = await perspective(({ body }, response) =>
      setTimeout(() => send(response, 200, good(body.comment.text)), 15 * Math.random()),
    );
    const texts = Array.from({ length: 60 }, (_, i) => "x".repeat(i % 30));
    const scores = await openPerspective(options).attributes(texts);
    expect(scores.map(({ TOXICITY }) => TOXICITY)).toEqual(
      texts.map((text) => (text === "" ? 0 : scoresOf(text)["TOXICITY"])),
    );
    expect(received).toHaveLength(29);
  });

  it("is a text of 20,480 bytes at most, cut between characters and with a note", async () => {
    const { received, options } = await perspective();
    const notes: string[] = [];
    const text = `a${"€".repeat(10_000)}`;
    await openPerspective(options).attributes(["short", text], { onNote: (note) => notes.push(note) });
    const sent = received.map(({ body }) => body.comment.text).find((one) => one !== "short") as string;
    expect(Buffer.byteLength(sent)).toBe(20_479);
    expect(text.startsWith(sent)).toBe(true);
    expect(notes).toEqual([expect.stringMatching(/^text 2 has 30001 bytes: Perspective takes 20480/)]);
  });

  it.each(["0", "-1", "fast"])("is refused at the rate %j", async (qps) => {
    vi.stubEnv("PERSPECTIVE_QPS", qps);
    const { options } = await perspective();
    const { qps: _, ...rest } = options;
    expect(() => openPerspective(rest)).toThrow(/^PERSPECTIVE_QPS is [^\n]+, expected a number above 0/);
  });

  it.each(["http://perspective.example", "no address"])("does not go to %j", async (baseUrl) => {
    expect(() => openPerspective({ key: KEY, baseUrl })).toThrow(/^PERSPECTIVE_URL [^\n]+ expected [^\n]+$/);
  });
});

describe("when asking again may help", () => {
  it.each([
    ["429", (response: ServerResponse) => send(response, 429, failure(429, "Quota exceeded"))],
    ["500", (response: ServerResponse) => send(response, 500, "oops")],
    ["503", (response: ServerResponse) => send(response, 503, "")],
    ["a broken connection", (response: ServerResponse) => response.destroy()],
    [
      "a page in place of the answer",
      (response: ServerResponse) => send(response, 200, "<html>log in</html>"),
    ],
    [
      "an answer without an attribute",
      (response: ServerResponse) => send(response, 200, { attributeScores: {} }),
    ],
    ["no answer at all", () => undefined],
  ])("it is asked again after %s", async (_, fail) => {
    const { received, options } = await perspective(({ body }, response, count) => {
      if (count <= 2) fail(response);
      else send(response, 200, good(body.comment.text));
    });
    const [scores] = await openPerspective({ ...options, timeoutMs: 100 }).attributes(["abc"]);
    expect(scores).toEqual(scoresOf("abc"));
    expect(received).toHaveLength(3);
  });

  it("a number of times, then the error names the text and what to do; what was scored stays", async () => {
    const { received, options } = await perspective(({ body }, response) =>
      body.comment.text === "bad"
        ? send(response, 500, failure(500, "Internal error"))
        : send(response, 200, good(body.comment.text)),
    );
    const source = openPerspective({ ...options, qps: 500 });
    const message = await messageOfFailure(source.attributes(["a", "ab", "bad"]));
    expect(message).toMatch(
      /^Perspective gave no scores in 4 attempts for text 3 \(HTTP 500: Internal error\); run it again later/,
    );
    expect(received.filter(({ body }) => body.comment.text === "bad")).toHaveLength(4);
    expect(source.cache.get("a")).toEqual(scoresOf("a"));
    expect(source.cache.get("ab")).toEqual(scoresOf("ab"));
  });

  it("not before the server wants it (Retry-After in seconds or as a date)", async () => {
    const now = () => new Date("2026-05-01T00:00:00Z");
    for (const header of ["0.2", "Fri, 01 May 2026 00:00:01 GMT"]) {
      const { received, options } = await perspective(({ body }, response, count) => {
        if (count === 1) send(response, 429, "", { "retry-after": header });
        else send(response, 200, good(body.comment.text));
      });
      await openPerspective({ ...options, now }).attributes(["abc"]);
      expect((received[1] as Received).at - (received[0] as Received).at).toBeGreaterThan(190);
    }
  });

  it("unless that is too long", async () => {
    const { received, options } = await perspective((_, response) =>
      send(response, 429, "", { "retry-after": "86400" }),
    );
    const message = await messageOfFailure(openPerspective(options).attributes(["abc"]));
    expect(message).toMatch(
      /^Perspective wants 86400 s of waiting for text 1 \(HTTP 429\); run it again later/,
    );
    expect(received).toHaveLength(1);
  });

  it("goes no further when it is aborted, and keeps what came before", async () => {
    const { received, options } = await perspective();
    const stop = new AbortController();
    const source = openPerspective({ ...options, qps: 50 });
    const running = source.attributes(["a", "b", "c", "d", "e", "f", "g", "h"], {
      signal: stop.signal,
      onProgress: ({ done }) => {
        if (done === 2) stop.abort();
      },
    });
    await expect(running).rejects.toThrow(/abort/i);
    expect(received.length).toBeLessThan(6);
    const before = received.length;
    await openPerspective(options).attributes(["a", "b"]);
    expect(received.length).toBe(before);
  });
});

describe("when it does not help", () => {
  it("an empty comment scores 0, and another text that cannot be scored is named after all others are", async () => {
    const { received, options } = await perspective(({ body }, response) => {
      const { text } = body.comment;
      if (text === "\u200B")
        send(response, 400, failure(400, "Comment must be non-empty.", [{ errorType: "COMMENT_EMPTY" }]));
      else if (text === "日本語")
        send(
          response,
          400,
          failure(400, "Attribute THREAT does not\nsupport", [
            { errorType: "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE" },
          ]),
        );
      else send(response, 200, good(text));
    });
    const texts = ["a", "日本語", "\u200B", "abc"];
    const message = await messageOfFailure(openPerspective(options).attributes(texts));
    expect(message).toMatch(
      /^Perspective cannot score text 2 \(LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE: HTTP 400: Attribute THREAT does not support\): leave out/,
    );
    expect(received).toHaveLength(4);
    const others = await openPerspective(options).attributes(["a", "\u200B", "abc"]);
    expect(others.map(({ TOXICITY }) => TOXICITY)).toEqual([
      scoresOf("a")["TOXICITY"],
      0,
      scoresOf("abc")["TOXICITY"],
    ]);
    expect(received).toHaveLength(4);
  });

  it("a refused key is not tried again", async () => {
    const { received, options } = await perspective((_, response) =>
      send(
        response,
        400,
        failure(400, "API key not valid. Please pass a valid API key.", [{ reason: "API_KEY_INVALID" }]),
      ),
    );
    const message = await messageOfFailure(openPerspective(options).attributes(["abc"]));
    expect(message).toMatch(
      /^Perspective refused to score \(HTTP 400: API key not valid[^\n]+PERSPECTIVE_API_KEY/,
    );
    expect(received).toHaveLength(1);
  });

  it.each([
    [404, failure(404, "Not found")],
    [410, ""],
    [403, failure(403, "Perspective API has been disabled", [{ reason: "SERVICE_DISABLED" }])],
  ])("HTTP %i after 2026 is the announced end, before it is not", async (status, body) => {
    const { options } = await perspective((_, response) => send(response, status, body));
    const at = (date: string) =>
      messageOfFailure(openPerspective({ ...options, now: () => new Date(date) }).attributes(["abc"]));
    expect(await at("2027-01-01T00:00:00Z")).toMatch(
      /^Perspective was shut down at the end of 2026: use toxic-bert or linear; cached scores still work/,
    );
    expect(await at("2026-12-31T23:59:59Z")).toMatch(/^Perspective refused to score/);
  });

  it("a key that was blocked is not taken for the end of the service", async () => {
    const { options } = await perspective((_, response) =>
      send(response, 403, failure(403, "Requests are blocked.", [{ reason: "API_KEY_SERVICE_BLOCKED" }])),
    );
    const late = { ...options, now: () => new Date("2027-06-01") };
    expect(await messageOfFailure(openPerspective(late).attributes(["abc"]))).toMatch(/^Perspective refused/);
  });
});

describe("the key", () => {
  it("is in no error, note, kept file or view of the scorer, whatever the server echoes", async () => {
    const echoed = [
      `https://commentanalyzer.googleapis.com/v1alpha1/comments:analyze?key=${KEY}`,
      `key ${KEY} is not valid`,
      encodeURIComponent(KEY),
      Buffer.from(KEY).toString("base64"),
    ].join(" ");
    for (const status of [400, 403, 404, 429, 500]) {
      const { options, cacheFolder } = await perspective((received, response, count) => {
        const all = `${echoed} ${JSON.stringify(received.headers)}`;
        if (count === 1) send(response, 200, good("a"));
        else send(response, status, status === 500 ? all : failure(status, all), { "retry-after": "0" });
      });
      const notes: string[] = [];
      const scorer = await openScorer("perspective", { perspective: { ...options, attempts: 2 } });
      const onNote = (note: string) => notes.push(note);
      await scorer.score(["a"], { onNote });
      const message = await messageOfFailure(scorer.score(["b"], { onNote }));
      const kept = readdirSync(cacheFolder).map((name) => readFileSync(join(cacheFolder, name), "utf8"));
      const source = openPerspective(options);
      const views = [scorer, source].flatMap((one) => [
        inspect(one, { depth: 20, showHidden: true, getters: true }),
        JSON.stringify(one),
      ]);
      for (const shown of [message, ...notes, ...kept, ...views]) {
        for (const form of [KEY, encodeURIComponent(KEY), Buffer.from(KEY).toString("base64")])
          expect(shown).not.toContain(form);
      }
      expect(kept.join("")).toContain("TOXICITY");
    }
  });

  it("does not follow a redirect to another place", async () => {
    const other = await perspective();
    const { options } = await perspective((_, response) =>
      send(response, 307, "", { location: `${other.options.baseUrl}/v1alpha1/comments:analyze` }),
    );
    await messageOfFailure(openPerspective(options).attributes(["abc"]));
    expect(other.received).toHaveLength(0);
  });

  it("that no header can carry is an error that does not show it", () => {
    const bad = `AIza\nsecret`;
    let message = "";
    try {
      openPerspective({ key: bad, cacheFolder: temporaryFolder() });
    } catch (error) {
      ({ message } = error as Error);
    }
    expect(message).toMatch(/^PERSPECTIVE_API_KEY has blanks/);
    expect(message).not.toContain("secret");
  });

  it("is missed at once, with what to set, unless there are kept scores", async () => {
    const { received, options, cacheFolder } = await perspective();
    const { key: _, ...withoutKey } = options;
    const at = { ...withoutKey, now: () => new Date("2026-05-01") };
    const message = await messageOfFailure(openScorer("perspective", { perspective: at }));
    expect(message).toMatch(
      /^perspective needs a key[^\n]+: set PERSPECTIVE_API_KEY [^\n]+2026-12-31[^\n]+linear/,
    );
    await openPerspective(options).attributes(["a", "ab"]);

    const scorer = await openScorer("perspective", {
      perspective: { cacheFolder, now: () => new Date("2028-01-01") },
    });
    expect(await scorer.attributes(["ab", "", "a"])).toEqual([
      scoresOf("ab"),
      Object.fromEntries(ATTRIBUTES.map((name) => [name, 0])),
      scoresOf("a"),
    ]);
    expect(await messageOfFailure(scorer.score(["a", "new", "b"]))).toMatch(
      /^PERSPECTIVE_API_KEY is not set and 2 texts are not in the cache of scores \(the first is text 2\); Perspective was shut down/,
    );
    expect(received).toHaveLength(2);
  });

  it("is taken from PERSPECTIVE_API_KEY, with what a file's line feed adds cut off", async () => {
    const { received, options } = await perspective();
    const { key: _, ...rest } = options;
    vi.stubEnv("PERSPECTIVE_API_KEY", `${KEY}\n`);
    await openPerspective(rest).attributes(["a"]);
    expect(received[0]?.headers["x-goog-api-key"]).toBe(KEY);
  });
});

it("the list of scorers says when Perspective ends", () => {
  expect(scorers.find(({ name }) => name === "perspective")?.description).toContain("2026-12-31");
});
