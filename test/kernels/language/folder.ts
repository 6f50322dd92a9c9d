import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { THIS_PACKAGE } from "../../../kernels/typescript/install/kernelspec-owner.js";
import { Language } from "../../../kernels/typescript/language/language.js";
import { rewriteCell, rewriteModule } from "../../../kernels/typescript/language/rewriting/rewrite.js";
import type { CompiledCell } from "../../../kernels/typescript/wire/index.js";

/** A folder for one test file's cells. */
export class Folder {
  readonly path = realpathSync(mkdtempSync(join(tmpdir(), "language-")));

  write(files: Record<string, string>): void {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.path, name)), { recursive: true });
      writeFileSync(join(this.path, name), text);
    }
  }

  remove(): void {
    rmSync(this.path, { recursive: true });
  }
}

/** A language with cells that are compiled one after the other, and not run. */
export class Cells {
  readonly language: Language;
  #execution: number;

  /** `before` counts the executions that went before. */
  constructor(cwd: string, before = 0) {
    this.#execution = before;
    const globals = join(THIS_PACKAGE.folder, "executor", "cell-globals.d.ts");
    this.language = new Language({ cwd, globals, packages: [] }, { rewriteCell, rewriteModule });
  }

  /** The last of these cells; the others must have no problems. */
  cell(...codes: string[]): CompiledCell {
    let last: CompiledCell | undefined;
    for (const code of codes) {
      const compiled = this.language.compile(code, ++this.#execution);
      if (!compiled.ok)
        throw new Error(`${code}: ${compiled.problems.map(({ message }) => message).join("; ")}`);
      last = compiled.cell;
      this.language.settled(this.#execution);
    }
    if (!last) throw new Error("no cell was given");
    return last;
  }

  /** A cell that came to no end, with what it had assigned. */
  failed(code: string, ...assigned: string[]): void {
    const compiled = this.language.compile(code, ++this.#execution);
    if (!compiled.ok)
      throw new Error(`${code}: ${compiled.problems.map(({ message }) => message).join("; ")}`);
    this.language.settled(this.#execution, assigned);
  }

  /** What there is against a cell, as `line:column message`. */
  problems(code: string): string[] {
    const compiled = this.language.compile(code, ++this.#execution);
    if (compiled.ok) this.language.settled(this.#execution);
    return compiled.ok
      ? []
      : compiled.problems.map(({ place, message }) => `${place?.line}:${place?.column} ${message}`);
  }

  /** What is offered at `|`, and the code with the first of it in place. */
  offered(code: string): { matches: string[]; becomes: string } {
    const position = code.indexOf("|");
    const whole = code.replace("|", "");
    const { matches, start, end } = this.language.complete(whole, position);
    return { matches, becomes: whole.slice(0, start) + (matches[0] ?? "") + whole.slice(end) };
  }

  /** The plain hover text at `|`. */
  hover(code: string): string | undefined {
    const bundle = this.language.hover(code.replace("|", ""), code.indexOf("|"));
    return bundle?.["text/plain"] as string | undefined;
  }
}
