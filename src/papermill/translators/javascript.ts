import { readDeclarations } from "../typed/typescript-declarations.js";
import type { Translator } from "./translator.js";
import { typescriptTranslator } from "./typescript.js";

/** JavaScript: TypeScript's values, without types. */
export const javascriptTranslator: Translator = {
  ...typescriptTranslator,
  inspect: (source) => readDeclarations(source, "javascript"),
  checksTypes: false,
  assign: (name, value, declared) =>
    `${declared?.keyword ?? "const"} ${name} = ${typescriptTranslator.literal(value)};`,
};
