import * as tf from "@tensorflow/tfjs-core";
import type { GPT2 } from "../../model";
import { rmsPropUpdate } from "../../tensors/ops";
import type { TokenPair } from "../preference-pair";
import {
  dpoGradient,
  readFindings,
  type Findings,
  type GradientSettings,
  type SideLogProbs,
} from "./gradient";
import { maskTensors, type TrainedParameters } from "./trainable";

/** A policy with the state of its optimiser, RMSProp as torch defines it (docs/recipes.md#steps-of-dpo); trained in place. */
export class DpoLearner {
  private readonly meanSquares = new Map<string, tf.Tensor>();
  private readonly masks: Map<string, tf.Tensor>;
  private readonly names: string[];

  /**
   * @param options.trained which parameters are trained: the policy gets tensors of its own for them where it shares them
   * @param options.referenceModel needed where `klGamma` is above 0
   */
  constructor(
    private readonly policy: GPT2,
    private readonly options: {
      settings: GradientSettings;
      trained: TrainedParameters;
      referenceModel?: GPT2;
    },
  ) {
    this.names = [...options.trained.keys()];
    this.masks = maskTensors(options.trained);
    for (const name of this.names) {
      ownTensor(policy, name);
      this.meanSquares.set(name, tf.keep(tf.zeros(policy.weight(name).shape)));
    }
  }

  /**
   * One step on the mean loss of some pairs. What it found is read once, when the update is under way already: on numbers
   * that are not finite the policy is spoilt, and the caller's to put right.
   */
  async step(
    pairs: readonly TokenPair[],
    reference: readonly SideLogProbs[],
    learningRate: number,
  ): Promise<Findings> {
    const { policy, masks, names, options } = this;
    const computed = dpoGradient({ policy, names, masks, pairs, reference, ...options });
    for (const [name, gradient] of computed.gradients) {
      const before = this.meanSquares.get(name) as tf.Tensor;
      const { parameter, meanSquare } = rmsPropUpdate(policy.weight(name), before, gradient, {
        learningRate,
      });
      policy.setWeight(name, parameter);
      this.meanSquares.set(name, meanSquare);
      gradient.dispose();
    }
    return readFindings(computed, reference);
  }

  /** The optimiser's state: the running mean of squared gradients by name. The tensors stay the learner's. */
  get state(): ReadonlyMap<string, tf.Tensor> {
    return this.meanSquares;
  }

  /** Puts parameters and the optimiser's state in place of what is there. */
  restore(parameters: ReadonlyMap<string, Float32Array>, state: ReadonlyMap<string, Float32Array>): void {
    for (const name of this.names) {
      const { shape } = this.policy.weight(name);
      replaceWeight(this.policy, name, tf.tensor(parameters.get(name) as Float32Array, shape));
      this.meanSquares.get(name)?.dispose();
      this.meanSquares.set(name, tf.keep(tf.tensor(state.get(name) as Float32Array, shape)));
    }
  }

  /** Frees the optimiser's state; the policy stays. */
  dispose(): void {
    tf.dispose([...this.meanSquares.values(), ...this.masks.values()]);
    this.meanSquares.clear();
    this.masks.clear();
  }
}

/** Gives a model another tensor for a parameter, and frees the one before. */
export function replaceWeight(model: GPT2, name: string, tensor: tf.Tensor): void {
  const before = model.weight(name);
  model.setWeight(name, tensor);
  before.dispose();
}

/** Memory that is shared, with a copy of the model, is not updated in place: each gets its own. */
function ownTensor(model: GPT2, name: string): void {
  const tensor = model.weight(name);
  if (tf.backend().refCount(tensor.dataId) > 1)
    replaceWeight(
      model,
      name,
      tf.tidy(() => tf.add(tensor, 0)),
    );
}
