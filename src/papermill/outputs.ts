import type {
  CodeCell,
  DisplayOutput,
  ExecuteResultOutput,
  Json,
  JsonObject,
  JupyterMessage,
  MimeBundle,
  Output,
} from "jupyter-wire";

/** Outputs that later messages may rewrite, by display_id, through all cells of a notebook. */
export type Displays = Map<string, { cell: CodeCell; output: DisplayOutput | ExecuteResultOutput }[]>;

/** What a cell may keep of its outputs unless told otherwise, in bytes. */
const DEFAULT_MAX_OUTPUT = 50e6;
/** How much of stderr is kept aside for the reading of errors, in characters. */
const STDERR_TAIL = 1e6;

/** What an {@link OutputCollector} tells and heeds. */
export interface CollectorOptions {
  /** Bytes that the outputs of one cell may have together; 0 for no limit. */
  limit?: number;
  /** Every output, a message at a time, also what is beyond the limit. */
  onOutput?: (output: Output) => void;
  /** The limit has been reached. */
  onTruncated?: () => void;
  /** An output of an earlier cell was rewritten. */
  onChanged?: (cell: CodeCell) => void;
}

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
  readonly #options: CollectorOptions;
  readonly #limit: number;
  #clearPending = false;
  #size = 0;
  #stderrSize = 0;
  #truncated = false;

  constructor(cell: CodeCell, displays: Displays, options: CollectorOptions = {}) {
    this.#cell = cell;
    this.#displays = displays;
    this.#options = options;
    this.#limit = options.limit === undefined ? DEFAULT_MAX_OUTPUT : options.limit || Infinity;
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

  /** Adds what is kept whatever the cell's size: errors, and remarks of the runner's own. */
  add(output: Output): void {
    if (this.#clearPending) this.#clear();
    this.#cell.outputs.push(output);
    this.#options.onOutput?.(output);
  }

  #addText(name: "stdout" | "stderr", text: string): void {
    if (name === "stderr") this.#keepForErrors(text);
    if (this.#clearPending) this.#clear();
    const kept = this.#fitting(text);
    if (kept !== "") {
      const last = this.#cell.outputs.at(-1);
      if (last?.output_type === "stream" && last.name === name) last.text += kept;
      else this.#cell.outputs.push({ output_type: "stream", name, text: kept });
    }
    if (kept !== text) this.#truncate();
    // An object of its own: the cell's goes on growing.
    this.#options.onOutput?.({ output_type: "stream", name, text });
  }

  #keepForErrors(text: string): void {
    this.stderr.push(text);
    this.#stderrSize += text.length;
    if (this.#stderrSize <= 2 * STDERR_TAIL) return;
    let dropped = 0;
    while (this.#stderrSize > STDERR_TAIL && dropped < this.stderr.length - 1) {
      this.#stderrSize -= this.stderr[dropped++]?.length ?? 0;
    }
    this.stderr.splice(0, dropped);
  }

  /** As much of the text as there is room for. */
  #fitting(text: string): string {
    if (this.#truncated) return "";
    const size = Buffer.byteLength(text);
    this.#size += size;
    if (this.#size <= this.#limit) return text;
    // Cut at a character's end, and copied: a slice would keep all of it in memory.
    const room = this.#limit - (this.#size - size);
    const bytes = Buffer.from(text);
    let end = Math.max(0, room);
    while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
    return bytes.toString("utf8", 0, end);
  }

  #truncate(): void {
    if (this.#truncated) return;
    this.#truncated = true;
    this.#cell.outputs.push({ output_type: "stream", name: "stderr", text: truncationNote(this.#limit) });
    this.#options.onTruncated?.();
  }

  #addDisplay(message: JupyterMessage, output: DisplayOutput | ExecuteResultOutput): void {
    const size = this.#truncated ? 0 : sizeOf(output.data);
    if (this.#clearPending) this.#clear();
    if (this.#truncated || this.#size + size > this.#limit) {
      this.#truncate();
      this.#options.onOutput?.(output);
      return;
    }
    this.#size += size;
    const id = displayId(message);
    if (id !== undefined) {
      this.#displays.set(id, [...(this.#displays.get(id) ?? []), { cell: this.#cell, output }]);
    }
    this.add(output);
  }

  #update(message: JupyterMessage): void {
    const id = displayId(message);
    const shown = id === undefined ? undefined : this.#displays.get(id);
    if (!shown) return;
    const { data, metadata } = bundle(message);
    // What takes the place of another does not add up, but one alone can be too large.
    if (sizeOf(data) > this.#limit) this.#truncate();
    else {
      for (const { cell, output } of shown) {
        output.data = data;
        output.metadata = metadata;
        if (cell !== this.#cell) this.#options.onChanged?.(cell);
      }
    }
    this.#options.onOutput?.({ output_type: "display_data", data, metadata });
  }

  #clear(): void {
    this.#clearPending = false;
    this.#cell.outputs.length = 0;
    this.#size = 0;
    this.#truncated = false;
  }
}

/** `transient` (and with it the display_id) is for the moment only and never written. */
function bundle({ content }: JupyterMessage): Pick<DisplayOutput, "data" | "metadata"> {
  return {
    data: (content["data"] ?? {}) as MimeBundle,
    metadata: (content["metadata"] ?? {}) as DisplayOutput["metadata"],
  };
}

function sizeOf(data: MimeBundle): number {
  return Object.values(data).reduce<number>(
    (sum, content) =>
      sum + Buffer.byteLength(typeof content === "string" ? content : JSON.stringify(content)),
    0,
  );
}

function truncationNote(limit: number): string {
  const size = limit >= 1e6 ? `${limit / 1e6} MB` : `${limit} bytes`;
  return `\n[papermill-ts] The outputs of this cell are larger than ${size} (--max-output-size): the rest is left out.\n`;
}

function displayId({ content }: JupyterMessage): string | undefined {
  const transient = content["transient"] as { display_id?: unknown } | null | undefined;
  return typeof transient?.display_id === "string" ? transient.display_id : undefined;
}

const WIDGET_STATE = "application/vnd.jupyter.widget-state+json";

/**
 * What the widgets of a notebook show at its end, gathered from what the kernel tells of them over comms, so that a
 * saved notebook shows them without a kernel. As in nbclient, a comm is a widget when its state names a model.
 */
export class WidgetStates {
  /** By comm id, in the order in which they were opened. */
  readonly #states = new Map<string, JsonObject>();
  /** By comm id and path in the state: binary parts, which messages carry beside their JSON. */
  readonly #buffers = new Map<string, Map<string, JsonObject>>();

  /** To be given every iopub message; heeds those of comms. */
  handle({ header, content, buffers }: JupyterMessage): void {
    if (header.msg_type !== "comm_open" && header.msg_type !== "comm_msg") return;
    const { comm_id: id, data } = content;
    if (typeof id !== "string" || !isObject(data) || !isObject(data["state"])) return;
    this.#states.set(id, { ...this.#states.get(id), ...data["state"] });
    const paths = Array.isArray(data["buffer_paths"]) ? data["buffer_paths"] : [];
    for (const [at, path] of paths.entries()) {
      const own = this.#buffers.get(id) ?? new Map<string, JsonObject>();
      this.#buffers.set(id, own);
      const bytes = buffers[at]?.toString("base64") ?? "";
      own.set(JSON.stringify(path), { data: bytes, encoding: "base64", path });
    }
  }

  /** The notebook's `metadata.widgets`; undefined when there are no widgets. */
  metadata(): Record<string, Json> | undefined {
    const models = [...this.#states].filter(([, state]) => state["_model_name"] !== undefined);
    if (models.length === 0) return undefined;
    const state = Object.fromEntries(models.map(([id, each]) => [id, this.#model(id, each)]));
    return { [WIDGET_STATE]: { state, version_major: 2, version_minor: 0 } };
  }

  #model(id: string, state: JsonObject): Json {
    const buffers = this.#buffers.get(id);
    return {
      model_name: state["_model_name"] ?? null,
      model_module: state["_model_module"] ?? null,
      model_module_version: state["_model_module_version"] ?? null,
      state,
      ...(buffers ? { buffers: [...buffers.values()] } : {}),
    };
  }
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
