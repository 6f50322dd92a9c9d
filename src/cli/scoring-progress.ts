import { duration } from "../present/format.js";
import type { ScoringProgress } from "../scorers/index.js";

/** Shows how far a slow scorer is, in one line of a terminal; notes stand above it. Where nobody watches, notes alone. */
export function scoringProgress(stream: NodeJS.WriteStream = process.stderr): {
  onProgress: (progress: ScoringProgress) => void;
  onNote: (note: string) => void;
  end: () => void;
} {
  let shown = false;
  const clear = (): void => {
    if (shown) stream.write("\r\x1b[K");
    shown = false;
  };
  return {
    onProgress: ({ scorer, done, total, fromCache, secondsLeft }) => {
      if (!stream.isTTY) return;
      clear();
      if (done === total) return;
      const left = secondsLeft === undefined ? "" : `, about ${duration(secondsLeft * 1000)} left`;
      stream.write(`${scorer}: ${done} of ${total} texts, ${fromCache} of them known before${left}`);
      shown = true;
    },
    onNote: (note) => {
      clear();
      stream.write(`${note}\n`);
    },
    end: clear,
  };
}
