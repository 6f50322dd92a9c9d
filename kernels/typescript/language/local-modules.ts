import type { LocalModule, MappedCode } from "../wire/compiled.js";
import { isDeclaration, isPackaged, type Service } from "./service.js";
import { transpileModule, type Transpiled } from "./transpile.js";
import { ts } from "./typescript.js";

/** Makes a local module's CommonJS ready to run; `dynamic` has the specifiers of its `import()` and `require()`. */
export type RewriteModule = (
  script: Transpiled,
  file: string,
) => { script: MappedCode; awaits: boolean; dynamic: string[] };

interface Made {
  version: number;
  module: Omit<LocalModule, "links">;
  /** All that it may load by a literal specifier. */
  specifiers: string[];
}

const RELATIVE = /^(\.{0,2}[\\/]|\.{1,2}$)/;

/** The researcher's own files that cells import, as the executor runs them. */
export class LocalModules {
  readonly #service: Service;
  readonly #aliases: readonly string[];
  readonly #rewrite: RewriteModule;
  readonly #made = new Map<string, Made>();
  /** What the executor has of each file: its version, and what its imports mean. */
  readonly #sent = new Map<string, string>();

  /** `aliases` are the patterns of tsconfig's `paths`, which may mean local files as well. */
  constructor(service: Service, aliases: readonly string[], rewrite: RewriteModule) {
    this.#service = service;
    this.#aliases = aliases;
    this.#rewrite = rewrite;
  }

  /** The local file that a specifier means in the file `from`, if it is one. */
  resolve(specifier: string, from: string): string | undefined {
    const relative = RELATIVE.test(specifier);
    if (!relative && !this.#aliases.some((alias) => fits(specifier, alias))) return undefined;
    const found = this.#service.resolve(specifier, from);
    if (!found || found.isExternalLibraryImport || isPackaged(found.resolvedFileName)) return undefined;
    const path = found.resolvedFileName;
    if (!isDeclaration(path)) return path;
    // Types that stand beside their JavaScript.
    const script = path.replace(/\.d\.([cm]?)ts$/, ".$1js");
    return relative && script !== path && this.#service.read(script) ? script : undefined;
  }

  /** What of these specifiers means a local file in the file `from`. */
  links(specifiers: Iterable<string>, from: string): Record<string, string> {
    const links: Record<string, string> = {};
    for (const specifier of specifiers) {
      const path = this.resolve(specifier, from);
      if (path !== undefined) links[specifier] = path;
    }
    return links;
  }

  /** The modules behind links, and those behind theirs, that the executor does not have as they are now. */
  news(links: Record<string, string>): LocalModule[] {
    const seen = new Set<string>();
    const found: LocalModule[] = [];
    const open = Object.values(links);
    for (let path = open.pop(); path !== undefined; path = open.pop()) {
      if (seen.has(path)) continue;
      seen.add(path);
      const made = this.#make(path);
      if (!made) continue;
      const module = { ...made.module, links: this.links(made.specifiers, path) };
      open.push(...Object.values(module.links));
      const state = `${made.version} ${JSON.stringify(module.links)}`;
      if (this.#sent.get(path) === state) continue;
      this.#sent.set(path, state);
      found.push(module);
    }
    return found;
  }

  /** The executor is a new one, which has nothing. */
  reset(): void {
    this.#sent.clear();
  }

  #make(path: string): Made | undefined {
    const file = this.#service.read(path);
    if (!file) return undefined;
    const known = this.#made.get(path);
    if (known?.version === file.version) return known;
    const made = { version: file.version, ...this.#compile(path, file.text) };
    this.#made.set(path, made);
    return made;
  }

  #compile(path: string, text: string): Pick<Made, "module" | "specifiers"> {
    if (path.endsWith(".json")) {
      const script = { code: text, maps: [] };
      return { module: { path, script, awaits: false, json: true, imports: [] }, specifiers: [] };
    }
    try {
      const transpiled = transpileModule(text, path, this.#service.options);
      const { script, awaits, dynamic } = this.#rewrite(transpiled, path);
      // A declaration that is left as `require` is an import; others were about types.
      const loaded = new Set(dynamic);
      const imports = declaredImports(text, path).filter((specifier) => loaded.has(specifier));
      return { module: { path, script, awaits, imports }, specifiers: [...loaded] };
    } catch (error) {
      // What cannot be read says so to whoever loads it.
      const code = `throw new SyntaxError(${JSON.stringify(`${path}: ${(error as Error).message}`)});`;
      return { module: { path, script: { code, maps: [] }, awaits: false, imports: [] }, specifiers: [] };
    }
  }
}

/** The specifiers of import declarations and of exports from elsewhere, in order. */
function declaredImports(text: string, path: string): string[] {
  const specifiers = new Set<string>();
  for (const one of ts.createSourceFile(path, text, ts.ScriptTarget.Latest).statements) {
    if (!ts.isImportDeclaration(one) && !ts.isExportDeclaration(one)) continue;
    if (one.moduleSpecifier && ts.isStringLiteral(one.moduleSpecifier))
      specifiers.add(one.moduleSpecifier.text);
  }
  return [...specifiers];
}

/** Whether tsconfig's pattern, `@lib/*` say, covers a specifier. */
function fits(specifier: string, pattern: string): boolean {
  const [before = "", after] = pattern.split("*");
  if (after === undefined) return specifier === pattern;
  return specifier.startsWith(before) && specifier.endsWith(after);
}
