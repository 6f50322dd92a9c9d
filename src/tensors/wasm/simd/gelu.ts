import { exp, EXP_LOCALS } from "./exp.js";
import { advance, bytes, eachFour, four, here, LOOP_LOCALS, times } from "./wat.js";

const LINEAR = 2 * Math.sqrt(2 / Math.PI);
const CUBIC = 0.044715 * LINEAR;

/** The slope of u ends here: σ is 0 or 1 long before, and no infinity must meet a zero. */
const LARGEST_SQUARE = 1e6;

const LOCALS = `(local $v v128) (local $square v128) (local $u v128) (local $e v128)`;

/** Sets $u = x(2√(2/π) + …x²) and $e = e^−|u| for x in $v; σ(u) is 1/(1+e), or e/(1+e) for negative u. */
const EXPONENTS = `
  (local.set $square (f32x4.mul (local.get $v) (local.get $v)))
  (local.set $u (f32x4.mul
    (local.get $v)
    (f32x4.add ${four(LINEAR)} (f32x4.mul (local.get $square) ${four(CUBIC)}))))
  (local.set $e ${exp("(f32x4.neg (f32x4.abs (local.get $u)))")})`;

/** The numerator of σ(u): e for negative u, else 1. */
const NUMERATOR = `(v128.bitselect
  (local.get $e) ${four(1)} (f32x4.lt (local.get $u) ${four(0)}))`;

/** GELU in GPT-2's form, x·σ(u). The exponential of a negative number never overflows, and loses no digits on either side. */
export const GELU = `
  ;; x += bias, row by row; post = GELU(x). One pass; post may be x itself.
  (func (export "biasGelu") (param $x i32) (param $bias i32) (param $post i32) (param $rows i32) (param $width i32)
    ${LOOP_LOCALS} ${LOCALS} ${EXP_LOCALS}
    ${times(
      "$rows",
      "(local.get $rows)",
      `${eachFour(
        "(local.get $width)",
        ({ load, store }) => `
          (local.set $v (f32x4.add ${load(here("$x"))} ${load(here("$bias"))}))
          ${store(here("$x"), "(local.get $v)")}
          ${EXPONENTS}
          ${store(
            here("$post"),
            `(f32x4.div
              (f32x4.mul (local.get $v) ${NUMERATOR})
              (f32x4.add (local.get $e) ${four(1)}))`,
          )}`,
      )}
      ${advance("$x", bytes("(local.get $width)"))}
      ${advance("$post", bytes("(local.get $width)"))}`,
    )})

  ;; dx = dy·(σ + x·σ(1 − σ)·du/dx). σ(1 − σ) = e/(1+e)² keeps its digits where σ is nearly 1, as 1 − σ would not.
  (func (export "geluGrad") (param $pre i32) (param $dy i32) (param $dx i32) (param $count i32)
    ${LOOP_LOCALS} ${LOCALS} ${EXP_LOCALS} (local $inverse v128)
    ${eachFour(
      "(local.get $count)",
      ({ load, store }) => `
        (local.set $v ${load(here("$pre"))})
        ${EXPONENTS}
        (local.set $inverse (f32x4.div ${four(1)} (f32x4.add (local.get $e) ${four(1)})))
        ${store(
          here("$dx"),
          `(f32x4.mul ${load(here("$dy"))} (f32x4.add
            (f32x4.mul ${NUMERATOR} (local.get $inverse))
            (f32x4.mul
              (f32x4.mul
                (local.get $v)
                (f32x4.mul (local.get $e) (f32x4.mul (local.get $inverse) (local.get $inverse))))
              (f32x4.add ${four(LINEAR)} (f32x4.mul
                (f32x4.pmin (local.get $square) ${four(LARGEST_SQUARE)})
                ${four(3 * CUBIC)})))))`,
        )}`,
    )})`;
