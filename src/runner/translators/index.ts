import { pythonTranslator } from "./python";
import type { Translator } from "./translator";
import { javascriptTranslator, typescriptTranslator } from "./typescript";

export type { DeclaredParameter, Translator } from "./translator";

/** By kernel name or language, lower case. */
const translators = new Map<string, Translator>([
  ["typescript", typescriptTranslator],
  ["javascript", javascriptTranslator],
  ["python", pythonTranslator],
]);

/** Adds a translator, or replaces one, for a kernel name or a language. */
export function registerTranslator(name: string, translator: Translator): void {
  translators.set(name.toLowerCase(), translator);
}

/** The translator for a kernel, looked up by its name first and by its language then. */
export function findTranslator(kernelName: string, language: string): Translator | undefined {
  return translators.get(kernelName.toLowerCase()) ?? translators.get(language.toLowerCase());
}

/** What there are translators for. */
export function translatorNames(): string[] {
  return [...translators.keys()];
}
