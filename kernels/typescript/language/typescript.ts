import { createRequire } from "node:module";
import type TS from "typescript";

/** TypeScript, as the CommonJS that it is: for an ES import Node would first read all of it twice more. */
export const ts = createRequire(import.meta.url)("typescript") as typeof TS;
