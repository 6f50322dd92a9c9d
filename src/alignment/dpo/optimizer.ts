import * as tf from "@tensorflow/tfjs-core";
import type { GPT2 } from "../../model/index.js";
import { rmsPropUpdate } from "@alignscope/tensors/ops";
import { maskTensors, type TrainedParameters } from "./trainable.js";

/**
 * RMSProp as torch defines it (docs/recipes.md#steps-of-dpo) over those parameters of a model that are trained, in place; holds
 * the running mean of each one's squared gradients.
 */
export class RmsProp {
  private readonly meanSquares = new Map<string, tf.Tensor>();
  /** Of the parameters that are trained. */
  readonly names: string[];
  /** Ones and zeros, of parameters of which only entries are trained, by name. */
  readonly masks: Map<string, tf.Tensor>;

  /** The model gets tensors of its own for what is trained, where it shares them with another. */
  constructor(
    private readonly model: GPT2,
    trained: TrainedParameters,
  ) {
    this.names = [...trained.keys()];
    this.masks = maskTensors(trained);
    for (const name of this.names) {
      ownTensor(model, name);
      this.meanSquares.set(name, tf.keep(tf.zeros(model.weight(name).shape)));
    }
  }

  /** One step down the gradients, by name; frees them. */
  update(gradients: ReadonlyMap<string, tf.Tensor>, learningRate: number): void {
    for (const [name, gradient] of gradients) {
      const before = this.meanSquares.get(name) as tf.Tensor;
      const after = rmsPropUpdate(this.model.weight(name), before, gradient, { learningRate });
      this.model.setWeight(name, after.parameter);
      this.meanSquares.set(name, after.meanSquare);
      gradient.dispose();
    }
  }

  /** The running means by name; the tensors stay the optimiser's. */
  get state(): ReadonlyMap<string, tf.Tensor> {
    return this.meanSquares;
  }

  /** Puts parameters and running means in place of what is there. */
  restore(parameters: ReadonlyMap<string, Float32Array>, state: ReadonlyMap<string, Float32Array>): void {
    for (const name of this.names) {
      const { shape } = this.model.weight(name);
      replaceWeight(this.model, name, tf.tensor(parameters.get(name) as Float32Array, shape));
      this.meanSquares.get(name)?.dispose();
      this.meanSquares.set(name, tf.keep(tf.tensor(state.get(name) as Float32Array, shape)));
    }
  }

  /** Frees running means and masks; the model stays. */
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
