import { stripVTControlCharacters } from "node:util";
import type { CodeCell, ErrorOutput, JupyterMessage } from "jupyter-wire";

/** An error that the runner itself has to tell, with further lines of `details`. */
export function newError(ename: string, evalue: string, details = ""): ErrorOutput {
  const traceback = [`${ename}: ${evalue}`, ...(details ? details.split("\n") : [])];
  return { output_type: "error", ename, evalue, traceback };
}

/** The error of a failed cell: what it published (the last, as in papermill), what the reply says, or what stderr does. */
export function errorOfCell(cell: CodeCell, reply: JupyterMessage, stderr: readonly string[]): ErrorOutput {
  const published = cell.outputs.findLast((output) => output.output_type === "error");
  return published ?? errorOfReply(reply) ?? errorFromStderr(cell, stderr, String(reply.content["status"]));
}

function errorOfReply({ content }: JupyterMessage): ErrorOutput | undefined {
  const { ename, evalue, traceback } = content;
  if (typeof ename !== "string" || !Array.isArray(traceback)) return undefined;
  return { output_type: "error", ename, evalue: String(evalue ?? ""), traceback: traceback.map(String) };
}

/**
 * tslab publishes no `error` message: a failed cell has its error as text on stderr and the status in its reply. This
 * makes the error output that such a kernel owes, from the messages of stderr in the order they came, and takes the text
 * out of the stream, so that a reader sees it once.
 */
export function errorFromStderr(cell: CodeCell, stderr: readonly string[], status: string): ErrorOutput {
  const text = reportedText(stderr);
  if (text === "") {
    const evalue = `the kernel answered "${status}" and published no error`;
    return { output_type: "error", ename: "CellFailed", evalue, traceback: [] };
  }
  removeFromStderr(cell, text);
  const plain = stripVTControlCharacters(text).trimEnd();
  const traceback = text
    .trimEnd()
    .split("\n")
    .filter((line) => !KERNEL_FRAME.test(stripVTControlCharacters(line)));
  return { output_type: "error", ...nameAndMessage(plain), traceback };
}

/** Frames of the kernel around the cell, which say nothing about the cell. */
const KERNEL_FRAME = /^\s+at .*(?:[\\/]tslab[\\/]dist[\\/]|\bnode:vm:|\bsigintHandlersWrap\b)/;

/** `3:7 - Type 'string' is not …`, with a module's name before it when the error is in one. */
const DIAGNOSTIC = /^(?:\S+ )?\d+:\d+ - (.*)/;
/** The line in which Node names an error: `TypeError: …`, `Error [ERR_X]: …`, also with `Uncaught ` before it. */
const NAMED = /^(?:Uncaught )?([A-Z][\w$]*(?: \[\w+\])?)(?:: ([\s\S]*))?$/;

/** A run-time error is one message, the last; type errors are one message each. */
function reportedText(stderr: readonly string[]): string {
  let first = stderr.length;
  while (first > 0 && DIAGNOSTIC.test(stderr[first - 1] ?? "")) first--;
  if (first === stderr.length && first > 0) first--;
  return stderr.slice(first).join("");
}

function removeFromStderr(cell: CodeCell, text: string): void {
  const index = cell.outputs.findLastIndex(
    (output) => output.output_type === "stream" && output.name === "stderr",
  );
  const stream = cell.outputs[index];
  if (stream?.output_type !== "stream" || !stream.text.endsWith(text)) return;
  stream.text = stream.text.slice(0, -text.length);
  if (stream.text === "") cell.outputs.splice(index, 1);
}

function nameAndMessage(text: string): { ename: string; evalue: string } {
  const diagnostic = DIAGNOSTIC.exec(text);
  if (diagnostic) return { ename: "TypeScriptError", evalue: text.split("\n").join("; ") };
  // What comes before the stack is the message, which may have several lines; before it may stand the code frame.
  const lines = text.split("\n");
  const stack = lines.findIndex((line) => /^\s+at /.test(line));
  const head = stack < 0 ? lines : lines.slice(0, stack);
  const named = head.findIndex((line) => NAMED.test(line) && /Error|Exception|:/.test(line));
  const match = NAMED.exec(head.slice(Math.max(named, 0)).join("\n"));
  if (named < 0 || !match) return { ename: "Thrown", evalue: lines[0] ?? "" };
  return { ename: (match[1] ?? "Error").replace(/ \[\w+\]$/, ""), evalue: match[2] ?? "" };
}
