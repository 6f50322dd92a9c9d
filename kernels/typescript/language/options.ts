import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";
import type TS from "typescript";
import { ts } from "./typescript.js";

/** A package that cells may import by its name although it is not installed where the kernel works. */
export interface TypedPackage {
  name: string;
  /** The file with its types. */
  types: string;
}

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
  "strictBuiltinIteratorReturn",
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

/** What the running Node has beyond ES2023, by the library that declares it. */
const BEYOND: readonly [lib: string, has: boolean][] = [
  ["es2024.arraybuffer", "transfer" in ArrayBuffer.prototype],
  ["es2024.collection", "groupBy" in Map],
  ["es2024.object", "groupBy" in Object],
  ["es2024.promise", "withResolvers" in Promise],
  ["es2024.regexp", "unicodeSets" in RegExp.prototype],
  ["es2024.sharedmemory", "waitAsync" in Atomics],
  ["es2024.string", "isWellFormed" in String.prototype],
  ["esnext.array", "fromAsync" in Array],
  ["esnext.collection", "union" in Set.prototype],
  ["esnext.decorators", true],
  ["esnext.disposable", true],
  ["esnext.error", "isError" in Error],
  ["esnext.float16", "Float16Array" in globalThis],
  ["esnext.iterator", "Iterator" in globalThis],
  ["esnext.promise", "try" in Promise],
];

/** How cells are checked, and the aliases that the researcher's own tsconfig gives to local files. */
export interface CellOptions {
  compiler: TS.CompilerOptions;
  aliases: readonly string[];
  /** Whether cells may hold JSX: a tsconfig says so. */
  jsx: boolean;
}

/**
 * The options of cells in a folder: not strict and without a browser's types, modules found as bundlers and Node find them,
 * Node's types wherever the kernel was started, and packages that are offered by their names. What the nearest tsconfig says
 * comes on top.
 */
export function cellOptions(cwd: string, packages: readonly TypedPackage[]): CellOptions {
  const tsconfig = nearestTsconfig(cwd);
  const own = tsconfig === undefined ? {} : tsconfigOptions(tsconfig);
  const lib = BEYOND.filter(([, has]) => has).map(([name]) => `lib.${name}.d.ts`);
  const nodeTypes = dirname(createRequire(import.meta.url).resolve("@types/node/package.json"));
  return {
    aliases: Object.keys(own.paths ?? {}),
    jsx: own.jsx !== undefined,
    compiler: {
      jsx: ts.JsxEmit.React,
      // All of node_modules/@types would bring the browser's DOM through some package.
      types: ["node"],
      resolveJsonModule: true,
      ...own,
      lib: [...new Set([...(own.lib ?? []), "lib.es2023.d.ts", ...lib])],
      target: Math.max(own.target ?? 0, ts.ScriptTarget.ES2022),
      typeRoots: [
        ...(own.typeRoots ?? foldersUp(cwd).map((folder) => join(folder, "node_modules", "@types"))),
        dirname(nodeTypes),
      ],
      paths: { ...fallbackPaths(cwd, packages), ...own.paths },
      pathsBasePath: own["pathsBasePath"] ?? cwd,
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      moduleDetection: ts.ModuleDetectionKind.Force,
      esModuleInterop: true,
      allowJs: true,
      checkJs: false,
      allowImportingTsExtensions: true,
      noEmit: true,
      skipLibCheck: true,
    },
  };
}

/** The nearest tsconfig at or above a folder. */
function nearestTsconfig(folder: string): string | undefined {
  return foldersUp(folder)
    .flatMap((at) => TSCONFIGS.map((name) => join(at, name)))
    .find((path) => existsSync(path));
}

/** A folder and those above it. */
function foldersUp(folder: string): string[] {
  const above = dirname(folder);
  return above === folder ? [folder] : [folder, ...foldersUp(above)];
}

/** The options of that tsconfig, `extends` followed, that mean something for a cell. */
function tsconfigOptions(path: string): TS.CompilerOptions {
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

/** Packages that a cell may import although they are not under the working directory: those offered, and NODE_PATH's. */
function fallbackPaths(cwd: string, packages: readonly TypedPackage[]): Record<string, string[]> {
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
