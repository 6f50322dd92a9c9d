import { describe, expect, it } from "vitest";
import { newMessage, type CodeCell, type JsonObject, type Output } from "../../src/jupyter/index.js";
import { OutputCollector, type Displays } from "../../src/papermill/outputs.js";
import { codeCells, notebookOf } from "./notebooks.js";

function collect(messages: [type: string, content: JsonObject][], displays: Displays = new Map()) {
  const cell = codeCells(notebookOf(["x"]))[0] as CodeCell;
  const told: Output[] = [];
  const collector = new OutputCollector(cell, displays, { onOutput: (output) => told.push(output) });
  for (const [type, content] of messages) collector.handle(newMessage(type, content, "kernel"));
  return { cell, told };
}

const out = (text: string): [string, JsonObject] => ["stream", { name: "stdout", text }];
const show = (html: string, id: string): [string, JsonObject] => [
  "display_data",
  { data: { "text/html": html }, metadata: {}, transient: { display_id: id } },
];

describe("a cell's outputs", () => {
  it("join neighbouring text of one stream and keep the order with others, and are told piece by piece", () => {
    const { cell, told } = collect([
      out("a"),
      out("b\n"),
      ["stream", { name: "stderr", text: "!" }],
      out("c"),
    ]);
    expect(cell.outputs).toEqual([
      { output_type: "stream", name: "stdout", text: "ab\n" },
      { output_type: "stream", name: "stderr", text: "!" },
      { output_type: "stream", name: "stdout", text: "c" },
    ]);
    expect(told.map((output) => (output.output_type === "stream" ? output.text : "?"))).toEqual([
      "a",
      "b\n",
      "!",
      "c",
    ]);
  });

  it("are updated by display_id, also from another cell, and never hold the id", () => {
    const displays: Displays = new Map();
    const first = collect([show("old", "x"), show("other", "y")], displays);
    collect(
      [["update_display_data", { data: { "text/html": "new" }, transient: { display_id: "x" } }]],
      displays,
    );
    expect(first.cell.outputs).toEqual([
      { output_type: "display_data", data: { "text/html": "new" }, metadata: {} },
      { output_type: "display_data", data: { "text/html": "other" }, metadata: {} },
    ]);
  });

  it("are cleared at once, or when the next output comes", () => {
    expect(collect([out("a"), ["clear_output", { wait: false }]]).cell.outputs).toEqual([]);
    expect(collect([out("a"), ["clear_output", { wait: true }]]).cell.outputs).toHaveLength(1);
    const { cell } = collect([out("a"), ["clear_output", { wait: true }], out("b")]);
    expect(cell.outputs).toEqual([{ output_type: "stream", name: "stdout", text: "b" }]);
  });

  it("hold results and errors, and the execution count comes from execute_input", () => {
    const { cell } = collect([
      ["execute_input", { execution_count: 4, code: "x" }],
      ["execute_result", { execution_count: 4, data: { "text/plain": "1" }, metadata: {} }],
      ["error", { ename: "E", evalue: "v", traceback: ["t"] }],
    ]);
    expect(cell.execution_count).toBe(4);
    expect(cell.outputs.map((output) => output.output_type)).toEqual(["execute_result", "error"]);
  });
});

describe("a cell's outputs beyond the limit", () => {
  function limited(limit: number, messages: [type: string, content: JsonObject][]) {
    const cell = codeCells(notebookOf(["x"]))[0] as CodeCell;
    let told = 0;
    let truncated = 0;
    const options = { limit, onOutput: () => void told++, onTruncated: () => void truncated++ };
    const collector = new OutputCollector(cell, new Map(), options);
    for (const [type, content] of messages) collector.handle(newMessage(type, content, "kernel"));
    return { cell, told, truncated };
  }
  const note = (size: string) => ({
    output_type: "stream",
    name: "stderr",
    text: `\n[papermill-ts] The outputs of this cell are larger than ${size} (--max-output-size): the rest is left out.\n`,
  });

  it("are left out, with one note where they would stand, and are still told as they come", () => {
    const { cell, told, truncated } = limited(10, [
      out("12345"),
      out("6789é12"),
      out("more"),
      show("<b>", "x"),
    ]);
    expect(cell.outputs).toEqual([
      { output_type: "stream", name: "stdout", text: "123456789" },
      note("10 bytes"),
    ]);
    expect([told, truncated]).toEqual([4, 1]);
  });

  it("do not take errors along", () => {
    const error: [string, JsonObject] = ["error", { ename: "E", evalue: "v", traceback: ["t"] }];
    const { cell } = limited(4, [out("123456789"), error]);
    expect(cell.outputs.map((output) => output.output_type)).toEqual(["stream", "stream", "error"]);
  });

  it("are pictures too, whole or not at all", () => {
    const { cell } = limited(2e6, [show("x".repeat(1.5e6), "a"), show("x".repeat(1.5e6), "b"), out("late")]);
    expect(cell.outputs.map((output) => output.output_type)).toEqual(["display_data", "stream"]);
    expect(cell.outputs[1]).toEqual(note("2 MB"));
  });

  it("begin anew when the cell clears its outputs", () => {
    const { cell } = limited(4, [out("123456789"), ["clear_output", { wait: true }], out("new")]);
    expect(cell.outputs).toEqual([{ output_type: "stream", name: "stdout", text: "new" }]);
  });

  it("are none with a limit of 0, and 50 MB unless said otherwise", () => {
    expect(limited(0, [out("123456789")]).truncated).toBe(0);
    const big = "x".repeat(1e7);
    const { cell } = collect(Array.from({ length: 6 }, () => out(big)));
    expect(cell.outputs[0]).toMatchObject({ text: "x".repeat(5e7) });
    expect(cell.outputs[1]).toEqual(note("50 MB"));
  });
});
