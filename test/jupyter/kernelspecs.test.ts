import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../src/base/paths.js";
import {
  dataFolders,
  findKernelspec,
  kernelCommand,
  kernelEnvironment,
  kernelspecFolders,
  listKernelspecs,
  userDataFolder,
} from "../../src/jupyter/index.js";

const root = mkdtempSync(join(tmpdir(), "kernelspecs-"));
afterAll(() => rmSync(root, { recursive: true }));

function addKernel(folder: string, name: string, json: object | string): string {
  const at = join(root, folder, name);
  mkdirSync(at, { recursive: true });
  writeFileSync(join(at, "kernel.json"), typeof json === "string" ? json : JSON.stringify(json));
  return join(root, folder);
}

const first = addKernel("first", "Mine", {
  argv: ["node", "{resource_dir}/k.js", "-f", "{connection_file}", "{other}"],
  language: "typescript",
  env: { HOME_COPY: "${HOME}/x", PLAIN: "1" },
});
const second = addKernel("second", "mine", { argv: ["second"], language: "other" });
addKernel("second", "broken", "{");
addKernel("second", "empty", { argv: [] });

describe("kernelspecs", () => {
  it("are found by name whatever its case, the first folder first", () => {
    const spec = findKernelspec("MINE", [first, second]);
    expect(spec).toMatchObject({ name: "mine", language: "typescript", interruptMode: "signal" });
    expect(spec.resourceDir).toBe(join(first, "Mine"));
  });

  it("of this project need no installing", () => {
    expect(kernelspecFolders()[0]).toBe(join(projectRoot(), "kernels"));
    expect(findKernelspec("alignscope")).toMatchObject({ language: "typescript" });
  });

  it("that do not exist are answered with those that do", () => {
    expect(() => findKernelspec("nope", [first])).toThrow("no such kernel: nope (found mine)");
  });

  it("that are broken say so when asked for, and are passed over in a list", () => {
    expect(() => findKernelspec("broken", [second])).toThrow(
      /cannot read the kernelspec .*broken\/kernel\.json/,
    );
    expect(() => findKernelspec("empty", [second])).toThrow("has no argv");
    expect(listKernelspecs([first, second]).map((spec) => spec.argv[0])).toEqual(["node"]);
  });

  it("become a command with their folder and the connection file filled in", () => {
    const spec = findKernelspec("mine", [first]);
    expect(kernelCommand(spec, "/run/c.json")).toEqual([
      process.execPath,
      `${join(first, "Mine")}/k.js`,
      "-f",
      "/run/c.json",
      "{other}",
    ]);
  });

  it("expand variables in their environment", () => {
    const spec = findKernelspec("mine", [first]);
    expect(kernelEnvironment(spec, { HOME: "/home/a" })).toEqual({ HOME_COPY: "/home/a/x", PLAIN: "1" });
  });

  it("are searched in JUPYTER_PATH, the user's folder, active environments and the machine's, in this order", () => {
    const env = { JUPYTER_PATH: "/a:/b", JUPYTER_DATA_DIR: "/user", VIRTUAL_ENV: "/venv" };
    expect(dataFolders(env, "linux")).toEqual([
      "/a",
      "/b",
      "/user",
      "/venv/share/jupyter",
      "/usr/local/share/jupyter",
      "/usr/share/jupyter",
    ]);
    expect(dataFolders({ ...env, JUPYTER_PREFER_ENV_PATH: "1" }, "linux")[2]).toBe("/venv/share/jupyter");
    expect(userDataFolder({ XDG_DATA_HOME: "/xdg" }, "linux")).toBe("/xdg/jupyter");
  });
});
