/** Edit distance of Levenshtein: the fewest single-character insertions, deletions and substitutions. */
function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(substituted, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}

/**
 * The names that somebody who typed `typed` may have meant, nearest first: those that contain it or are contained in
 * it, and those a few letters away.
 */
export function nearest(typed: string, names: readonly string[], count = 3): string[] {
  const wanted = typed.toLowerCase();
  return names
    .map((name) => {
      const candidate = name.toLowerCase();
      const part =
        (wanted.length > 2 && candidate.includes(wanted)) ||
        (candidate.length > 2 && wanted.includes(candidate));
      return {
        name,
        cost: part ? 0 : distance(wanted, candidate) / Math.max(wanted.length, candidate.length),
      };
    })
    .filter(({ cost }) => cost <= 0.5)
    .sort((a, b) => a.cost - b.cost)
    .slice(0, count)
    .map(({ name }) => name);
}

/** The end of an "unknown name" message: the nearest names if some are near, else all of them. */
export function suggestion(typed: string, names: readonly string[]): string {
  const near = nearest(typed, names);
  return near.length > 0 ? `did you mean ${near.join(" or ")}?` : `expected one of ${names.join(", ")}`;
}
