import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { projectRoot } from "../../../src/base/paths.js";
import { pack } from "../../../src/cli/pack/index.js";
import { collectFiles } from "../../../src/cli/pack/collect.js";
import {
  compressPayload,
  manifestOf,
  partsOf,
  payloadOf,
  type PackedFile,
} from "../../../src/cli/pack/payload.js";
import { tar } from "../../../src/cli/pack/tar.js";
import { newFolder } from "../../model/folders.js";

const root = projectRoot();
const text = (path: string, data: string, mode = 0o644): PackedFile => ({
  path,
  data: Buffer.from(data),
  mode,
});

test.skipIf(spawnSync("tar", ["--version"]).status !== 0)("tar reads what is written (needs tar)", () => {
  const folder = newFolder();
  const files = [
    text("pack/run.sh", "#!/bin/sh\n", 0o755),
    text("pack/empty", ""),
    text("pack/big", "x".repeat(1025)),
  ];
  writeFileSync(join(folder, "a.tar"), tar(files));
  const { stderr, status } = spawnSync("tar", ["xf", "a.tar"], { cwd: folder, encoding: "utf8" });
  expect([status, stderr]).toEqual([0, ""]);
  for (const { path, data, mode } of files) {
    expect(readFileSync(join(folder, path))).toEqual(data);
    expect(statSync(join(folder, path)).mode & 0o777).toBe(mode);
  }
  expect(() => tar([text("x".repeat(101), "")])).toThrow(/more than 100 bytes/);
});

describe("a payload", () => {
  let folder: string;
  const files = [
    text("b/two.js", "two\n"),
    text("a/one.js", "one"),
    text("bin/tool", "#!/bin/sh\n", 0o755),
    text("empty.d.ts", ""),
    text("weights.bin", "\0\x01\n\0"),
    { path: "node_modules/self", data: new Uint8Array(), mode: 0o777, link: ".." },
  ];
  const helper = (...args: string[]): { status: number | null; stderr: string } =>
    spawnSync(process.execPath, [join(folder, "unpack.mjs"), ...args], { encoding: "utf8" });
  beforeEach(async () => {
    folder = newFolder();
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "unpack.mjs"), readFileSync(join(root, "src/cli/pack/carried/unpack.mjs")));
    writeFileSync(join(folder, "MANIFEST"), manifestOf(files));
    for (const [part, own] of Object.entries(partsOf(files)))
      writeFileSync(join(folder, `payload.${part}.br`), await compressPayload(payloadOf(own), 5));
  });

  test("comes out as it went in: contents, permissions, links", () => {
    expect(helper("unpack")).toMatchObject({ status: 0, stderr: "5 files are as MANIFEST says\n" });
    for (const { path, data, mode, link } of files) {
      if (link !== undefined) expect(readlinkSync(join(folder, path))).toBe(link);
      else {
        expect(readFileSync(join(folder, path))).toEqual(data);
        expect(statSync(join(folder, path)).mode & 0o777).toBe(mode);
      }
    }
  });

  test("a file that differs from MANIFEST is named, and a damaged archive does not count as unpacked", () => {
    expect(helper("unpack").status).toBe(0);
    writeFileSync(join(folder, "a/one.js"), "changed");
    const verified = helper("verify");
    expect(verified.status).toBe(1);
    expect(verified.stderr).toContain("not as packed: a/one.js\n");
    writeFileSync(join(folder, "MANIFEST"), manifestOf([text("a/one.js", "other"), text("c", "")]));
    expect(helper("unpack").status).toBe(1);
    expect(helper("unpack").stderr).toContain("not as packed: c\n");
  });

  test("does not depend on the order in which files were found", async () => {
    const [there, back] = [payloadOf(files), payloadOf([...files].reverse())];
    expect(back).toEqual(there);
    expect(await compressPayload(back, 5)).toEqual(await compressPayload(there, 5));
    expect(manifestOf([...files].reverse())).toBe(manifestOf(files));
  });
});

describe.skipIf(!existsSync(join(root, "dist/src/cli/main.js")))("notebooks (needs the build)", () => {
  test("those that are named come with those that make what they need, and pipeline.yaml names these alone", () => {
    const files = collectFiles(root, ["3.2"]);
    expect(files.map(({ path }) => path).filter((path) => path.endsWith(".ipynb"))).toEqual([
      "notebooks/3.1-toxic-vectors.ipynb",
      "notebooks/3.2-vocabulary-space.ipynb",
    ]);
    const pipeline = Buffer.from(
      files.find(({ path }) => path === "notebooks/pipeline.yaml")?.data ?? [],
    ).toString();
    expect(pipeline).toContain("3.2-vocabulary-space:");
    expect(pipeline).not.toContain("3.3-interventions:");
  });

  test("an archive that is larger than allowed is not written", async () => {
    const out = join(newFolder(), "pack.tar.gz");
    await expect(pack({ out, limitBytes: 1e6, quality: 0 })).rejects.toThrow(
      /^the files without Node\.js are \d+(\.\d+)? MB, expected at most 1 MB: /,
    );
    expect(existsSync(out)).toBe(false);
  });
});

test("on another machine than Linux on x86-64 it is refused in one line", async () => {
  const platform = Object.getOwnPropertyDescriptor(process, "platform") ?? {};
  Object.defineProperty(process, "platform", { ...platform, value: "darwin" });
  try {
    await expect(pack({ limitBytes: 1 })).rejects.toThrow(
      /^a pack is made on the kind of machine it is for: this is darwin/,
    );
  } finally {
    Object.defineProperty(process, "platform", platform);
  }
});

test("the script is one that every POSIX shell reads", () => {
  const script = join(root, "src/cli/pack/carried/unpack-and-run.sh");
  expect(spawnSync("sh", ["-n", script], { encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
});
