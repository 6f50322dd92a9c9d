import type { BackendValues } from "@tensorflow/tfjs-core";
import { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { UserError, messageOf } from "@alignscope/base/errors";
import { describeAdapter, type Adapter } from "./adapter.js";
import { Faults } from "./faults.js";
import { BufferPool, OutOfMemory } from "./pool.js";
import { memorySize } from "@alignscope/base/size";

/*
 * The device, and the backend on it. The device is made here rather than by the backend's factory: that one needs a
 * browser's navigator and asks for features in a form strict hosts refuse.
 */

/** No buffer is larger, whatever the adapter says: offsets within it have to fit 32 bits. */
const LARGEST_BUFFER = 2 ** 32 - 4;

/** What limits tensors and kernels on a device. */
export interface DeviceLimits {
  /** The device in words. */
  device: string;
  /** The largest tensor, in bytes. */
  maxTensorBytes: number;
  /** Memory that a workgroup shares, in bytes. */
  maxWorkgroupBytes: number;
  maxInvocationsPerWorkgroup: number;
  /** Workgroups per dimension of a dispatch. */
  maxWorkgroupsPerDimension: number;
}

/** Opens a device with all that the adapter can do. */
export async function openDevice({ adapter }: Adapter): Promise<GPUDevice> {
  const { limits, features } = adapter;
  const requiredLimits = {
    maxBufferSize: Math.min(limits.maxBufferSize, LARGEST_BUFFER),
    // The embedding of GPT-2 medium is one binding of 206 MB, above the default of 128 MiB.
    maxStorageBufferBindingSize: Math.min(limits.maxStorageBufferBindingSize, LARGEST_BUFFER),
    maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage,
    maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
    maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
    maxComputeWorkgroupSizeX: limits.maxComputeWorkgroupSizeX,
    maxComputeWorkgroupSizeY: limits.maxComputeWorkgroupSizeY,
    maxComputeWorkgroupSizeZ: limits.maxComputeWorkgroupSizeZ,
    maxComputeWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
  };
  // Timestamps serve tf.time. Kernels use float32 throughout and no subgroups, whose width would change their sums.
  const requiredFeatures = (["timestamp-query"] as const).filter((name) => features.has(name));
  try {
    return await adapter.requestDevice({ requiredLimits, requiredFeatures });
  } catch (error) {
    throw new UserError(
      `webgpu: ${describeAdapter(adapter.info)} opens no device: ${messageOf(error).split("\n")[0]}`,
    );
  }
}

/** The webgpu backend, with errors that say what to do and memory that is given back. */
export class DeviceBackend extends WebGPUBackend {
  readonly faults: Faults;
  readonly limits: DeviceLimits;

  constructor(device: GPUDevice, info: GPUAdapterInfo) {
    super(device, info);
    this.faults = new Faults(device);
    const pool = new BufferPool(device, this.faults, () => {
      this.flush();
    });
    this.bufferManager = pool as unknown as WebGPUBackend["bufferManager"];
    const { limits } = device;
    this.limits = {
      device: describeAdapter(info),
      maxTensorBytes: Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize),
      maxWorkgroupBytes: limits.maxComputeWorkgroupStorageSize,
      maxInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
      maxWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
    };
  }

  /** Submits what is recorded, if anything is. */
  flush(): void {
    const { commandEncoder } = this as unknown as { commandEncoder: GPUCommandEncoder | null };
    if (!commandEncoder) return;
    this.endComputePassEncoder();
    this.submitQueue();
  }

  /** Fills a tensor that is on the GPU with zeros, with the device's own means. */
  clear(dataId: object): void {
    const { commandQueueOwnedIds } = this as unknown as { commandQueueOwnedIds: WeakSet<object> };
    commandQueueOwnedIds.add(dataId);
    this.ensureCommandEncoderReady();
    this.endComputePassEncoder();
    const { commandEncoder } = this as unknown as { commandEncoder: GPUCommandEncoder };
    commandEncoder.clearBuffer(this.tensorMap.get(dataId).resource as GPUBuffer);
  }

  override uploadToGPU(dataId: object): void {
    const { shape, dtype, resource } = this.tensorMap.get(dataId);
    if (resource) return;
    const bytes = shape.reduce((product, length) => product * length, dtype === "complex64" ? 8 : 4);
    const { maxTensorBytes } = this.limits;
    if (bytes > maxTensorBytes) {
      throw new UserError(
        `webgpu: a tensor [${shape}] has ${mebibytes(bytes)}, but this GPU's largest has ${mebibytes(maxTensorBytes)}: take a smaller batch`,
      );
    }
    try {
      super.uploadToGPU(dataId);
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error;
      throw new OutOfMemory(
        `webgpu: the GPU's memory is full: no room for a tensor [${shape}] of ${memorySize(bytes)} beside ${memorySize(this.bufferManager.numBytesUsed)} in use: take a smaller batch`,
      );
    }
  }

  override async read(dataId: object): Promise<BackendValues> {
    this.faults.check();
    let values: BackendValues | undefined;
    let failure: unknown;
    try {
      values = await super.read(dataId);
    } catch (error) {
      failure = error;
    }
    // What the kernels before it did wrong is known by now.
    this.faults.check();
    if (values) return values;
    if (failure instanceof UserError) throw failure;
    throw new UserError(`webgpu: a tensor could not be read: ${messageOf(failure).split("\n")[0]}`);
  }

  /** Reading waits for the GPU, and Node has no way to wait: only values that never left the host are there. */
  override readSync(dataId: object): BackendValues {
    const { values } = this.tensorMap.get(dataId);
    if (values) return values;
    throw new UserError("webgpu: a tensor cannot be read synchronously: await tensor.data()");
  }
}

/** A tensor may be a few bytes too large: both sizes in one unit, rounded up. */
function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}
