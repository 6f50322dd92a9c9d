import fs, {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  appendToFile,
  copyFileAtomic,
  writeDurably,
  writeFileAtomic,
  writeFileAtomicAsync,
} from "../../src/base/files.js";
import { sha256Of } from "../../src/base/checksum.js";
import { newFolder } from "../model/folders.js";
import { mountSmallDisk, smallDiskMissing, type SmallDisk } from "./small-disk.js";

let folder: string;
let path: string;
beforeEach(() => {
  folder = newFolder();
  mkdirSync(folder, { recursive: true });
  path = join(folder, "kept.txt");
});

type Data = string | Uint8Array;
const WAYS: readonly [name: string, write: (path: string, data: Data) => void | Promise<void>][] = [
  ["at once", (path, data) => writeFileAtomic(path, data)],
  ["at once, not waiting for the disk", (path, data) => writeFileAtomic(path, data, { durable: false })],
  ["while other work goes on", (path, data) => writeFileAtomicAsync(path, data)],
  [
    "as a copy",
    (path, data) => (writeFileSync(`${folder}.from`, data), copyFileAtomic(`${folder}.from`, path)),
  ],
  ["piece by piece", (path, data) => void writeDurably(path, pieces(Buffer.from(data)))],
];

function* pieces(bytes: Buffer): Iterable<Buffer> {
  for (let at = 0; at < bytes.length; at += 70_000) yield bytes.subarray(at, at + 70_000);
}

describe.each(WAYS)("a file that is written %s", (_name, write) => {
  it("holds what was given, in folders that are made, under no other name", async () => {
    const place = join(folder, "a", "b", "file");
    for (const data of ["", "text: ä€😀", Buffer.from([0, 255, 10])]) {
      await write(place, data);
      expect(readFileSync(place)).toEqual(Buffer.from(data));
      expect(readdirSync(join(folder, "a", "b"))).toEqual(["file"]);
    }
  });

  it("keeps the old one's mode, and is what a link leads to", async () => {
    writeFileSync(path, "old");
    chmodSync(path, 0o640);
    const link = join(folder, "link");
    symlinkSync("kept.txt", link);
    await write(link, "new");
    expect(readlinkSync(link)).toBe("kept.txt");
    expect(readFileSync(path, "utf8")).toBe("new");
    expect(statSync(path).mode & 0o777).toBe(0o640);
  });

  it("leaves a folder alone that has its name", async () => {
    mkdirSync(path);
    await expect((async () => write(path, "new"))()).rejects.toThrow(path);
    expect(readdirSync(folder)).toEqual(["kept.txt"]);
  });
});

it("a device is written to and stays one", async () => {
  for (const write of [writeFileAtomic, writeFileAtomicAsync]) await write("/dev/null", "text");
  expect(statSync("/dev/null").isCharacterDevice()).toBe(true);
  expect(() => writeFileAtomic("/dev/full", "text")).toThrow(/ENOSPC.*\/dev\/full/);
  await expect(writeFileAtomicAsync("/dev/full", "text")).rejects.toThrow(/ENOSPC.*\/dev\/full/);
});

it("numbers of any kind are written as their bytes", () => {
  writeFileAtomic(path, new Float32Array([1, 2]).subarray(1));
  expect(readFileSync(path)).toEqual(Buffer.from(new Float32Array([2]).buffer));
});

describe("where the system takes less than it is given", () => {
  const real = fs.writeSync;
  afterEach(() => {
    fs.writeSync = real;
    syncBuiltinESMExports();
  });

  it("the rest is given again, for all that appends and replaces", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 40 }), (data, most) => {
        fs.writeSync = ((file: number, bytes: Uint8Array, offset = 0) =>
          real(file, bytes, offset, Math.min(most, bytes.length - (offset ?? 0)))) as typeof real;
        syncBuiltinESMExports();
        writeFileAtomic(path, data);
        appendToFile(path, data);
        expect(readFileSync(path)).toEqual(Buffer.concat([data, data]));
        expect(writeDurably(path, [data, data])).toBe(sha256Of(Buffer.concat([data, data])));
      }),
    );
  });
});

const missing = smallDiskMissing();
describe.skipIf(missing !== undefined)(`a disk that becomes full (${missing ?? "here"})`, () => {
  let disk: SmallDisk;
  beforeEach(() => (disk = mountSmallDisk(200)));
  afterEach(() => disk.remove());

  it.each(WAYS)("keeps what was there, and nothing of what is written %s", async (_name, write) => {
    const place = join(disk.folder, "kept.txt");
    const old = "o".repeat(100_000);
    writeFileSync(place, old);
    for (const size of [110_000, 150_000, 1_200_000]) {
      const writing = (async () => write(place, "n".repeat(size)))();
      await expect(writing).rejects.toMatchObject({ code: "ENOSPC", path: place });
      expect(readFileSync(place, "utf8")).toBe(old);
      expect(readdirSync(disk.folder)).toEqual(["kept.txt"]);
    }
    await write(place, "n".repeat(90_000));
    expect(statSync(place).size).toBe(90_000);
  });
});
