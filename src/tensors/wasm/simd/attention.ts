import { exp, EXP_LOCALS } from "./exp.js";
import { addTo, advance, bytes, eachFour, here, LOOP_LOCALS, times, total } from "./wat.js";

const MINUS_INFINITY = "(f32.const -inf)";

/** The end of what query number (queries − left) may see: the queries are the last of the keys. */
const VISIBLE_END = `(i32.sub (i32.add (local.get $keys) (i32.const 1)) (local.get $left))`;

/** Sums over all keys of weight·value, for `vectors` times four columns at once. */
function weighColumns(vectors: number): string {
  const each = Array.from({ length: vectors }, (_, i) => i);
  return `
    ${each.map((i) => `(local.set $s${i} (v128.const i64x2 0 0))`).join("\n")}
    (local.set $value (local.get $values))
    (local.set $weight (local.get $weights))
    ${times(
      "$left",
      "(local.get $count)",
      `(local.set $w (v128.load32_splat (local.get $weight)))
      ${each
        .map(
          (i) => `(local.set $s${i} (f32x4.add
            (local.get $s${i})
            (f32x4.mul (local.get $w) (v128.load offset=${16 * i} (local.get $value)))))`,
        )
        .join("\n")}
      ${advance("$value", "(local.get $stride)")}
      ${advance("$weight", "(local.get $hop)")}`,
    )}
    ${each.map((i) => `(v128.store offset=${16 * i} (local.get $to) (local.get $s${i}))`).join("\n")}
    ${advance("$values", `(i32.const ${16 * vectors})`)}
    ${advance("$to", `(i32.const ${16 * vectors})`)}
    (local.set $columns (i32.sub (local.get $columns) (i32.const ${4 * vectors})))`;
}

/** While at least `columns` are left, runs a passage. */
function whileColumns(label: string, columns: number, passage: string): string {
  return `(block $no${label} (loop $${label}
    (br_if $no${label} (i32.lt_u (local.get $columns) (i32.const ${columns})))
    ${passage}
    (br $${label})))`;
}

/** In $s0, the lanes' sums of $s0 to $s3: two of each in one vector, then all four. */
const SUMS_OF_FOUR = `
  (local.set $s0 (f32x4.add ${pairs("$s0", "$s1", [0, 1, 4, 5])} ${pairs("$s0", "$s1", [2, 3, 6, 7])}))
  (local.set $s2 (f32x4.add ${pairs("$s2", "$s3", [0, 1, 4, 5])} ${pairs("$s2", "$s3", [2, 3, 6, 7])}))
  (local.set $s0 (f32x4.add ${pairs("$s0", "$s2", [0, 2, 4, 6])} ${pairs("$s0", "$s2", [1, 3, 5, 7])}))`;

/** Four of the eight floats of two vectors. */
function pairs(a: string, b: string, lanes: number[]): string {
  const bytes = lanes.flatMap((lane) => [0, 1, 2, 3].map((i) => 4 * lane + i)).join(" ");
  return `(i8x16.shuffle ${bytes} (local.get ${a}) (local.get ${b}))`;
}

/** Attention beside its matrix products: softmaxes over what each query sees, and all of it for a single query. */
export const ATTENTION = `
  ;; Scores become weights in place, those of hidden keys 0. A row with nothing to see is all zeros.
  (func $softmaxRow (param $row i32) (param $start i32) (param $end i32) (param $keys i32) (param $scale f32)
    ${LOOP_LOCALS} ${EXP_LOCALS} (local $scores i32) (local $seen i32) (local $top v128) (local $by v128)
    (local $sum v128) (local $part v128) (local $e v128)
    (if (i32.gt_u (local.get $start) (local.get $end)) (then (local.set $start (local.get $end))))
    (local.set $scores (i32.add (local.get $row) ${bytes("(local.get $start)")}))
    (local.set $seen (i32.sub (local.get $end) (local.get $start)))
    (local.set $top (f32x4.splat (call $maxOf (local.get $scores) (local.get $seen))))
    (local.set $by (f32x4.splat (local.get $scale)))
    ${eachFour(
      "(local.get $seen)",
      ({ load, store }) => `
        (local.set $e ${exp(`(f32x4.mul
          (f32x4.sub ${load(here("$scores"), MINUS_INFINITY)} (local.get $top))
          (local.get $by))`)})
        ${store(here("$scores"), "(local.get $e)")}
        ${addTo("$sum", "(local.get $e)")}`,
    )}
    (local.set $by (f32x4.splat (f32.demote_f64 (f64.div (f64.const 1) ${total("$sum")}))))
    ${eachFour("(local.get $seen)", ({ load, store }) =>
      store(here("$scores"), `(f32x4.mul ${load(here("$scores"))} (local.get $by))`),
    )}
    (if (local.get $start)
      (then (memory.fill (local.get $row) (i32.const 0) ${bytes("(local.get $start)")})))
    (if (i32.lt_u (local.get $end) (local.get $keys))
      (then (memory.fill
        (i32.add (local.get $row) ${bytes("(local.get $end)")})
        (i32.const 0)
        ${bytes("(i32.sub (local.get $keys) (local.get $end))")}))))

  (func (export "softmax") (param $scores i32) (param $pad i32) (param $queries i32) (param $keys i32) (param $scale f32)
    (local $left i32)
    ${times(
      "$left",
      "(local.get $queries)",
      `(call $softmaxRow (local.get $scores) (local.get $pad) ${VISIBLE_END} (local.get $keys) (local.get $scale))
      ${advance("$scores", bytes("(local.get $keys)"))}`,
    )})

  ;; From the gradient of the weights to that of the scores, in place: (slope − Σ slope·weight)·weight·scale. Weights
  ;; before $start of each row are zeros, so its zeros need no care; those after its end are written, not computed.
  (func $softmaxGrad (export "softmaxGrad") (param $pattern i32) (param $slopes i32) (param $queries i32) (param $keys i32)
    (param $scale f32)
    ${LOOP_LOCALS} (local $left i32) (local $end i32) (local $sum v128) (local $part v128) (local $mean v128)
    (local $by v128)
    (local.set $by (f32x4.splat (local.get $scale)))
    ${times(
      "$left",
      "(local.get $queries)",
      `(local.set $end ${VISIBLE_END})
      (local.set $sum (v128.const i64x2 0 0))
      ${eachFour("(local.get $end)", ({ load }) =>
        addTo("$sum", `(f32x4.mul ${load(here("$slopes"))} ${load(here("$pattern"))})`),
      )}
      (local.set $mean (f32x4.splat (f32.demote_f64 ${total("$sum")})))
      ${eachFour("(local.get $end)", ({ load, store }) =>
        store(
          here("$slopes"),
          `(f32x4.mul
            (f32x4.mul (f32x4.sub ${load(here("$slopes"))} (local.get $mean)) ${load(here("$pattern"))})
            (local.get $by))`,
        ),
      )}
      (if (i32.lt_u (local.get $end) (local.get $keys))
        (then (memory.fill
          (i32.add (local.get $slopes) ${bytes("(local.get $end)")})
          (i32.const 0)
          ${bytes("(i32.sub (local.get $keys) (local.get $end))")})))
      ${advance("$slopes", bytes("(local.get $keys)"))}
      ${advance("$pattern", bytes("(local.get $keys)"))}`,
    )})

  (func $dot (param $a i32) (param $b i32) (param $count i32) (result f32)
    ${LOOP_LOCALS} (local $s0 v128) (local $s1 v128) (local $s2 v128) (local $s3 v128)
    ${eachFour(
      "(local.get $count)",
      ({ load }) => `(local.set $s0 (f32x4.add
        (local.get $s0)
        (f32x4.mul ${load(here("$a"))} ${load(here("$b"))})))`,
      [0, 1, 2, 3]
        .map(
          (i) => `(local.set $s${i} (f32x4.add
            (local.get $s${i})
            (f32x4.mul (v128.load ${here("$a", 16 * i)}) (v128.load ${here("$b", 16 * i)}))))`,
        )
        .join("\n"),
    )}
    (local.set $s0 (f32x4.add
      (f32x4.add (local.get $s0) (local.get $s1))
      (f32x4.add (local.get $s2) (local.get $s3))))
    (f32.add
      (f32.add (f32x4.extract_lane 0 (local.get $s0)) (f32x4.extract_lane 1 (local.get $s0)))
      (f32.add (f32x4.extract_lane 2 (local.get $s0)) (f32x4.extract_lane 3 (local.get $s0)))))

  ;; to = factor·from
  (func $scaled (param $from i32) (param $to i32) (param $count i32) (param $factor f32)
    ${LOOP_LOCALS} (local $by v128)
    (local.set $by (f32x4.splat (local.get $factor)))
    ${eachFour("(local.get $count)", ({ load, store }) =>
      store(here("$to"), `(f32x4.mul (local.get $by) ${load(here("$from"))})`),
    )})

  ;; to += factor·from
  (func $addScaled (param $from i32) (param $to i32) (param $count i32) (param $factor f32)
    ${LOOP_LOCALS} (local $by v128) (local $x i32) (local $y i32)
    (local.set $by (f32x4.splat (local.get $factor)))
    ${eachFour(
      "(local.get $count)",
      ({ load, store }) =>
        store(
          here("$to"),
          `(f32x4.add ${load(here("$to"))} (f32x4.mul (local.get $by) ${load(here("$from"))}))`,
        ),
      `(local.set $x ${here("$from")})
      (local.set $y ${here("$to")})
      ${[0, 16, 32, 48]
        .map(
          (i) => `(v128.store offset=${i} (local.get $y) (f32x4.add
            (v128.load offset=${i} (local.get $y))
            (f32x4.mul (local.get $by) (v128.load offset=${i} (local.get $x)))))`,
        )
        .join("\n")}`,
    )})

  ;; to = Σ weight·value over $count rows that lie $stride bytes apart, their weights $hop bytes. Sixteen columns at a time
  ;; are a line of the cache.
  (func $weigh (param $values i32) (param $stride i32) (param $weights i32) (param $hop i32) (param $count i32)
    (param $to i32) (param $columns i32)
    (local $value i32) (local $weight i32) (local $left i32) (local $w v128) (local $sum f32)
    (local $s0 v128) (local $s1 v128) (local $s2 v128) (local $s3 v128)
    ${whileColumns("sixteen", 16, weighColumns(4))}
    ${whileColumns("four", 4, weighColumns(1))}
    ${whileColumns(
      "one",
      1,
      `(local.set $sum (f32.const 0))
      (local.set $value (local.get $values))
      (local.set $weight (local.get $weights))
      ${times(
        "$left",
        "(local.get $count)",
        `(local.set $sum (f32.add (local.get $sum)
          (f32.mul (f32.load (local.get $weight)) (f32.load (local.get $value)))))
        ${advance("$value", "(local.get $stride)")}
        ${advance("$weight", "(local.get $hop)")}`,
      )}
      (f32.store (local.get $to) (local.get $sum))
      ${advance("$values", "(i32.const 4)")}
      ${advance("$to", "(i32.const 4)")}
      (local.set $columns (i32.sub (local.get $columns) (i32.const 1)))`,
    )})

  ;; One head's dot products with $count rows of a cache, four at a time.
  (func $dots (param $row i32) (param $cache i32) (param $stride i32) (param $count i32) (param $to i32) (param $dHead i32)
    ${LOOP_LOCALS} (local $left i32) (local $x v128) (local $s0 v128) (local $s1 v128) (local $s2 v128) (local $s3 v128)
    (local $cache1 i32) (local $cache2 i32) (local $cache3 i32)
    ${times(
      "$left",
      "(i32.shr_u (local.get $count) (i32.const 2))",
      `(local.set $cache1 (i32.add (local.get $cache) (local.get $stride)))
      (local.set $cache2 (i32.add (local.get $cache1) (local.get $stride)))
      (local.set $cache3 (i32.add (local.get $cache2) (local.get $stride)))
      ${[0, 1, 2, 3].map((i) => `(local.set $s${i} (v128.const i64x2 0 0))`).join("\n")}
      ${eachFour(
        "(local.get $dHead)",
        ({ load }) => `(local.set $x ${load(here("$row"))})
        ${["$cache", "$cache1", "$cache2", "$cache3"]
          .map(
            (from, i) => `(local.set $s${i} (f32x4.add
              (local.get $s${i})
              (f32x4.mul (local.get $x) ${load(here(from))})))`,
          )
          .join("\n")}`,
      )}
      ${SUMS_OF_FOUR}
      (v128.store (local.get $to) (local.get $s0))
      ${advance("$to", "(i32.const 16)")}
      (local.set $cache (i32.add (local.get $cache3) (local.get $stride)))`,
    )}
    ${times(
      "$left",
      "(i32.and (local.get $count) (i32.const 3))",
      `(f32.store (local.get $to) (call $dot (local.get $row) (local.get $cache) (local.get $dHead)))
      ${advance("$to", "(i32.const 4)")}
      ${advance("$cache", "(local.get $stride)")}`,
    )})

  ;; One query per batch entry, all entries and heads: no matrix product is worth calling for so little. Steps between
  ;; batch entries (qStep, kStep; scoresStep: 0 where weights are not kept) and key rows (stride) are bytes.
  (func (export "attendOne") (param $q i32) (param $k i32) (param $v i32) (param $z i32) (param $scores i32)
    (param $pads i32) (param $batch i32) (param $heads i32) (param $keys i32) (param $dHead i32)
    (param $qStep i32) (param $kStep i32) (param $stride i32) (param $scoresStep i32) (param $scale f32)
    (local $head i32) (local $start i32) (local $seen i32) (local $skipped i32) (local $column i32) (local $row i32)
    ${times(
      "$batch",
      "(local.get $batch)",
      `(local.set $start (i32.load (local.get $pads)))
      (if (i32.gt_u (local.get $start) (local.get $keys)) (then (local.set $start (local.get $keys))))
      (local.set $seen (i32.sub (local.get $keys) (local.get $start)))
      (local.set $skipped (i32.mul (local.get $start) (local.get $stride)))
      (local.set $row (local.get $scores))
      (local.set $column (i32.const 0))
      ${times(
        "$head",
        "(local.get $heads)",
        `(call $dots
          (i32.add (local.get $q) (local.get $column))
          (i32.add (i32.add (local.get $k) (local.get $column)) (local.get $skipped))
          (local.get $stride)
          (local.get $seen)
          (i32.add (local.get $row) ${bytes("(local.get $start)")})
          (local.get $dHead))
        (call $softmaxRow
          (local.get $row) (local.get $start) (local.get $keys) (local.get $keys) (local.get $scale))
        (call $weigh
          (i32.add (i32.add (local.get $v) (local.get $column)) (local.get $skipped))
          (local.get $stride)
          (i32.add (local.get $row) ${bytes("(local.get $start)")})
          (i32.const 4)
          (local.get $seen)
          (i32.add (local.get $z) (local.get $column))
          (local.get $dHead))
        ${advance("$row", bytes("(local.get $keys)"))}
        ${advance("$column", bytes("(local.get $dHead)"))}`,
      )}
      ${advance("$z", bytes("(i32.mul (local.get $heads) (local.get $dHead))"))}
      ${advance("$scores", "(local.get $scoresStep)")}
      ${advance("$q", "(local.get $qStep)")}
      ${advance("$k", "(local.get $kStep)")}
      ${advance("$v", "(local.get $kStep)")}
      ${advance("$pads", "(i32.const 4)")}`,
    )})`;
