import { UserError } from "@alignscope/base/errors";
import type { Faults } from "./faults.js";

/*
 * GPU buffers, used again and again: the backend's own manager keeps every buffer it ever made, which fills a GPU once
 * sequence lengths vary, and hands out invalid buffers when the memory is full.
 */

/** Unused buffers are kept up to this many bytes, or half of those in use: then the ones unused longest are given up. */
const IDLE_BYTES = 2 ** 30;
/** A buffer from this size on is worth submitting pending work for, which returns what that work held. */
const WORTH_A_SUBMIT = 2 ** 24;

/** The memory of the GPU is full. */
export class OutOfMemory extends UserError {}

/** What the backend expects of its buffer manager. */
export class BufferPool {
  numBytesUsed = 0;
  numBytesAllocated = 0;
  private readonly used = new Set<GPUBuffer>();
  /** By size and usage, the kind released last at the end. */
  private readonly idle = new Map<string, GPUBuffer[]>();
  private disposed = false;

  /**
   * @param flush submits pending work, so that the buffers it holds are released
   */
  constructor(
    private readonly device: GPUDevice,
    private readonly faults: Faults,
    private readonly flush: () => void,
  ) {}

  acquireBuffer(size: number, usage: GPUBufferUsageFlags, mappedAtCreation = false, reuse = true): GPUBuffer {
    this.faults.check();
    const { maxBufferSize } = this.device.limits;
    if (size > maxBufferSize) {
      throw new UserError(
        `webgpu: a buffer of ${size} bytes is wanted, but this GPU's largest has ${maxBufferSize}: take a smaller batch`,
      );
    }
    let buffer = reuse ? this.takeIdle(size, usage) : undefined;
    if (!buffer && reuse && size >= WORTH_A_SUBMIT) {
      this.flush();
      buffer = this.takeIdle(size, usage);
    }
    buffer ??= this.create({ size, usage, mappedAtCreation });
    this.used.add(buffer);
    this.numBytesUsed += size;
    return buffer;
  }

  releaseBuffer(buffer: GPUBuffer, reuse = true): void {
    // Tensors may outlive a device that was lost.
    if (this.disposed) return;
    if (!this.used.delete(buffer)) throw new Error("a GPU buffer is released that is not in use");
    const { size, usage } = buffer;
    this.numBytesUsed -= size;
    if (!reuse) {
      this.destroy(buffer);
      return;
    }
    const key = keyOf(size, usage);
    const others = this.idle.get(key) ?? [];
    others.push(buffer);
    this.idle.delete(key);
    this.idle.set(key, others);
    this.trim(Math.max(IDLE_BYTES, this.numBytesUsed / 2));
  }

  getNumUsedBuffers(): number {
    return this.used.size;
  }

  getNumFreeBuffers(): number {
    return [...this.idle.values()].reduce((count, buffers) => count + buffers.length, 0);
  }

  dispose(): void {
    this.disposed = true;
    this.trim(0);
    for (const buffer of this.used) buffer.destroy();
    this.used.clear();
    this.numBytesUsed = 0;
    this.numBytesAllocated = 0;
  }

  private takeIdle(size: number, usage: number): GPUBuffer | undefined {
    return this.idle.get(keyOf(size, usage))?.pop();
  }

  private create(descriptor: GPUBufferDescriptor): GPUBuffer {
    const attempt = (): GPUBuffer | null => this.faults.attempt(() => this.device.createBuffer(descriptor));
    let buffer = attempt();
    if (!buffer) {
      this.flush();
      this.trim(0);
      buffer = attempt();
    }
    if (!buffer) {
      this.faults.check();
      throw new OutOfMemory(
        `webgpu: the GPU's memory is full: ${descriptor.size} bytes wanted, ${this.numBytesUsed} in use: take a smaller batch`,
      );
    }
    this.numBytesAllocated += descriptor.size;
    return buffer;
  }

  private trim(bytes: number): void {
    for (const [key, buffers] of this.idle) {
      while (this.numBytesAllocated - this.numBytesUsed > bytes) {
        const buffer = buffers.shift();
        if (!buffer) break;
        this.destroy(buffer);
      }
      if (buffers.length > 0) return;
      this.idle.delete(key);
    }
  }

  private destroy(buffer: GPUBuffer): void {
    this.numBytesAllocated -= buffer.size;
    buffer.destroy();
  }
}

function keyOf(size: number, usage: number): string {
  return `${size}_${usage}`;
}
