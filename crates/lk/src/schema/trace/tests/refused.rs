//! What no message can hold: the error names the field and what to do.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::message_of;

#[track_caller]
fn check<T: DeserializeOwned>(field: &str, reasons: &[&str]) {
    match message_of::<T>(None) {
        Ok(message) => panic!("{message:?}"),
        Err(crate::Error::Trace { field: actual, reason, type_name }) => {
            assert_eq!(actual, field, "{reason}");
            for part in reasons {
                assert!(reason.contains(part), "{reason:?} has no {part:?}");
            }
            assert_eq!(type_name, std::any::type_name::<T>());
        }
        Err(other) => panic!("{other}"),
    }
}

#[derive(Deserialize)]
#[expect(dead_code)]
struct In<T> {
    before: u8,
    list: Vec<Item<T>>,
}

#[derive(Deserialize)]
#[expect(dead_code)]
struct Item<T> {
    it: T,
}

#[test]
fn maps() {
    check::<In<BTreeMap<String, f64>>>("list[].it", &["map", "Vec of structs"]);
    check::<HashMap<u8, u8>>("", &["map"]);
}

#[test]
fn flattened_structs() {
    #[derive(Deserialize)]
    #[expect(dead_code)]
    struct Flat {
        #[serde(flatten)]
        inner: Item<f64>,
    }
    check::<In<Flat>>("list[].it", &["flatten", "name the inner struct as a field"]);
}

#[test]
fn enums_with_data_in_whichever_variant() {
    #[derive(Deserialize)]
    #[expect(dead_code)]
    enum Last {
        A,
        B,
        C(f64),
    }
    #[derive(Deserialize)]
    #[expect(dead_code)]
    enum Struct {
        A,
        B { x: f64 },
    }
    #[derive(Deserialize)]
    #[expect(dead_code)]
    enum Tuple {
        A(f64, f64),
    }
    check::<In<Last>>("list[].it", &["variant C of enum Last", "one Option"]);
    check::<In<(u8, Struct)>>("list[].it[1]", &["variant B of enum Struct"]);
    check::<Tuple>("", &["variant A of enum Tuple"]);
    check::<In<Result<u8, u8>>>("list[].it", &["variant Ok of enum Result"]);
}

#[test]
fn untagged_and_internally_tagged_enums() {
    #[derive(Deserialize)]
    #[serde(untagged)]
    #[expect(dead_code)]
    enum Untagged {
        A(f64),
        B(String),
    }
    #[derive(Deserialize)]
    #[serde(tag = "kind")]
    enum Tagged {
        A,
        B,
    }
    check::<In<Untagged>>("list[].it", &["untagged", "plain variants"]);
    check::<In<Tagged>>("list[].it", &["internally tagged"]);
    check::<In<serde_json::Value>>("list[].it", &["serde_json::Value"]);
}

#[test]
fn a_type_that_depends_on_a_tag() {
    #[derive(Deserialize)]
    #[serde(tag = "kind", content = "value")]
    #[expect(dead_code)]
    enum Adjacent {
        A(f64),
        B(String),
    }
    check::<In<Adjacent>>("list[].it.value", &["depends on the value of another field"]);
}

#[test]
fn integers_of_128_bits() {
    check::<In<i128>>("list[].it", &["128", "i64"]);
    check::<In<u128>>("list[].it", &["128", "u64"]);
}

#[test]
fn types_that_contain_themselves() {
    #[derive(Deserialize)]
    #[expect(dead_code)]
    struct Tree {
        value: f64,
        children: Vec<Tree>,
    }
    #[derive(Deserialize)]
    #[expect(dead_code)]
    struct List {
        next: Option<Box<List>>,
    }
    #[derive(Deserialize)]
    struct Nest(#[expect(dead_code)] Vec<Nest>);
    #[derive(Deserialize)]
    struct Endless(#[expect(dead_code)] Box<Endless>);
    check::<Tree>("children[]", &["Tree contains itself", "flat list"]);
    check::<In<Tree>>("list[].it.children[]", &["Tree contains itself"]);
    check::<List>("next", &["List contains itself"]);
    check::<In<Nest>>("list[].it[]", &["Nest contains itself"]);
    check::<Endless>("", &["Endless contains itself"]);
}

#[test]
fn names_that_are_no_field_names() {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    #[expect(dead_code)]
    struct Camel {
        frame_id: String,
    }
    #[derive(Deserialize)]
    struct Under {
        _x: f64,
    }
    check::<In<Camel>>("list[].it.frameId", &["frameId", r#"rename = "frame_id""#]);
    check::<Under>("_x", &[r#"rename = "x""#]);
}

#[test]
fn variants_whose_numbers_or_constants_are_not_certain() {
    #[derive(Deserialize)]
    enum Alias {
        A,
        #[serde(alias = "Bee")]
        B,
    }
    #[derive(Deserialize)]
    enum Case {
        On,
        ON,
    }
    #[derive(Deserialize)]
    enum Signs {
        #[serde(rename = "+")]
        Plus,
    }
    #[derive(Deserialize)]
    enum Never {}
    check::<In<Alias>>("list[].it", &["B and Bee", "alias"]);
    check::<In<Case>>("list[]", &["IT_ON", "variant On", "variant ON"]);
    check::<In<Signs>>("list[]", &["variant +", "rename"]);
    check::<In<Never>>("list[].it", &["0 variants"]);
}

#[test]
fn declared_fields_that_are_never_read() {
    struct Lazy;
    impl<'de> Deserialize<'de> for Lazy {
        fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Lazy, D::Error> {
            struct Visit;
            impl<'de> serde::de::Visitor<'de> for Visit {
                type Value = Lazy;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("nothing")
                }
                fn visit_map<A: serde::de::MapAccess<'de>>(self, _: A) -> Result<Lazy, A::Error> {
                    Ok(Lazy)
                }
                fn visit_seq<A: serde::de::SeqAccess<'de>>(
                    self,
                    mut seq: A,
                ) -> Result<Lazy, A::Error> {
                    seq.next_element::<f64>()?;
                    Ok(Lazy)
                }
            }
            d.deserialize_struct("Lazy", &["x", "y"], Visit)
        }
    }
    check::<In<Lazy>>("list[].it.x", &["never reads it"]);
}

#[test]
fn types_too_large_to_trace() {
    type A32<T> = [T; 32];
    let reasons = ["262144", "in a Vec"];
    check::<A32<Vec<A32<Vec<A32<Vec<A32<u8>>>>>>>>("[7][][23][][31][]", &reasons);
}

#[test]
fn types_that_would_take_too_long_to_trace() {
    /// Refused once at each of its places.
    struct Slow<const N: usize>;
    impl<'de, const N: usize> Deserialize<'de> for Slow<N> {
        fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Slow<N>, D::Error> {
            struct Visit<const N: usize>;
            impl<'de, const N: usize> serde::de::Visitor<'de> for Visit<N> {
                type Value = Slow<N>;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("elements")
                }
                fn visit_seq<A: serde::de::SeqAccess<'de>>(
                    self,
                    mut seq: A,
                ) -> Result<Slow<N>, A::Error> {
                    for _ in 0..N {
                        seq.next_element::<Item<std::num::NonZeroU8>>()?;
                    }
                    Ok(Slow)
                }
            }
            d.deserialize_tuple(N, Visit)
        }
    }
    check::<Slow<20_000>>("", &["refuse values"]);
}

#[test]
fn large_arrays_of_numbers_are_not_too_large() {
    let matrix = message_of::<nalgebra::SMatrix<f64, 100, 100>>(None).expect("a message");
    assert_eq!(matrix.fields[0].ty.to_string(), "float64[10000]");
}
