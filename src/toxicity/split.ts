import { mulberry32, shuffled } from "@alignscope/base/random";

/** Indices of the examples on either side of a split. */
export interface Split {
  train: number[];
  validation: number[];
}

/**
 * Splits examples into training and validation parts so that both hold the same share of each label (paper: 90:10).
 * The same seed gives the same split.
 */
export function stratifiedSplit(labels: ArrayLike<number>, validationShare: number, seed: number): Split {
  if (!(validationShare > 0 && validationShare < 1)) {
    throw new RangeError(
      `stratifiedSplit: got a validation share of ${validationShare}, expected one between 0 and 1`,
    );
  }
  const random = mulberry32(seed);
  const byLabel = new Map<number, number[]>();
  for (let i = 0; i < labels.length; i += 1) {
    const label = labels[i] as number;
    const members = byLabel.get(label);
    if (members) members.push(i);
    else byLabel.set(label, [i]);
  }
  const split: Split = { train: [], validation: [] };
  for (const label of [...byLabel.keys()].sort((a, b) => a - b)) {
    const members = shuffled(byLabel.get(label) as number[], random);
    const held = Math.round(members.length * validationShare);
    split.validation.push(...members.slice(0, held));
    split.train.push(...members.slice(held));
  }
  return split;
}
