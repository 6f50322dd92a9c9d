import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { projectRoot } from "../../src/base/paths.js";

const read = (name: string): unknown => JSON.parse(readFileSync(join(projectRoot(), name), "utf8"));
const { allowScripts } = read("package.json") as { allowScripts: Record<string, boolean> };
const { packages } = read("package-lock.json") as {
  packages: Record<string, { hasInstallScript?: boolean }>;
};

describe("npm", () => {
  /*
   * The package's install script fetches CUDA's libraries for ONNX Runtime. Newer npm heeds allowScripts; npm 9 and 10 run
   * the scripts that the lockfile speaks of, so it must not speak of this one: take `hasInstallScript` out again when a new
   * version brings it back.
   */
  it("downloads no CUDA with onnxruntime-node, whoever calls it and whichever version it is", () => {
    expect(allowScripts["onnxruntime-node"]).toBe(false);
    expect(packages["node_modules/onnxruntime-node"]).toBeDefined();
    expect(packages["node_modules/onnxruntime-node"]?.hasInstallScript).toBeUndefined();
  });

  it("is told of every other package with an install script that it may run, and of none that has gone", () => {
    const scripted = Object.keys(packages).filter((path) => packages[path]?.hasInstallScript);
    const names = scripted.map((path) =>
      path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length),
    );
    expect([...names, "onnxruntime-node"].sort()).toEqual(Object.keys(allowScripts).sort());
  });

  it("has nothing to warn about: the project sets no configuration of npm", () => {
    expect(existsSync(join(projectRoot(), ".npmrc"))).toBe(false);
  });
});
