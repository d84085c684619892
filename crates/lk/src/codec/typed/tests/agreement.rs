//! The law: typed and dynamic codec agree on every value of every type.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::{G, Mode, Nothing, agree, left, plan_of, right};
use crate::Time;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Numbers {
    a: bool,
    b: i8,
    c: f64,
    d: u8,
    e: i16,
    f: u64,
    g: u16,
    h: i32,
    i: f32,
    j: u32,
    k: char,
    l: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Containers {
    list: Vec<u16>,
    text: String,
    maybe: Option<f64>,
    maybe_maybe: Option<Option<u8>>,
    maybe_list: Option<Vec<i64>>,
    rows: Vec<Vec<f32>>,
    matrix: [[f64; 3]; 2],
    texts: Vec<Option<String>>,
    modes: Vec<Mode>,
    nothing: Nothing,
    nothings: Vec<Nothing>,
    pairs: Vec<(u8, f64)>,
    stamp: Time,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Everything {
    numbers: Vec<Numbers>,
    first: Option<Containers>,
    both: [Containers; 2],
    wide: G<f64>,
    narrow: G<f32>,
    generic: G<Vec<G<Mode>>>,
    left: left::State,
    right: Vec<right::State>,
}

/// Finite, so that `==` says what is meant; NaN has a test of its own.
fn double() -> impl Strategy<Value = f64> {
    prop_oneof![proptest::num::f64::NORMAL, Just(0.0), Just(-0.0), Just(f64::INFINITY)]
}

fn single() -> impl Strategy<Value = f32> {
    prop_oneof![proptest::num::f32::NORMAL, Just(f32::MIN_POSITIVE), Just(f32::NEG_INFINITY)]
}

fn mode() -> impl Strategy<Value = Mode> {
    prop_oneof![Just(Mode::Idle), Just(Mode::InTransit), Just(Mode::Manual)]
}

fn numbers() -> impl Strategy<Value = Numbers> {
    let small = (any::<bool>(), any::<i8>(), double(), any::<u8>(), any::<i16>(), any::<u64>());
    let more = (any::<u16>(), any::<i32>(), single(), any::<u32>(), any::<char>(), any::<i64>());
    (small, more).prop_map(|((a, b, c, d, e, f), (g, h, i, j, k, l))| Numbers {
        a,
        b,
        c,
        d,
        e,
        f,
        g,
        h,
        i,
        j,
        k,
        l,
    })
}

prop_compose! {
    fn containers()(
        (list, text, maybe) in (vec(any::<u16>(), 0..5), ".{0,6}", option::of(double())),
        (maybe_maybe, maybe_list) in
            (option::of(option::of(any::<u8>())), option::of(vec(any::<i64>(), 0..3))),
        (rows, matrix) in
            (vec(vec(single(), 0..3), 0..3), [[double(), double(), double()], [double(), double(), double()]]),
        (texts, modes) in (vec(option::of("[a-zä]{0,4}"), 0..3), vec(mode(), 0..4)),
        nothings in vec(Just(Nothing {}), 0..3),
        (pairs, nanos) in (vec((any::<u8>(), double()), 0..3), -2_000_000_000_000..2_000_000_000_000i64),
    ) -> Containers {
        let (nothing, stamp) = (Nothing {}, Time::from_nanos(nanos));
        Containers {
            list, text, maybe, maybe_maybe, maybe_list, rows, matrix, texts, modes, nothing,
            nothings, pairs, stamp,
        }
    }
}

fn generic<T: std::fmt::Debug>(value: impl Strategy<Value = T>) -> impl Strategy<Value = G<T>> {
    (any::<u8>(), value).prop_map(|(before, value)| G { before, value })
}

prop_compose! {
    fn everything()(
        numbers in vec(numbers().boxed(), 0..3),
        first in option::of(containers().boxed()),
        both in [containers().boxed(), containers().boxed()],
        (wide, narrow) in (generic(double()), generic(single())),
        generic in generic(vec(generic(mode()), 0..3)),
        x in double(),
        right in vec((any::<bool>(), single()), 0..3),
    ) -> Everything {
        let left = left::State { x };
        let right = right.into_iter().map(|(flag, x)| right::State { flag, x }).collect();
        Everything { numbers, first, both, wide, narrow, generic, left, right }
    }
}

proptest! {
    #[test]
    fn typed_and_dynamic_codec_agree(value in everything().boxed()) {
        agree(&value);
        agree(&value.numbers);
        agree(&value.both);
        agree(&(value.left, value.wide, value.first));
    }

    #[test]
    fn whatever_bytes_come_typed_reading_neither_panics_nor_says_other_than_dynamic_reading(
        mut payload in vec(any::<u8>(), 0..200),
        value in everything().boxed(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let plan = plan_of::<Everything>();
        let check = |payload: &[u8]| {
            let typed = plan.decode_typed::<Everything>(payload);
            let dynamic = plan.decode(payload);
            if let Ok(typed) = &typed {
                let dynamic = dynamic.as_ref().expect("what reads typed reads dynamically");
                let mut again = Vec::new();
                plan.encode_typed(typed, &mut again).expect("encodes");
                assert!(again == plan.encode(dynamic).expect("encodes"));
            }
        };
        if let Some(header) = payload.first_chunk_mut::<4>() {
            *header = [0, 1, 0, 0];
        }
        check(&payload);
        let mut payload = Vec::new();
        plan.encode_typed(&value, &mut payload).expect("encodes");
        for (index, byte) in changes {
            let at = index.index(payload.len());
            payload[at] = byte;
        }
        check(&payload);
    }
}

#[test]
fn every_bit_of_a_nan_is_kept() {
    for bits in [0x7ff8_0000_0000_0000u64, 0xfff8_0000_0000_0001, 0x7ff0_0000_0000_0001] {
        let plan = plan_of::<f64>();
        let mut payload = Vec::new();
        plan.encode_typed(&f64::from_bits(bits), &mut payload).expect("encodes");
        let decoded: f64 = plan.decode_typed(&payload).expect("decodes");
        assert_eq!(decoded.to_bits(), bits);
    }
}
