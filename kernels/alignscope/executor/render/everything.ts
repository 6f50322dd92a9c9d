import { plainText } from "./plain";
import type { Renderer } from "./renderer";
import { textOnly } from "./renderer";

/** Whatever nobody else knows, as Node.js prints it. */
export const plain: Renderer = {
  what: "text",
  render: (value) => textOnly(plainText(value)),
};
