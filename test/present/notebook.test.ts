import { createRequire } from "node:module";
import { afterEach, describe, expect, it, vi } from "vitest";
import { figure } from "../../src/present/figure.js";
import {
  display,
  type DisplayContent,
  displayHandle,
  displaySinkKey,
  inNotebook,
  print,
  show,
} from "../../src/present/notebook.js";
import { progress } from "../../src/present/progress.js";
import { table } from "../../src/present/table.js";

type Message = { content: DisplayContent; update: boolean };

/** A kernel's display channel that keeps what it gets. */
function kernel(): Message[] {
  const messages: Message[] = [];
  Reflect.set(globalThis, displaySinkKey, (content: DisplayContent, update: boolean) =>
    messages.push({ content, update }),
  );
  return messages;
}

function stdout(): { text: () => string; restore: () => void } {
  const spy = vi.spyOn(process.stdout, "write").mockImplementation(() => true);
  return {
    text: () => spy.mock.calls.map(([chunk]) => String(chunk)).join(""),
    restore: () => spy.mockRestore(),
  };
}

afterEach(() => void Reflect.deleteProperty(globalThis, displaySinkKey));

const sample = table({
  name: "t",
  title: "T",
  caption: "",
  columns: [{ key: "a", label: "A" }],
  rows: [{ a: 1 }],
});

describe("outside a kernel", () => {
  it("everything is text on standard output", async () => {
    expect(inNotebook()).toBe(false);
    expect(displayHandle()).toBeUndefined();
    const out = stdout();
    await show(sample, "some **text**", { answer: 42 });
    display({ "image/png": new Uint8Array(1) });
    print("one", "two");
    const text = out.text();
    out.restore();
    expect(text).toBe("T.\n\nA\n─\n1\nsome **text**\n{ answer: 42 }\n[image/png]\none\ntwo\n");
  });
});

describe("inside a kernel", () => {
  it("a table is HTML with text beside it, text is Markdown", async () => {
    const messages = kernel();
    await show(sample, "# hello");
    expect(messages.map(({ content }) => Object.keys(content.data))).toEqual([
      ["text/html", "text/plain"],
      ["text/markdown", "text/plain"],
    ]);
    expect(messages.every(({ update }) => !update)).toBe(true);
  });

  it("a figure is a PNG of known size, its specification and words", async () => {
    const messages = kernel();
    const drawn = figure({
      name: "f",
      number: 1,
      title: "F",
      caption: "Words.",
      data: [{ a: 1 }],
      spec: { mark: "point", encoding: { x: { field: "a", type: "quantitative" } } },
    });
    await show(drawn);
    const [message] = messages;
    const data = message?.content.data ?? {};
    expect(Buffer.from(String(data["image/png"]), "base64").subarray(1, 4).toString()).toBe("PNG");
    expect(data["application/vnd.vegalite.v5+json"]).toMatchObject({ title: "Figure 1. F" });
    expect(data["text/plain"]).toBe("[Figure 1: F] Words.");
    const width = Buffer.from(String(data["image/png"]), "base64").readUInt32BE(16);
    expect(message?.content.metadata["image/png"]).toMatchObject({ width: width / 2 });
  });

  it("a handle replaces what it showed", () => {
    const messages = kernel();
    const handle = displayHandle();
    handle?.({ "text/plain": "1" });
    handle?.({ "text/plain": "2" });
    expect(messages.map(({ update }) => update)).toEqual([false, true]);
    const ids = messages.map(({ content }) => content.transient.display_id);
    expect(ids[0]).toMatch(/./);
    expect(ids[1]).toBe(ids[0]);
  });

  it("a thousand printed lines are one message", () => {
    const messages = kernel();
    print(...Array.from({ length: 1000 }, (_, index) => `line ${index}`));
    expect(messages).toHaveLength(1);
  });

  it("tslab's own channel is found when its server runs in this process", () => {
    const require = createRequire(import.meta.url);
    const server = require("tslab/dist/jupyter.js") as { lastWriteDisplayData: unknown };
    expect(inNotebook()).toBe(false);
    const messages: Message[] = [];
    server.lastWriteDisplayData = (content: DisplayContent, update: boolean) =>
      messages.push({ content, update });
    try {
      expect(inNotebook()).toBe(true);
      display({ "text/plain": "hello" }, { "text/plain": { a: 1 } });
    } finally {
      server.lastWriteDisplayData = null;
    }
    expect(messages).toEqual([
      {
        content: { data: { "text/plain": "hello" }, metadata: { "text/plain": { a: 1 } }, transient: {} },
        update: false,
      },
    ]);
  }, 60_000);
});

describe("progress", () => {
  function clock() {
    let time = 0;
    const lines: string[] = [];
    return {
      lines,
      options: { now: () => time, write: (line: string) => void lines.push(line) },
      pass: (milliseconds: number) => void (time += milliseconds),
    };
  }

  it("is silent for a short job", () => {
    const { lines, options, pass } = clock();
    const bar = progress("short", 10, options);
    for (let step = 0; step < 10; step++) {
      pass(400);
      bar.tick();
    }
    bar.done();
    expect(lines).toEqual([]);
  });

  it("writes few lines for a long one, with the time that is left", () => {
    const { lines, options, pass } = clock();
    const bar = progress("long", 600, options);
    for (let step = 0; step < 600; step++) {
      pass(1000);
      bar.tick();
    }
    bar.done();
    expect(lines[0]).toBe("long [░░░░░░░░░░░░░░░░░░░░]   0\u00a0% 5 of 600, 5 s, about 9 min 55 s left");
    expect(lines.length).toBeLessThan(16);
    expect(lines.at(-1)).toBe("long: 600 of 600 in 10 min");
  });

  it("takes counts from a callback without a this, also without a total", () => {
    const { lines, options, pass } = clock();
    const { report, done } = progress("counted", 0, options);
    pass(6000);
    report(30);
    pass(10000);
    report(60, 120);
    done("all scored");
    done();
    expect(lines).toEqual([
      "counted: 30 done in 6 s",
      "counted [██████████░░░░░░░░░░]  50\u00a0% 60 of 120, 16 s, about 16 s left",
      "counted: all scored in 16 s",
    ]);
  });

  it("rewrites one output in a notebook, at most twice a second", () => {
    const messages = kernel();
    const { lines, options, pass } = clock();
    const bar = progress("cells", 100, options);
    for (let step = 0; step < 100; step++) {
      pass(100);
      bar.tick();
    }
    bar.done();
    expect(lines).toEqual([]);
    expect(messages.length).toBeLessThanOrEqual(22);
    expect(messages.map(({ update }) => update)).toEqual(messages.map((_, index) => index > 0));
    expect(messages.at(-1)?.content.data["text/plain"]).toBe("cells: 100 of 100 in 10 s");
  });
});
