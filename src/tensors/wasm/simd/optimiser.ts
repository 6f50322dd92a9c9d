import { eachFour, here, LOOP_LOCALS } from "./wat.js";

/** RMSProp, in place: s ← decay·s + (1 − decay)·g², θ ← θ − rate·g/(√s + ε). */
export const OPTIMISER = `
  (func (export "rmsProp") (param $parameter i32) (param $meanSquare i32) (param $gradient i32) (param $count i32)
    (param $decay f32) (param $fresh f32) (param $rate f32) (param $epsilon f32)
    ${LOOP_LOCALS} (local $slope v128) (local $square v128)
    (local $keep v128) (local $take v128) (local $step v128) (local $least v128)
    (local.set $keep (f32x4.splat (local.get $decay)))
    (local.set $take (f32x4.splat (local.get $fresh)))
    (local.set $step (f32x4.splat (local.get $rate)))
    (local.set $least (f32x4.splat (local.get $epsilon)))
    ${eachFour(
      "(local.get $count)",
      ({ load, store }) => `
        (local.set $slope ${load(here("$gradient"))})
        (local.set $square (f32x4.add
          (f32x4.mul (local.get $keep) ${load(here("$meanSquare"))})
          (f32x4.mul (f32x4.mul (local.get $take) (local.get $slope)) (local.get $slope))))
        ${store(here("$meanSquare"), "(local.get $square)")}
        ${store(
          here("$parameter"),
          `(f32x4.sub
            ${load(here("$parameter"))}
            (f32x4.div
              (f32x4.mul (local.get $step) (local.get $slope))
              (f32x4.add (f32x4.sqrt (local.get $square)) (local.get $least))))`,
        )}`,
    )})`;
