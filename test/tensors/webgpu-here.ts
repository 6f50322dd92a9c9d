import { openBackend } from "../../src/tensors/index.js";

/**
 * Opens the webgpu backend, on SwiftShader if need be.
 *
 * @returns null, or why it cannot be opened here
 */
export async function webgpuMissing(): Promise<string | null> {
  try {
    await openBackend("webgpu");
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}
