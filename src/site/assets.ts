import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import ts from "typescript";
import { copyFileAtomic, writeFileAtomic } from "@alignscope/base/files";
import { projectRoot } from "@alignscope/base/paths";
import { folderOf } from "./exhibits.js";
import { executedPath } from "./run.js";
import type { Site } from "./site.js";

/** Libraries that a page loads when it first needs them, as their packages ship them for browsers. */
const LIBRARIES: readonly [specifier: string, file: string][] = [
  ["vega/build/vega.min.js", "vega.min.js"],
  ["vega-lite/build/vega-lite.min.js", "vega-lite.min.js"],
  ["vega-embed/build/vega-embed.min.js", "vega-embed.min.js"],
  ["minisearch/dist/umd/index.js", "minisearch.js"],
];

const STYLES = ["base", "layout", "exhibits", "print"];

/** Parts of the page's script, in order; the theme is set by one of its own, before anything is drawn. */
const SCRIPTS = ["load", "words", "charts", "search", "switches"];

/** The folder comes to its name as a whole, and can be made again: nothing waits for the disk. */
const PASSING = { durable: false };
const write = (path: string, content: string | Uint8Array): void => writeFileAtomic(path, content, PASSING);
const copy = (from: string, to: string): void => copyFileAtomic(from, to, PASSING);

/** Writes `assets/`: style sheets, scripts, libraries and fonts. */
export function writeAssets(folder: string): void {
  const assets = join(folder, "assets");
  const source = join(projectRoot(), "src", "site");
  const styles = STYLES.map((name) => readFileSync(join(source, "styles", `${name}.css`), "utf8"));
  write(join(assets, "site.css"), styles.join("\n"));
  const script = (name: string): string => readFileSync(join(source, "browser", `${name}.ts`), "utf8");
  write(join(assets, "theme.js"), browserScript([script("theme")]));
  write(join(assets, "page.js"), browserScript(SCRIPTS.map(script)));
  for (const [specifier, file] of LIBRARIES) copy(packageFile(specifier), join(assets, file));
  write(join(assets, "katex.css"), katexStyle());
}

/** TypeScript for browsers as one script that adds nothing to the page's names. */
function browserScript(sources: readonly string[]): string {
  const { outputText } = ts.transpileModule(sources.join("\n"), {
    compilerOptions: { target: ts.ScriptTarget.ES2022, removeComments: true },
  });
  return `"use strict";\n(() => {\n${outputText}})();\n`;
}

/** KaTeX's style sheet with its fonts inside: some browsers load no font from disk. */
function katexStyle(): string {
  const path = packageFile("katex/dist/katex.min.css");
  const sheet = readFileSync(path, "utf8");
  return sheet.replace(/src:(url\(fonts\/[^)]+\.woff2\)) format\("woff2"\)[^;}]*/g, (_all, url: string) => {
    const font = readFileSync(join(dirname(path), url.slice("url(".length, -1)));
    return `src:url(data:font/woff2;base64,${font.toString("base64")}) format("woff2")`;
  });
}

/** A file that a package ships and may not name among its exports. */
function packageFile(specifier: string): string {
  const [name = "", ...rest] = specifier.split("/");
  for (const paths = createRequire(import.meta.url).resolve.paths(name) ?? []; paths.length > 0;) {
    const path = join(paths.shift()!, name, ...rest);
    try {
      readFileSync(path);
      return path;
    } catch {
      // the next folder up
    }
  }
  throw new Error(`package ${name} has no file ${rest.join("/")}: run npm ci`);
}

/** Copies what pages link to: files of figures and tables, executed notebooks, the manifest; and writes the pictures. */
export function writeFiles(folder: string, site: Site): void {
  for (const kind of ["figure", "table"] as const) {
    const place = join(folder, folderOf(kind));
    for (const exhibit of site.run.exhibits.filter((each) => each.kind === kind)) {
      for (const file of exhibit.files.values()) {
        copy(join(site.run.folder, folderOf(kind), file), join(place, file));
      }
    }
  }
  for (const [file, content] of site.drawn()) write(join(folder, "figures", file), content);
  for (const { name } of site.run.notebooks) {
    const path = executedPath(site.run.folder, name);
    copy(path, join(folder, "notebooks", basename(path)));
  }
  copy(join(site.run.folder, "manifest.json"), join(folder, "manifest.json"));
}
