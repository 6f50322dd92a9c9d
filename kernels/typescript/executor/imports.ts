import type { ImportedFile } from "../wire/index.js";
import { tellFront } from "./channel.js";

/** Questions to the compiler about what `import()` means where only the running code knows the specifier. */
export class Imports {
  readonly #open = new Map<number, (file: ImportedFile | undefined) => void>();
  #count = 0;

  /** The local file that a specifier means in the file `from`, with what is new of it and its imports. */
  ask(specifier: string, from: string): Promise<ImportedFile | undefined> {
    const request = ++this.#count;
    return new Promise((resolve) => {
      this.#open.set(request, resolve);
      tellFront({ type: "import", request, specifier, from });
    });
  }

  answer(request: number, file: ImportedFile | undefined): void {
    this.#open.get(request)?.(file);
    this.#open.delete(request);
  }
}
