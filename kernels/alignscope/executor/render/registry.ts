import { dataFrames } from "./data-frames";
import { errors } from "./errors";
import { functions } from "./functions";
import { images } from "./images";
import { numbers } from "./numbers";
import { own } from "./own";
import { records } from "./records";
import type { Renderer } from "./renderer";
import { specifications } from "./specifications";
import { strings } from "./strings";
import { tensors } from "./tensors";

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
