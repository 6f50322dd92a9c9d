import type TS from "typescript";
import { requireKept } from "./code-cache.js";

/** TypeScript, as the CommonJS that it is: for an ES import Node would first read all of it twice more. */
export const { exports: ts, keep: keepCompiled } = requireKept<typeof TS>("typescript", import.meta.url);
