/** The backends by name, in the order in which `auto` tries them (`cpu`, the slow referee, only by name). */
export const BACKENDS = ["cuda", "native", "webgpu", "wasm", "cpu"] as const;
export type BackendName = (typeof BACKENDS)[number];

/** What was opened. */
export interface OpenedBackend {
  backend: BackendName;
  /** The device that computes, in words. */
  device: string;
  /** The device's driver, where there is one. */
  driver?: string;
  /** The BLAS behind the matrix product, where there is one to name. */
  blas: string | null;
  /** Threads of the matrix product; 0 where the library decides. */
  threads: number;
  /** The most memory that tensors can take, in bytes, where it is known. */
  memoryLimitBytes: number | null;
  /** Things worth knowing about this backend here. */
  notes: string[];
}
