import { exp, EXP_LOCALS } from "./exp.js";
import { addTo, eachFour, four, here, LOOP_LOCALS, total } from "./wat.js";

const MINUS_INFINITY = "(f32.const -inf)";

/** Four exponentials are added in float32, in pairs, and only their sums in float64: two roundings, whatever the length. */
function expOf(offset: number): string {
  return exp(`(f32x4.sub (v128.load ${here("$x", offset)}) (local.get $shift))`);
}

/** What softmaxes are made of, and the log-probabilities over a vocabulary. */
export const SOFTMAX = `
  ;; The largest of a row. NaN is never larger: it comes back out of the exponentials.
  (func $maxOf (export "maxOf") (param $x i32) (param $count i32) (result f32)
    ${LOOP_LOCALS} (local $m0 v128) (local $m1 v128) (local $m2 v128) (local $m3 v128)
    (local.set $m0 (f32x4.splat ${MINUS_INFINITY}))
    (local.set $m1 (local.get $m0))
    (local.set $m2 (local.get $m0))
    (local.set $m3 (local.get $m0))
    ${eachFour(
      "(local.get $count)",
      ({ load }) => `(local.set $m0 (f32x4.pmax (local.get $m0) ${load(here("$x"), MINUS_INFINITY)}))`,
      [0, 1, 2, 3]
        .map((i) => `(local.set $m${i} (f32x4.pmax (local.get $m${i}) (v128.load ${here("$x", 16 * i)})))`)
        .join("\n"),
    )}
    (local.set $m0 (f32x4.pmax
      (f32x4.pmax (local.get $m0) (local.get $m1))
      (f32x4.pmax (local.get $m2) (local.get $m3))))
    (f32.max
      (f32.max (f32x4.extract_lane 0 (local.get $m0)) (f32x4.extract_lane 1 (local.get $m0)))
      (f32.max (f32x4.extract_lane 2 (local.get $m0)) (f32x4.extract_lane 3 (local.get $m0)))))

  ;; Σ e^(x − top), for x ≤ top.
  (func (export "sumExp") (param $x i32) (param $count i32) (param $top f32) (result f64)
    ${LOOP_LOCALS} ${EXP_LOCALS} (local $shift v128) (local $sum v128) (local $part v128)
    (local $e0 v128) (local $e1 v128) (local $e2 v128)
    (local.set $shift (f32x4.splat (local.get $top)))
    ${eachFour(
      "(local.get $count)",
      ({ load }) => addTo("$sum", exp(`(f32x4.sub ${load(here("$x"), MINUS_INFINITY)} (local.get $shift))`)),
      `(local.set $e0 ${expOf(0)})
       (local.set $e1 ${expOf(16)})
       (local.set $e2 ${expOf(32)})
       ${addTo(
         "$sum",
         `(f32x4.add
           (f32x4.add (local.get $e0) (local.get $e1))
           (f32x4.add (local.get $e2) ${expOf(48)}))`,
       )}`,
    )}
    ${total("$sum")})

  ;; y = factor·e^min(x − high − low, 0): the normaliser comes in two floats, so that large logits keep their digits, and
  ;; rounding may leave a likely class a trace above it. y may be x itself.
  (func (export "scaledExp") (param $x i32) (param $y i32) (param $count i32)
    (param $high f32) (param $low f32) (param $factor f32)
    ${LOOP_LOCALS} ${EXP_LOCALS} (local $shift v128) (local $trace v128) (local $scale v128)
    (local.set $shift (f32x4.splat (local.get $high)))
    (local.set $trace (f32x4.splat (local.get $low)))
    (local.set $scale (f32x4.splat (local.get $factor)))
    ${eachFour("(local.get $count)", ({ load, store }) =>
      store(
        here("$y"),
        `(f32x4.mul (local.get $scale) ${exp(`(f32x4.pmin
          (f32x4.sub (f32x4.sub ${load(here("$x"))} (local.get $shift)) (local.get $trace))
          ${four(0)})`)})`,
      ),
    )})`;
