import { describe, expect, it } from "vitest";
import { newMessage, type CodeCell, type JsonObject, type Output } from "../../src/jupyter";
import { OutputCollector, type Displays } from "../../src/runner/outputs";
import { codeCells, notebookOf } from "./notebooks";

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
