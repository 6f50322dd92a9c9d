import * as tf from "@tensorflow/tfjs-core";

/*
 * Reverse-mode differentiation on tfjs' tape, frugally. tfjs' own walk keeps every intermediate gradient, and everything that
 * the forward pass saved, until it is through: twice the memory. This one frees both as soon as they have been used.
 */

/** One recorded operation. */
interface TapeNode {
  kernelName: string;
  inputs: tf.NamedTensorMap;
  outputs: tf.Tensor[];
  /** Kept for the gradient; the node's own. */
  saved: tf.Tensor[];
  gradient?: (dys: (tf.Tensor | null)[]) => Record<string, () => tf.Tensor>;
}

/** What of the engine its type declarations keep to themselves. */
interface Recorder {
  state: { activeTape: TapeNode[] | null; gradientDepth: number };
  startTape(): void;
  endTape(): void;
  runKernelFunc(call: {
    inputs: tf.NamedTensorMap;
    forwardFunc: (backend: unknown, save: (tensors: tf.Tensor[]) => void) => tf.Tensor;
    backwardsFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => Record<string, () => tf.Tensor>;
  }): tf.Tensor;
}

function recorder(): Recorder {
  return tf.engine() as unknown as Recorder;
}

/** Whether what is computed now will be differentiated, so that operations have to keep what their gradients need. */
export function isDifferentiating(): boolean {
  return recorder().state.gradientDepth > 0;
}

/** A gradient as one tensor per input, or as functions that compute one only where it is wanted. */
export type InputGradients = tf.Tensor | tf.Tensor[] | (() => tf.Tensor)[];

/**
 * An operation with a gradient of its own: `compute` gets `save`, which keeps tensors for the gradient. Unlike
 * tf.customGrad it computes the gradient by an input only where somebody asks for it, when these are functions.
 */
export function differentiable<T extends tf.Tensor>(
  inputs: tf.Tensor[],
  compute: (save: (tensors: tf.Tensor[]) => void) => {
    value: tf.Tensor;
    gradient: (dy: tf.Tensor, saved: tf.Tensor[]) => InputGradients;
  },
): T {
  let gradient: ((dy: tf.Tensor, saved: tf.Tensor[]) => InputGradients) | undefined;
  return recorder().runKernelFunc({
    inputs: Object.fromEntries(inputs.map((input, i) => [String(i), input])),
    forwardFunc: (_, save) => {
      const computed = compute(save);
      gradient = computed.gradient;
      return computed.value;
    },
    backwardsFunc: (dy, saved) => {
      const result = gradient?.(dy, saved) ?? [];
      const byInput = Array.isArray(result) ? result : [result];
      return Object.fromEntries(
        byInput.map((one, i) => [String(i), typeof one === "function" ? one : () => one]),
      );
    },
  }) as T;
}

/** The same values, through which no gradient goes. */
export function constant<T extends tf.Tensor>(x: T): T {
  return differentiable<T>([], () => ({ value: tf.clone(x), gradient: () => [] }));
}

/**
 * A scalar and its gradient by each source; undefined for one that it does not depend on. Sources may be added until `f`
 * returns: any tensor that it meets on the way can be one.
 *
 * @returns tensors of the caller's (or of the tidy that surrounds the call)
 */
export function valueAndGradients(
  f: () => tf.Scalar,
  sources: readonly tf.Tensor[],
): { value: tf.Scalar; gradients: (tf.Tensor | undefined)[] } {
  const engine = recorder();
  if (isDifferentiating())
    throw new Error("valueAndGradients: within another gradient, which is not supported");
  let tape: TapeNode[] = [];
  try {
    engine.startTape();
    let value: tf.Scalar;
    try {
      value = tf.tidy(f);
    } finally {
      tape = engine.state.activeTape ?? [];
      engine.endTape();
      engine.state.activeTape = null;
    }
    return { value, gradients: tf.tidy(() => backward(tape, value, sources)) };
  } finally {
    for (const { saved } of tape) tf.dispose(saved);
  }
}

function backward(
  tape: TapeNode[],
  value: tf.Scalar,
  sources: readonly tf.Tensor[],
): (tf.Tensor | undefined)[] {
  const sourceIds = new Set(sources.map(({ id }) => id));
  const dependent = dependents(tape, sourceIds);
  const gradients = new Map<number, tf.Tensor>([[value.id, tf.scalar(1)]]);
  for (const node of [...tape].reverse()) {
    const dys = node.outputs.map(({ id }) => gradients.get(id) ?? null);
    const wanted = Object.entries(node.inputs).filter(([, { id }]) => dependent.has(id));
    if (wanted.length > 0 && dys.some((dy) => dy !== null)) {
      const own = gradientsOf(node, dys, wanted);
      wanted.forEach(([, { id }], i) => {
        const dx = own[i] as tf.Tensor;
        const sum = gradients.get(id);
        gradients.set(id, sum ? tf.add(sum, dx) : dx);
        if (sum) tf.dispose([sum, dx]);
      });
    }
    tf.dispose(node.saved);
    for (const { id } of node.outputs) {
      if (sourceIds.has(id)) continue;
      gradients.get(id)?.dispose();
      gradients.delete(id);
    }
  }
  const given = new Set<number>();
  return sources.map(({ id }) => {
    const gradient = gradients.get(id);
    if (!gradient || !given.has(id)) {
      given.add(id);
      return gradient;
    }
    return tf.clone(gradient); // a source that is named twice: each gets a tensor to dispose of
  });
}

/** The tensors that depend on a source, sources included. */
function dependents(tape: readonly TapeNode[], sources: ReadonlySet<number>): Set<number> {
  const found = new Set(sources);
  for (const { inputs, outputs } of tape) {
    if (Object.values(inputs).some(({ id }) => found.has(id))) for (const { id } of outputs) found.add(id);
  }
  return found;
}

/** The gradients of a node by the inputs that are wanted, each a tensor of its own. */
function gradientsOf(
  node: TapeNode,
  dys: (tf.Tensor | null)[],
  wanted: [name: string, input: tf.Tensor][],
): tf.Tensor[] {
  return tf.tidy(() => {
    if (!node.gradient) throw new Error(`no gradient is registered for ${node.kernelName}`);
    const byName = node.gradient(dys);
    const taken = new Set<tf.Tensor | null>(dys);
    return wanted.map(([name, input]) => {
      const dx = byName[name]?.();
      if (!dx || dx.shape.join() !== input.shape.join()) {
        throw new Error(
          `gradient of ${node.kernelName} by ${name}: [${dx?.shape}], expected [${input.shape}]`,
        );
      }
      if (taken.has(dx)) return tf.clone(dx);
      taken.add(dx);
      return dx;
    });
  });
}
