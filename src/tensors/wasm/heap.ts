import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { UserError } from "@alignscope/base/errors";
import { memorySize } from "@alignscope/base/size";

/** The most that the shipped module lets its heap grow to: the address space of 32 bits, less one page. */
export const HEAP_CEILING = 2 ** 32 - 2 ** 16;

interface Module {
  HEAPU8: Uint8Array;
  _malloc(this: void, bytes: number): number;
  _free(this: void, address: number): void;
}

/**
 * Makes an exhausted heap an error of the operation that needed more. As shipped, a failed allocation is address 0, and the
 * operation would write over whatever lies there; so refused, nothing is broken, and what is freed can be used again.
 */
export function guardAllocation(backend: BackendWasm): void {
  const module = backend.wasm as unknown as Module;
  // The module's functions are stubs that put the real ones in their own place when they are first called.
  module._free(module._malloc(1));
  const allocate = module._malloc;
  module._malloc = (bytes) => {
    const address = bytes < HEAP_CEILING ? allocate(bytes) : 0;
    if (address === 0 && bytes > 0) {
      throw new UserError(
        `wasm: out of memory: ${memorySize(bytes)} more do not fit (the heap has grown to ${memorySize(module.HEAPU8.length)} of at most ${memorySize(HEAP_CEILING)}): use fewer or shorter sequences per batch`,
      );
    }
    return address;
  };
}
