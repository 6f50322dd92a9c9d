/*
 * The helper of unpack-and-run.sh, run by the Node that the pack carries. It lies beside payload.*.br and MANIFEST.
 *
 *   node unpack.mjs unpack        writes the payloads' files beside itself, unless they are there
 *   node unpack.mjs verify        compares every file with MANIFEST (sha256, two spaces, path)
 *   node unpack.mjs opens NAME    exit code 0 if that backend opens here, and what it is; else 3, and the reason
 */
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { brotliDecompressSync, constants } from "node:zlib";

const root = dirname(fileURLToPath(import.meta.url));
const at = (path) => join(root, path);
const stamp = at(".unpacked");
const sha256 = (data) => createHash("sha256").update(data).digest("hex");

/** A payload is the list of its files as one line of JSON, then their contents in this order. */
function unpack() {
  const own = sha256(readFileSync(at("MANIFEST")));
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === own) return 0;
  for (const name of readdirSync(root).filter((name) => /^payload\..*\.br$/.test(name))) {
    const payload = brotliDecompressSync(readFileSync(at(name)), {
      params: { [constants.BROTLI_DECODER_PARAM_LARGE_WINDOW]: 1 },
    });
    let offset = payload.indexOf(10) + 1;
    for (const { path, size, mode, link } of JSON.parse(payload.subarray(0, offset).toString())) {
      mkdirSync(dirname(at(path)), { recursive: true });
      rmSync(at(path), { force: true });
      if (link !== undefined) {
        symlinkSync(link, at(path));
        continue;
      }
      writeFileSync(at(path), payload.subarray(offset, offset + size));
      chmodSync(at(path), mode);
      offset += size;
    }
  }
  const code = verify();
  if (code === 0) writeFileSync(stamp, own);
  return code;
}

function verify() {
  const lines = readFileSync(at("MANIFEST"), "utf8").trimEnd().split("\n");
  const wrong = lines.filter((line) => {
    const path = at(line.slice(66));
    return !existsSync(path) || sha256(readFileSync(path)) !== line.slice(0, 64);
  });
  for (const line of wrong) console.error(`not as packed: ${line.slice(66)}`);
  if (wrong.length > 0)
    console.error("unpack-and-run: the archive is damaged or changed: copy and unpack it again");
  else console.error(`${lines.length} files are as MANIFEST says`);
  return wrong.length > 0 ? 1 : 0;
}

async function opens(name) {
  try {
    const { openElsewhere } = await import(pathToFileURL(at("dist/src/cli/check-backend.js")).href);
    console.log(openElsewhere(name).words);
    return 0;
  } catch (error) {
    console.error(error.message);
    return 3;
  }
}

const [task, argument] = process.argv.slice(2);
process.exitCode = await { unpack, verify, opens: () => opens(argument) }[task]();
