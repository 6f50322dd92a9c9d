import type {
  CodeCell,
  DisplayOutput,
  ExecuteResultOutput,
  JupyterMessage,
  MimeBundle,
  Output,
} from "../jupyter";

/** Outputs that later messages may rewrite, by display_id, through all cells of a notebook. */
export type Displays = Map<string, (DisplayOutput | ExecuteResultOutput)[]>;

/**
 * Turns the messages a kernel publishes about one cell into the cell's outputs, as a front end does: neighbouring text of
 * one stream is joined, `update_display_data` rewrites what was shown before, `clear_output` clears, at once or when
 * the next output comes.
 */
export class OutputCollector {
  /** The texts of stderr as they came, message by message: some kernels report errors only there. */
  readonly stderr: string[] = [];
  readonly #cell: CodeCell;
  readonly #displays: Displays;
  readonly #onOutput: (output: Output) => void;
  #clearPending = false;

  constructor(cell: CodeCell, displays: Displays, onOutput: (output: Output) => void) {
    this.#cell = cell;
    this.#displays = displays;
    this.#onOutput = onOutput;
  }

  handle(message: JupyterMessage): void {
    const { content, header } = message;
    switch (header.msg_type) {
      case "execute_input":
        if (typeof content["execution_count"] === "number")
          this.#cell.execution_count = content["execution_count"];
        return;
      case "stream":
        return this.#addText(
          content["name"] === "stderr" ? "stderr" : "stdout",
          typeof content["text"] === "string" ? content["text"] : "",
        );
      case "display_data":
        return this.#addDisplay(message, { output_type: "display_data", ...bundle(message) });
      case "execute_result": {
        const count = typeof content["execution_count"] === "number" ? content["execution_count"] : null;
        return this.#addDisplay(message, {
          output_type: "execute_result",
          execution_count: count,
          ...bundle(message),
        });
      }
      case "update_display_data":
        return this.#update(message);
      case "error":
        return this.add({
          output_type: "error",
          ename: String(content["ename"] ?? "Error"),
          evalue: String(content["evalue"] ?? ""),
          traceback: Array.isArray(content["traceback"]) ? content["traceback"].map(String) : [],
        });
      case "clear_output":
        if (content["wait"] === true) this.#clearPending = true;
        else this.#clear();
        return;
    }
  }

  add(output: Output): void {
    if (this.#clearPending) this.#clear();
    this.#cell.outputs.push(output);
    this.#onOutput(output);
  }

  #addText(name: "stdout" | "stderr", text: string): void {
    if (name === "stderr") this.stderr.push(text);
    if (this.#clearPending) this.#clear();
    const last = this.#cell.outputs.at(-1);
    if (last?.output_type === "stream" && last.name === name) last.text += text;
    else this.#cell.outputs.push({ output_type: "stream", name, text });
    // An object of its own: the cell's goes on growing.
    this.#onOutput({ output_type: "stream", name, text });
  }

  #addDisplay(message: JupyterMessage, output: DisplayOutput | ExecuteResultOutput): void {
    const id = displayId(message);
    if (id !== undefined) this.#displays.set(id, [...(this.#displays.get(id) ?? []), output]);
    this.add(output);
  }

  #update(message: JupyterMessage): void {
    const id = displayId(message);
    const shown = id === undefined ? undefined : this.#displays.get(id);
    if (!shown) return;
    const { data, metadata } = bundle(message);
    for (const output of shown) {
      output.data = data;
      output.metadata = metadata;
    }
    this.#onOutput({ output_type: "display_data", data, metadata });
  }

  #clear(): void {
    this.#clearPending = false;
    this.#cell.outputs.length = 0;
  }
}

/** `transient` (and with it the display_id) is for the moment only and never written. */
function bundle({ content }: JupyterMessage): Pick<DisplayOutput, "data" | "metadata"> {
  return {
    data: (content["data"] ?? {}) as MimeBundle,
    metadata: (content["metadata"] ?? {}) as DisplayOutput["metadata"],
  };
}

function displayId({ content }: JupyterMessage): string | undefined {
  const transient = content["transient"] as { display_id?: unknown } | null | undefined;
  return typeof transient?.display_id === "string" ? transient.display_id : undefined;
}
