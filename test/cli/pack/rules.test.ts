import { spawnSync } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { projectRoot } from "../../../src/base/paths.js";
import { collectFiles, packageOwnFiles, TARGET } from "../../../src/cli/pack/collect.js";
import { productionClosure, type Lockfile } from "../../../src/cli/pack/closure.js";
import { newFolder } from "../../model/folders.js";
import { RULES, ruleFor, STAND_INS } from "../../../src/cli/pack/rules.js";

const root = projectRoot();
const here = process.platform === "linux" && process.arch === "x64";
const built = existsSync(join(root, "dist/src/cli/main.js"));

/**
 * Loads what commands and the kernel load, and prints the files behind it: modules, and the native ones that the process
 * has mapped.
 */
const LOADER = `
const { createRequire, register } = require("node:module");
const { readFileSync } = require("node:fs");
const [root, modules, hooks] = process.argv.slice(1);
const fromHere = createRequire(root + "/package.json");
register("data:text/javascript," + encodeURIComponent(hooks), { data: modules });
(async () => {
  for (const path of ["dist/src/index.js", "dist/src/cli/main.js", "src/papermill/dist/command/papermill.js",
    "dist/src/cli/parity/index.js", "dist/src/cli/bench/index.js", "dist/src/site/index.js",
    "src/papermill/dist/index.js", "dist/src/pipeline/index.js", "dist/src/present/render.js",
    "kernels/typescript/dist/command.js", "kernels/typescript/dist/front/index.js"])
    await import(root + "/" + path);
  fromHere("tslab");
  const { openBackend } = await import(root + "/src/tensors/dist/index.js");
  for (const name of ["cpu", "wasm"]) await openBackend(name);
  await import(fromHere.resolve("webgpu"));
  await import(fromHere.resolve("@tensorflow/tfjs-backend-webgpu"));
  const { Tokenizer } = await import(root + "/dist/src/model/index.js");
  await Tokenizer.load(root + "/data/lab/model");
  const mapped = readFileSync("/proc/self/maps", "utf8").match(/\\/\\S+\\.node\\b/g) ?? [];
  const imported = readFileSync(modules, "utf8").split("\\n").filter((url) => url.startsWith("file:"));
  process.stdout.write(JSON.stringify([...Object.keys(fromHere.cache), ...mapped, ...imported]));
  process.exit(0);
})();
`;

/** Notes every ES module that is loaded. */
const HOOKS = `
import { appendFileSync } from "node:fs";
let list;
export function initialize(file) { list = file; }
export function load(url, context, next) { appendFileSync(list, url + "\\n"); return next(url, context); }
`;

describe.skipIf(!here || !built)("of this project's packages (needs Linux on x86-64 and the build)", () => {
  let packed: Set<string>;
  let places: string[];
  beforeAll(() => {
    packed = new Set(collectFiles(root).map(({ path }) => path));
    const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
      packages: Lockfile;
    };
    places = productionClosure(packages, TARGET);
  });

  test("every file that commands, notebooks' library and kernel load is packed", () => {
    const list = join(newFolder(), "modules.txt");
    mkdirSync(dirname(list), { recursive: true });
    const { stdout, stderr, status } = spawnSync(process.execPath, ["-e", LOADER, root, list, HOOKS], {
      encoding: "utf8",
      maxBuffer: 1e8,
    });
    expect(stderr).toBe("");
    expect(status).toBe(0);
    const replaced = new RegExp(`^node_modules/(${Object.keys(STAND_INS).join("|")}|@img|detect-libc)/`);
    const loaded = (JSON.parse(stdout) as string[])
      .map((path) => (path.startsWith("file:") ? fileURLToPath(path) : path))
      .map((path) => relative(root, realpathSync(path)))
      .filter((path) => !path.startsWith("..") && !replaced.test(path));
    expect(loaded.length).toBeGreaterThan(300);
    expect(loaded.some((path) => path.endsWith(".node"))).toBe(true);
    expect(loaded.filter((path) => !packed.has(path))).toEqual([]);
  });

  test("declarations that cells are checked against are packed", () => {
    const loaders = [
      "@tensorflow/tfjs-core/dist/index.d.ts",
      "danfojs-node/dist/danfojs-node/src/index.d.ts",
    ];
    const types = [...loaders, "@types/node/index.d.ts", "typescript/lib/lib.es2023.d.ts"];
    for (const path of ["dist/src/index.d.ts", ...types.map((name) => `node_modules/${name}`)])
      expect(packed, path).toContain(path);
  });

  test("no rule is idle", () => {
    const files = places.flatMap((place) => packageOwnFiles(root, place));
    const idle = RULES.filter((rule) => !files.some((path) => ruleFor(path, [rule])));
    expect(idle.map(({ reason }) => reason)).toEqual([]);
  });

  test("every notebook is packed unless some are named", () => {
    const shipped = readdirSync(join(root, "notebooks")).filter((name) => name.endsWith(".ipynb"));
    expect(shipped.length).toBeGreaterThan(4);
    for (const name of shipped) expect(packed).toContain(`notebooks/${name}`);
  });

  test("licences stay, for every package that has one", () => {
    const lost = places
      .filter((place) => !(place.slice("node_modules/".length) in STAND_INS))
      .flatMap((place) => packageOwnFiles(root, place))
      .filter(
        (path) => /\/licen[cs]e[^/]*$/i.test(path) && /^node_modules\/(@[^/]+\/)?[^/]+\/[^/]+$/.test(path),
      )
      .filter((path) => !packed.has(path) && packed.has(path.replace(/[^/]+$/, "package.json")));
    expect(lost).toEqual([]);
  });

  test("nothing that could install or build is packed, nor what is built for another machine", () => {
    const paths = [...packed];
    expect(
      paths.filter((path) =>
        /bootstrap\.mjs$|^(src(?!\/site\/browser\/)|kernels)\/.*(?<!\.d)\.ts$/.test(path),
      ),
    ).toEqual([]);
    const foreign = paths.filter((path) => {
      if (!/\.(node|so|dll|dylib|exe)(\.\d+)*$/.test(path)) return false;
      const head = readFileSync(join(root, path)).subarray(0, 20);
      // An ELF file whose machine is x86-64.
      return !(head.subarray(0, 4).toString("latin1") === "\x7fELF" && head.readUInt16LE(18) === 62);
    });
    expect(foreign).toEqual([]);
    expect(lstatSync(join(root, "node_modules/webgpu/dist/linux-x64")).isDirectory()).toBe(true);
  });
});

test("a stand-in loads, and does what is asked of it or says what is missing", async () => {
  const carried = (name: string): string => join(root, "src/cli/pack/carried", name);
  const { default: compiler } = (await import(carried("typescript-for-tslab.cjs"))) as {
    default: typeof import("typescript");
  };
  expect(compiler.version).toMatch(/^5\.9\./);
  const { default: sharp } = (await import(carried("sharp.cjs"))) as { default: () => void };
  expect(sharp).toThrow(/^sharp is not in this pack, .* use a full install/);
  const { default: ort } = (await import(carried("onnxruntime-node.cjs"))) as {
    default: { InferenceSession: { create(data: Uint8Array): Promise<unknown> }; Tensor: unknown };
  };
  expect(ort.Tensor).toBeTypeOf("function");
  await expect(ort.InferenceSession.create(new Uint8Array(4))).rejects.toThrow(
    /onnxruntime-node is not in this pack/,
  );
});
