import { existsSync, readdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { checksumOf, modelChecksum, sha256Of } from "../../src/base/checksum.js";
import { temporaryFolder, write } from "../data/helpers.js";

let cache: string;

beforeEach(() => {
  cache = temporaryFolder();
  vi.stubEnv("ALIGNSCOPE_CACHE", cache);
});

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("the checksum of a file", () => {
  it("is its sha256", async () => {
    const path = write(temporaryFolder(), "abc.txt", "abc");
    expect(await checksumOf(path)).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  });

  it("of a small file is computed every time: a change is noticed whatever its date says", async () => {
    const path = write(temporaryFolder(), "small.txt", "one");
    const { atime, mtime } = statSync(path);
    expect(await checksumOf(path)).toBe(sha256Of("one"));
    writeFileSync(path, "two");
    utimesSync(path, atime, mtime);
    expect(await checksumOf(path)).toBe(sha256Of("two"));
    expect(existsSync(join(cache, "checksums"))).toBe(false);
  });

  it("of a big file is remembered until its size or date changes, or it is asked for afresh", async () => {
    const content = Buffer.alloc(17 * 1024 * 1024);
    const path = write(temporaryFolder(), "big.bin", content);
    const date = new Date("2024-01-02T03:04:05Z");
    utimesSync(path, date, date);
    const before = await checksumOf(path);
    expect(before).toBe(sha256Of(content));
    expect(readdirSync(join(cache, "checksums"))).toHaveLength(1);

    content[5] = 1;
    writeFileSync(path, content);
    utimesSync(path, date, date);
    expect(await checksumOf(path)).toBe(before);
    expect(await checksumOf(path, { fresh: true })).toBe(sha256Of(content));

    content[6] = 1;
    writeFileSync(path, content);
    utimesSync(path, date, new Date(date.getTime() + 5000));
    expect(await checksumOf(path)).toBe(sha256Of(content));
  });
});

describe("the checksum of a model", () => {
  it("is that of its weights, and depends on every shard", async () => {
    const folder = temporaryFolder();
    write(folder, "config.json", "{}");
    await expect(modelChecksum(folder)).rejects.toThrow(`no weights in ${folder}`);
    await expect(modelChecksum("/no/such/model")).rejects.toThrow("no model folder /no/such/model");
    write(folder, "model-00001-of-00002.safetensors", "one");
    expect(await modelChecksum(folder)).toBe(sha256Of("one"));
    write(folder, "model-00002-of-00002.safetensors", "two");
    const both = await modelChecksum(folder);
    write(folder, "model-00002-of-00002.safetensors", "TWO");
    expect(await modelChecksum(folder)).not.toBe(both);
  });
});
