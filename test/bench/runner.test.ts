import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { benchRunner } from "../../src/bench/runner";

const ipykernel = spawnSync("/usr/bin/python3", ["-c", "import ipykernel"]).status === 0;

it.skipIf(!ipykernel)(
  "the cost of a notebook and of a cell are told apart, with the peer by name (needs ipykernel)",
  async () => {
    const absent: string[] = [];
    const figures = await benchRunner("python3", 5, 1, (why) => absent.push(why));
    expect(figures[0]).toMatchObject({ runner: "papermill-ts", kernel: "python3", cells: 5 });
    expect(figures.every((one) => one.oneCell > 0 && one.manyCells > 0)).toBe(true);
    if (absent.length === 0) expect(figures[1]?.runner).toMatch(/^(papermill|nbclient) \d/);
    else expect(absent).toEqual(["python3 has neither papermill nor nbclient"]);
  },
);
