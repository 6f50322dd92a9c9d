import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, onTestFinished } from "vitest";
import { sha256Of } from "../../src/base/checksum.js";
import { projectRoot } from "../../src/base/paths.js";
import type { Registered, Sources } from "../../src/data/registry.js";

/** The mirror of public data sets, where this machine has one: ALIGNSCOPE_MIRROR, else `shared/data` beside the project. */
export const mirror: string | undefined = [
  process.env["ALIGNSCOPE_MIRROR"],
  resolve(projectRoot(), "../shared/data"),
].find((folder) => folder !== undefined && existsSync(join(folder, "manifest.json")));

/** Appended to the name of a test that is skipped for want of the mirror. */
export const withMirror = mirror === undefined ? " (skipped: no mirror; set ALIGNSCOPE_MIRROR)" : "";

/** An empty folder of its own for a test, gone after the file's tests. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "alignscope-data-"));
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** Writes a file below `folder` and returns its path. */
export function write(folder: string, name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

/** A registry entry for files with this content. */
export function entryOf(
  name: string,
  contents: Record<string, string | Uint8Array>,
  sources: Sources,
  layout: "file" | "folder" = "file",
): Registered {
  const files = Object.entries(contents).map(([file, content]) => ({
    name: file,
    bytes: Buffer.from(content).length,
    sha256: sha256Of(content),
  }));
  return {
    name,
    kind: layout === "file" ? "dataset" : "model",
    description: "for a test",
    licence: "MIT",
    origin: "this test",
    layout,
    files,
    sources,
    sha256: files[0]?.sha256 ?? "",
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

export interface Loopback {
  readonly url: string;
  /** `GET /path range` of each request so far. */
  readonly requests: string[];
}

/** A web server on this machine for the length of one test. */
export async function serve(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Loopback> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push([request.url, request.headers.range].filter((part) => part !== undefined).join(" "));
    answer(request, response);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

/** Sends `content`, or the rest of it that a Range header asks for, as a file server does. */
export function sendRanges(content: Uint8Array, request: IncomingMessage, response: ServerResponse): void {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
  if (from >= content.length) {
    response.writeHead(416).end();
    return;
  }
  if (from > 0) {
    response.writeHead(206, {
      "content-range": `bytes ${from}-${content.length - 1}/${content.length}`,
      "content-length": content.length - from,
    });
  } else response.writeHead(200, { "content-length": content.length });
  response.end(content.subarray(from));
}
