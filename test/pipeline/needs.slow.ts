import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { describeForecast } from "../../src/cli/forecast-text.js";
import { projectRoot } from "../../src/base/paths.js";
import { registered } from "../../src/data/registry.js";
import { readNotebook } from "../../src/jupyter/index.js";
import { DATA_PARAMETERS, forecast, neededData, openProject, plan } from "../../src/pipeline/index.js";
import { scorers } from "../../src/scorers/index.js";
import { temporaryFolder } from "./helpers.js";

const names = new Map(scorers.map(({ name, files }) => [name, files]));
const profile = (values: Record<string, string | string[]>) =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, { value, source: "profile" as const }]),
  );

// Nothing on this machine but what a test puts there.
beforeEach(() => {
  vi.stubEnv("ALIGNSCOPE_MIRROR", temporaryFolder());
  vi.stubEnv("ALIGNSCOPE_CACHE", temporaryFolder());
  vi.stubEnv("ALIGNSCOPE_TOXIC_BERT", "");
});
afterEach(() => vi.unstubAllEnvs());

describe("the data that a run needs", () => {
  it("has the size and the place of what is registered, wherever it would come from", () => {
    const [model, prompts, text, comments] = neededData([
      profile({
        model: "gpt2-medium",
        prompts: "realtoxicityprompts-challenge",
        perplexityText: "wikitext-2-raw-test",
        comments: "lab-comments",
      }),
    ]);
    expect(model).toMatchObject({ where: "download", here: false, bytes: registered("gpt2-medium").bytes });
    expect(prompts).toMatchObject({ where: "nowhere", here: false, bytes: 97_828, checked: true });
    // What is downloaded is the archive that holds it.
    expect(text).toMatchObject({ where: "download", bytes: 4_721_645 });
    expect(comments).toMatchObject({ where: "embedded", here: true });
  });

  it("is found in the mirror and at a path of one's own, whose size and checksum nobody knows", () => {
    const mirror = temporaryFolder();
    writeFileSync(join(mirror, "wiki_samples.jsonl"), "");
    vi.stubEnv("ALIGNSCOPE_MIRROR", mirror);
    const own = join(mirror, "mine.jsonl");
    writeFileSync(own, "");
    const [mine, passages, missing] = neededData([
      profile({ continuations: "wiki-samples", prompts: own, comments: "./no-such.jsonl" }),
    ]);
    expect(passages).toMatchObject({ where: "mirror", here: true });
    expect(mine).toMatchObject({ where: "path", here: true, bytes: null, checked: false });
    expect(missing).toMatchObject({ where: "nowhere", here: false });
  });

  it("names each thing once, with all parameters that ask for it, and passes over words that ask for nothing", () => {
    const seen = neededData([
      profile({ model: "lab", pairs: "make", attribute: "probe", lensPrompts: "" }),
      profile({ model: "lab", perplexityText: "wiki-samples", continuations: "wiki-samples" }),
    ]);
    expect(seen.map(({ name, parameters }) => [name, parameters])).toEqual([
      ["lab", ["model"]],
      ["wiki-samples", ["continuations", "perplexityText"]],
    ]);
  });

  it("counts a scorer's files under the scorer's name, and a service for nothing", () => {
    const seen = neededData([profile({ scorer: "linear", otherScorers: [...names.keys()] })], names);
    expect(seen.map(({ name, where }) => [name, where])).toEqual([
      ["linear", "embedded"],
      ["profanity-check", "nowhere"],
      ["toxic-bert", "download"],
      ["perspective", "service"],
    ]);
    expect(seen[2]).toMatchObject({ bytes: 438_000_000, exact: false, checked: false });
  });

  it("finds the ONNX scorer in the folder that is named, and survives an incomplete one", () => {
    const folder = temporaryFolder();
    const bert = () => neededData([profile({ scorer: "toxic-bert" })], names)[0];
    vi.stubEnv("ALIGNSCOPE_TOXIC_BERT", folder);
    expect(bert()).toMatchObject({ here: false });
    mkdirSync(join(folder, "onnx"));
    for (const file of ["config.json", "tokenizer.json", "tokenizer_config.json", "onnx/model.onnx"])
      writeFileSync(join(folder, file), "");
    expect(bert()).toMatchObject({ where: "path", here: true });
  });

  it("says of a name that nobody knows just that", () => {
    const [seen] = neededData([profile({ prompts: "no-such-set" })]);
    expect(seen).toMatchObject({ name: "no-such-set", where: "unknown", here: false });
  });
});

describe("the data parameters", () => {
  it("are all that the notebooks describe as a registry name", async () => {
    const { graph } = await openProject();
    const described = graph.notebooks.flatMap(({ path }) => {
      const cell = readNotebook(path).cells.find(({ metadata }) => metadata.tags?.includes("parameters"));
      const source = cell?.source ?? "";
      return [...source.matchAll(/\/\*\*([^*]*(?:\*(?!\/)[^*]*)*)\*\/\s*const (\w+)/g)]
        .filter(([, words]) => /registry|[Ss]corers? /.test(words ?? ""))
        .map(([, , name]) => name ?? "");
    });
    expect([...new Set(described)].filter((name) => !(name in DATA_PARAMETERS))).toEqual([]);
  });

  it.each(["lab", "lab-full", "gpt2", "paper"])(
    "of the profile %s hold only names that are known, whether or not the files are here",
    async (name) => {
      const project = await openProject({ profile: name });
      const { data } = forecast(project, await plan(project), { scorers: names });
      expect(data.filter(({ where }) => where === "unknown").map((one) => one.name)).toEqual([]);
      expect(data.length).toBeGreaterThan(4);
    },
  );
});

describe("a forecast for people", () => {
  const text = async (profile: string, ...only: string[]) => {
    const project = await openProject({ profile, outputs: temporaryFolder() });
    return describeForecast(forecast(project, await plan(project, { only }), { scorers: names }));
  };

  it("lists notebooks, values with their source, what is missing with a total, time and memory", async () => {
    const seen = await text("paper");
    expect(seen).toMatch(/3\.3-interventions +will run +it has not run yet/);
    expect(seen).toMatch(/pplmIterations +50 +profile +4\.2/);
    expect(seen).toMatch(/gpt2-medium +model +1\.52 GB +sha256 known +to be downloaded/);
    expect(seen).toMatch(/toxic-bert +otherScorers +about 438 MB +sha256 unknown/);
    expect(seen).toMatch(/Not here: 9 of 10, 1\.98 GB in all\./);
    expect(seen).toContain("Nobody has measured how long the profile paper takes");
    expect(seen).toMatch(/Tensors take up to 21 GB: counted, not measured; /);
    for (const line of seen.split("\n")) expect(line).not.toMatch(/https?:|\bundefined\b|NaN/);
  });

  it("has nothing to fetch for the lab profile but the second scorer", async () => {
    expect(await text("lab")).toMatch(/Not here: 1 of \d+, 1\.16 MB in all\./);
    expect(await text("lab", "3.1")).toContain("Everything is here.");
  });

  it("tells the lab profile's time as it was measured, and each notebook's share of it by weight", async () => {
    const seen = await text("lab");
    expect(seen).toMatch(/3\.3-interventions +\d+ s +by its weight in the series/);
    expect(seen).toMatch(/total to run +7\.9 min/);
    expect(seen).toMatch(/A whole run has taken 7\.9 min: the committed run, on two cores/);
    expect(await text("lab", "3.1")).toMatch(/total to run +\d+ s/);
  });

  it("leaves out the data and the estimate of a series that has none", async () => {
    const pipeline = join(projectRoot(), "test/pipeline/fixtures/series/pipeline.yaml");
    const project = await openProject({ profile: "small", outputs: temporaryFolder(), pipeline });
    const seen = forecast(project, await plan(project));
    expect([seen.data, seen.estimate]).toEqual([[], null]);
    expect(describeForecast(seen)).not.toMatch(/Data sets|Time and memory/);
  });
});
