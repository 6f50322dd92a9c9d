import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { openStudy, type Study } from "../../src/study/index.js";

const folder = mkdtempSync(join(tmpdir(), "study-"));
let study: Study;
beforeAll(async () => {
  vi.spyOn(console, "log").mockImplementation(() => undefined);
  study = await openStudy({ model: "lab", outputs: folder, backend: "wasm", profile: "test-of-study" });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a model that is kept comes back with the same weights, in a folder that others can load", async () => {
  await study.keepModel("policy", study.model);
  const again = await study.keptModel("policy");
  for (const name of ["wte.weight", "h.3.mlp.c_proj.weight"]) {
    expect(await again.weight(name).data()).toEqual(await study.model.weight(name).data());
  }
  again.dispose();
  const place = study.artifacts.path("policy");
  expect(existsSync(join(place, "tokenizer.json"))).toBe(true);
  expect(JSON.parse(readFileSync(join(place, "config.json"), "utf8"))).toMatchObject({ model_type: "gpt2" });
});

test("a kept model that was changed since is refused, and one that nobody kept is named with its maker", async () => {
  await study.keepModel("policy", study.model);
  const file = join(study.artifacts.path("policy"), "model.safetensors");
  const bytes = readFileSync(file);
  bytes[bytes.length - 1] = (bytes[bytes.length - 1] as number) ^ 1;
  writeFileSync(file, bytes);
  await expect(study.keptModel("policy")).rejects.toThrow(/holds another model than policy\.json says/);
  rmSync(study.artifacts.path("policy.json"));
  await expect(study.keptModel("policy")).rejects.toThrow("run notebook 4.3-dpo");
});

test("a kept model that was aligned from another base model, or in another profile, is refused by name", async () => {
  await study.keepModel("policy", study.model);
  const file = study.artifacts.path("policy.json");
  const own = JSON.parse(readFileSync(file, "utf8")) as { madeWith: { model: string; profile: string } };
  for (const [key, other] of [
    ["model", "0".repeat(64)],
    ["profile", "another"],
  ] as const) {
    writeFileSync(file, JSON.stringify({ ...own, madeWith: { ...own.madeWith, [key]: other } }));
    await expect(study.keptModel("policy")).rejects.toThrow(
      `artifact policy.json was made with ${key} ${other}, expected ${own.madeWith[key]}`,
    );
  }
});

test("runs in folders of their own, side by side, do not share the place of their long work", async () => {
  const outputs = join(folder, "second");
  const beside = await openStudy({ model: "lab", outputs, backend: "wasm", profile: "test-of-study" });
  const [one, two] = [study, beside].map((each) => each.workFolder("pairs", { count: 3 }));
  try {
    expect(two!.folder).not.toBe(one!.folder);
    expect(two!.key).toBe(one!.key);
  } finally {
    one!.clear();
    two!.clear();
    beside.model.dispose();
  }
});

test("long work has the same place for the same settings and another for others; what is done is cleared", () => {
  const work = study.workFolder("pairs", { count: 3 });
  const other = study.workFolder("pairs", { count: 4 });
  try {
    expect(study.workFolder("pairs", { count: 3 }).folder).toBe(work.folder);
    expect(other.folder).not.toBe(work.folder);
    writeFileSync(work.path("rows.jsonl"), "{}\n");
    expect(existsSync(join(study.workFolder("pairs", { count: 3 }).folder, "rows.jsonl"))).toBe(true);
  } finally {
    work.clear();
    other.clear();
  }
  expect(existsSync(work.folder)).toBe(false);
});

test("what a notebook finds of the paper's claims is shown, kept as a table and written for the run", async () => {
  await study.claims("5.1", { C10: { tensorMin: 0.9998, rowMin: 0.997 }, C7: "too few pairs" });
  const written = JSON.parse(readFileSync(join(folder, "claims", "5.1.json"), "utf8")) as {
    part: string;
    claims: { id: string; verdict: string }[];
  };
  expect(written.part).toBe("5.1");
  expect(written.claims.map(({ id, verdict }) => [id, verdict])).toEqual([
    ["C10", "holds"],
    ["C7", "not measurable"],
  ]);
  expect(readFileSync(join(folder, "tables", "claims-5-1.md"), "utf8")).toContain("too few pairs");
});

test("a claim that is told wrongly is refused in one line, and what was written before stays", async () => {
  await study.claims("5.2", { C17: { negative: 0.9 } });
  const before = readFileSync(join(folder, "claims", "5.2.json"), "utf8");
  await expect(study.claims("5.2", { C17: { negative: 0.9 }, C99: { x: 1 } })).rejects.toThrow(
    /^unknown claim C99 \(known: C1, /,
  );
  await expect(study.claims("5.2", { C17: { negative: NaN } })).rejects.toThrow("negative is NaN");
  await expect(study.claims("../5", {})).rejects.toThrow("not a section or appendix: ../5");
  expect(readFileSync(join(folder, "claims", "5.2.json"), "utf8")).toBe(before);
});
