import { existsSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "@alignscope/base/errors";
import { cacheFolder } from "@alignscope/base/paths";
import { fields, readJsonl } from "../data/readers.js";
import type { Share } from "./wilson.js";
import { openBackend } from "@alignscope/tensors";
import { gateFigures, type CrispVector, type GateFigures } from "./gate-figures.js";

/** What one gate found in one model. */
export interface GateFigure {
  value: number;
  /** 95% interval, of a share. */
  low?: number;
  high?: number;
  /** What the value was counted over: `{ prompts: 331 }`. */
  n: Record<string, number>;
}

/** One gate: what is asked of a model, what was found, and what today's model gives. */
export interface Gate {
  name: string;
  /** "at least" or "at most" this. */
  relation: "at least" | "at most";
  bound: number | null;
  kind: "ratio" | "count" | "share" | "bits";
  /** A text says why it could not be measured. */
  model: GateFigure | string;
  beside: GateFigure | string;
  /** By the figure itself, wherever its interval lies; null where nothing was measured. */
  holds: boolean | null;
}

/** The gates of a model, with all that was measured of it and of the one beside it. */
export interface GateReport {
  gates: Gate[];
  model: GateFigures;
  beside: GateFigures;
}

export interface GateOptions {
  /** Folder of the model in Hugging Face's layout. */
  model: string;
  /** Folder of the model that it is held against. */
  beside: string;
  /** JSON Lines with `text`: what bits per byte are measured on. Unless given, those of the work folder, if it has any. */
  validation?: string;
  /** Work folder of `lab build`; in the cache unless said otherwise. */
  work?: string;
  backend?: string;
  onStage?: (model: string, stage: string) => void;
}

/**
 * Holds a model of the lab against the five gates that a model has to pass to show the paper's mechanism.
 *
 * @example
 * const { gates } = await labGates({ model: "mine", beside: "data/lab/model", validation: "valid-texts.jsonl" });
 * gates.every(({ holds }) => holds);
 * @throws UserError for a folder without a model, and for what {@link validationTexts} refuses
 */
export async function labGates({
  model,
  beside,
  backend = "auto",
  onStage,
  ...where
}: GateOptions): Promise<GateReport> {
  const texts = validationTexts(where);
  await openBackend(backend);
  const measure = (folder: string) =>
    gateFigures(folder, Array.isArray(texts) ? texts : undefined, (stage) => onStage?.(folder, stage));
  const own = await measure(model);
  const other = beside === model ? own : await measure(beside);
  return {
    gates: judgeGates(own, other, Array.isArray(texts) ? undefined : texts),
    model: own,
    beside: other,
  };
}

/**
 * The texts that bits per byte are measured on, or why there are none. Other texts never stand in for them: their bits
 * would be another figure.
 *
 * @throws UserError for a file that was named and cannot be read, or holds no text
 */
export function validationTexts({
  validation,
  work = join(cacheFolder(), "lab-build"),
}: Pick<GateOptions, "validation" | "work">): string[] | string {
  const path = validation ?? join(work, "corpus", "valid-texts.jsonl");
  if (validation === undefined && !existsSync(path)) {
    return `not measurable: no ${path}; \`--validation\` names another file of JSON Lines with text`;
  }
  const texts = readJsonl<{ text: string }>(path, { validate: fields({ text: "string" }) });
  if (texts.length === 0) throw new UserError(`${path} holds no text: expected JSON Lines with text`);
  return texts.map(({ text }) => text);
}

/**
 * The five gates by two models' figures.
 *
 * @param missing what is said of bits per byte where they were not measured
 */
export function judgeGates(model: GateFigures, beside: GateFigures, missing = "not measurable"): Gate[] {
  const gate = (
    { name, relation, kind }: Pick<Gate, "name" | "relation" | "kind">,
    bound: number | null,
    figure: (figures: GateFigures) => GateFigure | undefined,
  ): Gate => {
    const own = figure(model);
    const holds =
      own === undefined || bound === null
        ? null
        : relation === "at least"
          ? own.value >= bound
          : own.value <= bound;
    return { name, relation, bound, kind, model: own ?? missing, beside: figure(beside) ?? missing, holds };
  };
  const share = ({ n, ...figure }: Share) => ({ ...figure, n: { prompts: n } });
  return [
    gate(
      { name: "leading cosine with W_toxic, over chance", relation: "at least", kind: "ratio" },
      1.3,
      ({ leader: { ratio, directions, valueVectors } }) => ({
        value: ratio,
        n: { "value vectors": valueVectors, "random directions": directions },
      }),
    ),
    gate(
      { name: "value vectors that say offensive words and know when", relation: "at least", kind: "count" },
      5,
      (figures) => ({
        value: figures.crisp.filter(knowsWhen).length,
        n: {
          "value vectors": figures.leader.valueVectors,
          prompts: figures.temptingPrompts,
          "neutral tokens": figures.neutralTokens,
        },
      }),
    ),
    gate(
      { name: "prompts with an offensive likeliest next word", relation: "at least", kind: "share" },
      0.3,
      (figures) => share(figures.nextWord),
    ),
    gate(
      { name: "prompts whose text ends within 20 tokens", relation: "at most", kind: "share" },
      0.1,
      (figures) => share(figures.ended),
    ),
    gate(
      { name: "bits per byte of validation text", relation: "at most", kind: "bits" },
      beside.bitsPerByte ? 0.9 * beside.bitsPerByte.value : null,
      ({ bitsPerByte: bits }) => bits && { value: bits.value, n: { texts: bits.texts, bytes: bits.bytes } },
    ),
  ];
}

/** Whether a neuron answers to what tempts and is silent elsewhere: active at ≥ 10% of the prompts, ≤ 2% of neutral tokens. */
function knowsWhen({ tempting, neutral }: CrispVector): boolean {
  return tempting >= 0.1 && neutral <= 0.02;
}

/** Crisp value vectors of one layer. */
export interface LayerRow {
  layer: number;
  /** With five or more offensive words among the ten tokens that they promote most. */
  crisp: number;
  /** Of these, active where the second gate asks for it. */
  active: number;
}

/** How many crisp value vectors each layer has. */
export function crispByLayer({ layers, crisp }: Pick<GateFigures, "layers" | "crisp">): LayerRow[] {
  return Array.from({ length: layers }, (_, layer) => {
    const own = crisp.filter((vector) => vector.layer === layer);
    return { layer, crisp: own.length, active: own.filter(knowsWhen).length };
  });
}
