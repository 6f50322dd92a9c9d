import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { directLogitAttribution, type GPT2 } from "../../src/model/index.js";
import { onEachBackend } from "../backends.js";
import { forward, layOut } from "../referee/index.js";
import { affine } from "../referee/ops.js";
import { CASES, modelOf, relativeError, tail, type Case } from "./cases.js";

/** The logits after each sequence's last position, and what each block writes to them, in float64. */
function inFloat64(
  { config, weights, sequences }: Case,
  token: number,
): { logits: number[]; parts: Map<string, number[]> } {
  const { activations, logits } = forward(weights, config, layOut(sequences, config));
  const { dModel, nHead, dHead, vocabSize } = config;
  const last = (name: string): Float64Array => {
    const { values, shape } = activations.get(name)!;
    return tail(values, shape, 1, shape[1]! - 1);
  };
  const table = weights.get("lm_head.weight") ?? weights.get("wte.weight")!;
  const row = table.subarray(token * dModel, (token + 1) * dModel);
  const [weight, bias] = [weights.get("ln_f.weight")!, weights.get("ln_f.bias")!];
  const scale = last("ln_final.hook_scale");
  /** ⟨W_U[token], w ∘ (x − mean x)⟩ / scale, sequence by sequence. */
  const along = (written: Float64Array): number[] =>
    sequences.map((_, sequence) => {
      const x = written.subarray(sequence * dModel, (sequence + 1) * dModel);
      const mean = x.reduce((sum, value) => sum + value, 0) / dModel;
      return x.reduce((sum, value, i) => sum + row[i]! * weight[i]! * (value - mean), 0) / scale[sequence]!;
    });
  const parts = new Map([
    ["embed", along(last("hook_embed"))],
    ["pos_embed", along(last("hook_pos_embed"))],
  ]);
  for (let layer = 0; layer < config.nLayer; layer += 1) {
    parts.set(`${layer}_attn_out`, along(last(`blocks.${layer}.hook_attn_out`)));
    const z = last(`blocks.${layer}.attn.hook_z`);
    for (let head = 0; head < nHead; head += 1) {
      const alone = z.map((value, i) => (Math.floor((i % dModel) / dHead) === head ? value : 0));
      const output = affine(alone, weights.get(`h.${layer}.attn.c_proj.weight`)!, new Float64Array(dModel));
      parts.set(`L${layer}H${head}`, along(output));
    }
    const outputBias = weights.get(`h.${layer}.attn.c_proj.bias`)!;
    parts.set(`${layer}_attn_bias`, along(Float64Array.from(sequences.flatMap(() => [...outputBias]))));
    parts.set(`${layer}_mlp_out`, along(last(`blocks.${layer}.hook_mlp_out`)));
  }
  const constant = row.reduce((sum, value, i) => sum + value * bias[i]!, 0);
  parts.set(
    "bias",
    sequences.map(() => constant),
  );
  const lastLogits = tail(logits.values, logits.shape, 1, logits.shape[1]! - 1);
  return { logits: sequences.map((_, i) => lastLogits[i * vocabSize + token]!), parts };
}

onEachBackend(({ some }) => {
  describe.each(some(CASES))("$name", (own) => {
    const { config, sequences } = own;
    let model: GPT2;
    beforeAll(() => {
      model = modelOf(own);
    });
    afterAll(() => model.dispose());

    test.each(some(["blocks", "heads"] as const))(
      "what each of the %s adds to a logit, and their sum",
      async (parts) => {
        const expected = inFloat64(own, 3);
        const { labels, attributions, logits } = await directLogitAttribution(model, sequences, 3, {
          parts,
          padding: "masked",
        });
        expect(labels.length).toBe(attributions.length);
        expect(labels.some((label) => label.endsWith("attn_out"))).toBe(parts === "blocks");
        const wanted = labels.map((label) => expected.parts.get(label)!);
        expect(relativeError(attributions.flat(), wanted.flat())).toBeLessThan(1e-5);
        expect(relativeError(logits, expected.logits)).toBeLessThan(1e-5);
        const sums = sequences.map((_, i) => attributions.reduce((sum, part) => sum + part[i]!, 0));
        expect(relativeError(sums, expected.logits)).toBeLessThan(1e-4);
      },
    );

    test("heads and their bias add up to their block's attention", async () => {
      const options = { padding: "masked" } as const;
      const blocks = await directLogitAttribution(model, sequences, 3, options);
      const heads = await directLogitAttribution(model, sequences, 3, { ...options, parts: "heads" });
      const of = ({ labels, attributions }: typeof heads, wanted: (label: string) => boolean): number[] =>
        sequences.map((_, i) =>
          attributions.reduce((sum, part, row) => sum + (wanted(labels[row]!) ? part[i]! : 0), 0),
        );
      for (let layer = 0; layer < config.nLayer; layer += 1) {
        const whole = of(blocks, (label) => label === `${layer}_attn_out`);
        const parts = of(heads, (label) => label.startsWith(`L${layer}H`) || label === `${layer}_attn_bias`);
        expect(relativeError(parts, whole)).toBeLessThan(1e-4);
      }
    });

    test("a token per sequence, and the difference of two tokens", async () => {
      const options = { padding: "masked" } as const;
      const tokens = sequences.map((_, i) => i + 1);
      const each = await directLogitAttribution(model, sequences, tokens, options);
      const logits = tokens.map((token, i) => inFloat64(own, token).logits[i]!);
      expect(relativeError(each.logits, logits)).toBeLessThan(1e-5);
      const difference = await directLogitAttribution(model, sequences, { of: 2, minus: 5 }, options);
      const [two, five] = [2, 5].map((token) => inFloat64(own, token)) as [
        ReturnType<typeof inFloat64>,
        ReturnType<typeof inFloat64>,
      ];
      const wanted = difference.labels.map((label) =>
        two.parts.get(label)!.map((x, i) => x - five.parts.get(label)![i]!),
      );
      expect(relativeError(difference.attributions.flat(), wanted.flat())).toBeLessThan(1e-5);
    });

    test("a folded model's parts add up to its own logit, its bias included", async () => {
      const folded = model.processed("folded");
      const logits = folded.forward(sequences, { padding: "masked" });
      const last = await logits.data();
      const rows = sequences.map((_, i) => last[((i + 1) * logits.shape[1] - 1) * config.vocabSize + 6]!);
      for (const parts of ["blocks", "heads"] as const) {
        const { attributions } = await directLogitAttribution(folded, sequences, 6, {
          parts,
          padding: "masked",
        });
        const sums = sequences.map((_, i) => attributions.reduce((sum, part) => sum + part[i]!, 0));
        expect(relativeError(sums, rows)).toBeLessThan(1e-4);
      }
      logits.dispose();
      folded.dispose();
    });

    test.each<[string, Parameters<typeof directLogitAttribution>[2], RegExp]>([
      ["a token out of range", 99, /^token 99: expected 0 to \d+$/],
      ["one of a difference", { of: 1, minus: -1 }, /^token -1: expected 0/],
      ["too few tokens", [1, 2], /^2 tokens for 3 sequences: expected one, or one per sequence$/],
    ])("%s is refused, and nothing is left behind", async (_, tokens, message) => {
      const before = tf.memory().numTensors;
      await expect(directLogitAttribution(model, sequences, tokens, { padding: "masked" })).rejects.toThrow(
        message,
      );
      expect(tf.memory().numTensors).toBe(before);
    });
  });
});
