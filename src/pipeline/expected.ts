import type { GraphNotebook } from "./graph.js";
import type { Project } from "./project.js";

/** How long a notebook may take, and how that is known. */
export interface Expected {
  /** null where it has never run here and nobody has measured the profile. */
  seconds: number | null;
  from: "last run" | "profile" | null;
}

/**
 * Seconds that a notebook may take: what it took when it last ran here, else its share, by its weight in the series, of
 * what a run of the profile was measured to take.
 */
export function expected(
  { graph, profile }: Project,
  { weight }: GraphNotebook,
  lastSeconds: number | undefined,
): Expected {
  if (lastSeconds !== undefined) return { seconds: lastSeconds, from: "last run" };
  if (!profile.time) return { seconds: null, from: null };
  const whole = graph.notebooks.reduce((sum, notebook) => sum + notebook.weight, 0);
  return { seconds: (profile.time.seconds * weight) / whole, from: "profile" };
}
