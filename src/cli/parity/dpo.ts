import { join } from "node:path";
import type * as tf from "@tensorflow/tfjs-core";
import { layOutPairs } from "../../alignment/dpo/batch.js";
import { sideLogProbs, type SideLogProbs } from "../../alignment/dpo/log-probs.js";
import { metricsOf, readFindings, type PairScore } from "../../alignment/dpo/metrics.js";
import { RmsProp } from "../../alignment/dpo/optimizer.js";
import { DPO_SETTINGS, type DpoSettings } from "../../alignment/dpo/settings.js";
import { trainedParameters } from "../../alignment/dpo/trainable.js";
import { dpoGradient, dpoStep, learningRateAt } from "../../alignment/dpo/trainer.js";
import type { TokenPair } from "../../alignment/preference-pair.js";
import { UserError } from "@alignscope/base/errors";
import { GPT2 } from "../../model/index.js";
import type { Golden, GoldenDpo, TensorSummary } from "./golden.js";
import { check, type Check } from "./check.js";

/** Of a gradient, relative to its norm: small entries are sums of large ones. */
const GRADIENT_TOLERANCE = 1e-3;

/**
 * Of what a parameter has moved by, relative to the furthest that an entry can have moved, beyond the rounding of the entry
 * itself in each step. RMSProp's first step is ten times the learning rate whatever a gradient's size, so that nothing
 * smaller can be asked of an entry whose gradient is mere rounding: that of a key's bias is 0 (a softmax does not see it),
 * and the summaries, ends of tensors, hold none.
 */
const MOVE_TOLERANCE = 1e-3;

/** Half a unit of a float32's last place. */
const ROUNDING = 2 ** -24;

/** Holds the loss of DPO, its clipped gradient and four steps of training against golden values. */
export async function checkDpo(model: GPT2, { dpo }: Golden, folder: string): Promise<Check[]> {
  if (!dpo) return [];
  const settings: DpoSettings = {
    ...DPO_SETTINGS.corrected,
    ...{ beta: dpo.beta, maxGradNorm: dpo.max_grad_norm },
    ...warmUpOf(dpo.optimizer),
  };
  const pairs = dpo.pairs.map((pair, i): TokenPair => ({ id: String(i), ...pair }));
  const frozen = await GPT2.load(join(folder, "ref"));
  const reference = await logProbsOf(frozen, pairs).finally(() => frozen.dispose());
  const own = await logProbsOf(model, pairs);
  const unmoved = await lossWith(own, model, pairs, settings);
  const scores = own.map((sides, i) => scoreOf(sides, reference[i]!));
  return [
    check("loss when policy is reference", unmoved - dpo.loss_when_policy_is_reference, 1e-6),
    ...firstScores(scores, dpo, settings),
    ...(await firstGradients(model, pairs, reference, dpo, settings)),
    ...(await steps(model, pairs, reference, dpo, settings)),
  ];
}

function firstScores(
  scores: readonly PairScore[],
  { first_step: { rows } }: GoldenDpo,
  { beta }: DpoSettings,
): Check[] {
  return scores.flatMap(({ policy, reference }, i) => {
    const expected = rows[i]!;
    const margin = beta * (policy[0] - policy[1] - (reference[0] - reference[1]));
    return [
      check(`pair ${i}: policy, chosen`, policy[0] - expected.policy[0]),
      check(`pair ${i}: policy, rejected`, policy[1] - expected.policy[1]),
      check(`pair ${i}: reference, chosen`, reference[0] - expected.reference[0]),
      check(`pair ${i}: reference, rejected`, reference[1] - expected.reference[1]),
      check(`pair ${i}: margin`, margin - expected.margin),
    ];
  });
}

/** The loss that a step finds, of one whose reference has these log-probabilities. */
async function lossWith(
  reference: readonly SideLogProbs[],
  policy: GPT2,
  pairs: readonly TokenPair[],
  settings: DpoSettings,
): Promise<number> {
  const found = dpoGradient({ policy, names: ["ln_f.bias"], pairs, reference, settings });
  const { scores } = await readFindings(found, reference);
  for (const gradient of found.gradients.values()) gradient.dispose();
  return metricsOf(scores, settings).loss;
}

async function firstGradients(
  policy: GPT2,
  pairs: readonly TokenPair[],
  reference: readonly SideLogProbs[],
  { first_step: first }: GoldenDpo,
  settings: DpoSettings,
): Promise<Check[]> {
  const found = dpoGradient({ policy, names: policy.parameterNames, pairs, reference, settings });
  await readFindings(found, reference);
  const checks: Check[] = [];
  for (const [name, golden] of Object.entries(first.grads_after_clip)) {
    const gradient = found.gradients.get(name);
    const error = gradient ? await gradientError(gradient, golden) : Infinity;
    checks.push({ name: `gradient: ${name}`, error, tolerance: GRADIENT_TOLERANCE });
  }
  for (const gradient of found.gradients.values()) gradient.dispose();
  return checks;
}

async function steps(
  model: GPT2,
  pairs: readonly TokenPair[],
  reference: readonly SideLogProbs[],
  dpo: GoldenDpo,
  settings: DpoSettings,
): Promise<Check[]> {
  const policy = model.withWeights(new Map());
  const optimizer = new RmsProp(policy, trainedParameters(policy));
  try {
    const checks: Check[] = [];
    for (const [step, expected] of dpo.trajectory.entries()) {
      const rate = learningRateAt(step, settings);
      const request = { policy, optimizer, pairs, reference, settings };
      const { scores, gradNorm } = await dpoStep(request, rate);
      checks.push(
        check(`step ${step}: loss`, metricsOf(scores, settings).loss - expected.loss),
        check(`step ${step}: gradient norm`, gradNorm / expected.grad_norm - 1),
      );
    }
    const furthest = 10 * dpo.trajectory.reduce((sum, _, step) => sum + learningRateAt(step, settings), 0);
    for (const [name, golden] of Object.entries(dpo.params_after_4_steps)) {
      const size = Math.max(...[...golden.first8, ...golden.last8].map(Math.abs));
      const rounded = dpo.trajectory.length * ROUNDING * size;
      const error = Math.max(0, (await endsError(policy.weight(name), golden)) - rounded) / furthest;
      checks.push({
        name: `after ${dpo.trajectory.length} steps: ${name}`,
        error,
        tolerance: MOVE_TOLERANCE,
      });
    }
    return checks;
  } finally {
    optimizer.dispose();
    policy.dispose();
  }
}

async function logProbsOf(model: GPT2, pairs: readonly TokenPair[]): Promise<SideLogProbs[]> {
  const sides = sideLogProbs(model, layOutPairs(pairs, DPO_SETTINGS.corrected, model.config));
  const values = await sides.data();
  sides.dispose();
  return pairs.map((_, i) => [values[i]!, values[pairs.length + i]!]);
}

function scoreOf(policy: SideLogProbs, reference: SideLogProbs): PairScore {
  return { policy, reference, kl: [0, 0] };
}

/** "lr 2e-5 * min(1,(step+1)/3)" */
function warmUpOf(optimizer: string): Pick<DpoSettings, "learningRate" | "warmupSteps"> {
  const found = /\blr ([\d.e+-]+) \* min\(1, ?\(step ?\+ ?1\) ?\/ ?(\d+)\)/.exec(optimizer);
  if (!found) {
    throw new UserError(
      `golden.json: dpo.optimizer is ${JSON.stringify(optimizer)}, expected … "lr NUMBER * min(1,(step+1)/NUMBER)"`,
    );
  }
  return { learningRate: Number(found[1]), warmupSteps: Number(found[2]) - 1 };
}

/** The distance of the values that a summary gives, and of the norm, relative to the norm. */
async function gradientError(tensor: tf.Tensor, golden: TensorSummary): Promise<number> {
  const values = await tensor.data();
  let squares = 0;
  for (const value of values) squares += value * value;
  const worst = Math.max(await endsError(tensor, golden), Math.abs(Math.sqrt(squares) - golden.norm));
  return worst / Math.max(golden.norm, 1e-6);
}

/** The largest distance of the values that a summary gives. */
async function endsError(tensor: tf.Tensor, { shape, first8, last8 }: TensorSummary): Promise<number> {
  if (tensor.shape.join() !== shape.join()) return Infinity;
  const values = [...(await tensor.data())];
  const own = [...values.slice(0, first8.length), ...values.slice(-last8.length)];
  const errors = [...first8, ...last8].map((value, i) => Math.abs(value - own[i]!));
  return errors.some(Number.isNaN) ? Infinity : Math.max(...errors);
}
