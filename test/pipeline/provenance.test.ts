import { execFileSync, spawnSync } from "node:child_process";
import { appendFileSync, mkdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { datasets } from "../../src/data/registry.js";
import { dataChecksums, environment, gitState } from "../../src/pipeline/provenance.js";
import { differences, type Fingerprint } from "../../src/pipeline/state.js";
import { temporaryFolder } from "./helpers.js";

function project(): { root: string; write: (path: string, text: string) => void } {
  const root = temporaryFolder();
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  write("data/lab/manifest.json", "{}");
  write(
    "dist/src/index.js",
    'export * from "./model/gpt2.js";\nconst later = () => import("./present/render.js");',
  );
  write("dist/src/model/gpt2.js", 'import { add } from "tensors/ops";');
  write("dist/src/present/render.js", "1");
  write("dist/src/site/index.js", "1");
  write("kernels/own/dist/main.js", 'spawn(new URL("../dist/executor.js", import.meta.url)); import "wire";');
  write("kernels/own/dist/executor.js", "1");
  write(
    "kernels/alignscope/kernel.json",
    '{"argv": ["node", "{resource_dir}/../own/dist/main.js", "{connection_file}"]}',
  );
  for (const name of ["tensors", "wire"]) {
    write(`src/${name}/dist/ops.js`, "1");
    mkdirSync(join(root, "node_modules"), { recursive: true });
    symlinkSync(join("..", "src", name), join(root, "node_modules", name));
  }
  write("package-lock.json", "{}");
  return { root, write };
}

describe("what every notebook of a run depends on", () => {
  it.each([
    ["library", "dist/src/model/gpt2.js"],
    ["library", "dist/src/present/render.js"],
    ["library", "src/tensors/dist/ops.js"],
    ["library", "data/lab/manifest.json"],
    ["kernel", "kernels/own/dist/main.js"],
    ["kernel", "kernels/own/dist/executor.js"],
    ["kernel", "src/wire/dist/ops.js"],
    ["kernel", "kernels/alignscope/kernel.json"],
    ["packages", "package-lock.json"],
  ] as const)("notices in %s that %s changed", async (part, path) => {
    const { root } = project();
    const before = await environment("alignscope", root);
    appendFileSync(join(root, path), "\n");
    const after = await environment("alignscope", root);
    expect(after[part]).not.toBe(before[part]);
    expect({ ...after, [part]: "" }).toEqual({ ...before, [part]: "" });
  });

  it("does not depend on the pages, the pipeline, the commands or the kernel's logo", async () => {
    const { root, write } = project();
    const before = await environment("alignscope", root);
    for (const room of ["site", "pipeline", "cli"]) write(`dist/src/${room}/index.js`, "changed");
    for (const logo of ["logo-svg.svg", "logo-32x32.png"]) write(`kernels/alignscope/${logo}`, "changed");
    expect(await environment("alignscope", root)).toEqual(before);
  });
});

describe("the data behind parameters", () => {
  it("is known by its checksum where a value names a data set, and nothing else is taken for one", async () => {
    const name = datasets().find(({ files }) => files.length > 0)?.name ?? "";
    const checksums = await dataChecksums([name, "masked", 42, null, undefined, "no/such/file.txt"]);
    expect(Object.keys(checksums)).toEqual([name]);
    expect(checksums[name]).toMatch(/^[0-9a-f]{64}$/);
  });

  it("is known by its content where a value names a file of the project", async () => {
    expect(Object.keys(await dataChecksums(["package.json"]))).toEqual(["package.json"]);
  });
});

describe("the reasons to run again", () => {
  const before: Fingerprint = {
    code: "c",
    parameters: { alphas: [1, 2], seed: 42 },
    artifacts: { "probe.json": "a" },
    data: { lab: "d" },
    library: "l",
    packages: "p",
    kernel: "k",
  };

  it.each([
    [{ code: "x" }, "its code changed"],
    [{ parameters: { alphas: [1, 3], seed: 42 } }, "parameter alphas changed from [1,2] to [1,3]"],
    [{ parameters: { alphas: [1, 2] } }, "parameter seed changed from 42 to nothing"],
    [{ artifacts: { "probe.json": "b" } }, "artifact probe.json changed"],
    [{ artifacts: { "probe.json": null } }, "artifact probe.json is gone"],
    [{ data: { lab: "e" } }, "the data behind lab changed"],
    [{ library: "x" }, "the library changed"],
    [{ packages: "x" }, "package-lock.json changed"],
    [{ kernel: "x" }, "the kernel changed"],
  ])("are told for %o", (change, reason) => {
    expect(differences(before, { ...before, ...change })).toEqual([reason]);
  });

  it("are none when nothing changed", () => {
    expect(differences(before, structuredClone(before))).toEqual([]);
  });
});

describe("the state of the repository", () => {
  it("is unknown where there is no repository", () => {
    expect(gitState(temporaryFolder())).toEqual({ commit: null, dirty: null });
  });

  it.skipIf(spawnSync("git", ["--version"]).status !== 0)(
    "is read without writing to it, so that a run that is killed leaves no lock (needs git)",
    () => {
      const folder = temporaryFolder();
      const git = (...args: string[]): string =>
        execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@example.org", ...args], {
          cwd: folder,
          encoding: "utf8",
        }).trim();
      git("init", "-q");
      writeFileSync(join(folder, "a"), "text");
      git("add", "a");
      git("commit", "-q", "-m", "first");
      // As if written again with the same text: what git would note down in its index.
      utimesSync(join(folder, "a"), 1, 1);
      const index = readFileSync(join(folder, ".git", "index"));
      expect(gitState(folder)).toEqual({ commit: git("rev-parse", "HEAD"), dirty: false });
      expect(readFileSync(join(folder, ".git", "index"))).toEqual(index);
      writeFileSync(join(folder, "a"), "other");
      expect(gitState(folder).dirty).toBe(true);
    },
  );
});
