import { createRequire } from "node:module";
import { existsSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import type * as TS from "typescript";
import type { OfferedPackage } from "../packages.js";
import type { TslabTypeScript } from "./typescript.js";

/**
 * What a tsconfig may say about cells. The rest of it is about building a project: modules, output, and complaints
 * about names that are not used, as the last name of a cell hardly ever is.
 */
const HEEDED = [
  "allowSyntheticDefaultImports",
  "allowUnreachableCode",
  "baseUrl",
  "customConditions",
  "emitDecoratorMetadata",
  "exactOptionalPropertyTypes",
  "experimentalDecorators",
  "jsx",
  "jsxFactory",
  "jsxFragmentFactory",
  "jsxImportSource",
  "lib",
  "noImplicitAny",
  "noImplicitOverride",
  "noImplicitThis",
  "noUncheckedIndexedAccess",
  "paths",
  "pathsBasePath",
  "resolveJsonModule",
  "strict",
  "strictBindCallApply",
  "strictFunctionTypes",
  "strictNullChecks",
  "strictPropertyInitialization",
  "target",
  "typeRoots",
  "types",
  "useDefineForClassFields",
  "useUnknownInCatchVariables",
] as const;

/** A project may check its notebooks in another way than its sources: the first of these that a folder has counts. */
const TSCONFIGS = ["tsconfig.notebook.json", "tsconfig.json"];

/** The nearest tsconfig at or above a folder. */
function nearestTsconfig(folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const path = TSCONFIGS.map((name) => join(at, name)).find((one) => existsSync(one));
    if (path !== undefined || at === dirname(at)) return path;
  }
}

/** The options of that tsconfig, `extends` followed, that mean something for a cell. */
function tsconfigOptions(ts: TslabTypeScript, path: string): TS.CompilerOptions {
  const read = ts.readConfigFile(path, (file) => ts.sys.readFile(file));
  if (read.error) return {}; // Whoever builds that project hears of it from tsc.
  // The folder's own files are no concern of a cell: an empty list spares looking for them.
  const { options } = ts.parseJsonConfigFileContent(
    { ...(read.config as object), files: [], include: [] },
    ts.sys,
    dirname(path),
  );
  return Object.fromEntries(
    HEEDED.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]),
  );
}

/**
 * tslab's options with what is wrong in them for today's packages put right: modules are found as bundlers and Node find
 * them (`exports` in package.json), files may lie outside the working directory, Node's types are there wherever the kernel
 * was started, and the packages that are offered answer to their names. What the nearest tsconfig says comes on top.
 */
export function cellOptions(
  ts: TslabTypeScript,
  tslab: TS.CompilerOptions,
  cwd: string,
  packages: readonly OfferedPackage[],
): TS.CompilerOptions {
  const tsconfig = nearestTsconfig(cwd);
  const own = tsconfig === undefined ? {} : tsconfigOptions(ts, tsconfig);
  return {
    ...tslab,
    // tslab has TypeScript read all of node_modules/@types, among them the browser's whole DOM through some package.
    types: ["node"],
    ...own,
    typeRoots: [...(own.typeRoots ?? tslab.typeRoots ?? []), dirname(nodeTypes())],
    paths: { ...fallbackPaths(cwd, packages), ...own.paths },
    pathsBasePath: own["pathsBasePath"] ?? cwd,
    target: Math.max(own.target ?? 0, tslab.target ?? 0),
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    rootDir: "/",
    // As in tslab: a cell may be a script of the old kind.
    alwaysStrict: false,
    // The compiler host would look for the build information of a project.
    incremental: false,
    inlineSourceMap: true,
    inlineSources: false,
  };
}

/** Packages that a cell may import although they are not under the working directory: those offered, and NODE_PATH's. */
function fallbackPaths(cwd: string, packages: readonly OfferedPackage[]): Record<string, string[]> {
  const named = (process.env["NODE_PATH"] ?? "").split(delimiter).filter(Boolean);
  const paths: Record<string, string[]> = named.length
    ? { "*": named.flatMap((folder) => [join(folder, "*"), join(folder, "@types", "*")]) }
    : {};
  for (const { name, types } of packages) {
    try {
      createRequire(join(cwd, "cell.js")).resolve(`${name}/package.json`);
    } catch {
      paths[name] = [types];
    }
  }
  return paths;
}

function nodeTypes(): string {
  return dirname(createRequire(import.meta.url).resolve("@types/node/package.json"));
}
