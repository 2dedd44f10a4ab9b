;; The inner loops of greedy: what a candidate would add, and adding it. `node scripts/build-wasm.mjs` assembles them into
;; src/search/objective.ts; a test compares the two.
(module
  (import "env" "memory" (memory 0))

  ;; Sums max(0, a[i] − best[i]) for i < count in float32: eight lanes, each in the order of i, folded as
  ;; ((0+4)+(1+5))+((2+6)+(3+7)), then the rest one by one. IEEE arithmetic in a fixed order: the same bits everywhere.
  (func (export "gain") (param $a i32) (param $best i32) (param $count i32) (result f32)
    (local $end i32)
    (local $low v128) (local $high v128) (local $zero v128)
    (local $sum f32) (local $more f32)
    ;; Address of a[count] when count is rounded down to eights.
    (local.set $end (i32.add (local.get $a)
      (i32.shl (i32.and (local.get $count) (i32.const -8)) (i32.const 2))))
    (block $eights_done
      (loop $eights
        (br_if $eights_done (i32.ge_u (local.get $a) (local.get $end)))
        (local.set $low (f32x4.add (local.get $low)
          (f32x4.pmax (local.get $zero)
            (f32x4.sub (v128.load (local.get $a)) (v128.load (local.get $best))))))
        (local.set $high (f32x4.add (local.get $high)
          (f32x4.pmax (local.get $zero)
            (f32x4.sub (v128.load offset=16 (local.get $a)) (v128.load offset=16 (local.get $best))))))
        (local.set $a (i32.add (local.get $a) (i32.const 32)))
        (local.set $best (i32.add (local.get $best) (i32.const 32)))
        (br $eights)))
    (local.set $low (f32x4.add (local.get $low) (local.get $high)))
    (local.set $sum (f32.add
      (f32.add (f32x4.extract_lane 0 (local.get $low)) (f32x4.extract_lane 1 (local.get $low)))
      (f32.add (f32x4.extract_lane 2 (local.get $low)) (f32x4.extract_lane 3 (local.get $low)))))
    (local.set $end (i32.add (local.get $a)
      (i32.shl (i32.and (local.get $count) (i32.const 7)) (i32.const 2))))
    (block $rest_done
      (loop $rest
        (br_if $rest_done (i32.ge_u (local.get $a) (local.get $end)))
        (local.set $more (f32.sub (f32.load (local.get $a)) (f32.load (local.get $best))))
        (if (f32.gt (local.get $more) (f32.const 0))
          (then (local.set $sum (f32.add (local.get $sum) (local.get $more)))))
        (local.set $a (i32.add (local.get $a) (i32.const 4)))
        (local.set $best (i32.add (local.get $best) (i32.const 4)))
        (br $rest)))
    (local.get $sum))

  ;; best[i] = max(best[i], a[i]) for i < count.
  (func (export "cover") (param $a i32) (param $best i32) (param $count i32)
    (local $end i32)
    (local.set $end (i32.add (local.get $a)
      (i32.shl (i32.and (local.get $count) (i32.const -4)) (i32.const 2))))
    (block $fours_done
      (loop $fours
        (br_if $fours_done (i32.ge_u (local.get $a) (local.get $end)))
        (v128.store (local.get $best)
          (f32x4.pmax (v128.load (local.get $best)) (v128.load (local.get $a))))
        (local.set $a (i32.add (local.get $a) (i32.const 16)))
        (local.set $best (i32.add (local.get $best) (i32.const 16)))
        (br $fours)))
    (local.set $end (i32.add (local.get $a)
      (i32.shl (i32.and (local.get $count) (i32.const 3)) (i32.const 2))))
    (block $rest_done
      (loop $rest
        (br_if $rest_done (i32.ge_u (local.get $a) (local.get $end)))
        (if (f32.gt (f32.load (local.get $a)) (f32.load (local.get $best)))
          (then (f32.store (local.get $best) (f32.load (local.get $a)))))
        (local.set $a (i32.add (local.get $a) (i32.const 4)))
        (local.set $best (i32.add (local.get $best) (i32.const 4)))
        (br $rest)))))
