import { randomBytes } from "node:crypto";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { sha256Of } from "../../src/base/checksum.js";
import { DownloadError, downloadFile } from "../../src/data/download.js";
import { sendRanges, serve, temporaryFolder, write } from "./helpers.js";

const content = randomBytes(300_000);

function job(url: string, folder = temporaryFolder()) {
  return {
    url: `${url}/file.bin`,
    target: join(folder, "deep", "file.bin"),
    bytes: content.length,
    sha256: sha256Of(content),
    retryDelayMs: 1,
  };
}

describe("a download", () => {
  it("leaves the whole file and nothing else, and reports progress up to its size", async () => {
    const server = await serve((request, response) => {
      sendRanges(content, request, response);
    });
    const download = job(server.url);
    const progress: number[] = [];
    await downloadFile({ ...download, onProgress: (received) => progress.push(received) });
    expect(readFileSync(download.target).equals(content)).toBe(true);
    expect(readdirSync(join(download.target, ".."))).toEqual(["file.bin"]);
    expect(progress.at(-1)).toBe(content.length);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
  });

  it("goes on from the part that an earlier run left", async () => {
    const server = await serve((request, response) => {
      sendRanges(content, request, response);
    });
    const download = job(server.url);
    write(join(download.target, ".."), "file.bin.partial", content.subarray(0, 100_000));
    await downloadFile(download);
    expect(server.requests).toEqual(["/file.bin bytes=100000-"]);
    expect(readFileSync(download.target).equals(content)).toBe(true);
  });

  it("takes a broken connection up again where it broke, within one call", async () => {
    const server = await serve((request, response) => {
      if (request.headers.range === undefined) {
        response.writeHead(200, { "content-length": content.length });
        response.write(content.subarray(0, 120_000), () => setTimeout(() => response.destroy(), 50));
      } else sendRanges(content, request, response);
    });
    const download = job(server.url);
    await downloadFile(download);
    expect(server.requests).toHaveLength(2);
    expect(server.requests[1]).toMatch(/ bytes=[1-9]\d*-$/);
    expect(readFileSync(download.target).equals(content)).toBe(true);
  });

  it("starts over when the server knows no ranges", async () => {
    const server = await serve((_, response) => {
      response.writeHead(200).end(content);
    });
    const download = job(server.url);
    write(join(download.target, ".."), "file.bin.partial", content.subarray(0, 5000));
    await downloadFile(download);
    expect(readFileSync(download.target).equals(content)).toBe(true);
  });

  it("starts over when the part that lay here was of another file", async () => {
    const server = await serve((request, response) => {
      sendRanges(content, request, response);
    });
    const download = job(server.url);
    write(join(download.target, ".."), "file.bin.partial", randomBytes(100_000));
    await downloadFile(download);
    expect(server.requests).toEqual(["/file.bin bytes=100000-", "/file.bin"]);
    expect(readFileSync(download.target).equals(content)).toBe(true);
  });

  it("that ends too early is an error with both sizes, and keeps the part for the next time", async () => {
    const server = await serve((_, response) => {
      response.writeHead(200).end(content.subarray(0, 1000));
    });
    const download = job(server.url);
    await expect(downloadFile({ ...download, retries: 1 })).rejects.toThrow(
      `cannot download ${server.url}/file.bin: the body ended after 1000 of 300000 bytes`,
    );
    expect(existsSync(download.target)).toBe(false);
    expect(readFileSync(`${download.target}.partial`)).toHaveLength(1000);
  });

  it("that does not end in time is an error", async () => {
    const server = await serve((_, response) => {
      response.writeHead(200, { "content-length": content.length });
      response.write(content.subarray(0, 1000));
    });
    const download = { ...job(server.url), retries: 0, idleTimeoutMs: 100 };
    await expect(downloadFile(download)).rejects.toThrow("nothing received for 0.1 s");
    expect(existsSync(download.target)).toBe(false);
  });

  it("that delivers more than expected is refused at once, nothing stays", async () => {
    const server = await serve((_, response) => {
      response.writeHead(200).end(Buffer.concat([content, content]));
    });
    const download = job(server.url);
    await expect(downloadFile(download)).rejects.toThrow("more than the expected 300000 bytes");
    expect(server.requests).toHaveLength(1);
    expect(readdirSync(join(download.target, ".."))).toEqual([]);
  });

  it("of an address that does not exist fails at once and says the status", async () => {
    const server = await serve((_, response) => {
      response.writeHead(404).end("no such thing");
    });
    const download = job(server.url);
    const failure = downloadFile(download);
    await expect(failure).rejects.toThrow(DownloadError);
    await expect(failure).rejects.toThrow(`cannot download ${server.url}/file.bin: HTTP 404 Not Found`);
    expect(server.requests).toHaveLength(1);
    expect(readdirSync(join(download.target, ".."))).toEqual([]);
  });

  it("asks a busy server again", async () => {
    let asked = 0;
    const server = await serve((request, response) => {
      if (++asked < 3) response.writeHead(503).end();
      else sendRanges(content, request, response);
    });
    await downloadFile(job(server.url));
    expect(server.requests).toHaveLength(3);
  });

  it("from a machine that does not answer names the address and the reason", async () => {
    const server = await serve(() => undefined);
    const closed = server.url.replace(/\d+$/, "1"); // port 1: nobody listens there
    await expect(downloadFile({ ...job(closed), retries: 0 })).rejects.toThrow(
      /^cannot download http:\/\/127\.0\.0\.1:1\/file\.bin: .+/,
    );
  });

  it("of the right size with other bytes is refused with both checksums, nothing stays", async () => {
    const other = randomBytes(content.length);
    const server = await serve((_, response) => {
      response.writeHead(200).end(other);
    });
    const download = job(server.url);
    await expect(downloadFile(download)).rejects.toThrow(
      `corrupted download ${server.url}/file.bin: sha256 is ${sha256Of(other)}, expected ${sha256Of(content)}`,
    );
    expect(readdirSync(join(download.target, ".."))).toEqual([]);
  });

  it("is made once when several ask for the same file", async () => {
    const server = await serve((request, response) => {
      sendRanges(content, request, response);
    });
    const download = job(server.url);
    await Promise.all([downloadFile(download), downloadFile(download), downloadFile(download)]);
    expect(server.requests).toEqual(["/file.bin"]);
  });

  it("is not held up by the lock of a process that died", async () => {
    const server = await serve((request, response) => {
      sendRanges(content, request, response);
    });
    const download = job(server.url);
    const lock = write(join(download.target, ".."), "file.bin.lock", `${spawnSync("node", ["--version"]).pid}`);
    await downloadFile(download);
    expect(existsSync(download.target)).toBe(true);
    expect(existsSync(lock)).toBe(false);
  });

  it("waits for another process that is at it, and then has nothing left to do", async () => {
    const server = await serve((request, response) => {
      sendRanges(content, request, response);
    });
    const download = job(server.url);
    const folder = join(download.target, "..");
    const lock = write(folder, "file.bin.lock", "1 1 another-machine");
    const waiting = downloadFile(download);
    await sleep(100);
    write(folder, "file.bin", content);
    rmSync(lock);
    await waiting;
    expect(server.requests).toEqual([]);
  });
});
