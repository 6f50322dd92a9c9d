import { Command } from "commander";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { dataCommand } from "../../src/cli/commands/data.js";
import { registry } from "../../src/data/registry.js";
import { mirror, temporaryFolder, withMirror, write } from "./helpers.js";

let printed: string[];

async function run(...words: string[]): Promise<string> {
  const program = new Command("alignscope").exitOverride();
  dataCommand(program);
  printed = [];
  await program.parseAsync(["data", ...words], { from: "user" });
  return printed.join("\n");
}

beforeEach(() => {
  vi.spyOn(console, "log").mockImplementation((line: string) => printed.push(line));
  vi.stubEnv("ALIGNSCOPE_CACHE", temporaryFolder());
  vi.stubEnv("ALIGNSCOPE_MIRROR", "");
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

describe("alignscope data", () => {
  it("list shows every name, with size, records and where it would come from", async () => {
    const lines = (await run("list")).split("\n");
    expect(lines).toHaveLength(registry().length + 1);
    expect(lines.find((line) => line.startsWith("gpt2-medium "))).toMatch(/model +1\.52 GB +download +MIT/);
    expect(lines.find((line) => line.startsWith("jigsaw-balanced "))).toMatch(/3\.49 MB +12180 +nowhere/);
  });

  it("list --json is for machines", async () => {
    const entries = JSON.parse(await run("list", "--json")) as {
      name: string;
      sha256: string;
      where: string;
    }[];
    expect(entries.find(({ name }) => name === "gpt2")).toMatchObject({
      where: "download",
      sha256: "248dfc3911869ec493c76e65bf2fcf7f615828b0254c12b473182f0f81d3a707",
    });
  });

  it("path and fetch refuse an unknown name", async () => {
    await expect(run("path", "gpt-2")).rejects.toThrow("unknown data set or model: gpt-2 (did you mean gpt2");
    await expect(run("fetch", "gpt2", "nothing-like-it")).rejects.toThrow(
      "unknown data set or model: nothing-like-it",
    );
  });

  it("path downloads nothing, and says what would", async () => {
    await expect(run("path", "gpt2")).rejects.toThrow("`npx alignscope data fetch gpt2` does");
  });

  it("verify names a file of the mirror that is not what it should be, and only then fails", async () => {
    const folder = temporaryFolder();
    write(folder, "challenge_prompts.jsonl", "something else");
    vi.stubEnv("ALIGNSCOPE_MIRROR", folder);
    await expect(run("verify", "realtoxicityprompts-challenge", "paradetox")).rejects.toThrow(
      "not as registered: realtoxicityprompts-challenge",
    );
    expect(printed[0]).toMatch(
      /^wrong +realtoxicityprompts-challenge: corrupted file .*challenge_prompts\.jsonl/,
    );
    expect(printed[1]).toBe("absent  paradetox: not on this machine");
  });

  it.skipIf(mirror === undefined)(
    `path, fetch and verify find what the mirror has${withMirror}`,
    async () => {
      vi.stubEnv("ALIGNSCOPE_MIRROR", mirror ?? "");
      const path = join(mirror ?? "", "paradetox.tsv");
      expect(await run("path", "paradetox")).toBe(path);
      expect(await run("fetch", "paradetox", "wiki-samples")).toContain(`paradetox: in the mirror, ${path}`);
      expect(await run("verify", "paradetox")).toBe(`ok      paradetox: mirror, ${path}`);
      expect(JSON.parse(await run("verify", "--json", "paradetox"))).toMatchObject([{ verdict: "ok" }]);
    },
  );
});
