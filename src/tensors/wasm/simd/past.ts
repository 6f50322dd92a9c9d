import { addTo, advance, bytes, eachFour, here, LOOP_LOCALS, times, total } from "./wat.js";

/** Adds Σ (x·mask)² over `count` floats to $sum. */
function addMaskedSquares(x: string, count: string): string {
  return eachFour(
    count,
    ({ load }) => `(local.set $masked (f32x4.mul ${load(here(x))} ${load(here("$mask"))}))
      ${addTo("$sum", "(f32x4.mul (local.get $masked) (local.get $masked))")}`,
  );
}

/** Adds Σ x² over $dHead floats to $sum. */
function addSquares(x: string): string {
  return eachFour(
    "(local.get $dHead)",
    ({ load }) => `(local.set $masked ${load(here(x))})
      ${addTo("$sum", "(f32x4.mul (local.get $masked) (local.get $masked))")}`,
  );
}

/** Leaves a sum of squares in a local, computed by `passage`. */
function squares(into: string, passage: string): string {
  return `(local.set $sum (v128.const i64x2 0 0))
    ${passage}
    (local.set ${into} ${total("$sum")})`;
}

/** The gradient of attention by a single query, and steps of keys and values along theirs; beside $dots and $weigh. */
export const PAST = `
  ;; The gradient of attendOne for all batch entries and heads. qkv and dQkv have rows of 3·dModel, dz of dModel; kStep is
  ;; from one entry's keys to the next's, in bytes. Per head, factors are dScores, the pattern, q and dz.
  (func (export "attendPastGrad") (param $qkv i32) (param $k i32) (param $v i32) (param $pattern i32) (param $dz i32)
    (param $dQkv i32) (param $factors i32) (param $pads i32) (param $batch i32) (param $heads i32) (param $keys i32)
    (param $dHead i32) (param $kStep i32) (param $scale f32)
    (local $head i32) (local $start i32) (local $seen i32) (local $skipped i32) (local $stride i32) (local $wide i32)
    (local $first i32) (local $step i32) (local $column i32) (local $own i32) (local $rest i32) (local $last i32)
    (local.set $wide ${bytes("(local.get $dHead)")})
    (local.set $stride (i32.mul (local.get $heads) (local.get $wide)))
    (local.set $step (i32.shl (i32.add (local.get $keys) (local.get $dHead)) (i32.const 3)))
    (local.set $last ${bytes("(i32.sub (local.get $keys) (i32.const 1))")})
    ${times(
      "$batch",
      "(local.get $batch)",
      `(local.set $start (i32.load (local.get $pads)))
      (if (i32.gt_u (local.get $start) (local.get $keys)) (then (local.set $start (local.get $keys))))
      (local.set $seen (i32.sub (local.get $keys) (local.get $start)))
      (local.set $skipped (i32.mul (local.get $start) (local.get $stride)))
      (local.set $column (i32.const 0))
      (local.set $own (local.get $factors))
      ${times(
        "$head",
        "(local.get $heads)",
        `(memory.fill (local.get $own) (i32.const 0) ${bytes("(local.get $start)")})
        (local.set $first (i32.add (local.get $own) ${bytes("(local.get $start)")}))
        (call $dots
          (local.get $dz)
          (i32.add (i32.add (local.get $v) (local.get $column)) (local.get $skipped))
          (local.get $stride)
          (local.get $seen)
          (local.get $first)
          (local.get $dHead))
        (call $softmaxGrad
          (local.get $pattern) (local.get $own) (i32.const 1) (local.get $keys) (local.get $scale))
        (call $weigh
          (i32.add (i32.add (local.get $k) (local.get $column)) (local.get $skipped))
          (local.get $stride)
          (local.get $first)
          (i32.const 4)
          (local.get $seen)
          (local.get $dQkv)
          (local.get $dHead))
        (local.set $rest (i32.add (local.get $own) ${bytes("(local.get $keys)")}))
        (memory.copy (local.get $rest) (local.get $pattern) ${bytes("(local.get $keys)")})
        ${advance("$rest", bytes("(local.get $keys)"))}
        (memory.copy (local.get $rest) (local.get $qkv) (local.get $wide))
        (memory.copy (i32.add (local.get $rest) (local.get $wide)) (local.get $dz) (local.get $wide))
        (call $scaled
          (local.get $qkv)
          (i32.add (local.get $dQkv) (local.get $stride))
          (local.get $dHead)
          (f32.load (i32.add (local.get $own) (local.get $last))))
        (call $scaled
          (local.get $dz)
          (i32.add (local.get $dQkv) (i32.shl (local.get $stride) (i32.const 1)))
          (local.get $dHead)
          (f32.load (i32.add (local.get $pattern) (local.get $last))))
        ${advance("$own", "(local.get $step)")}
        ${advance("$column", "(local.get $wide)")}
        ${advance("$pattern", bytes("(local.get $keys)"))}
        ${advance("$qkv", "(local.get $wide)")}
        ${advance("$dQkv", "(local.get $wide)")}
        ${advance("$dz", "(local.get $wide)")}`,
      )}
      (local.set $factors (local.get $own))
      ${advance("$qkv", "(i32.shl (local.get $stride) (i32.const 1))")}
      ${advance("$dQkv", "(i32.shl (local.get $stride) (i32.const 1))")}
      ${advance("$k", "(local.get $kStep)")}
      ${advance("$v", "(local.get $kStep)")}
      ${advance("$pads", "(i32.const 4)")}`,
    )})

  ;; The square of one batch entry's gradient by keys and values before the last, masked: from its factors of all heads.
  (func (export "squaredFactors") (param $factors i32) (param $mask i32) (param $heads i32) (param $keys i32)
    (param $dHead i32) (result f64)
    ${LOOP_LOCALS} (local $head i32) (local $masked v128) (local $part v128) (local $sum v128)
    (local $left f64) (local $right f64) (local $all f64) (local $pattern i32) (local $q i32) (local $dz i32) (local $before i32)
    (local.set $before (i32.sub (local.get $keys) (i32.const 1)))
    ${times(
      "$head",
      "(local.get $heads)",
      `(local.set $pattern (i32.add (local.get $factors) ${bytes("(local.get $keys)")}))
      (local.set $q (i32.add (local.get $pattern) ${bytes("(local.get $keys)")}))
      (local.set $dz (i32.add (local.get $q) ${bytes("(local.get $dHead)")}))
      ${squares("$left", addMaskedSquares("$factors", "(local.get $before)"))}
      ${squares("$right", addSquares("$q"))}
      (local.set $all (f64.add (local.get $all) (f64.mul (local.get $left) (local.get $right))))
      ${squares("$left", addMaskedSquares("$pattern", "(local.get $before)"))}
      ${squares("$right", addSquares("$dz"))}
      (local.set $all (f64.add (local.get $all) (f64.mul (local.get $left) (local.get $right))))
      (local.set $factors (i32.add (local.get $dz) ${bytes("(local.get $dHead)")}))`,
    )}
    (local.get $all))

  ;; One batch entry's keys and values before the last += factor·mask·gradient, from its factors of all heads.
  (func (export "stepPast") (param $k i32) (param $v i32) (param $factors i32) (param $mask i32) (param $heads i32)
    (param $keys i32) (param $dHead i32) (param $factor f32)
    (local $left i32) (local $head i32) (local $own i32) (local $by f32) (local $wide i32) (local $direction i32)
    (local $score f32) (local $weight f32) (local $passed i32)
    (local.set $wide ${bytes("(local.get $dHead)")})
    ${times(
      "$left",
      "(i32.sub (local.get $keys) (i32.const 1))",
      `(local.set $by (f32.mul (local.get $factor) (f32.load (local.get $mask))))
      (local.set $own (local.get $factors))
      ${times(
        "$head",
        "(local.get $heads)",
        `(local.set $score (f32.load (local.get $own)))
        (local.set $weight (f32.load (i32.add (local.get $own) ${bytes("(local.get $keys)")})))
        (local.set $direction (i32.add
          (i32.sub (local.get $own) (local.get $passed))
          (i32.shl (local.get $keys) (i32.const 3))))
        (call $addScaled
          (local.get $direction) (local.get $k) (local.get $dHead) (f32.mul (local.get $by) (local.get $score)))
        (call $addScaled
          (i32.add (local.get $direction) (local.get $wide)) (local.get $v) (local.get $dHead)
          (f32.mul (local.get $by) (local.get $weight)))
        ${advance("$k", "(local.get $wide)")}
        ${advance("$v", "(local.get $wide)")}
        (local.set $own (i32.add
          (local.get $own)
          (i32.shl (i32.add (local.get $keys) (local.get $dHead)) (i32.const 3))))`,
      )}
      ${advance("$factors", "(i32.const 4)")}
      ${advance("$passed", "(i32.const 4)")}
      ${advance("$mask", "(i32.const 4)")}`,
    )})`;
