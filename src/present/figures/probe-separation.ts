import { figure, type Figure } from "../figure.js";
import { overlaidBars } from "./parts.js";

/** A bar of the histogram of one kind of comments. */
export interface CommentBar {
  comments: "not toxic" | "toxic";
  /** log-odds of toxicity */
  from: number;
  to: number;
  count: number;
  share: number;
}

/** How far toxic and other held-out comments lie apart along the probe. */
export function probeSeparationFigure(
  bars: readonly CommentBar[],
  { comments }: { comments: number },
): Figure {
  return figure({
    name: "probe-separation",
    title: "Held-out comments along the probe",
    caption: `Log-odds of toxicity that the probe gives to ${comments} comments; each colour sums to one.`,
    data: bars.map((bar) => ({ ...bar })),
    spec: {
      width: 380,
      height: 200,
      ...overlaidBars({
        by: "comments",
        names: ["not toxic", "toxic"],
        x: "log-odds of toxicity (nats)",
        y: "share of comments",
      }),
    },
  });
}
