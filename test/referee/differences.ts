/** Central differences of a number by each entry of `x`, which is changed in place and put back. */
export function centralDifferences(f: () => number, x: Float64Array, step = 1e-5): Float64Array {
  return x.map((before, i) => {
    const [up, down] = [step, -step].map((by) => {
      x[i] = before + by;
      const value = f();
      x[i] = before;
      return value;
    }) as [number, number];
    return (up - down) / (2 * step);
  });
}
