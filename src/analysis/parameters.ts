import { UserError } from "@alignscope/base/errors";
import { median } from "@alignscope/tensors/vectors";
import type { GPT2 } from "../model/index.js";
import {
  changeOf,
  together,
  vectorSums,
  type Along,
  type Readings,
  type VectorChange,
  type VectorSums,
} from "./vector-change.js";

/** What a parameter of a GPT-2 is to the model. */
export type ParameterKind =
  | "token embedding"
  | "unembedding"
  | "positions"
  | "attention QKV"
  | "attention output"
  | "key vectors"
  | "value vectors"
  | "biases"
  | "layer norms";

/** The kinds in the order of a table. */
export const PARAMETER_KINDS: readonly ParameterKind[] = [
  "attention QKV",
  "attention output",
  "key vectors",
  "value vectors",
  "biases",
  "layer norms",
  "positions",
  "token embedding",
  "unembedding",
];

/** How the vectors changed that a tensor consists of. */
export interface VectorsChange {
  along: Along;
  count: number;
  /** Entries of each. */
  length: number;
  /** How many have no cosine, because they are zero before or after. */
  undirected: number;
  /** Over those that have one, and which of them has the lowest; null where none has. */
  cosine: { min: number; at: number; median: number; mean: number } | null;
  /** Reading (a), | ‖w‖ − ‖w′‖ |, over vectors. */
  normDifference: { mean: number; max: number };
  /** Reading (b), ‖w′ − w‖, over vectors. */
  distance: { mean: number; max: number };
  /** Those of the lowest cosines, lowest first. */
  mostTurned: VectorChange[];
}

/** How one tensor changed: taken as one long vector, and vector by vector. */
export interface ParameterChange extends Readings {
  /** Hugging Face's name without `transformer.`, e.g. `h.3.mlp.c_fc.weight`. */
  name: string;
  kind: ParameterKind;
  /** The block it is in; null outside of blocks. */
  layer: number | null;
  shape: number[];
  size: number;
  /** ‖w‖ of the tensor before. */
  norm: number;
  /** Of the flattened tensor; null where it is zero before or after. */
  cosine: number | null;
  cosineDistance: number | null;
  /** The largest |w′ − w| of an entry. */
  largest: number;
  /** The vectors that it consists of; the first are its own, those that means are taken over. */
  vectors: [VectorsChange, ...VectorsChange[]];
}

export interface CompareOptions {
  /** Of each tensor, how many of the vectors that turned most are listed; 10 unless given. */
  mostTurned?: number;
  /** Called after each tensor. */
  onProgress?: (done: number, total: number) => void;
}

/** Which vectors a matrix consists of, its own first. Of both projections of attention, rows and columns mean something. */
const VECTORS: Partial<Record<ParameterKind, readonly [Along, ...Along[]]>> = {
  "attention QKV": ["columns", "rows"],
  "attention output": ["rows", "columns"],
  "key vectors": ["columns"],
  "value vectors": ["rows"],
  positions: ["rows"],
  "token embedding": ["rows"],
  unembedding: ["rows"],
};

/**
 * Every parameter of a model beside the same parameter of another one, e.g. of GPT-2 before and after DPO (section 5.1; claims
 * C10 and C11). Arithmetic is float64; one tensor of each model is copied at a time.
 *
 * A matrix is compared as a whole and by the vectors that mean something in it: the key vectors are columns of
 * `mlp.c_fc.weight`, the value vectors rows of `mlp.c_proj.weight`; embeddings have a row per token or position; what attention
 * reads with is a column of `attn.c_attn.weight`, what it writes a row of `attn.c_proj.weight`. A bias and either half of a
 * layer norm are one vector each. The token embedding that unembeds as well is there once, of the kind `unembedding`.
 *
 * @param before `GPT2` with `after` of the same shapes, raw weights both
 * @returns one change per tensor, in the order of the forward pass; an unembedding of its own comes last
 * @throws UserError where shapes differ, or a weight is not a finite number
 *
 * @example
 * const changes = await compareParameters(study.model, await study.keptModel("policy"));
 * Math.min(...changes.map(({ cosine }) => cosine ?? 1)); // 0.9998
 */
export async function compareParameters(
  before: GPT2,
  after: GPT2,
  { mostTurned = 10, onProgress }: CompareOptions = {},
): Promise<ParameterChange[]> {
  const names = commonNames(before, after);
  const tied = !names.includes(HEAD);
  const changes: ParameterChange[] = [];
  for (const name of names) {
    const { shape, data: old } = await valuesOf(before, name);
    const { data: now } = await valuesOf(after, name);
    changes.push(changeOfParameter(name, kindOf(name, tied), shape, old, now, mostTurned));
    onProgress?.(changes.length, names.length);
  }
  return changes;
}

const HEAD = "lm_head.weight";

/** Names of what both models have, after seeing that they have it in the same shapes. */
function commonNames(before: GPT2, after: GPT2): string[] {
  const [own, others] = [before, after].map((model) => new Set(model.parameterNames)) as [
    Set<string>,
    Set<string>,
  ];
  const names = [...new Set([...own, ...others])].filter((name) => name !== HEAD);
  // An unembedding of its own may have grown out of a tied one: the token embedding stands in for it.
  if (own.has(HEAD) || others.has(HEAD)) names.push(HEAD);
  for (const name of names) {
    if (name !== HEAD && !(own.has(name) && others.has(name))) {
      throw new UserError(
        `cannot compare parameters: ${name} is only in the model ${own.has(name) ? "before" : "after"}, expected in both: compare a model with what was trained from it`,
      );
    }
    const [one, other] = [before, after].map((model) => weightOf(model, name).shape.join());
    if (one === other) continue;
    throw new UserError(
      `cannot compare parameters: ${name} is [${one}] before and [${other}] after, expected one shape: compare a model with what was trained from it`,
    );
  }
  return names;
}

function weightOf(model: GPT2, name: string): ReturnType<GPT2["weight"]> {
  return name === HEAD ? model.unembedding : model.weight(name);
}

async function valuesOf(model: GPT2, name: string): Promise<{ shape: number[]; data: Float32Array }> {
  const tensor = weightOf(model, name);
  return { shape: tensor.shape, data: (await tensor.data()) as Float32Array };
}

function kindOf(name: string, tied: boolean): ParameterKind {
  if (name === "wte.weight") return tied ? "unembedding" : "token embedding";
  if (name === "wpe.weight") return "positions";
  if (/(^|\.)ln_\w+\.(weight|bias)$/.test(name)) return "layer norms";
  if (name.endsWith(".bias")) return "biases";
  if (name.endsWith(".attn.c_attn.weight")) return "attention QKV";
  if (name.endsWith(".attn.c_proj.weight")) return "attention output";
  if (name.endsWith(".mlp.c_fc.weight")) return "key vectors";
  return name === HEAD ? "unembedding" : "value vectors";
}

function changeOfParameter(
  name: string,
  kind: ParameterKind,
  shape: number[],
  before: Float32Array,
  after: Float32Array,
  mostTurned: number,
): ParameterChange {
  const [first, ...others] = VECTORS[kind] ?? (["whole"] as const);
  const matrix: [number, number] = [shape.length > 1 ? shape[0]! : 1, shape.at(-1)!];
  const sums = vectorSums(before, after, matrix, first);
  const whole = together(sums);
  refuseNonFinite(name, whole, before, after);
  const { cosine, cosineDistance, normDifference, distance, perElement, relative } = changeOf(whole, 0);
  const layer = /^h\.(\d+)\./.exec(name)?.[1];
  return {
    ...{ name, kind, layer: layer === undefined ? null : Number(layer), shape, size: before.length },
    ...{ norm: Math.sqrt(whole.before[0]!), cosine, cosineDistance, normDifference, distance },
    ...{ perElement, relative, largest: whole.largest },
    vectors: [
      vectorsChange(sums, first, mostTurned),
      ...others.map((along) => vectorsChange(vectorSums(before, after, matrix, along), along, mostTurned)),
    ],
  };
}

function refuseNonFinite(
  name: string,
  { moved }: VectorSums,
  before: Float32Array,
  after: Float32Array,
): void {
  if (Number.isFinite(moved[0])) return;
  const where = before.every(Number.isFinite) ? "after" : "before";
  const values = where === "after" ? after : before;
  const at = values.findIndex((value) => !Number.isFinite(value));
  throw new UserError(
    `cannot compare parameters: ${name} of the model ${where} holds ${values[at]} at index ${at}, expected finite numbers: train it again, or load it anew`,
  );
}

function vectorsChange(sums: VectorSums, along: Along, mostTurned: number): VectorsChange {
  const changes = Array.from({ length: sums.count }, (_, index) => changeOf(sums, index));
  const directed = changes
    .filter(({ cosineDistance }) => cosineDistance !== null)
    .sort((a, b) => b.cosineDistance! - a.cosineDistance! || a.index - b.index);
  const ofAll = (pick: (change: VectorChange) => number): { mean: number; max: number } => ({
    mean: changes.reduce((sum, change) => sum + pick(change), 0) / changes.length,
    max: changes.reduce((max, change) => Math.max(max, pick(change)), 0),
  });
  return {
    ...{ along, count: sums.count, length: sums.length, undirected: changes.length - directed.length },
    cosine: directed.length === 0 ? null : cosineStatistics(directed),
    normDifference: ofAll(({ normDifference }) => normDifference),
    distance: ofAll(({ distance }) => distance),
    mostTurned: directed.slice(0, mostTurned),
  };
}

/** Of changes by falling distance; averaged as distances, which keep their digits. */
function cosineStatistics(turned: readonly VectorChange[]): NonNullable<VectorsChange["cosine"]> {
  const distances = turned.map(({ cosineDistance }) => cosineDistance!);
  return {
    min: 1 - distances[0]!,
    at: turned[0]!.index,
    median: 1 - median(distances),
    mean: 1 - distances.reduce((sum, distance) => sum + distance, 0) / turned.length,
  };
}
