import type { Translator } from "./translator";
import { typescriptTranslator } from "./typescript";

/** JavaScript: TypeScript's values, without types. */
export const javascriptTranslator: Translator = {
  ...typescriptTranslator,
  assign: (name, value, declared) =>
    `${declared?.keyword ?? "const"} ${name} = ${typescriptTranslator.literal(value)};`,
};
