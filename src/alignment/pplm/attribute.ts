import { readFileSync } from "node:fs";
import type { Artifacts } from "../../data/artifacts.js";
import { UserError, messageOf } from "@alignscope/base/errors";
import { locate } from "../../data/locate.js";
import type { Probe, ProbeStream } from "../../toxicity/probe.js";

/** What text is steered towards: a linear classifier of mean hidden states, and one of its classes. */
export interface AttributeModel {
  /** `[class, dModel]` */
  weight: number[][];
  /** `[class]` */
  bias: number[];
  /** The class to make likelier. */
  target: number;
  /** Which hidden states it reads; PPLM's own heads read what the unembedding does. */
  stream: ProbeStream;
}

/**
 * The probe of section 3.1 as an attribute: a head of two classes whose softmax is the probe's sigmoid, with the toxic one
 * as target.
 */
export function attributeOfProbe({
  direction,
  bias,
  stream,
}: Pick<Probe, "direction" | "bias" | "stream">): AttributeModel {
  return { weight: [direction.map(() => 0), [...direction]], bias: [0, bias], target: 1, stream };
}

/**
 * What a name stands for as an attribute: `probe`, the probe among a run's artifacts, or a classifier head.
 *
 * @param name `probe`, or a head's name in the registry or path
 * @param from where the probe lies, and the width that the attribute has to have
 * @throws UserError where the probe is missing, which names the notebook that makes it, and as {@link readAttributeHead} does
 */
export async function openAttribute(
  name: string,
  { artifacts, dModel }: { artifacts: Pick<Artifacts, "readJson">; dModel: number },
): Promise<AttributeModel> {
  return name === "probe"
    ? attributeOfProbe(artifacts.readJson<Probe>("probe.json"))
    : readAttributeHead(name, { dModel });
}

/** A classifier head as it is stored, e.g. `pplm-toxicity-head`. */
interface StoredHead {
  weight: number[][];
  bias: number[];
  classes: string[];
}

/**
 * Reads a classifier head of PPLM: JSON with `weight` [class, dModel], `bias` [class] and the names of the `classes`.
 *
 * @param nameOrPath a name in the registry, or the path of a file
 * @param options which class
 * @param options.target name of the class to make likelier
 * @throws UserError for what is not such a file, and for one of another width than `dModel`
 *
 * @example
 * const attribute = await readAttributeHead("pplm-toxicity-head", { dModel: model.config.dModel });
 */
export async function readAttributeHead(
  nameOrPath = "pplm-toxicity-head",
  { dModel, target = "toxic" }: { dModel?: number; target?: string } = {},
): Promise<AttributeModel> {
  const path = await locate(nameOrPath);
  const { weight, bias, classes } = parseHead(path);
  const index = classes.indexOf(target);
  if (index < 0) throw new UserError(`${path}: no class "${target}", expected one of ${classes.join(", ")}`);
  const attribute: AttributeModel = { weight, bias, target: index, stream: "post-ln_f" };
  if (dModel !== undefined) checkAttribute(attribute, dModel, path);
  return attribute;
}

function parseHead(path: string): StoredHead {
  let head: Partial<StoredHead> | null;
  try {
    head = JSON.parse(readFileSync(path, "utf8")) as Partial<StoredHead> | null;
  } catch (error) {
    throw new UserError(`${path}: not JSON (${messageOf(error)}); expected a classifier head`);
  }
  const lists = head && [head.weight, head.bias, head.classes];
  if (!head || !lists?.every(Array.isArray) || !head.weight?.every(Array.isArray)) {
    throw new UserError(
      `${path}: not a classifier head, expected weight [class, dModel], bias [class] and classes [class]`,
    );
  }
  const { classes = [], bias = [], weight = [] } = head;
  if (classes.length !== bias.length) {
    throw new UserError(`${path}: ${classes.length} classes and ${bias.length} biases, expected as many`);
  }
  return { weight, bias, classes: classes.map(String) };
}

/** Refuses an attribute that does not fit a model of this width, or is none. */
export function checkAttribute(attribute: AttributeModel, dModel: number, what = "attribute"): void {
  const { weight, bias, target, stream } = attribute;
  const width = weight[0]?.length ?? 0;
  if (weight.length < 2 || bias.length !== weight.length) {
    throw new UserError(
      `${what}: ${weight.length} rows of weights and ${bias.length} biases, expected one of each per class, and two classes at least`,
    );
  }
  if (weight.some((row) => row.length !== width)) {
    throw new UserError(`${what}: rows of weights of unequal length, expected dModel each`);
  }
  if (width !== dModel) {
    throw new UserError(
      `${what}: reads hidden states of width ${width}, the model's are ${dModel} wide: take one that was trained on this model`,
    );
  }
  const numbers = [...weight.flat(), ...bias];
  const odd = numbers.find((value) => !Number.isFinite(value));
  if (odd !== undefined) throw new UserError(`${what}: holds ${String(odd)}, expected finite numbers`);
  if (!(Number.isInteger(target) && target >= 0 && target < weight.length)) {
    throw new UserError(`${what}: target class ${target}, expected 0 to ${weight.length - 1}`);
  }
  if (stream !== "pre-ln_f" && stream !== "post-ln_f") {
    throw new UserError(`${what}: stream "${String(stream)}", expected "pre-ln_f" or "post-ln_f"`);
  }
}
