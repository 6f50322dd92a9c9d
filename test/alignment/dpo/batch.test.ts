import { describe, expect, test } from "vitest";
import { inParts, layOutPairs } from "../../../src/alignment/dpo/batch.js";
import { DPO_SETTINGS } from "../../../src/alignment/dpo/settings.js";
import { CONFIG } from "./cases.js";

const E = CONFIG.eosTokenId;
const PAIRS = [
  { id: "a", prompt: [1, 2, 3], chosen: [4, 5], rejected: [6] },
  { id: "b", prompt: [7], chosen: [8], rejected: [9] },
];

const rowsOf = (ids: ArrayLike<number>, length: number): number[][] =>
  Array.from({ length: ids.length / length }, (_, row) =>
    Array.from({ length }, (__, i) => ids[row * length + i]!),
  );

describe("as corrected", () => {
  const { batch, at, targets, rows, tokens } = layOutPairs(PAIRS, DPO_SETTINGS.corrected, CONFIG);

  test("sequences are padded on the left as a whole, and the pads are hidden", () => {
    expect(rowsOf(batch.ids, batch.length)).toEqual([
      [1, 2, 3, 4, 5],
      [E, E, E, 7, 8],
      [E, 1, 2, 3, 6],
      [E, E, E, 7, 9],
    ]);
    expect(batch.pads).toEqual([0, 3, 1, 3]);
    expect(batch.hidden).toBeUndefined();
    expect(tokens).toBe(5 + 2 + 4 + 2);
  });

  test("positions count from a sequence's first token", () => {
    expect(rowsOf(batch.positions, batch.length).slice(0, 3)).toEqual([
      [0, 1, 2, 3, 4],
      [0, 0, 0, 0, 1],
      [0, 0, 1, 2, 3],
    ]);
  });

  test("tokens of continuations count, and nothing else", () => {
    expect([...targets]).toEqual([4, 5, 8, 6, 9]);
    expect([...at]).toEqual([2, 3, 8, 13, 18]);
    expect([...rows]).toEqual([0, 0, 1, 2, 3]);
  });
});

describe("as published", () => {
  const { batch, at, targets, rows } = layOutPairs(PAIRS, DPO_SETTINGS["as-published"], CONFIG);

  test("prompts are padded on the left, continuations on the right, the narrower side with token 0", () => {
    expect(rowsOf(batch.ids, batch.length)).toEqual([
      [1, 2, 3, 4, 5],
      [E, E, 7, 8, E],
      [1, 2, 3, 6, 0],
      [E, E, 7, 9, 0],
    ]);
  });

  test("positions count from the left edge, and all that fills a row is hidden", () => {
    expect(rowsOf(batch.positions, batch.length)).toEqual(Array(4).fill([0, 1, 2, 3, 4]));
    expect(rowsOf(batch.hidden!, batch.length)).toEqual([
      [0, 0, 0, 0, 0],
      [1, 1, 0, 0, 1],
      [0, 0, 0, 0, 1],
      [1, 1, 0, 0, 1],
    ]);
    expect(batch.pads).toEqual([0, 0, 0, 0]);
  });

  test("tokens of prompts count, as does what fills the narrower side", () => {
    const counted = rowsOf([0, 1, 2, 3], 1).map(([row]) => [...targets].filter((_, i) => rows[i] === row));
    expect(counted).toEqual([
      [2, 3, 4, 5],
      [7, 8],
      [2, 3, 6, 0],
      [7, 9, 0],
    ]);
    at.forEach((place, i) => expect(batch.ids[place + 1]).toBe(targets[i]));
  });

  test("an end-of-text token within a text neither counts nor is seen", () => {
    const pair = { id: "c", prompt: [1, E, 2], chosen: [3, E, 4], rejected: [5, 6, 7] };
    const within = layOutPairs([pair], DPO_SETTINGS["as-published"], CONFIG);
    expect([...within.targets]).toEqual([2, 3, 4, 2, 5, 6, 7]);
    expect([...within.batch.hidden!]).toEqual([0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0]);
    const corrected = layOutPairs([pair], DPO_SETTINGS.corrected, CONFIG);
    expect([...corrected.targets]).toEqual([3, E, 4, 5, 6, 7]);
    expect(corrected.batch.hidden).toBeUndefined();
  });
});

describe("each quirk on its own", () => {
  const { corrected } = DPO_SETTINGS;

  test("prompts that count: all their tokens but the first", () => {
    const { targets } = layOutPairs(PAIRS, { ...corrected, countPrompt: true }, CONFIG);
    expect([...targets]).toEqual([2, 3, 4, 5, 8, 2, 3, 6, 9]);
  });

  test("positions from the left edge: shifted by the pads of the prompt, which are still hidden", () => {
    const { batch, targets } = layOutPairs(PAIRS, { ...corrected, positions: "left edge" }, CONFIG);
    expect(rowsOf(batch.positions, batch.length)[1]).toEqual([0, 1, 2, 3, 4]);
    expect(batch.pads).toEqual([0, 2, 0, 2]);
    expect([...targets]).toEqual([4, 5, 8, 6, 9]);
  });

  test("token 0 that fills the narrower side", () => {
    const { batch, targets } = layOutPairs(PAIRS, { ...corrected, countSidePadding: true }, CONFIG);
    expect([...targets]).toEqual([4, 5, 8, 6, 0, 9, 0]);
    expect(rowsOf(batch.positions, batch.length)[1]).toEqual([0, 0, 0, 1, 2]);
  });
});

describe("parts of a batch", () => {
  const pairs = [1, 5, 2, 4, 3].map((length, i) => {
    return { id: String(i), prompt: [1], chosen: Array<number>(length).fill(2), rejected: [3] };
  });

  test("pairs of like length share a part, where that changes nothing", () => {
    const parts = inParts(pairs, 2, DPO_SETTINGS.corrected, CONFIG);
    expect(parts.map(({ members }) => members)).toEqual([[1, 3], [4, 2], [0]]);
    expect(parts.map(({ part }) => part.batch.length)).toEqual([6, 4, 2]);
  });

  test("as published a part is cut out of the whole batch's rectangle", () => {
    const whole = layOutPairs(pairs, DPO_SETTINGS["as-published"], CONFIG);
    const parts = inParts(pairs, 2, DPO_SETTINGS["as-published"], CONFIG);
    expect(parts.map(({ members }) => members)).toEqual([[0, 1], [2, 3], [4]]);
    expect(parts.map(({ part }) => part.batch.length)).toEqual([6, 6, 6]);
    const rows = rowsOf(whole.batch.ids, 6);
    expect(rowsOf(parts[1]!.part.batch.ids, 6)).toEqual([rows[2], rows[3], rows[7], rows[8]]);
    const counted = parts.reduce((sum, { part }) => sum + part.targets.length, 0);
    expect(counted).toBe(whole.targets.length);
    for (const { part } of parts) {
      part.at.forEach((place, i) => expect(part.batch.ids[place + 1]).toBe(part.targets[i]));
    }
  });
});
