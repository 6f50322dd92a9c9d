import { scryptSync } from "node:crypto";
import type { Json } from "jupyter-wire";
import { isSecret, jsonParameters, MASK, type MaskOption } from "papermill-ts";
import type { ChosenParameters, EffectiveParameters } from "./parameters.js";

/** The parameters as manifest, state and plan show them: in JSON, secrets masked. */
export function recorded(parameters: ChosenParameters, mask: MaskOption = []): EffectiveParameters {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, { value, source }]) => [
      name,
      { value: isSecret(name, value, mask) ? MASK : asJson(value), source },
    ]),
  );
}

/** Values that decide what is computed; of a secret only what tells that it has changed. */
export function fingerprintOf(parameters: ChosenParameters, mask: MaskOption = []): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(parameters).flatMap(([name, { value }]): [string, Json][] => {
      // Where results lie does not change them.
      if (name === "outputs" || value === undefined) return [];
      const json = asJson(value) ?? null;
      return [[name, isSecret(name, value, mask) ? secretPrint(name, JSON.stringify(json)) : json]];
    }),
  );
}

/** Begins what a fingerprint holds in the place of a secret. */
const SECRET_PRINT = "secret:";

export function isSecretPrint(value: Json | undefined): boolean {
  return typeof value === "string" && value.startsWith(SECRET_PRINT);
}

const prints = new Map<string, string>();

/** Slow to compute, so that guessing a secret from what lies in an output folder is slow too; once a process is enough. */
function secretPrint(name: string, text: string): string {
  const key = `${name}\0${text}`;
  const known = prints.get(key);
  if (known !== undefined) return known;
  const print = `${SECRET_PRINT}${scryptSync(text, `alignscope ${name}`, 16).toString("hex")}`;
  prints.set(key, print);
  return print;
}

function asJson(value: ChosenParameters[string]["value"]): Json | undefined {
  return value === undefined ? undefined : jsonParameters({ value })["value"];
}
