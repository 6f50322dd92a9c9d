/*
 * What the compiler makes of TypeScript, and what the executor runs. Compiled code names things that nobody wrote, all
 * properties of the executor's global object, which no other code can mean by accident (see names.ts).
 */

/** JavaScript, and the source maps that lead, one after the other, from it to what was written. */
export interface MappedCode {
  code: string;
  maps: string[];
}

/** How one import declaration of a cell binds its names: `import d, { a as b }` is `{ d: "default", b: "a" }`, `* as ns` is `{ ns: "*" }`. */
export interface CellImport {
  /** As it was written: `./paths`, `fs`, `@scope/package/part`. */
  specifier: string;
  bindings: Record<string, string>;
}

/** A cell that is to be run. */
export interface CompiledCell {
  /** The body of an async function: imports are taken out, and top-level names are slots. */
  script: MappedCode;
  imports: CellImport[];
  /** Names that the cell's top level declares, less those of imports; in the order in which `mark(i)` counts them. */
  declares: string[];
  /** Of these, what is undefined until it is assigned, rather than unassigned or as earlier cells left it: enums, namespaces. */
  resets: string[];
  /** `var` of these is undefined where no earlier cell has assigned it. */
  vars: string[];
  /** Files that the cell may reach by `import` and that are not packages, where they are new to the executor or have changed. */
  modules: LocalModule[];
  /** What `import`, `import()` and `require` of the cell mean, where it is a local file: specifier to path. */
  links: Record<string, string>;
}

/** A file of the researcher's, in or outside the working directory, or tslab's in-memory module. */
export interface LocalModule {
  path: string;
  /** CommonJS, run as the body of a function of exports, require, module, __filename, __dirname; async if `awaits`. */
  script: MappedCode;
  /** Whether it awaits at its top level. */
  awaits: boolean;
  /** A JSON file: `script.code` is its text. */
  json?: boolean;
  /** Static specifiers of what it imports, in order: what must be loaded before it runs. */
  imports: string[];
  links: Record<string, string>;
}

/** The local file that a specifier means, with those of what it imports that are new to the executor or have changed. */
export interface ImportedFile {
  path: string;
  modules: LocalModule[];
}

/** What the compiler has against a cell. */
export interface Problem {
  /** TypeScript's number, as in TS2322. */
  code: number;
  message: string;
  /** Lines and columns count from 1; `source` is a cell's script name (see names.ts) or a file's path. */
  place?: { source: string; line: number; column: number; length: number };
  /** The whole text of a file that is no cell. */
  text?: string;
}

export type Compiled = { ok: true; cell: CompiledCell } | { ok: false; problems: Problem[] };
