/*
 * What the texts of the SIMD kernels have in common. WebAssembly knows neither constants by name nor inlining, and a call
 * per four numbers would cost as much as the work, so these functions write the repeated passages of the text.
 */

/** The same number in all four lanes. */
export function four(value: number): string {
  return `(v128.const f32x4 ${Array(4).fill(Math.fround(value)).join(" ")})`;
}

/** The four bytes of each of `count` floats, for an address. */
export function bytes(count: string): string {
  return `(i32.shl ${count} (i32.const 2))`;
}

/** How a passage reads and writes: four floats at once, or the one to three that a row ends with. */
export interface Access {
  /** Four floats from `address`; lanes after the row's end hold `fill`, an f32. */
  load: (address: string, fill?: string) => string;
  store: (address: string, value: string) => string;
}

const WHOLE: Access = {
  load: (address) => `(v128.load ${address})`,
  store: (address, value) => `(v128.store ${address} ${value})`,
};

const REST: Access = {
  load: (address, fill = "(f32.const 0)") => `(call $loadRest ${address} (local.get $n) ${fill})`,
  store: (address, value) => `(call $storeRest ${address} (local.get $n) ${value})`,
};

/** A function that {@link eachFour} is used in declares these. */
export const LOOP_LOCALS = "(local $n i32) (local $at i32)";

/**
 * Runs a passage on every four of `count` floats: $at is how many bytes they are after the first. Rows may have any length
 * and lie anywhere. `unrolled` is a passage for sixteen at once, for sums that would wait for each other.
 */
export function eachFour(count: string, passage: (access: Access) => string, unrolled?: string): string {
  const sixteens = unrolled
    ? `(block $nosixteen (loop $sixteen
        (br_if $nosixteen (i32.lt_u (local.get $n) (i32.const 16)))
        ${unrolled}
        (local.set $at (i32.add (local.get $at) (i32.const 64)))
        (local.set $n (i32.sub (local.get $n) (i32.const 16)))
        (br $sixteen)))`
    : "";
  return `
    (local.set $at (i32.const 0))
    (local.set $n ${count})
    ${sixteens}
    (block $nofour (loop $four
      (br_if $nofour (i32.lt_u (local.get $n) (i32.const 4)))
      ${passage(WHOLE)}
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (local.set $n (i32.sub (local.get $n) (i32.const 4)))
      (br $four)))
    (if (local.get $n) (then ${passage(REST)}))`;
}

/** The address `$at` bytes (and `more`) after that of a row. */
export function here(row: string, more = 0): string {
  const address = `(i32.add (local.get ${row}) (local.get $at))`;
  return more ? `(i32.add ${address} (i32.const ${more}))` : address;
}

/** Runs a passage `count` times; `counter` is a local that counts down. */
export function times(counter: string, count: string, passage: string): string {
  const [none, again] = [`$no${counter.slice(1)}`, `$again${counter.slice(1)}`];
  return `
    (local.set ${counter} ${count})
    (block ${none} (loop ${again}
      (br_if ${none} (i32.eqz (local.get ${counter})))
      ${passage}
      (local.set ${counter} (i32.sub (local.get ${counter}) (i32.const 1)))
      (br ${again})))`;
}

/** Adds to an i32 local. */
export function advance(local: string, by: string): string {
  return `(local.set ${local} (i32.add (local.get ${local}) ${by}))`;
}

/** Adds the lanes of a vector to an f64x2 local: float64, so that the length of a sum costs no digits. */
export function addTo(sum: string, value: string): string {
  return `(local.set $part ${value})
    (local.set ${sum} (f64x2.add (local.get ${sum})
      (f64x2.add (f64x2.promote_low_f32x4 (local.get $part)) ${promoteHigh("(local.get $part)")})))`;
}

/** Floats two and three, as doubles. */
export function promoteHigh(value: string): string {
  return `(f64x2.promote_low_f32x4 (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 ${value} ${value}))`;
}

/** The sum of both lanes of an f64x2 local. */
export function total(sum: string): string {
  return `(f64.add (f64x2.extract_lane 0 (local.get ${sum})) (f64x2.extract_lane 1 (local.get ${sum})))`;
}

/** The ends of rows: reading less than a vector, and writing no more than was there. */
export const RESTS = `
  (func $loadRest (param $from i32) (param $count i32) (param $fill f32) (result v128)
    (local $v v128)
    (local.set $v (v128.load32_lane 0 (local.get $from) (f32x4.splat (local.get $fill))))
    (if (i32.gt_u (local.get $count) (i32.const 1))
      (then (local.set $v (v128.load32_lane offset=4 1 (local.get $from) (local.get $v)))))
    (if (i32.gt_u (local.get $count) (i32.const 2))
      (then (local.set $v (v128.load32_lane offset=8 2 (local.get $from) (local.get $v)))))
    (local.get $v))

  (func $storeRest (param $to i32) (param $count i32) (param $v v128)
    (v128.store32_lane 0 (local.get $to) (local.get $v))
    (if (i32.gt_u (local.get $count) (i32.const 1))
      (then (v128.store32_lane offset=4 1 (local.get $to) (local.get $v))))
    (if (i32.gt_u (local.get $count) (i32.const 2))
      (then (v128.store32_lane offset=8 2 (local.get $to) (local.get $v)))))`;
