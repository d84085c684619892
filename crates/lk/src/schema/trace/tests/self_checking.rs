//! Types that refuse some values of their fields.

use std::num::{NonZeroI64, NonZeroU8, NonZeroU32};

use serde::Deserialize;
use serde::de::{Deserializer, Error};

use super::{check, message_of};

#[test]
fn numbers_that_are_not_zero_are_numbers() {
    #[derive(Deserialize)]
    #[expect(dead_code)]
    struct Holder {
        before: f64,
        count: NonZeroU32,
        pair: (NonZeroU8, NonZeroI64),
        many: [NonZeroU8; 20],
        list: Vec<Option<NonZeroU32>>,
        after: f64,
    }
    check::<Holder>(
        "lk/msg/Holder
         float64 before
         uint32 count
         lk/Tuple pair
         uint8[20] many
         lk/OptionalUint32[] list
         float64 after
         lk/msg/Tuple
         uint8 e0
         int64 e1
         lk/msg/OptionalUint32
         uint32[<=1] data optional",
    );
}

/// Checks by `try_from`, so that it is refused only after all its fields.
macro_rules! checked {
    ($name:ident { $($field:ident: $type:ty),* } if $check:expr) => {
        #[derive(Deserialize)]
        #[serde(try_from = "Raw")]
        #[expect(dead_code)]
        struct $name { $($field: $type),* }
        const _: () = ();
        #[derive(Deserialize)]
        #[serde(rename = "Raw")]
        struct Raw { $($field: $type),* }
        impl TryFrom<Raw> for $name {
            type Error = String;
            fn try_from(Raw { $($field),* }: Raw) -> Result<$name, String> {
                let check: fn($(&$type),*) -> bool = $check;
                if check($(&$field),*) {
                    Ok($name { $($field),* })
                } else {
                    Err("not so".to_owned())
                }
            }
        }
    };
}

#[test]
fn a_range_whose_ends_must_differ_is_traced() {
    checked!(Range { min: f64, max: f64 } if |min, max| min < max);
    #[derive(Deserialize)]
    #[expect(dead_code)]
    struct Holder {
        range: Range,
        name: String,
    }
    check::<Holder>(
        "lk/msg/Holder\nlk/Raw range\nstring name\nlk/msg/Raw\nfloat64 min\nfloat64 max",
    );
    check::<Vec<Range>>("lk/msg/RawArray\nlk/Raw[] data\nlk/msg/Raw\nfloat64 min\nfloat64 max");
}

#[test]
fn a_range_the_wrong_way_round_is_traced() {
    checked!(Range { max: u8, min: u8 } if |max, min| min < max);
    check::<Range>("lk/msg/Raw\nuint8 max\nuint8 min");
}

#[test]
fn a_norm_of_one_is_found() {
    checked!(Unit { q: [f64; 4] } if |q| q.iter().map(|x| x * x).sum::<f64>() == 1.0);
    check::<Unit>("lk/msg/Raw\nfloat64[4] q");
}

#[test]
fn exactly_one_of_two_options_is_found() {
    checked!(Either { a: Option<f64>, b: Option<String> } if |a, b| a.is_some() != b.is_some());
    check::<Either>("lk/msg/Raw\nfloat64[<=1] a optional\nstring[<=1] b optional");
}

#[test]
fn lengths_and_texts_are_tried() {
    checked!(Named { name: String, points: Vec<f64> } if |n, p| !n.is_empty() && p.len() == 3);
    check::<Named>("lk/msg/Raw\nstring name\nfloat64[] points");
}

#[test]
fn a_custom_deserialize_that_wants_a_positive_number_is_traced() {
    struct Positive;
    impl<'de> Deserialize<'de> for Positive {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Positive, D::Error> {
            match f64::deserialize(deserializer)? {
                x if x > 0.0 => Ok(Positive),
                x => Err(D::Error::custom(format!("{x} is not positive"))),
            }
        }
    }
    #[derive(Deserialize)]
    #[expect(dead_code)]
    struct Holder {
        x: Positive,
        maybe: Option<Positive>,
        many: Vec<Positive>,
        new: Wrapped,
    }
    #[derive(Deserialize)]
    struct Wrapped(Positive);
    check::<Holder>(
        "lk/msg/Holder
         float64 x
         float64[<=1] maybe optional
         float64[] many
         float64 new",
    );
}

#[test]
fn a_check_on_enums_does_not_hide_their_variants() {
    #[derive(Deserialize, PartialEq)]
    enum Mode {
        Off,
        Slow,
        Fast,
    }
    let _ = (Mode::Off, Mode::Slow);
    checked!(Drive { mode: Mode, speed: f64 } if |m, s| *m == Mode::Fast && *s > 0.0);
    check::<Drive>(
        "lk/msg/Raw
         uint8 MODE_OFF=0
         uint8 MODE_SLOW=1
         uint8 MODE_FAST=2
         uint8 mode
         float64 speed",
    );
}

#[test]
fn what_takes_no_sample_is_refused_with_its_field_and_reason() {
    struct Never;
    impl<'de> Deserialize<'de> for Never {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Never, D::Error> {
            let text = String::deserialize(deserializer)?;
            Err(D::Error::custom(format!("{text:?} is not the pass word")))
        }
    }
    #[derive(Deserialize)]
    #[expect(dead_code)]
    struct Inner {
        key: Never,
    }
    #[derive(Deserialize)]
    #[expect(dead_code)]
    struct Holder {
        inner: Vec<Inner>,
    }
    let error = message_of::<Holder>(None).map(|_| ()).expect_err("never").to_string();
    assert!(error.contains("field inner[].key of "), "{error}");
    assert!(error.contains("is not the pass word"), "{error}");
    assert!(error.contains("build the schema by hand"), "{error}");
}
