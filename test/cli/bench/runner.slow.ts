import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { benchRunner } from "../../../src/cli/bench/runner.js";

const ipykernel = spawnSync("/usr/bin/python3", ["-c", "import ipykernel"]).status === 0;
const NAMES: Record<string, RegExp> = {
  papermill: /^papermill \d/,
  "nbclient-saving": /^nbclient [\d.]+ with papermill's saves$/,
  nbclient: /^nbclient [\d.]+$/,
};

it.skipIf(!ipykernel)(
  "the cost of a notebook and of a cell are told apart, each peer by name, and why one is absent (needs ipykernel)",
  async () => {
    const absent: Record<string, string> = {};
    const figures = await benchRunner("python3", 5, 1, (peer, why) => (absent[peer] = why));
    expect(figures[0]).toMatchObject({ runner: "papermill-ts", kernel: "python3", cells: 5 });
    expect(figures.every((one) => one.oneCell > 0 && one.manyCells > 0)).toBe(true);
    for (const [peer, named] of Object.entries(NAMES)) {
      if (figures.some(({ runner }) => named.test(runner))) expect(absent).not.toHaveProperty(peer);
      else expect(absent[peer]).toMatch(/^No module named '(papermill|nbclient|nbformat)'$/);
    }
  },
);
