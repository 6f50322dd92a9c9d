import { exp, EXP_LOCALS } from "./exp";
import { addTo, advance, bytes, eachFour, here, LOOP_LOCALS, times, total } from "./wat";

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
      ${advance("$weight", "(i32.const 4)")}`,
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

  ;; to = Σ weight·value over $count rows that lie $stride bytes apart. Sixteen columns at a time are a line of the cache.
  (func $weigh (param $values i32) (param $stride i32) (param $weights i32) (param $count i32)
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
        ${advance("$weight", "(i32.const 4)")}`,
      )}
      (f32.store (local.get $to) (local.get $sum))
      ${advance("$values", "(i32.const 4)")}
      ${advance("$to", "(i32.const 4)")}
      (local.set $columns (i32.sub (local.get $columns) (i32.const 1)))`,
    )})

  ;; One query per batch entry, all entries and heads: no matrix product is worth calling for so little. Steps between
  ;; batch entries (qStep, kStep), key rows (stride) and rows of weights (scoresStep: 0 where they are not kept) are bytes.
  (func (export "attendOne") (param $q i32) (param $k i32) (param $v i32) (param $z i32) (param $scores i32)
    (param $pads i32) (param $batch i32) (param $heads i32) (param $keys i32) (param $dHead i32)
    (param $qStep i32) (param $kStep i32) (param $stride i32) (param $scoresStep i32) (param $scale f32)
    (local $head i32) (local $left i32) (local $start i32) (local $skipped i32) (local $column i32)
    (local $key i32) (local $score i32)
    ${times(
      "$batch",
      "(local.get $batch)",
      `(local.set $start (i32.load (local.get $pads)))
      (if (i32.gt_u (local.get $start) (local.get $keys)) (then (local.set $start (local.get $keys))))
      (local.set $skipped (i32.mul (local.get $start) (local.get $stride)))
      (local.set $column (i32.const 0))
      ${times(
        "$head",
        "(local.get $heads)",
        `(local.set $key (i32.add (i32.add (local.get $k) (local.get $column)) (local.get $skipped)))
        (local.set $score (i32.add (local.get $scores) ${bytes("(local.get $start)")}))
        ${times(
          "$left",
          "(i32.sub (local.get $keys) (local.get $start))",
          `(f32.store (local.get $score)
            (call $dot (i32.add (local.get $q) (local.get $column)) (local.get $key) (local.get $dHead)))
          ${advance("$score", "(i32.const 4)")}
          ${advance("$key", "(local.get $stride)")}`,
        )}
        (call $softmaxRow
          (local.get $scores) (local.get $start) (local.get $keys) (local.get $keys) (local.get $scale))
        (call $weigh
          (i32.add (i32.add (local.get $v) (local.get $column)) (local.get $skipped))
          (local.get $stride)
          (i32.add (local.get $scores) ${bytes("(local.get $start)")})
          (i32.sub (local.get $keys) (local.get $start))
          (local.get $z)
          (local.get $dHead))
        ${advance("$z", bytes("(local.get $dHead)"))}
        ${advance("$column", bytes("(local.get $dHead)"))}
        ${advance("$scores", "(local.get $scoresStep)")}`,
      )}
      ${advance("$q", "(local.get $qStep)")}
      ${advance("$k", "(local.get $kStep)")}
      ${advance("$v", "(local.get $kStep)")}
      ${advance("$pads", "(i32.const 4)")}`,
    )})`;
