import { GELU } from "./kernels/gelu.js";
import type { Binding, Program } from "./run.js";

/*
 * The tiled matrix product in WGSL.
 *
 * A workgroup computes a tile of the output. For each step along k it brings a slab of both operands into workgroup
 * memory, always as [k][row] and [k][column] whatever their layout, and every invocation adds the outer products of a few
 * rows and columns to sums that live in registers. The order of additions depends on shapes alone.
 *
 * Why these sizes (128 × 128 × 32, 8 × 8 per invocation): the 64 sums, 16 factors and addresses need about 110 registers,
 * so two workgroups of 256 fit the 65,536 of an NVIDIA multiprocessor, one loading while the other computes. Each step
 * reads 4 vec4 from workgroup memory for 64 multiply-adds: a warp has 2 distinct vec4 of A (a broadcast) and 16 adjacent
 * ones of B (no bank conflict), 6 memory cycles in all against 64 issue slots, so that arithmetic is what it waits for.
 * Both slabs take 32 KiB, within what SwiftShader has, and leave room for several workgroups. Where an operand lies
 * across (its rows run along k), 4 × 4 blocks are turned in registers; their stores conflict four ways, at an eighth of the
 * memory cycles above.
 */

/** A tile of the output, its step along k, and what each invocation computes of it; all multiples of four. */
export interface Tile {
  rows: number;
  columns: number;
  step: number;
  ownRows: number;
  ownColumns: number;
}

/** What is done to sums before they are stored. */
export type Epilogue = "none" | "bias" | "gelu" | "geluKeep";

/** Everything that the code of a product depends on. */
export interface Variant {
  tile: Tile;
  transposeA: boolean;
  transposeB: boolean;
  /** Whether rows of A, B, and of the output can be read four at a time. */
  fourA: boolean;
  fourB: boolean;
  fourOut: boolean;
  epilogue: Epilogue;
}

const AXES = ["x", "y", "z", "w"] as const;

/** Invocations of a workgroup. */
export function invocationsOf({ rows, columns, ownRows, ownColumns }: Tile): number {
  return (rows / ownRows) * (columns / ownColumns);
}

/** The key of a variant's program. */
export function keyOf({ tile, epilogue, ...flags }: Variant): string {
  const set = Object.entries(flags).flatMap(([name, on]) => (on ? [name] : []));
  return ["matMul", Object.values(tile).join("x"), epilogue, ...set].join(" ");
}

/** The program of a product. Operands a, b, with an epilogue bias; outputs out and, with geluKeep, pre. */
export function productProgram(variant: Variant): Omit<Program, "key"> {
  const { tile, transposeA, transposeB, fourA, fourB, fourOut, epilogue } = variant;
  const threads = invocationsOf(tile);
  const rowParts = tile.ownRows / 4;
  const columnParts = tile.ownColumns / 4;
  const sums = each(tile.ownRows, (row) => each(columnParts, (part) => `sum${row}_${part}`)).flat();
  const threadsAcross = tile.columns / tile.ownColumns;
  return {
    bindings: [
      { name: "a", type: fourA ? "vec4<f32>" : "f32" },
      { name: "b", type: fourB ? "vec4<f32>" : "f32" },
      ...epilogueBindings(epilogue, fourOut),
    ],
    parameters: {
      m: "u32",
      n: "u32",
      k: "u32",
      /** Elements from one matrix of the batch to the next; 0 where there is one for all. */
      strideA: "u32",
      strideB: "u32",
      batch: "u32",
      /** Parts of k, each of `chunk`, that go to outputs of their own. */
      splits: "u32",
      chunk: "u32",
      /** Whether neighbouring workgroups differ in their rows rather than their columns. */
      rowsFirst: "u32",
      /** The first z of this dispatch. */
      firstZ: "u32",
    },
    workgroup: threads,
    declarations: `
var<workgroup> tileA: array<vec4<f32>, ${(tile.step * tile.rows) / 4}>;
var<workgroup> tileB: array<vec4<f32>, ${(tile.step * tile.columns) / 4}>;
${loader("A", "a", transposeA ? "p.m" : "p.k", fourA)}
${loader("B", "b", transposeB ? "p.k" : "p.n", fourB)}
${epilogueFunctions(epilogue, fourOut)}`,
    body: `
  let swap = p.rowsFirst == 1u;
  let m0 = select(group.y, group.x, swap) * ${tile.rows}u;
  let n0 = select(group.x, group.y, swap) * ${tile.columns}u;
  let z = group.z + p.firstZ;
  let matrix = z / p.splits;
  let part = z % p.splits;
  let baseA = matrix * p.strideA;
  let baseB = matrix * p.strideB;
  let kFrom = part * p.chunk;
  let kTo = min(p.k, kFrom + p.chunk);
  let tx = tid % ${threadsAcross}u;
  let ty = tid / ${threadsAcross}u;
  ${sums.map((name) => `var ${name} = vec4<f32>(0.0);`).join("\n  ")}
  for (var k0 = kFrom; k0 < kTo; k0 += ${tile.step}u) {
    ${fill("A", "m0", "p.m", tile.rows, tile.step, threads, !transposeA)}
    ${fill("B", "n0", "p.n", tile.columns, tile.step, threads, transposeB)}
    workgroupBarrier();
    for (var kk = 0u; kk < ${tile.step}u; kk++) {
      ${each(rowParts, (r) => `let a${r} = tileA[kk * ${tile.rows / 4}u + ${(r * tile.rows) / tile.ownRows}u + ty];`).join("\n      ")}
      ${each(columnParts, (c) => `let b${c} = tileB[kk * ${tile.columns / 4}u + ${(c * tile.columns) / tile.ownColumns}u + tx];`).join("\n      ")}
      ${each(tile.ownRows, (row) =>
        each(columnParts, (c) => `sum${row}_${c} += a${row >> 2}.${AXES[row & 3]} * b${c};`),
      )
        .flat()
        .join("\n      ")}
    }
    workgroupBarrier();
  }
  let first = (part * p.batch + matrix) * p.m;
  ${each(tile.ownRows, (row) => {
    const at = (row >> 2) * ((4 * tile.rows) / tile.ownRows) + (row & 3);
    const stores = each(columnParts, (c) => {
      const column = `n0 + ${c * ((4 * tile.columns) / tile.ownColumns)}u + tx * 4u`;
      return `store(first + row${row}, ${column}, sum${row}_${c});`;
    });
    return `let row${row} = m0 + ${at}u + ty * 4u;\n  if (row${row} < p.m) { ${stores.join(" ")} }`;
  }).join("\n  ")}`,
  };
}

/** The program that adds up the parts of a split product, in their order, and finishes them. */
export function sumOfPartsProgram(epilogue: Epilogue, four: boolean): Omit<Program, "key"> {
  const type = four ? "vec4<f32>" : "f32";
  return {
    bindings: [{ name: "parts", type }, ...epilogueBindings(epilogue, four)],
    parameters: { n: "u32", elements: "u32", splits: "u32" },
    workgroup: 64,
    declarations: epilogueFunctions(epilogue, four),
    body: `
  let i = (group.y * groups.x + group.x) * 64u + tid;
  let count = p.elements${four ? " / 4u" : ""};
  if (i >= count) { return; }
  var sum = parts[i];
  for (var part = 1u; part < p.splits; part++) { sum += parts[part * count + i]; }
  ${four ? "let at = i * 4u;\n  store(at / p.n, at % p.n, sum);" : "storeOne(i, i % p.n, sum);"}`,
  };
}

function each<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

/**
 * Reads four elements of a row of an operand; those at or past `end` are zero. Without branches: what lies outside is read
 * from wherever the device's robust access says, and dropped.
 */
function loader(name: string, buffer: string, width: string, four: boolean): string {
  const at = `base + row * ${width} + column`;
  const inside = (i: number): string => `row < rows && column + ${i}u < end`;
  return `fn load${name}(base: u32, row: u32, column: u32, rows: u32, end: u32) -> vec4<f32> {
  let at = ${at};
  ${
    four
      ? `return select(vec4<f32>(0.0), ${buffer}[at / 4u], ${inside(0)});`
      : `let four = vec4<f32>(${each(4, (i) => `${buffer}[at + ${i}u]`).join(", ")});
  let inside = vec4<bool>(${each(4, inside).join(", ")});
  return select(vec4<f32>(0.0), four, inside);`
  }
}`;
}

/**
 * Brings a slab [step][size] of an operand into workgroup memory, in blocks of 4 × 4. A loop also where each invocation has
 * one block: SwiftShader's compiler spends minutes on the same code in a straight line.
 */
function fill(
  name: string,
  origin: string,
  end: string,
  size: number,
  step: number,
  threads: number,
  across: boolean,
): string {
  const blocks = (size * step) / 16;
  const [fast, slow] = across ? ["k4", "x4"] : ["x4", "k4"];
  const fastSize = across ? step / 4 : size / 4;
  const base = `base${name}`;
  const load = each(4, (i) =>
    across
      ? `let r${i} = load${name}(${base}, x + ${i}u, k, ${end}, kTo);`
      : `let r${i} = load${name}(${base}, k + ${i}u, x, kTo, ${end});`,
  );
  const store = AXES.map((axis, i) => {
    const value = across ? `vec4<f32>(r0.${axis}, r1.${axis}, r2.${axis}, r3.${axis})` : `r${i}`;
    return `tile${name}[(k4 * 4u + ${i}u) * ${size / 4}u + x4] = ${value};`;
  });
  return `for (var t = tid; t < ${blocks}u; t += ${threads}u) {
      let ${fast} = t % ${fastSize}u;
      let ${slow} = t / ${fastSize}u;
      let x = ${origin} + x4 * 4u;
      let k = k0 + k4 * 4u;
      ${[...load, ...store].join("\n      ")}
    }`;
}

function epilogueBindings(epilogue: Epilogue, four: boolean): Binding[] {
  const type = four ? "vec4<f32>" : "f32";
  return [
    ...(epilogue === "none" ? [] : [{ name: "bias", type } as const]),
    { name: "out", type, write: true },
    ...(epilogue === "geluKeep" ? [{ name: "pre", type, write: true } as const] : []),
  ];
}

/** `store(row, column, four sums)`, and `storeOne` where rows are not a multiple of four wide. */
function epilogueFunctions(epilogue: Epilogue, four: boolean): string {
  const type = four ? "vec4<f32>" : "f32";
  const finish = (bias: string): string =>
    ({
      none: "out[at] = sum;",
      bias: `out[at] = sum + ${bias};`,
      gelu: `out[at] = gelu(sum + ${bias});`,
      geluKeep: `let before = sum + ${bias};\n  pre[at] = before;\n  out[at] = gelu(before);`,
    })[epilogue];
  const gelu = epilogue.startsWith("gelu") ? GELU(type) : "";
  return four
    ? `${gelu}
fn store(row: u32, column: u32, sum: vec4<f32>) {
  if (column >= p.n) { return; }
  let at = (row * p.n + column) / 4u;
  ${finish("bias[column / 4u]")}
}`
    : `${gelu}
fn storeOne(at: u32, column: u32, sum: f32) {
  ${finish("bias[column]")}
}
fn store(row: u32, column: u32, sum: vec4<f32>) {
  ${AXES.map((axis, i) => `if (column + ${i}u < p.n) { storeOne(row * p.n + column + ${i}u, column + ${i}u, sum.${axis}); }`).join("\n  ")}
}`;
}
