/** Frames of Node.js' own modules, of the kernel and of its compiler: nothing that the author of a cell wrote or called. */
const internal =
  /^\s+at (?:.*\()?(?:node:|file:\/\/\S*[\\/]kernels[\\/]alignscope[\\/]|[^()]*[\\/]kernels[\\/]alignscope[\\/]|[^()]*[\\/]node_modules[\\/]@?tslab[\\/])/;

/** A printed stack without the frames that belong to the kernel. */
export function withoutKernelFrames(stack: string): string {
  return stack
    .split("\n")
    .filter((line) => !internal.test(line))
    .join("\n");
}
