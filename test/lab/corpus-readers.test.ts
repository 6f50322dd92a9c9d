import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { UserError } from "../../src/base/errors.js";
import { readWikitext, streamJsonlGz } from "../../src/lab/corpus-readers.js";
import { temporaryFolder, write } from "../data/helpers.js";

const folder = temporaryFolder();
const file = (name: string, content: string | Uint8Array) => write(folder, name, content);

describe("streamJsonlGz", () => {
  const records = async (content: Uint8Array): Promise<unknown[]> => {
    const found: unknown[] = [];
    for await (const record of streamJsonlGz(file("rows.jsonl.gz", content))) found.push(record);
    return found;
  };

  it("reads a compressed file record by record; only a line feed ends one", async () => {
    const long = "é".repeat(70_000);
    const lines = [`{"text":"one\u2028two"}`, "", `{"text":"${long}"}`];
    await expect(records(gzipSync(lines.join("\n")))).resolves.toEqual([
      { text: "one\u2028two" },
      { text: long },
    ]);
  });

  it("says which line is not JSON, and what is no gzip or no file", async () => {
    await expect(records(gzipSync('{"text":"a"}\n{"text":\n'))).rejects.toThrow(
      /rows\.jsonl\.gz:2: not JSON/,
    );
    await expect(records(Buffer.from("plain"))).rejects.toThrow(/cannot read .*rows\.jsonl\.gz as gzip/);
    await expect(streamJsonlGz(`${folder}/absent.gz`).next()).rejects.toThrow(UserError);
  });
});

describe("readWikitext", () => {
  const text = [
    " ",
    " = First = ",
    " ",
    " A formula : ",
    " = 1 rad and k = ",
    " ends here . ",
    " ",
    " = = Section = = ",
    " ",
    " More . ",
    " ",
    " = Second = ",
    " ",
    " Other text . ",
    "",
  ].join("\n");

  it("splits at titles, not at sections or formulas", () => {
    const articles = readWikitext(file("wiki.txt", text));
    expect(articles.map(({ title }) => title)).toEqual(["First", "Second"]);
    expect(articles[0]?.text).toContain(" = = Section = = \n");
    expect(articles[1]?.text).toBe("Other text .");
  });

  it("names the line when the file does not begin with a title", () => {
    const path = file("other.txt", "\nJust text.\n");
    expect(() => readWikitext(path)).toThrow(`${path}:2: expected the title of an article`);
  });
});
