import { join } from "node:path";
import { cellScript, executionOf } from "../wire/names.js";
import type { CellNames, NameKind } from "./names.js";
import type { Service } from "./service.js";

interface Declaration {
  execution: number;
  kind: NameKind;
}

/** Kinds of names that an unfinished cell may have left without a value. */
const ASSIGNED: ReadonlySet<NameKind> = new Set(["let", "const", "class"]);

/** Kinds of names that are no slot of the running cells. */
const WITHOUT_SLOT: ReadonlySet<NameKind> = new Set(["type", "ambient"]);

/** Executions count from 1: this is the cell that is still being written. */
export const DRAFT = 0;

/**
 * The cells as modules of one program. To a cell's code is added what brings in the names of earlier cells that it mentions,
 * and exports for later ones; a name means its newest declaration, and what was made with an older one keeps its type.
 */
export class Cells {
  readonly #service: Service;
  readonly #cwd: string;
  readonly #jsx: boolean;
  /** The declarations of each name, the newest last; older ones until it is sure that the newest holds. */
  readonly #names = new Map<string, Declaration[]>();
  /** Cells that add to what all cells share. */
  #global: { execution: number; code: string }[] = [];
  #declares = new Map<number, string[]>();
  #newest = DRAFT;

  constructor(service: Service, cwd: string, jsx: boolean) {
    this.#service = service;
    this.#cwd = cwd;
    this.#jsx = jsx;
  }

  /** The virtual file of a cell. */
  path(execution: number): string {
    return join(this.#cwd, this.#jsx ? `${cellScript(execution)}x` : cellScript(execution));
  }

  /** The execution whose virtual file that is. */
  executionOf(path: string): number | undefined {
    const name = path.slice(this.#cwd.endsWith("/") ? this.#cwd.length : this.#cwd.length + 1);
    const execution = executionOf(name.replace(/x$/, ""));
    return execution !== undefined && path === this.path(execution) ? execution : undefined;
  }

  /** Names that are slots of the running cells by now. */
  slots(): Set<string> {
    const slots = new Set<string>();
    for (const [name, all] of this.#names) {
      if (all.some(({ kind }) => !WITHOUT_SLOT.has(kind))) slots.add(name);
    }
    return slots;
  }

  /** What the newest declaration of a name has made of it. */
  kindOf(name: string): NameKind | undefined {
    return this.#names.get(name)?.at(-1)?.kind;
  }

  /** Every name of earlier cells. */
  names(): Iterable<string> {
    return this.#names.keys();
  }

  /** Makes a module of a cell, the newest one, whose names later cells see. */
  add(execution: number, code: string, names: CellNames): void {
    this.#forgetNewest();
    const exports = [...names.declared.keys()].filter((name) => !names.exported.has(name));
    this.#service.write(
      this.path(execution),
      `${code}\n;\n${this.#prelude(names)}export { ${exports.join(", ")} };\n`,
    );
    for (const [name, kind] of names.declared) {
      const all = this.#names.get(name) ?? [];
      this.#names.set(name, [...all, { execution, kind }]);
    }
    this.#declares.set(execution, [...names.declared.keys()]);
    this.#newest = execution;
    if (names.global) {
      // A cell that is run again declares the same things again.
      this.#global = [...this.#global.filter((one) => one.code !== code), { execution, code }];
    }
    this.#service.start(this.roots(execution));
  }

  /** The files of a program with these cells: what all cells share, and what a cell needs is found by its imports. */
  roots(...executions: number[]): string[] {
    const cells = new Set([...this.#global.map(({ execution }) => execution), ...executions]);
    return [...cells].map((one) => this.path(one));
  }

  /** Every cell is forgotten. */
  clear(): void {
    for (const execution of this.#declares.keys()) this.#service.remove(this.path(execution));
    this.#declares.clear();
    this.#names.clear();
    this.#global = [];
    this.#service.start(this.roots());
  }

  /** A cell that does not run leaves nothing. */
  remove(execution: number): void {
    this.#keep(execution, () => false);
    this.#global = this.#global.filter((one) => one.execution !== execution);
    this.#service.remove(this.path(execution));
    this.#declares.delete(execution);
    this.#service.start(this.roots());
  }

  /** Marks imports as types that the checker has found to be nothing else. */
  areTypes(execution: number, names: Iterable<string>): void {
    for (const name of names) {
      const found = this.#names.get(name)?.find((one) => one.execution === execution);
      if (found) found.kind = "type";
    }
  }

  /** A cell has ended; `assigned` has the names with a value, if it did not come to its end. */
  settled(execution: number, assigned?: readonly string[]): void {
    const has = assigned && new Set(assigned);
    this.#keep(execution, (name, kind) => !has || !ASSIGNED.has(kind) || has.has(name));
    // Of what was not left, nobody asks again.
    if (has)
      this.#declares.set(
        execution,
        (this.#declares.get(execution) ?? []).filter((name) => this.#has(name, execution)),
      );
  }

  /** Makes a module of code that is still being written. Its text begins at the `offset` of the file. */
  draft(code: string, names: CellNames): { path: string; offset: number } {
    const path = this.path(DRAFT);
    // Code that is not finished may swallow what follows: what it needs stands before it.
    const prelude = `export {};\n${this.#prelude(names)}`;
    this.#service.write(path, prelude + code);
    this.#service.start(this.roots(DRAFT));
    return { path, offset: prelude.length };
  }

  #has(name: string, execution: number): boolean {
    return this.#names.get(name)?.some((one) => one.execution === execution) ?? false;
  }

  #keep(execution: number, keeps: (name: string, kind: NameKind) => boolean): void {
    for (const name of this.#declares.get(execution) ?? []) {
      const all = this.#names.get(name) ?? [];
      const at = all.findIndex((one) => one.execution === execution);
      const found = all[at];
      if (!found) continue;
      const left = keeps(name, found.kind) ? all.slice(at) : all.filter((one) => one !== found);
      if (left.length > 0) this.#names.set(name, left);
      else this.#names.delete(name);
    }
  }

  /** A cell without names is of no use to later ones. */
  #forgetNewest(): void {
    const newest = this.#newest;
    if (this.#declares.get(newest)?.length !== 0) return;
    if (this.#global.some(({ execution }) => execution === newest)) return;
    this.#service.remove(this.path(newest));
    this.#declares.delete(newest);
  }

  /** Brings in what earlier cells have declared. An import could not be assigned to, as a variable can. */
  #prelude({ mentioned, declared }: CellNames): string {
    const imports = new Map<number, string[]>();
    let text = "";
    for (const name of this.#jsx ? [...mentioned, "React"] : mentioned) {
      const declaration = declared.has(name) ? undefined : this.#names.get(name)?.at(-1);
      if (!declaration) continue;
      const { execution, kind } = declaration;
      if (kind === "let")
        text += `declare let ${name}: typeof import("${specifierOf(execution)}").${name};\n`;
      else imports.set(execution, [...(imports.get(execution) ?? []), name]);
    }
    for (const [execution, names] of imports) {
      text += `import { ${[...new Set(names)].join(", ")} } from "${specifierOf(execution)}";\n`;
    }
    return text;
  }
}

const specifierOf = (execution: number): string => `./${cellScript(execution).replace(/\.ts$/, "")}`;
