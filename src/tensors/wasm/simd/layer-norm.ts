import { addTo, advance, bytes, eachFour, here, LOOP_LOCALS, promoteHigh, times, total } from "./wat.js";

/** y = (x − mean)·inverse, with the mean in two floats: of a row far from zero, one would cost the digits that differ. */
function normalised(x: string): string {
  return `(f32x4.mul
    (f32x4.sub (f32x4.sub ${x} (local.get $high)) (local.get $low))
    (local.get $scale))`;
}

const ROW_LOCALS = `(local $mean f64) (local $variance f64) (local $high v128) (local $low v128) (local $scale v128)`;

const STATISTICS_OF_ROW = `
  (call $statistics (local.get $x) (local.get $width))
  (local.set $variance)
  (local.set $mean)
  (local.set $high (f32x4.splat (f32.demote_f64 (local.get $mean))))
  (local.set $low (f32x4.splat (f32.demote_f64 (f64.sub
    (local.get $mean)
    (f64.promote_f32 (f32.demote_f64 (local.get $mean)))))))
  (local.set $scale (f32x4.splat (f32.demote_f64 (f64.div
    (f64.const 1)
    (f64.sqrt (f64.add (local.get $variance) (local.get $epsilon)))))))`;

/** One half of a vector of x as doubles, less the row's first value, into the sums. */
function addMoments(half: string, sum: string, squares: string): string {
  return `
    (local.set $d (f64x2.sub ${half} (local.get $shift)))
    (local.set ${sum} (f64x2.add (local.get ${sum}) (local.get $d)))
    (local.set ${squares} (f64x2.add (local.get ${squares}) (f64x2.mul (local.get $d) (local.get $d))))`;
}

/** Layer normalisation and its gradient, a row at a time: after its first reading a row is in the nearest cache. */
export const LAYER_NORM = `
  ;; Mean and variance in one reading. With the row's own first value taken off, the squares of the rest are at most
  ;; \`width\` times the variance: their difference loses nothing that float64 would miss.
  (func $statistics (param $x i32) (param $width i32) (result f64 f64)
    ${LOOP_LOCALS} (local $first f32) (local $shift v128) (local $v v128) (local $d v128)
    (local $s0 v128) (local $s1 v128) (local $q0 v128) (local $q1 v128) (local $mean f64)
    (local.set $first (f32.load (local.get $x)))
    (local.set $shift (f64x2.splat (f64.promote_f32 (local.get $first))))
    ${eachFour(
      "(local.get $width)",
      ({ load }) => `
        (local.set $v ${load(here("$x"), "(local.get $first)")})
        ${addMoments("(f64x2.promote_low_f32x4 (local.get $v))", "$s0", "$q0")}
        ${addMoments(promoteHigh("(local.get $v)"), "$s1", "$q1")}`,
    )}
    (local.set $s0 (f64x2.add (local.get $s0) (local.get $s1)))
    (local.set $q0 (f64x2.add (local.get $q0) (local.get $q1)))
    (local.set $mean (f64.div ${total("$s0")} (f64.convert_i32_u (local.get $width))))
    (f64.add (f64.promote_f32 (local.get $first)) (local.get $mean))
    (f64.max (f64.const 0) (f64.sub
      (f64.div ${total("$q0")} (f64.convert_i32_u (local.get $width)))
      (f64.mul (local.get $mean) (local.get $mean)))))

  (func (export "layerNorm") (param $x i32) (param $weight i32) (param $bias i32) (param $y i32)
    (param $rows i32) (param $width i32) (param $epsilon f64)
    ${LOOP_LOCALS} ${ROW_LOCALS}
    ${times(
      "$rows",
      "(local.get $rows)",
      `${STATISTICS_OF_ROW}
      ${eachFour("(local.get $width)", ({ load, store }) =>
        store(
          here("$y"),
          `(f32x4.add
            (f32x4.mul ${normalised(load(here("$x")))} ${load(here("$weight"))})
            ${load(here("$bias"))})`,
        ),
      )}
      ${advance("$x", bytes("(local.get $width)"))}
      ${advance("$y", bytes("(local.get $width)"))}`,
    )})

  ;; dWeight and dBias are sums over rows, and are zero when this begins.
  (func (export "layerNormGrad") (param $x i32) (param $weight i32) (param $dy i32)
    (param $dx i32) (param $dWeight i32) (param $dBias i32)
    (param $rows i32) (param $width i32) (param $epsilon f64)
    ${LOOP_LOCALS} ${ROW_LOCALS} (local $part v128) (local $slope v128) (local $normalised v128)
    (local $sum v128) (local $dot v128) (local $meanSlope v128) (local $meanDot v128)
    ${times(
      "$rows",
      "(local.get $rows)",
      `${STATISTICS_OF_ROW}
      (local.set $sum (v128.const i64x2 0 0))
      (local.set $dot (v128.const i64x2 0 0))
      ${eachFour(
        "(local.get $width)",
        ({ load, store }) => `
          (local.set $slope ${load(here("$dy"))})
          (local.set $normalised ${normalised(load(here("$x")))})
          ${store(here("$dBias"), `(f32x4.add ${load(here("$dBias"))} (local.get $slope))`)}
          ${store(
            here("$dWeight"),
            `(f32x4.add ${load(here("$dWeight"))} (f32x4.mul (local.get $slope) (local.get $normalised)))`,
          )}
          (local.set $slope (f32x4.mul (local.get $slope) ${load(here("$weight"))}))
          ${addTo("$sum", "(local.get $slope)")}
          ${addTo("$dot", "(f32x4.mul (local.get $slope) (local.get $normalised))")}`,
      )}
      (local.set $meanSlope (f32x4.splat (f32.demote_f64
        (f64.div ${total("$sum")} (f64.convert_i32_u (local.get $width))))))
      (local.set $meanDot (f32x4.splat (f32.demote_f64
        (f64.div ${total("$dot")} (f64.convert_i32_u (local.get $width))))))
      ${eachFour("(local.get $width)", ({ load, store }) =>
        store(
          here("$dx"),
          `(f32x4.mul
            (f32x4.sub
              (f32x4.sub (f32x4.mul ${load(here("$dy"))} ${load(here("$weight"))}) (local.get $meanSlope))
              (f32x4.mul ${normalised(load(here("$x")))} (local.get $meanDot)))
            (local.get $scale))`,
        ),
      )}
      ${advance("$x", bytes("(local.get $width)"))}
      ${advance("$dy", bytes("(local.get $width)"))}
      ${advance("$dx", bytes("(local.get $width)"))}`,
    )})`;
