import { dataFrames } from "./data-frames";
import { functions } from "./functions";
import { images } from "./images";
import { numbers } from "./numbers";
import { own } from "./own";
import { plain } from "./everything";
import { records } from "./records";
import type { Renderer } from "./renderer";
import { specifications } from "./specifications";
import { strings } from "./strings";
import { tensors } from "./tensors";
import { errors } from "./errors";

/**
 * Who is asked, in this order; the first that knows a value shows it. What an object says itself comes first, then kinds that
 * are recognised by their shape, from the most particular to plain text, which takes everything.
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
  plain,
];
