import { getEventListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { waitForAbort } from "../../src/papermill/kernel-process.js";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

it("waits that are over leave no listener on a signal that many wait for at once", async () => {
  const run = new AbortController();
  const waits = Array.from({ length: 8 }, () => waitForAbort(run.signal));
  await sleep(10);
  collectGarbage();
  expect(getEventListeners(run.signal, "abort")).toHaveLength(8);
  for (const wait of waits.slice(1)) wait.stopListening();
  expect(getEventListeners(run.signal, "abort")).toHaveLength(1);
  run.abort();
  await waits[0]?.aborted;
});

it("a signal that has aborted, and none at all, are fine", async () => {
  await waitForAbort(AbortSignal.abort()).aborted;
  const never = waitForAbort(undefined);
  never.stopListening();
  expect(await Promise.race([never.aborted.then(() => "aborted"), sleep(10, "waiting")])).toBe("waiting");
});
