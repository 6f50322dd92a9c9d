import { describe, expect, it } from "vitest";
import { openProject, snakefile } from "../../src/pipeline/index.js";
import { Series, temporaryFolder } from "./helpers.js";

describe("the series as a workflow for Snakemake", () => {
  it("has a rule for each notebook with what it reads and leaves, and one that ends the run", async () => {
    const series = new Series();
    const pipeline = series.file("pipeline.yaml");
    const text = snakefile(await series.open(), { project: { profile: "small", pipeline } });
    const rules = [...text.matchAll(/^rule (\w+):/gm)].map(([, name]) => name);
    expect(rules).toEqual([
      "all",
      "notebook_1_first",
      "notebook_2_middle",
      "notebook_3_last",
      "notebook_X_aside",
      "finish",
    ]);
    const middle = text.slice(text.indexOf("rule notebook_2_middle"), text.indexOf("rule notebook_3_last"));
    expect(middle).toContain(`"${series.outputs}/artifacts/numbers.json",\n    output:`);
    expect(middle).toContain(`"${series.outputs}/artifacts/sum.json",\n    threads:`);
  });

  it("asks for the GPU where the profile's backend is one, and for the memory and thrice the time that the profile states", async () => {
    const project = { profile: "lab", parameters: { backend: "cuda" } };
    const text = snakefile(await openProject(project), { project });
    expect(text.match(/gpu=1,/g)).toHaveLength(13);
    expect(text).toContain("-p backend cuda");
    // 0.6 GB of tensors beside 1500 MiB; a minute's notebook gets half an hour.
    expect(text.match(/mem_mb=2073,\n +runtime=30,/g)).toHaveLength(13);
    const here = { profile: "lab" };
    expect(snakefile(await openProject(here), { project: here })).not.toContain("gpu=1,");
  });

  it("gives a step a day where no run has told how long it takes", async () => {
    const project = { profile: "paper", outputs: temporaryFolder() };
    expect(snakefile(await openProject(project), { project }).match(/runtime=1440,/g)).toHaveLength(13);
  });

  it("makes pairs in parts that one rule puts together, all rules told the same parameters and where pairs lie", async () => {
    const project = { profile: "lab", parameters: { pplmIterations: "2" } };
    const text = snakefile(await openProject(project), { project, shards: 2 });
    expect(text).toContain('"outputs/lab/pairs/pairs.shard-{shard}-of-2.jsonl"');
    const told =
      "--profile lab --outputs outputs/lab -p pplmIterations 2 -p pairsBegun outputs/lab/pairs/pairs.jsonl";
    expect(text).toContain(`pairs part {wildcards.shard}/2 ${told}`);
    expect(text).toContain("pairs merge outputs/lab/pairs/pairs.jsonl --of 2");
    expect(text.split(told)).toHaveLength(1 + 13 + 1 + 1);
  });

  it("has no more parts than pairs are made at a time, and none where none are made", async () => {
    const file = async (parameters: Record<string, string>, shards: number) =>
      snakefile(await openProject({ profile: "lab", parameters }), { project: { profile: "lab" }, shards });
    await expect(file({}, 3)).rejects.toThrow(
      "--shards: got 3, but 608 pairs made 304 at a time are 2 parts at most",
    );
    await expect(file({ pairBatch: "64" }, 3)).resolves.toContain("-of-3.jsonl");
    await expect(file({ pairs: "paradetox" }, 2)).rejects.toThrow("pairs: make");
  });

  it("does not show a secret, and tells every step what else to mask", async () => {
    const series = new Series();
    const pipeline = series.file("pipeline.yaml");
    const given = { profile: "small", pipeline, maskParameters: ["^label$"] };
    const text = snakefile(await series.open(given), { project: given });
    expect(text.match(/--mask-parameters '\^label\$'/g)).toHaveLength(5);
    const project = { ...given, parameters: { label: "hunter22" } };
    const opened = await series.open(project);
    expect(() => snakefile(opened, { project })).toThrow("-p label: the workflow would show the value");
  });

  it("gives every value of a sweep a folder of its own, and refuses a parameter that nobody declares", async () => {
    const project = { profile: "lab" };
    const opened = await openProject(project);
    const text = snakefile(opened, { project, sweep: { seed: ["1", "2"] } });
    expect(text).toContain('expand("outputs/lab/seed={seed}/manifest.json", seed=["1","2"])');
    expect(text).toContain("--outputs outputs/lab/seed={wildcards.seed} -p seed {wildcards.seed:q}");
    expect(() => snakefile(opened, { project, sweep: { sede: ["1"] } })).toThrow("cannot sweep over sede");
  });
});
