import * as tf from "@tensorflow/tfjs-core";

/**
 * The loss of DPO, one per preference pair (Rafailov et al. 2023, equation 7; docs/recipes.md#the-loss-of-dpo):
 * −log σ(β((log π(chosen) − log π(rejected)) − (log π_ref(chosen) − log π_ref(rejected)))).
 *
 * @param policy log-probabilities of sequences, `[2·pairs]`, the chosen ones first, then the rejected ones in the same order
 * @param reference the same of the reference model
 * @returns `[pairs]`, in nats; ln 2 each while the policy is the reference
 */
export function dpoLosses(policy: tf.Tensor1D, reference: tf.Tensor1D, beta: number): tf.Tensor1D {
  return tf.tidy(() => {
    const gain = tf.sub(policy, reference);
    const pairs = (gain.shape[0] ?? 0) / 2;
    const margin = tf.sub(tf.slice(gain, [0], [pairs]), tf.slice(gain, [pairs], [pairs]));
    return tf.softplus(tf.mul<tf.Tensor1D>(margin, -beta));
  });
}
