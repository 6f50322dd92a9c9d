import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openArtifacts } from "../../src/data/artifacts.js";
import { projectRoot } from "../../src/base/paths.js";
import { loadGraph } from "../../src/pipeline/index.js";
import { temporaryFolder, write } from "./helpers.js";

const madeWith = { model: "aaaa", profile: "lab" };

describe("artifacts", () => {
  it("come back as they were written, in a folder that is made when needed", () => {
    const artifacts = openArtifacts(join(temporaryFolder(), "run", "artifacts"), madeWith);
    expect(artifacts.has("probe.json")).toBe(false);
    artifacts.writeJson("probe.json", { auroc: 0.95, weight: [0.5, -1] });
    expect(artifacts.has("probe.json")).toBe(true);
    expect(artifacts.readJson<{ auroc: number }>("probe.json")).toEqual({ auroc: 0.95, weight: [0.5, -1] });
    expect(artifacts.path("probe.json")).toBe(join(artifacts.folder, "probe.json"));
    expect(readdirSync(artifacts.folder)).toEqual(["probe.json"]);
  });

  it("say in the file what made them", () => {
    const artifacts = openArtifacts(temporaryFolder(), madeWith);
    artifacts.writeJson("probe.json", 1);
    expect(JSON.parse(readFileSync(artifacts.path("probe.json"), "utf8"))).toEqual({
      artifact: "probe.json",
      madeBy: "3.1-toxic-vectors",
      madeWith,
      value: 1,
    });
  });

  it("that are missing are named together with the notebook that makes them, as pipeline.yaml has it", () => {
    const artifacts = openArtifacts(temporaryFolder());
    for (const { name: notebook, makes } of loadGraph(join(projectRoot(), "notebooks/pipeline.yaml")).notebooks) {
      for (const name of makes) {
        expect(() => artifacts.readJson(name)).toThrow(
          `missing artifact ${name} in ${artifacts.folder}: run notebook ${notebook}, which makes it`,
        );
      }
    }
    expect(() => artifacts.readFloats("other.safetensors")).toThrow(
      /no notebook is known to make it \(known: probe/,
    );
  });

  it("made with another model or profile are refused, naming both", () => {
    const folder = temporaryFolder();
    openArtifacts(folder, madeWith).writeJson("probe.json", 1);
    const other = openArtifacts(folder, { ...madeWith, model: "bbbb" });
    expect(() => other.readJson("probe.json")).toThrow(
      `artifact probe.json was made with model aaaa, expected bbbb (${join(folder, "probe.json")}): run notebook 3.1-toxic-vectors again`,
    );
    expect(() => openArtifacts(folder, { profile: "gpt2" }).readJson("probe.json")).toThrow(
      "made with profile lab, expected gpt2",
    );
    expect(openArtifacts(folder).readJson("probe.json")).toBe(1);
  });

  it("that are no JSON, or not written by a notebook, are refused", () => {
    const folder = temporaryFolder();
    write(folder, "probe.json", '{"value": 1');
    expect(() => openArtifacts(folder).readJson("probe.json")).toThrow(/^unreadable artifact .*probe\.json/);
    write(folder, "probe.json", '{"auroc": 1}');
    expect(() => openArtifacts(folder).readJson("probe.json")).toThrow("is not an artifact of a notebook");
    write(folder, "probe.json", "null");
    expect(() => openArtifacts(folder).readJson("probe.json")).toThrow("is not an artifact of a notebook");
  });

  it("stay in their folder", () => {
    const artifacts = openArtifacts(temporaryFolder());
    for (const name of ["../probe.json", "a/../../b.json", "/b.json", "a//b.json", "", ".hidden"]) {
      expect(() => artifacts.path(name)).toThrow("not a name for an artifact");
    }
  });
});

describe("artifacts without a stamp of their own", () => {
  const rows = '{"prompt_text": "a"}\n';

  it("are read where the JSON that vouches for them fits", () => {
    const artifacts = openArtifacts(temporaryFolder(), madeWith);
    write(artifacts.folder, "pairs.jsonl", rows);
    artifacts.writeJson("pairs.json", { pairs: 1, sha256: artifacts.checksum("pairs.jsonl") });
    expect(artifacts.checkedPath("pairs.jsonl", "pairs.json")).toBe(artifacts.path("pairs.jsonl"));
  });

  it("of another model or profile are refused by its name", () => {
    const artifacts = openArtifacts(temporaryFolder(), madeWith);
    write(artifacts.folder, "pairs.jsonl", rows);
    artifacts.writeJson("pairs.json", { pairs: 1, sha256: artifacts.checksum("pairs.jsonl") });
    for (const [key, value] of [
      ["model", "bbbb"],
      ["profile", "gpt2"],
    ] as const) {
      const other = openArtifacts(artifacts.folder, { ...madeWith, [key]: value });
      expect(() => other.checkedPath("pairs.jsonl", "pairs.json")).toThrow(
        `artifact pairs.json was made with ${key} ${madeWith[key]}, expected ${value}`,
      );
    }
  });

  it("that were changed, are missing or that nothing vouches for are refused, with the notebook to run", () => {
    const artifacts = openArtifacts(temporaryFolder(), madeWith);
    write(artifacts.folder, "pairs.jsonl", rows);
    const read = () => artifacts.checkedPath("pairs.jsonl", "pairs.json");
    expect(read).toThrow("missing artifact pairs.json");
    artifacts.writeJson("pairs.json", { pairs: 1 });
    expect(read).toThrow(/expected a sha256, which is not there .*: run notebook 4\.2-pairwise-data, which/);
    artifacts.writeJson("pairs.json", { pairs: 1, sha256: artifacts.checksum("pairs.jsonl") });
    write(artifacts.folder, "pairs.jsonl", rows + rows);
    expect(read).toThrow(/^artifact pairs\.jsonl is not the one that pairs\.json speaks of: it has the sha256 /);
    rmSync(artifacts.path("pairs.jsonl"));
    expect(read).toThrow("missing artifact pairs.jsonl");
  });
});

describe("artifacts of numbers", () => {
  const floats = {
    shape: [2, 3],
    data: Float32Array.of(1, 2, 3, 4, 5, -0.5),
    meta: { axes: ["layer", "unit"] },
  };

  it("come back with shape, precision and notes", () => {
    const artifacts = openArtifacts(temporaryFolder(), madeWith);
    artifacts.writeFloats("residuals.safetensors", floats);
    expect(artifacts.readFloats("residuals.safetensors")).toEqual(floats);
    const exact = { shape: [2], data: Float64Array.of(Math.PI, 1e-300), meta: {} };
    artifacts.writeFloats("exact.safetensors", exact);
    expect(artifacts.readFloats("exact.safetensors")).toEqual(exact);
  });

  it("are a safetensors file: length, header, numbers from a multiple of eight", () => {
    const artifacts = openArtifacts(temporaryFolder(), madeWith);
    artifacts.writeFloats("residuals.safetensors", floats);
    const bytes = readFileSync(artifacts.path("residuals.safetensors"));
    const length = Number(bytes.readBigUInt64LE());
    expect(length % 8).toBe(0);
    expect(JSON.parse(bytes.toString("utf8", 8, 8 + length))).toEqual({
      __metadata__: { model: "aaaa", profile: "lab", meta: '{"axes":["layer","unit"]}' },
      values: { dtype: "F32", shape: [2, 3], data_offsets: [0, 24] },
    });
    expect(bytes.readFloatLE(8 + length + 20)).toBe(-0.5);
  });

  it("of another model, cut off, or of the wrong shape are refused", () => {
    const folder = temporaryFolder();
    const artifacts = openArtifacts(folder, madeWith);
    artifacts.writeFloats("residuals.safetensors", floats);
    expect(() => openArtifacts(folder, { model: "bbbb" }).readFloats("residuals.safetensors")).toThrow(
      "artifact residuals.safetensors was made with model aaaa, expected bbbb",
    );
    const bytes = readFileSync(artifacts.path("residuals.safetensors"));
    for (const length of [4, 40, bytes.length - 4]) {
      write(folder, "residuals.safetensors", bytes.subarray(0, length));
      expect(() => artifacts.readFloats("residuals.safetensors")).toThrow(
        /^unreadable artifact .*make it again$/,
      );
    }
    expect(() => {
      artifacts.writeFloats("new.safetensors", { ...floats, shape: [7] });
    }).toThrow("6 numbers do not fill shape [7], which has 7");
    expect(existsSync(artifacts.path("new.safetensors"))).toBe(false);
  });
});
