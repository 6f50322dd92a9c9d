import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { sha256Of } from "@alignscope/base/checksum";
import { UserError } from "@alignscope/base/errors";
import { writeFileAtomic } from "@alignscope/base/files";
import { projectRoot } from "@alignscope/base/paths";
import { collectFiles } from "./collect.js";
import { compressPayload, manifestOf, partsOf, payloadOf, type PackedFile } from "./payload.js";
import { tar } from "./tar.js";
import { size } from "@alignscope/base/size";

export interface PackOptions {
  /** The archive's path; `alignscope-VERSION-linux-x64.tar.gz` in the working directory unless given. */
  out?: string;
  /** Notebooks to carry, with those they need; all unless given. */
  notebooks?: readonly string[];
  /** The largest archive that is written, in bytes. */
  limitBytes: number;
  /** Brotli's quality, 0 to 11: 11 takes minutes and is what a shipped pack is made with. */
  quality?: number;
  onProgress?: (message: string) => void;
}

export interface PackSummary {
  path: string;
  bytes: number;
  sha256: string;
  /** How many files MANIFEST names: all that lie in the pack's folder once it is unpacked, without links. */
  files: number;
}

/**
 * Writes one archive that runs the project on a host without network, Node, npm or compiler. tar and gzip unpack its outer
 * layer, which holds Node; this Node unpacks the rest, which brotli makes half as large as gzip would.
 *
 * @throws UserError on any machine but Linux on x86-64, without a build, or when the archive is larger than allowed
 */
export async function pack(options: PackOptions): Promise<PackSummary> {
  const { limitBytes, quality = 11, onProgress = () => undefined } = options;
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new UserError(
      `a pack is made on the kind of machine it is for: this is ${process.platform} ${process.arch}, expected linux x64`,
    );
  }
  const root = projectRoot();
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  const name = `alignscope-${version}-linux-x64`;
  const path = options.out ?? `${name}.tar.gz`;

  onProgress("collecting files");
  for (const [tool, debian] of Object.entries({ strip: "binutils", "libdeflate-gzip": "libdeflate-tools" }))
    if (spawnSync(tool, ["-h"]).error)
      onProgress(`without ${tool} the archive is larger (apt install ${debian})`);
  const files = collectFiles(root, options.notebooks).map((file) =>
    file.path.endsWith(".node") ? { ...file, data: stripped(file.data) } : file,
  );
  const nodeRuns = (path: string): boolean => spawnSync(path, ["--version"]).status === 0;
  const node: PackedFile = {
    path: "bin/node",
    data: stripped(readFileSync(process.execPath), nodeRuns),
    mode: 0o755,
  };
  const carried = (file: string): string => readFileSync(join(root, "src/cli/pack/carried", file), "utf8");
  // Dawn asks for a newer one than all the rest: where it does not load, only the backend webgpu is missing.
  const needed = files.filter(({ path }) => !path.startsWith("node_modules/webgpu/"));
  const glibc = Math.max(...[node, ...needed].map(({ data }) => newestGlibc(data)));
  const script = carried("unpack-and-run.sh")
    .replaceAll("@VERSION@", version)
    .replaceAll("@GLIBC@", `2.${glibc}`)
    .replaceAll("@GLIBC_MINOR@", String(glibc));
  const visible: PackedFile[] = [
    node,
    { path: "unpack-and-run.sh", data: Buffer.from(script), mode: 0o755 },
    { path: "unpack.mjs", data: Buffer.from(carried("unpack.mjs")), mode: 0o644 },
  ];

  const payloads = Object.entries(partsOf(files)).map(([part, own]) => ({ part, data: payloadOf(own) }));
  const total = payloads.reduce((sum, { data }) => sum + data.length, 0);
  onProgress(`compressing ${files.length} files, ${size(total)}${quality > 9 ? " (some minutes)" : ""}`);
  const compressed = await Promise.all(
    payloads.map(async ({ part, data }): Promise<PackedFile> => {
      const path = `payload.${part}.br`;
      return { path, data: await compressPayload(data, quality), mode: 0o644 };
    }),
  );
  const manifest = manifestOf([...visible, ...files]);
  const outer: PackedFile[] = [
    { path: "MANIFEST", data: Buffer.from(manifest), mode: 0o644 },
    ...visible,
    ...compressed,
  ];
  const refuseMoreThan = (bytes: number, what: string): void => {
    if (bytes <= limitBytes) return;
    throw new UserError(
      `${what} ${size(bytes)}, expected at most ${size(limitBytes)}: carry fewer notebooks, add a rule to src/cli/pack/rules.ts, or allow more with --limit`,
    );
  };
  const payloadBytes = compressed.reduce((sum, { data }) => sum + data.length, 0);
  refuseMoreThan(payloadBytes, "the files without Node.js are");
  onProgress(`compressing Node.js, ${size(node.data.length)}`);
  const inFolder = outer.map((file) => ({ ...file, path: `${name}/${file.path}` }));
  const archive = await gzipped(tar(inFolder));
  refuseMoreThan(archive.length, `the archive (${size(payloadBytes)} without Node.js) has`);
  writeFileAtomic(path, archive);
  return { path, bytes: archive.length, sha256: sha256Of(archive), files: manifest.split("\n").length - 1 };
}

/** Without its symbols where binutils are installed: they are an eighth of Node, and a fifth of some native modules. */
function stripped(program: Uint8Array, runs: (path: string) => boolean = () => true): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "alignscope-pack-"));
  try {
    const [whole, less] = [join(folder, "whole"), join(folder, "less")];
    writeFileAtomic(whole, program, { durable: false });
    chmodSync(whole, 0o755);
    spawnSync("strip", ["-o", less, whole]);
    return existsSync(less) && runs(less) ? readFileSync(less) : program;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** As small as gzip can be read: by libdeflate, a twentieth smaller than zlib's, where its tools are installed. */
async function gzipped(data: Buffer): Promise<Buffer> {
  const { stdout, status } = spawnSync("libdeflate-gzip", ["-12", "-c"], {
    input: data,
    maxBuffer: data.length,
  });
  return status === 0 ? stdout : await promisify(gzip)(data, { level: 9 });
}

/** The minor version of the newest glibc 2 that a program or library asks for; 0 if it is none. */
function newestGlibc(data: Uint8Array): number {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (bytes.subarray(0, 4).toString("latin1") !== "\x7fELF") return 0;
  let newest = 0;
  for (let at = bytes.indexOf("GLIBC_2."); at >= 0; at = bytes.indexOf("GLIBC_2.", at + 8)) {
    const minor = /^\d+/.exec(bytes.subarray(at + 8, at + 12).toString("latin1"))?.[0];
    newest = Math.max(newest, Number(minor ?? 0));
  }
  return newest;
}
