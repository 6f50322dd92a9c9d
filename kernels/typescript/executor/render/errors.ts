import { types } from "node:util";
import { plainText } from "./plain.js";
import type { Renderer } from "./renderer.js";
import { textOnly } from "./renderer.js";
import { withoutKernelFrames } from "./stack.js";

/** Errors with name, message, stack and causes; the stack without what lies below the cell. */
export const errors: Renderer = {
  what: "an error",
  render: (value) =>
    types.isNativeError(value) || value instanceof Error
      ? textOnly(withoutKernelFrames(plainText(value)))
      : undefined,
};
