import type { Batch } from "./batch.js";

/** q, k, v and z lie as `[batch, position, head, dHead]`; scores and pattern as `[batch, head, query, key]`. */
interface Heads {
  nHead: number;
  dHead: number;
}

/** Scaled scores (−∞ where a query may not look), their softmax (a row of zeros where it may look nowhere), and z. */
export function attend(
  { q, k, v }: { q: Float64Array; k: Float64Array; v: Float64Array },
  batch: Batch,
  heads: Heads,
): { scores: Float64Array; pattern: Float64Array; z: Float64Array } {
  const { positions } = batch;
  const scores = new Float64Array(batch.batch * heads.nHead * positions * positions).fill(-Infinity);
  const pattern = new Float64Array(scores.length);
  const z = new Float64Array(q.length);
  forEachQuery(batch, heads, ({ sequence, row, query, at }) => {
    const own = scores.subarray(row, row + positions);
    for (let key = 0; key < positions; key += 1) {
      if (!batch.sees(sequence, query, key)) continue;
      let dot = 0;
      for (let i = 0; i < heads.dHead; i += 1) dot += q[at(query) + i]! * k[at(key) + i]!;
      own[key] = dot / Math.sqrt(heads.dHead) + (batch.added?.(sequence, query, key) ?? 0);
    }
    const top = Math.max(...own);
    if (top === -Infinity) return;
    // Not by the logarithm of the sum, which a mask's huge numbers would swallow.
    const total = own.reduce((sum, score) => sum + Math.exp(score - top), 0);
    for (let key = 0; key < positions; key += 1) {
      const share = Math.exp(own[key]! - top) / total;
      pattern[row + key] = share;
      for (let i = 0; i < heads.dHead; i += 1) z[at(query) + i]! += share * v[at(key) + i]!;
    }
  });
  return { scores, pattern, z };
}

/** What reaches q, k and v when `dz` reaches z. */
export function attendReverse(
  dz: Float64Array,
  { q, k, v, pattern }: { q: Float64Array; k: Float64Array; v: Float64Array; pattern: Float64Array },
  batch: Batch,
  heads: Heads,
): { dq: Float64Array; dk: Float64Array; dv: Float64Array } {
  const { positions } = batch;
  const [dq, dk, dv] = [q, k, v].map((x) => new Float64Array(x.length)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  forEachQuery(batch, heads, ({ row, query, at }) => {
    const shares = pattern.subarray(row, row + positions);
    const dShares = shares.map((share, key) => {
      let dot = 0;
      for (let i = 0; i < heads.dHead; i += 1) {
        dot += dz[at(query) + i]! * v[at(key) + i]!;
        dv[at(key) + i]! += share * dz[at(query) + i]!;
      }
      return dot;
    });
    // Of a softmax p: dp becomes p·(dp − Σ p·dp).
    const mean = shares.reduce((total, share, key) => total + share * dShares[key]!, 0);
    shares.forEach((share, key) => {
      const dScore = (share * (dShares[key]! - mean)) / Math.sqrt(heads.dHead);
      for (let i = 0; i < heads.dHead; i += 1) {
        dq[at(query) + i]! += dScore * k[at(key) + i]!;
        dk[at(key) + i]! += dScore * q[at(query) + i]!;
      }
    });
  });
  return { dq, dk, dv };
}

/** One query of one head: where its row of scores begins, and where this head's vector of a position begins. */
interface Query {
  sequence: number;
  query: number;
  row: number;
  at: (position: number) => number;
}

function forEachQuery(
  { batch, positions }: Batch,
  { nHead, dHead }: Heads,
  visit: (at: Query) => void,
): void {
  for (let sequence = 0; sequence < batch; sequence += 1) {
    for (let head = 0; head < nHead; head += 1) {
      const at = (position: number): number => ((sequence * positions + position) * nHead + head) * dHead;
      for (let query = 0; query < positions; query += 1) {
        visit({ sequence, query, row: ((sequence * nHead + head) * positions + query) * positions, at });
      }
    }
  }
}
