import type { Json, JsonObject, JupyterMessage } from "jupyter-wire";

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
