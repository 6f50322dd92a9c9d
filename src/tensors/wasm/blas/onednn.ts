import koffi from "koffi";
import { readFileSync } from "node:fs";
import { UserError } from "@alignscope/base/errors";
import type { Sgemm } from "./blas.js";

/*
 * Matrix products in bfloat16, accumulated in float32, by oneDNN (its C interface of version 2, which Debian 12 packages as
 * libdnnl2). A processor with AVX-512 BF16 multiplies twice as many of these a second as float32s. Eight bits of mantissa
 * are enough for the products of a training step, whose parameters stay in float32, and for nothing that is published.
 */

const LIBRARY = "libdnnl.so.2";

// Constants of oneDNN's binary interface: dnnl_types.h, version 2.
const CPU = 1;
const IN_ORDER = 1;
const [BFLOAT16, FLOAT32] = [2, 3] as const;
const [SOURCE, DESTINATION, WEIGHTS] = [1, 17, 33] as const;
/** More than any version 2 needs for a memory descriptor and for the descriptor of a matrix product, in bytes. */
const [MEMORY_DESCRIPTOR, OPERATION_DESCRIPTOR] = [2048, 16384] as const;

type Handle = object;
type Call = (...args: unknown[]) => number;

/** A primitive with its arguments' memories: what is run once the memories point at the data. */
interface Program {
  primitive: Handle;
  memories: Handle[];
  /** The arguments as an array of C structs { int; dnnl_memory_t }. */
  arguments: { arg: number; memory: Handle }[];
}

/** Below so many rows a product costs less than the rounding of its operands. */
const WORTH_ROUNDING = 16;

/** Whether {@link openBfloat16} can work here: processor and library. */
export function hasBfloat16(): boolean {
  try {
    openOneDnn();
    return true;
  } catch {
    return false;
  }
}

/**
 * A matrix product whose operands are rounded to bfloat16.
 *
 * @param narrow takes the products of a few rows only, as they are
 * @throws UserError when the processor has no AVX-512 BF16 or oneDNN 2 is not installed
 */
export function openBfloat16(narrow: Sgemm): Sgemm {
  const dnnl = openOneDnn();
  const products = new Map<string, Program & { roundA: Program; roundB: Program }>();
  let scratchA = new Uint16Array(0);
  let scratchB = new Uint16Array(0);

  return (ta, tb, m, n, k, a, lda, b, ldb, beta, c, ldc) => {
    if (Math.min(m, n, k) < WORTH_ROUNDING) return narrow(ta, tb, m, n, k, a, lda, b, ldb, beta, c, ldc);
    const key = `${ta}${tb}${m},${n},${k},${lda},${ldb},${beta},${ldc}`;
    let product = products.get(key);
    if (!product) {
      const [rowsA, columnsA] = ta ? [k, m] : [m, k];
      const [rowsB, columnsB] = tb ? [n, k] : [k, n];
      product = {
        ...dnnl.product([m, k, n], ta, tb, beta, ldc),
        roundA: dnnl.rounding(rowsA, columnsA, lda),
        roundB: dnnl.rounding(rowsB, columnsB, ldb),
      };
      products.set(key, product);
    }
    if (scratchA.length < m * k) scratchA = new Uint16Array(m * k);
    if (scratchB.length < k * n) scratchB = new Uint16Array(k * n);
    dnnl.run(product.roundA, [a, scratchA]);
    dnnl.run(product.roundB, [b, scratchB]);
    dnnl.run(product, [scratchA, scratchB, c]);
  };
}

/** The few functions of oneDNN that a matrix product takes; each throws when the library reports an error. */
interface OneDnn {
  product(
    sizes: [m: number, k: number, n: number],
    ta: boolean,
    tb: boolean,
    beta: number,
    ldc: number,
  ): Program;
  /** float32 `[rows, columns]` with a leading dimension to dense bfloat16. */
  rounding(rows: number, columns: number, leading: number): Program;
  /** Runs a program on arrays, in the order of its memories. */
  run(program: Program, data: (Float32Array | Uint16Array)[]): void;
}

let opened: OneDnn | undefined;

function openOneDnn(): OneDnn {
  return (opened ??= bind());
}

function bind(): OneDnn {
  if (!/^flags\s*:.*\bavx512_bf16\b/m.test(cpuInfo())) {
    throw new UserError(
      "bfloat16: this processor has no AVX-512 BF16; train in float32 (--precision float32)",
    );
  }
  let library: ReturnType<typeof koffi.load>;
  try {
    library = koffi.load(LIBRARY);
  } catch {
    throw new UserError(
      `bfloat16: no ${LIBRARY} here; install it (Debian 12: apt-get install libdnnl2) or train in float32 (--precision float32)`,
    );
  }
  const pointer = koffi.pointer("dnnl_handle", koffi.opaque());
  const argument = koffi.struct("dnnl_exec_arg", { arg: "int", memory: pointer });
  const returning = (declaration: string): Call => {
    const call = library.func(`int ${declaration}`) as Call;
    const name = /^\w+/.exec(declaration)?.[0];
    return (...args) => {
      const status = call(...args);
      if (status !== 0) throw new Error(`oneDNN: ${name} returned ${status}`);
      return status;
    };
  };
  const createEngine = returning("dnnl_engine_create(_Out_ dnnl_handle *engine, int kind, size_t index)");
  const createStream = returning(
    "dnnl_stream_create(_Out_ dnnl_handle *stream, dnnl_handle engine, uint flags)",
  );
  const describe = returning(
    "dnnl_memory_desc_init_by_strides(void *md, int ndims, int64_t *dims, int type, int64_t *strides)",
  );
  const createMemory = returning(
    "dnnl_memory_create(_Out_ dnnl_handle *memory, void *md, dnnl_handle engine, void *data)",
  );
  const setData = returning("dnnl_memory_set_data_handle(dnnl_handle memory, void *data)");
  const describeProduct = returning(
    "dnnl_matmul_desc_init(void *desc, void *source, void *weights, void *bias, void *destination)",
  );
  const createDescriptor = returning(
    "dnnl_primitive_desc_create(_Out_ dnnl_handle *pd, void *desc, dnnl_handle attributes, dnnl_handle engine, dnnl_handle hint)",
  );
  const createReorder = returning(
    "dnnl_reorder_primitive_desc_create(_Out_ dnnl_handle *pd, void *source, dnnl_handle engine, void *destination, dnnl_handle engine2, dnnl_handle attributes)",
  );
  const createPrimitive = returning("dnnl_primitive_create(_Out_ dnnl_handle *primitive, dnnl_handle pd)");
  const createAttributes = returning("dnnl_primitive_attr_create(_Out_ dnnl_handle *attributes)");
  const createPostOps = returning("dnnl_post_ops_create(_Out_ dnnl_handle *ops)");
  const appendSum = returning("dnnl_post_ops_append_sum(dnnl_handle ops, float scale)");
  const setPostOps = returning("dnnl_primitive_attr_set_post_ops(dnnl_handle attributes, dnnl_handle ops)");
  const execute = returning(
    "dnnl_primitive_execute(dnnl_handle primitive, dnnl_handle stream, int count, dnnl_exec_arg *arguments)",
  );
  const setThreads = library.func("void omp_set_num_threads(int)") as (count: number) => void;
  koffi.sizeof(argument);

  const made = (create: Call, ...args: unknown[]): Handle => {
    const out: [Handle | null] = [null];
    create(out, ...args);
    return out[0] as Handle;
  };
  // One thread each: whoever trains runs a worker a core.
  setThreads(1);
  const engine = made(createEngine, CPU, 0);
  const stream = made(createStream, engine, IN_ORDER);
  const matrix = (rows: number, columns: number, type: number, strides: [number, number]): Buffer => {
    const md = Buffer.alloc(MEMORY_DESCRIPTOR);
    describe(
      md,
      2,
      BigInt64Array.of(BigInt(rows), BigInt(columns)),
      type,
      BigInt64Array.from(strides.map(BigInt)),
    );
    return md;
  };
  const program = (descriptor: Handle, parts: [arg: number, md: Buffer][]): Program => {
    const memories = parts.map(([, md]) => made(createMemory, md, engine, null));
    return {
      primitive: made(createPrimitive, descriptor),
      memories,
      arguments: parts.map(([arg], i) => ({ arg, memory: memories[i] as Handle })),
    };
  };

  return {
    product([m, k, n], ta, tb, beta, ldc) {
      const source = matrix(m, k, BFLOAT16, ta ? [1, m] : [k, 1]);
      const weights = matrix(k, n, BFLOAT16, tb ? [1, k] : [n, 1]);
      const destination = matrix(m, n, FLOAT32, [ldc, 1]);
      let attributes: Handle | null = null;
      if (beta !== 0) {
        const ops = made(createPostOps);
        appendSum(ops, beta);
        attributes = made(createAttributes);
        setPostOps(attributes, ops);
      }
      const description = Buffer.alloc(OPERATION_DESCRIPTOR);
      describeProduct(description, source, weights, null, destination);
      const descriptor = made(createDescriptor, description, attributes, engine, null);
      return program(descriptor, [
        [SOURCE, source],
        [WEIGHTS, weights],
        [DESTINATION, destination],
      ]);
    },
    rounding(rows, columns, leading) {
      const from = matrix(rows, columns, FLOAT32, [leading, 1]);
      const to = matrix(rows, columns, BFLOAT16, [columns, 1]);
      return program(made(createReorder, from, engine, to, engine, null), [
        [SOURCE, from],
        [DESTINATION, to],
      ]);
    },
    run({ primitive, memories, arguments: args }, data) {
      for (const [i, memory] of memories.entries()) setData(memory, data[i]);
      execute(primitive, stream, args.length, args);
    },
  };
}

function cpuInfo(): string {
  try {
    return readFileSync("/proc/cpuinfo", "utf8");
  } catch {
    return "";
  }
}
