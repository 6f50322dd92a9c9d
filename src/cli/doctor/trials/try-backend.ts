/*
 * A process of its own, started with a backend's name: opens it, multiplies two matrices and prints what came of it as
 * one line of JSON. A GPU backend takes memory as long as its process lives, and a driver may end it.
 */
import * as tf from "@tensorflow/tfjs-core";
import { messageOf } from "@alignscope/base/errors";
import { openBackend } from "@alignscope/tensors";

/** Side of the matrices. */
const SIDE = 512;

async function product(): Promise<{ milliseconds: number; right: boolean }> {
  const a = tf.fill([SIDE, SIDE], 0.5);
  const times: number[] = [];
  let right = true;
  // The first compiles kernels; the best of the others is the backend's.
  for (let i = 0; i < 4; i++) {
    const start = performance.now();
    const c = tf.matMul(a, a);
    const values = await c.data();
    times.push(performance.now() - start);
    right &&= values.length === SIDE * SIDE && Math.abs((values[0] ?? 0) - SIDE / 4) < 1e-3;
    c.dispose();
    if (times.reduce((sum, time) => sum + time, 0) > 2000) break;
  }
  return { milliseconds: Math.min(...times.slice(times.length > 1 ? 1 : 0)), right };
}

async function main(name: string): Promise<object> {
  const opened = await openBackend(name);
  return { opened, product: { side: SIDE, ...(await product()) } };
}

void main(process.argv[2] ?? "").then(
  (said) => leave(said),
  (error: unknown) => leave({ refused: messageOf(error) }),
);

function leave(said: object): void {
  process.stdout.write(`\nTRIAL ${JSON.stringify(said)}\n`, () => process.exit(0));
}
