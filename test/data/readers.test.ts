import { describe, expect, it } from "vitest";
import {
  fields,
  readCsv,
  readJsonl,
  readNpyStrings,
  readText,
  readTsv,
  readWikitextRows,
} from "../../src/data/readers.js";
import { temporaryFolder, write } from "./helpers.js";

const folder = temporaryFolder();
const file = (name: string, content: string | Uint8Array) => write(folder, name, content);

describe("readText", () => {
  it("drops a byte order mark and refuses what is not UTF-8", () => {
    expect(readText(file("bom.txt", "\ufeffnaïve"))).toBe("naïve");
    const path = file("latin1.txt", Buffer.from([0x6e, 0x61, 0xef, 0x76, 0x65]));
    expect(() => readText(path)).toThrow(`${path} is not UTF-8 text`);
  });

  it("names a file that is not there", () => {
    expect(() => readText("/no/such.txt")).toThrow(/^cannot read \/no\/such\.txt: ENOENT/);
  });
});

describe("readJsonl", () => {
  it("reads one value per line, whatever ends the file, and passes over empty lines", () => {
    const rows = [{ text: "one" }, { text: "two\u2028lines" }];
    const lines = rows.map((row) => JSON.stringify(row));
    expect(readJsonl(file("a.jsonl", `${lines.join("\n")}\n`))).toEqual(rows);
    expect(readJsonl(file("b.jsonl", lines.join("\r\n\r\n")))).toEqual(rows);
    expect(readJsonl(file("c.jsonl", ""))).toEqual([]);
  });

  it("names the line that is not JSON", () => {
    const path = file("cut.jsonl", '{"text":"one"}\n\n{"text":"tw');
    expect(() => readJsonl(path)).toThrow(`${path}:3: not JSON (`);
  });

  it("names the line whose fields are not as they should be", () => {
    const validate = fields({ text: "string", toxic: "number" });
    expect(readJsonl(file("good.jsonl", '{"text":"a","toxic":1,"more":null}'), { validate })).toHaveLength(1);
    const path = file("bad.jsonl", '{"text":"a","toxic":1}\n{"text":"b","toxic":"yes"}\n');
    expect(() => readJsonl(path, { validate })).toThrow(`${path}:2: toxic is a string, expected a number`);
    expect(() => readJsonl(file("less.jsonl", '{"text":"a"}'), { validate })).toThrow(
      "no toxic (expected a number)",
    );
    expect(() => readJsonl(file("list.jsonl", "[1]"), { validate })).toThrow(
      "expected an object with text, toxic",
    );
  });
});

describe("readCsv and readTsv", () => {
  it("read quoted fields with commas, quotes and line breaks", () => {
    const path = file("a.csv", 'text,label\n"one, ""two""\nthree",1\nfour,0\n');
    expect(readCsv(path)).toEqual([
      { text: 'one, "two"\nthree', label: "1" },
      { text: "four", label: "0" },
    ]);
    expect(readTsv(file("a.tsv", 'toxic\tneutral1\n"a ""b"""\tc, d\n'))).toEqual([
      { toxic: 'a "b"', neutral1: "c, d" },
    ]);
  });

  it("read a file without a header, given the columns' names", () => {
    const rows = readCsv<"text" | "label">(file("b.csv", "one,0\ntwo,1\n"), { columns: ["text", "label"] });
    expect(rows.map(({ text, label }) => text + label)).toEqual(["one0", "two1"]);
  });

  it("name the line with another number of columns", () => {
    const path = file("c.csv", "one,0\n\ntwo,1,2\n");
    expect(() => readCsv(path, { columns: ["text", "label"] })).toThrow(
      `${path}:3: 3 columns, expected 2 (text, label)`,
    );
    expect(() => readCsv(file("d.csv", "text,label\none\n"))).toThrow(
      /d\.csv:2: 1 columns, expected as many/,
    );
  });

  it("name the line of a record that the caller objects to, and of a quote that is never closed", () => {
    const path = file("e.csv", 'text,label\n"one\ntwo",0\nthree,5\n');
    const validate = (record: unknown) =>
      (record as { label: string }).label === "5" ? "label 5, expected 0 or 1" : undefined;
    expect(() => readCsv(path, { validate })).toThrow(`${path}:4: label 5, expected 0 or 1`);
    expect(() => readCsv(file("f.csv", 'text\n"open\n'))).toThrow(/f\.csv:\d: Quote Not Closed/);
  });
});

/** A .npy file as numpy.save lays it out. */
function npy(descr: string, shape: string, data: Uint8Array, version = 1): Uint8Array {
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape}), }\n`;
  const length = Buffer.alloc(version === 1 ? 2 : 4);
  if (version === 1) length.writeUInt16LE(header.length);
  else length.writeUInt32LE(header.length);
  const magic = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0]);
  return Buffer.concat([magic, length, Buffer.from(header), data]);
}

function utf32(texts: readonly string[], width: number, littleEndian = true): Uint8Array {
  const bytes = Buffer.alloc(texts.length * width * 4);
  for (const [row, text] of texts.entries()) {
    for (const [column, character] of [...text].entries()) {
      const offset = (row * width + column) * 4;
      const point = character.codePointAt(0) ?? 0;
      if (littleEndian) bytes.writeUInt32LE(point, offset);
      else bytes.writeUInt32BE(point, offset);
    }
  }
  return bytes;
}

describe("readNpyStrings", () => {
  const texts = ["For crying", "", "naïve 😀 x"];

  it("reads both byte orders and all versions, also characters beyond 16 bits", () => {
    expect(readNpyStrings(file("a.npy", npy("<U10", "3,", utf32(texts, 10))))).toEqual(texts);
    expect(readNpyStrings(file("b.npy", npy(">U10", "3,", utf32(texts, 10, false), 2)))).toEqual(texts);
    expect(readNpyStrings(file("c.npy", npy("<U10", "0,", Buffer.alloc(0), 3)))).toEqual([]);
  });

  it("says what an array of another kind holds", () => {
    expect(() => readNpyStrings(file("d.npy", npy("<f4", "2,3", Buffer.alloc(24))))).toThrow(
      "holds dtype <f4, shape (2,3); expected a list of strings",
    );
    expect(() => readNpyStrings(file("e.npy", "not an array at all"))).toThrow("is not a NumPy array file");
  });

  it("refuses a file that is shorter than its header says", () => {
    const path = file("f.npy", npy("<U10", "3,", utf32(texts, 10).subarray(0, 100)));
    expect(() => readNpyStrings(path)).toThrow(/3 strings of 10, asks for/);
  });
});

describe("readWikitextRows", () => {
  it("keeps line feeds and empties blank lines", () => {
    expect(readWikitextRows(file("rows.txt", " \n = First = \n \n Text . \n"))).toEqual([
      "",
      " = First = \n",
      "",
      " Text . \n",
    ]);
  });
});
