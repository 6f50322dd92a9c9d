import { describe, expect, it } from "vitest";
import { Pacer, sleep } from "../../src/scorers/pacing.js";

/** When each of some turns came, in milliseconds. Waits may be longer than asked for, never shorter. */
async function turns(pacer: Pacer, count: number): Promise<number[]> {
  const times = await Promise.all(
    Array.from({ length: count }, async () => {
      await pacer.turn();
      return performance.now();
    }),
  );
  return times;
}

describe("a pacer", () => {
  it("lets no more through than its rate, however many wait", async () => {
    const start = performance.now();
    const times = await turns(new Pacer(50), 5);
    times.forEach((time, i) => expect(time - start).toBeGreaterThan(20 * i - 2));
  });

  it("saves nothing up while nobody asks", async () => {
    const pacer = new Pacer(50);
    await pacer.turn();
    await sleep(80);
    const start = performance.now();
    const times = await turns(pacer, 3);
    expect((times[2] as number) - start).toBeGreaterThan(38);
  });

  it("lets nobody through while it is closed, those that waited already included", async () => {
    const pacer = new Pacer(200);
    const start = performance.now();
    const waiting = turns(pacer, 3);
    pacer.close(60);
    for (const time of (await waiting).slice(1)) expect(time - start).toBeGreaterThan(58);
  });

  it("stops waiting when it is aborted, with the reason", async () => {
    const stop = new AbortController();
    const pacer = new Pacer(0.01);
    await pacer.turn();
    const waiting = pacer.turn(stop.signal);
    stop.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
  });
});
