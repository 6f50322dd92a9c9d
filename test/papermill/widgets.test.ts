import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { newMessage, readNotebook, type JsonObject } from "../../src/jupyter/index.js";
import { executeNotebook } from "../../src/papermill/index.js";
import { WidgetStates } from "../../src/papermill/outputs.js";
import { notebookOf } from "./notebooks.js";

const folder = mkdtempSync(join(tmpdir(), "widgets-"));
afterAll(() => rmSync(folder, { recursive: true }));

const MIME = "application/vnd.jupyter.widget-state+json";
const MODEL = { _model_name: "IntSliderModel", _model_module: "@jupyter-widgets/controls" };

const message = (type: string, content: JsonObject, ...buffers: string[]) => ({
  ...newMessage(type, content, "session"),
  buffers: buffers.map((text) => Buffer.from(text)),
});

describe("widgets in a notebook", () => {
  it("are saved in their last state, with their binary parts, as nbclient saves them", () => {
    const states = new WidgetStates();
    const open = { comm_id: "a", target_name: "jupyter.widget", data: { state: { ...MODEL, value: 1 } } };
    states.handle(message("comm_open", open));
    const update = { state: { value: 7 }, buffer_paths: [["image"]] };
    states.handle(message("comm_msg", { comm_id: "a", data: { method: "update", ...update } }, "first"));
    states.handle(message("comm_msg", { comm_id: "a", data: { method: "update", ...update } }, "last"));
    states.handle(message("comm_msg", { comm_id: "a", data: { method: "custom", content: {} } }));
    states.handle(message("comm_open", { comm_id: "b", target_name: "other", data: { state: { x: 1 } } }));
    expect(states.metadata()).toEqual({
      [MIME]: {
        state: {
          a: {
            model_name: "IntSliderModel",
            model_module: "@jupyter-widgets/controls",
            model_module_version: null,
            state: { ...MODEL, value: 7 },
            buffers: [{ data: "bGFzdA==", encoding: "base64", path: ["image"] }],
          },
        },
        version_major: 2,
        version_minor: 0,
      },
    });
  });

  it("are none where no comm names a model: what the notebook had stays", () => {
    expect(new WidgetStates().metadata()).toBeUndefined();
  });

  const ipykernel = spawnSync("/usr/bin/python3", ["-c", "import ipykernel"]).status === 0;
  it.skipIf(!ipykernel)(
    "come from a kernel's comms, also when a later cell fails (needs ipykernel)",
    async () => {
      const cell = `from ipykernel.comm import Comm
comm = Comm(target_name="jupyter.widget", data={"state": {"_model_name": "M", "n": 1}})
comm.send({"method": "update", "state": {"n": 2}})`;
      const output = join(folder, "widgets.ipynb");
      const run = executeNotebook(notebookOf([cell, "1/0"], "python3", "python"), output);
      await expect(run).rejects.toThrow("ZeroDivisionError");
      const { widgets } = readNotebook(output).metadata as { widgets: Record<string, { state: object }> };
      const [model] = Object.values(widgets[MIME]?.state ?? {}) as unknown[];
      expect(model).toMatchObject({ model_name: "M", state: { _model_name: "M", n: 2 } });
    },
  );
});
