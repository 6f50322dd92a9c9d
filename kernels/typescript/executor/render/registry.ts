import { dataFrames } from "./data-frames.js";
import { errors } from "./errors.js";
import { functions } from "./functions.js";
import { images } from "./images.js";
import { numbers } from "./numbers.js";
import { own } from "./own.js";
import { records } from "./records.js";
import type { Renderer } from "./renderer.js";
import { specifications } from "./specifications.js";
import { strings } from "./strings.js";
import { tensors } from "./tensors.js";

/**
 * Who is asked, in this order; the first that knows a value shows it. What an object says itself comes first, then kinds that
 * are recognised by their shape. What nobody knows is printed as Node.js does.
 */
export const renderers: readonly Renderer[] = [
  strings,
  own,
  errors,
  functions,
  images,
  numbers,
  tensors,
  dataFrames,
  specifications,
  records,
];
