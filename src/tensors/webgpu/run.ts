import * as tf from "@tensorflow/tfjs-core";
import type { DeviceBackend } from "./device.js";

/*
 * Running a kernel of our own. tfjs' runWebGPUProgram writes one output and prepends some hundred lines to every shader;
 * here a kernel has as many outputs as it likes, may write into its inputs, and is the WGSL one reads.
 */

/** A tensor that a kernel binds, as `array<type>`. */
export interface Binding {
  name: string;
  /** Element type in WGSL; `f32` unless said otherwise. */
  type?: "f32" | "i32" | "vec4<f32>";
  /** Whether the kernel writes to it. */
  write?: boolean;
}

export interface Program {
  /** Name of the kernel with all that its code depends on: one pipeline is compiled per key. */
  key: string;
  bindings: Binding[];
  /** Members of the uniform `p`, all of four bytes. */
  parameters: Record<string, "u32" | "f32">;
  /** Invocations per workgroup. */
  workgroup: number;
  /** Declarations before `main`: constants, workgroup memory, functions. */
  declarations?: string;
  /** Body of main, with `tid` (index within the workgroup), `group` (the workgroup's id) and `groups` (their number). */
  body: string;
}

/** What the shipped backend keeps for itself. */
interface Internals {
  commandEncoder: GPUCommandEncoder;
  computePassEncoder: GPUComputePassEncoder | null;
  commandQueueOwnedIds: WeakSet<object>;
  uniformPendingDisposal: GPUBuffer[];
  dispatchCountInPass: number;
  activeTimers: { name: string; query: Promise<number> }[] | null;
  querySet: GPUQuerySet | null;
  querySetCount: number;
  supportTimestampQuery: boolean;
}

interface Compiled {
  id: number;
  pipeline: GPUComputePipeline;
  layout: GPUBindGroupLayout;
}

interface DeviceState {
  pipelines: Map<string, Compiled>;
  /** Uniform buffers by content: a model runs the same kernels on the same shapes over and over. */
  uniforms: Map<string, GPUBuffer>;
  /** By pipeline and buffers. Making one takes longer than the rest of a dispatch, and the pool's buffers come round again. */
  bindGroups: Map<string, GPUBindGroup>;
}

const UNIFORMS_KEPT = 2048;
const BIND_GROUPS_KEPT = 8192;
const states = new WeakMap<DeviceBackend, DeviceState>();

/**
 * Records one dispatch.
 *
 * @param tensors one per binding, in the program's order; their data is uploaded where it is not on the GPU yet
 * @param parameters values of the uniform's members
 * @param groups workgroups per dimension, each within the device's limit
 */
export function run(
  backend: DeviceBackend,
  program: Program,
  tensors: tf.TensorInfo[],
  parameters: Record<string, number>,
  groups: [number, number, number],
): void {
  for (const { dataId } of tensors) backend.uploadToGPU(dataId);
  const state = stateOf(backend);
  const internals = backend as unknown as Internals;
  const { pipeline, layout, id } = compiled(backend, state, program);
  const uniform = uniformBuffer(backend, state, internals, program, parameters);
  const buffers = tensors.map(({ dataId }, binding) => {
    const data = backend.tensorMap.get(dataId);
    // Values that were read before are out of date once a kernel writes here.
    if (program.bindings[binding]?.write) (data as { values: tf.BackendValues | null }).values = null;
    internals.commandQueueOwnedIds.add(dataId);
    return data.resource as GPUBuffer;
  });
  const bindGroup = bindGroupOf(backend, state, layout, id, [...buffers, uniform]);
  const timed = internals.activeTimers !== null && internals.activeTimers !== undefined;
  backend.ensureCommandEncoderReady();
  if (timed) beginTimedPass(backend, internals);
  internals.computePassEncoder ??= internals.commandEncoder.beginComputePass();
  const pass = internals.computePassEncoder;
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, bindGroup);
  pass.dispatchWorkgroups(...groups);
  internals.dispatchCountInPass++;
  if (timed) {
    backend.endComputePassEncoder();
    internals.activeTimers?.push({ name: program.key, query: backend.getQueryTime() });
  } else if (internals.dispatchCountInPass >= tf.env().getNumber("WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE")) {
    backend.flush();
  }
}

/** Each program is put together once. */
const programs = new Map<string, Program>();

/** The program of a key, made by `make` the first time. */
export function programOf(key: string, make: () => Omit<Program, "key">): Program {
  let program = programs.get(key);
  if (!program) {
    program = { key, ...make() };
    programs.set(key, program);
  }
  return program;
}

/** Spreads `count` workgroups over two dimensions of a dispatch; in WGSL: `group.y * groups.x + group.x`. */
export function spread(backend: DeviceBackend, count: number): [number, number, number] {
  const most = backend.limits.maxWorkgroupsPerDimension;
  if (count <= most) return [count, 1, 1];
  const rows = Math.ceil(count / most);
  return [Math.ceil(count / rows), rows, 1];
}

function stateOf(backend: DeviceBackend): DeviceState {
  let state = states.get(backend);
  if (!state) {
    state = { pipelines: new Map(), uniforms: new Map(), bindGroups: new Map() };
    states.set(backend, state);
  }
  return state;
}

function compiled(backend: DeviceBackend, { pipelines }: DeviceState, program: Program): Compiled {
  let made = pipelines.get(program.key);
  if (!made) {
    const { device } = backend;
    const module = device.createShaderModule({ code: sourceOf(program), label: program.key });
    const pipeline = device.createComputePipeline({
      compute: { module, entryPoint: "main" },
      label: program.key,
      layout: "auto",
    });
    made = { id: pipelines.size, pipeline, layout: pipeline.getBindGroupLayout(0) };
    pipelines.set(program.key, made);
  }
  return made;
}

const bufferIds = new WeakMap<GPUBuffer, number>();
let lastBufferId = 0;

function idOf(buffer: GPUBuffer): number {
  let id = bufferIds.get(buffer);
  if (id === undefined) {
    id = ++lastBufferId;
    bufferIds.set(buffer, id);
  }
  return id;
}

function bindGroupOf(
  { device }: DeviceBackend,
  { bindGroups }: DeviceState,
  layout: GPUBindGroupLayout,
  pipeline: number,
  buffers: GPUBuffer[],
): GPUBindGroup {
  let key = String(pipeline);
  for (const buffer of buffers) key += `:${idOf(buffer)}`;
  let bindGroup = bindGroups.get(key);
  if (!bindGroup) {
    const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
    bindGroup = device.createBindGroup({ layout, entries });
    bindGroups.set(key, bindGroup);
    if (bindGroups.size > BIND_GROUPS_KEPT) bindGroups.delete(bindGroups.keys().next().value as string);
  }
  return bindGroup;
}

/** The whole shader of a program. */
function sourceOf({ bindings, parameters, workgroup, declarations = "", body }: Program): string {
  const buffers = bindings.map(
    ({ name, type = "f32", write }, index) =>
      `@group(0) @binding(${index}) var<storage, ${write ? "read_write" : "read"}> ${name}: array<${type}>;`,
  );
  const members = Object.entries(parameters).map(([name, type]) => `${name}: ${type},`);
  return `
struct Parameters { ${members.join(" ")} }
${buffers.join("\n")}
@group(0) @binding(${bindings.length}) var<uniform> p: Parameters;
${declarations}
@compute @workgroup_size(${workgroup})
fn main(@builtin(local_invocation_index) tid: u32, @builtin(workgroup_id) group: vec3<u32>,
        @builtin(num_workgroups) groups: vec3<u32>) {
${body}
}`;
}

function uniformBuffer(
  backend: DeviceBackend,
  { uniforms }: DeviceState,
  { uniformPendingDisposal }: Internals,
  { key, parameters }: Program,
  values: Record<string, number>,
): GPUBuffer {
  const names = Object.keys(parameters);
  const content = names.map((name) => {
    const value = values[name];
    if (value === undefined) throw new Error(`${key}: no value for the parameter ${name}`);
    return value;
  });
  const id = `${Object.values(parameters).join()}:${content.join()}`;
  const known = uniforms.get(id);
  if (known) return known;
  const data = new DataView(new ArrayBuffer(Math.ceil(names.length / 4) * 16));
  names.forEach((name, index) => {
    const value = content[index] as number;
    if (parameters[name] === "f32") data.setFloat32(index * 4, value, true);
    else data.setUint32(index * 4, value, true);
  });
  const buffer = backend.bufferManager.acquireBuffer(
    data.byteLength,
    GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
  );
  backend.queue.writeBuffer(buffer, 0, data.buffer);
  uniforms.set(id, buffer);
  if (uniforms.size > UNIFORMS_KEPT) {
    const [oldest, given] = uniforms.entries().next().value as [string, GPUBuffer];
    uniforms.delete(oldest);
    // Recorded work may still read it: it goes back once that is submitted.
    uniformPendingDisposal.push(given);
  }
  return buffer;
}

/** A pass of its own, between two timestamps, as the shipped backend does for tf.time. */
function beginTimedPass(backend: DeviceBackend, internals: Internals): void {
  if (!internals.supportTimestampQuery) return;
  backend.endComputePassEncoder();
  internals.querySet ??= backend.device.createQuerySet({ type: "timestamp", count: internals.querySetCount });
  internals.computePassEncoder = internals.commandEncoder.beginComputePass({
    timestampWrites: {
      querySet: internals.querySet,
      beginningOfPassWriteIndex: 0,
      endOfPassWriteIndex: 1,
    },
  });
}
