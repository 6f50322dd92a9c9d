import type { ParameterChange } from "./parameters.js";

/** How a group of tensors changed, e.g. all key vectors of a model. */
export interface ChangeSummary {
  group: string;
  tensors: number;
  /** Numbers in them. */
  size: number;
  /** The vectors they consist of, each tensor by its own. */
  vectors: number;
  /** The lowest cosine of a tensor, and whose; null where none has a direction. */
  tensorMin: number | null;
  tensorMinName: string | null;
  /** The lowest cosine of a row or a column, of those that mean something, and whose: `h.3.mlp.c_fc.weight[:, 17]`. */
  vectorMin: number | null;
  vectorMinName: string | null;
  /** Mean cosine of the vectors. */
  vectorMean: number | null;
  /** (a) Mean of | ‖w‖ − ‖w′‖ | over vectors. */
  normDifference: number;
  /** (b) Mean, and maximum, of ‖w′ − w‖ over vectors. */
  distance: number;
  distanceMax: number;
  /** (c) Mean of |w′ − w| over elements. */
  perElement: number;
  /** (d) ‖w′ − w‖ / ‖w‖ of all of them as one vector; null where w is zero. */
  relative: number | null;
}

/**
 * Changes of tensors put together in groups, in the order in which groups first appear.
 *
 * @param groupOf the group of a tensor; by kind unless given; undefined leaves it out
 *
 * @example
 * const kinds = summariseChanges(changes);
 * const [all] = summariseChanges(changes, () => "all");
 */
export function summariseChanges(
  changes: readonly ParameterChange[],
  groupOf: (change: ParameterChange) => string | undefined = ({ kind }) => kind,
): ChangeSummary[] {
  const groups = new Map<string, ParameterChange[]>();
  for (const change of changes) {
    const group = groupOf(change);
    if (group !== undefined) groups.set(group, [...(groups.get(group) ?? []), change]);
  }
  return [...groups].map(([group, members]) => summary(group, members));
}

function summary(group: string, members: readonly ParameterChange[]): ChangeSummary {
  const sum = (pick: (change: ParameterChange) => number): number =>
    members.reduce((total, change) => total + pick(change), 0);
  const own = members.map(({ vectors }) => vectors[0]);
  const vectors = own.reduce((total, { count }) => total + count, 0);
  const directed = own.reduce((total, { count, undirected }) => total + count - undirected, 0);
  const turned = own.reduce(
    (total, { cosine, count, undirected }) => total + (cosine ? (1 - cosine.mean) * (count - undirected) : 0),
    0,
  );
  const mean = (key: "normDifference" | "distance"): number =>
    own.reduce((total, each) => total + each[key].mean * each.count, 0) / vectors;
  const size = sum((change) => change.size);
  const norm = Math.sqrt(sum((change) => change.norm ** 2));
  const tensor = lowest(members.map(({ name, cosine }) => ({ name, cosine })));
  const vector = lowest(
    members.flatMap(({ name, vectors: all }) =>
      all.map(({ along, cosine }) => ({
        name: vectorName(name, along, cosine?.at ?? 0),
        cosine: cosine?.min ?? null,
      })),
    ),
  );
  return {
    ...{ group, tensors: members.length, size, vectors },
    ...{ tensorMin: tensor?.cosine ?? null, tensorMinName: tensor?.name ?? null },
    ...{ vectorMin: vector?.cosine ?? null, vectorMinName: vector?.name ?? null },
    vectorMean: directed === 0 ? null : 1 - turned / directed,
    normDifference: mean("normDifference"),
    distance: mean("distance"),
    distanceMax: Math.max(...own.map(({ distance }) => distance.max)),
    perElement: sum((change) => change.perElement * change.size) / size,
    relative: norm === 0 ? null : Math.sqrt(sum((change) => change.distance ** 2)) / norm,
  };
}

function lowest<T extends { cosine: number | null }>(of: readonly T[]): T | undefined {
  const directed = of.filter(({ cosine }) => cosine !== null);
  return directed.reduce<T | undefined>(
    (least, each) => (least === undefined || each.cosine! < least.cosine! ? each : least),
    undefined,
  );
}

/** `wte.weight[12]`, `h.3.mlp.c_fc.weight[:, 17]`: a vector as NumPy would index it. */
export function vectorName(name: string, along: "rows" | "columns" | "whole", index: number): string {
  if (along === "whole") return name;
  return along === "rows" ? `${name}[${index}]` : `${name}[:, ${index}]`;
}
