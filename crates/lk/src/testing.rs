//! Random schemas and values for property tests of all modules, disks and
//! backends that fail to order, and what the soak counts.

pub mod failing;
pub mod soak;

use std::sync::Arc;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::schema::{Constant, ElementType, Field, FieldType, MessageType, Primitive, Schema};
use crate::value::{Array, Datum, Record, Value};

/// Schemas with every type of field: nested and empty messages, arrays,
/// sequences and texts with and without bounds, constants, defaults, optional
/// fields, and one message type used twice.
pub fn schema() -> impl Strategy<Value = Schema> {
    vec(shape(), 0..6).prop_map(|shapes| {
        let mut names = 0;
        let root = message(&shapes, &mut names);
        Schema::new(root).expect("generated schemas keep the rules")
    })
}

/// Values of a schema: floats of any bits, texts of any characters.
pub fn value(schema: &Schema) -> impl Strategy<Value = Value> + use<> {
    let schema = schema.clone();
    record(schema.root()).prop_map(move |record| {
        Value::new(schema.clone(), record).expect("generated values fit their schema")
    })
}

/// A random value of a random schema.
pub fn any_value() -> impl Strategy<Value = Value> {
    schema().prop_flat_map(|schema| value(&schema))
}

/// What is random about a field; names are given afterwards.
#[derive(Clone, Debug)]
enum Shape {
    Single { ty: FieldType, default: Option<Datum>, optional: bool },
    Constant { ty: ElementType, value: Datum },
    Nested { fields: Vec<Shape>, count: Count, twice: bool },
}

#[derive(Clone, Copy, Debug)]
enum Count {
    One,
    Array(usize),
    Sequence(Option<usize>),
}

impl Count {
    fn of(self, element: ElementType) -> FieldType {
        match self {
            Count::One => FieldType::One(element),
            Count::Array(len) => FieldType::Array(element, len),
            Count::Sequence(bound) => FieldType::Sequence(element, bound),
        }
    }
}

fn shape() -> impl Strategy<Value = Shape> {
    let single = (element(), count(), any::<bool>())
        .prop_map(|(element, count, optional)| {
            let optional = optional && matches!(count, Count::Sequence(Some(1)));
            (count.of(element), optional)
        })
        .prop_flat_map(|(ty, optional)| {
            let default = option::of(datum(&ty).prop_map(plain_nans));
            default.prop_map(move |default| Shape::Single { ty: ty.clone(), default, optional })
        });
    let constant = element().prop_flat_map(|ty| {
        let value = datum(&FieldType::One(ty.clone())).prop_map(plain_nans);
        value.prop_map(move |value| Shape::Constant { ty: ty.clone(), value })
    });
    prop_oneof![8 => single, 1 => constant].prop_recursive(3, 16, 4, |inner| {
        (vec(inner, 0..4), count(), any::<bool>())
            .prop_map(|(fields, count, twice)| Shape::Nested { fields, count, twice })
    })
}

fn count() -> impl Strategy<Value = Count> {
    prop_oneof![
        4 => Just(Count::One),
        2 => (1..5_usize).prop_map(Count::Array),
        2 => Just(Count::Sequence(None)),
        2 => (1..4_usize).prop_map(|bound| Count::Sequence(Some(bound))),
    ]
}

fn element() -> impl Strategy<Value = ElementType> {
    let bound = || option::of(1..12_usize);
    prop_oneof![
        6 => proptest::sample::select(&Primitive::ALL[..]).prop_map(ElementType::Primitive),
        1 => bound().prop_map(ElementType::String),
        1 => bound().prop_map(ElementType::WString),
    ]
}

fn message(shapes: &[Shape], names: &mut usize) -> Arc<MessageType> {
    let name = format!("test/msg/T{names}");
    *names += 1;
    let mut fields = Vec::new();
    let mut constants = Vec::new();
    for (index, shape) in shapes.iter().enumerate() {
        match shape {
            Shape::Single { ty, default, optional } => fields.push(Field {
                name: format!("f{index}"),
                ty: ty.clone(),
                default: default.clone(),
                optional: *optional,
            }),
            Shape::Constant { ty, value } => constants.push(Constant {
                name: format!("C{index}"),
                ty: ty.clone(),
                value: value.clone(),
            }),
            Shape::Nested { fields: nested, count, twice } => {
                let element = ElementType::Message(message(nested, names));
                let ty = count.of(element.clone());
                fields.push(Field {
                    name: format!("m{index}"),
                    ty,
                    default: None,
                    optional: false,
                });
                if *twice {
                    let ty = FieldType::One(element);
                    let name = format!("m{index}_again");
                    fields.push(Field { name, ty, default: None, optional: false });
                }
            }
        }
    }
    Arc::new(MessageType { name, fields, constants })
}

fn record(ty: &MessageType) -> BoxedStrategy<Record> {
    let fields: Vec<_> = ty.fields.iter().map(|field| datum(&field.ty)).collect();
    fields.prop_map(|fields| Record { fields }).boxed()
}

fn datum(ty: &FieldType) -> BoxedStrategy<Datum> {
    match ty {
        FieldType::One(element) => one(element),
        FieldType::Array(element, len) => array(element, *len, *len),
        FieldType::Sequence(element, bound) => array(element, 0, bound.unwrap_or(5)),
    }
}

fn one(element: &ElementType) -> BoxedStrategy<Datum> {
    match element {
        ElementType::Message(ty) => record(ty).prop_map(Datum::Record).boxed(),
        ElementType::String(_) | ElementType::WString(_) => {
            text(element).prop_map(Datum::String).boxed()
        }
        ElementType::Primitive(p) => match p {
            Primitive::Bool => any::<bool>().prop_map(Datum::Bool).boxed(),
            Primitive::Byte | Primitive::Char | Primitive::Uint8 => {
                any::<u8>().prop_map(Datum::Uint8).boxed()
            }
            Primitive::Int8 => any::<i8>().prop_map(Datum::Int8).boxed(),
            Primitive::Int16 => any::<i16>().prop_map(Datum::Int16).boxed(),
            Primitive::Uint16 => any::<u16>().prop_map(Datum::Uint16).boxed(),
            Primitive::Int32 => any::<i32>().prop_map(Datum::Int32).boxed(),
            Primitive::Uint32 => any::<u32>().prop_map(Datum::Uint32).boxed(),
            Primitive::Int64 => any::<i64>().prop_map(Datum::Int64).boxed(),
            Primitive::Uint64 => any::<u64>().prop_map(Datum::Uint64).boxed(),
            Primitive::Float32 => single().prop_map(Datum::Float32).boxed(),
            Primitive::Float64 => double().prop_map(Datum::Float64).boxed(),
        },
    }
}

fn array(element: &ElementType, min: usize, max: usize) -> BoxedStrategy<Datum> {
    let len = min..=max;
    let array = match element {
        ElementType::Message(ty) => vec(record(ty), len).prop_map(Array::Record).boxed(),
        ElementType::String(_) | ElementType::WString(_) => {
            vec(text(element), len).prop_map(Array::String).boxed()
        }
        ElementType::Primitive(p) => match p {
            Primitive::Bool => vec(any::<bool>(), len).prop_map(Array::Bool).boxed(),
            Primitive::Byte | Primitive::Char | Primitive::Uint8 => {
                vec(any::<u8>(), len).prop_map(Array::Uint8).boxed()
            }
            Primitive::Int8 => vec(any::<i8>(), len).prop_map(Array::Int8).boxed(),
            Primitive::Int16 => vec(any::<i16>(), len).prop_map(Array::Int16).boxed(),
            Primitive::Uint16 => vec(any::<u16>(), len).prop_map(Array::Uint16).boxed(),
            Primitive::Int32 => vec(any::<i32>(), len).prop_map(Array::Int32).boxed(),
            Primitive::Uint32 => vec(any::<u32>(), len).prop_map(Array::Uint32).boxed(),
            Primitive::Int64 => vec(any::<i64>(), len).prop_map(Array::Int64).boxed(),
            Primitive::Uint64 => vec(any::<u64>(), len).prop_map(Array::Uint64).boxed(),
            Primitive::Float32 => vec(single(), len).prop_map(Array::Float32).boxed(),
            Primitive::Float64 => vec(double(), len).prop_map(Array::Float64).boxed(),
        },
    };
    array.prop_map(Datum::Array).boxed()
}

/// Any bits, NaN with payloads among them, and what is special more often.
fn double() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => any::<u64>().prop_map(f64::from_bits),
        2 => proptest::sample::select(
            &[0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, f64::MIN_POSITIVE, 0.1][..],
        ),
        1 => (1..1_u64 << 52).prop_map(|payload| f64::from_bits(0xfff0_0000_0000_0000 | payload)),
    ]
}

fn single() -> impl Strategy<Value = f32> {
    prop_oneof![
        4 => any::<u32>().prop_map(f32::from_bits),
        2 => proptest::sample::select(
            &[0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, f32::MIN_POSITIVE, 0.1][..],
        ),
        1 => (1..1_u32 << 23).prop_map(|payload| f32::from_bits(0xff80_0000 | payload)),
    ]
}

/// Text of any characters, cut to its bound.
fn text(element: &ElementType) -> impl Strategy<Value = String> + use<> {
    let (bound, wide) = match element {
        ElementType::WString(bound) => (*bound, true),
        ElementType::String(bound) => (*bound, false),
        _ => (None, false),
    };
    vec(any::<char>(), 0..8).prop_map(move |chars| {
        let mut left = bound.unwrap_or(usize::MAX);
        let fits = |c: &char| {
            let len = if wide { c.len_utf16() } else { c.len_utf8() };
            let fits = len <= left;
            left = left.saturating_sub(len);
            fits
        };
        chars.into_iter().take_while(fits).collect()
    })
}

/// Makes every NaN the plain one: the only one that text can say.
pub fn plain_nans(datum: Datum) -> Datum {
    let double = |v: f64| if v.is_nan() { f64::NAN } else { v };
    let single = |v: f32| if v.is_nan() { f32::NAN } else { v };
    let in_record =
        |record: Record| Record { fields: record.fields.into_iter().map(plain_nans).collect() };
    match datum {
        Datum::Float64(v) => Datum::Float64(double(v)),
        Datum::Float32(v) => Datum::Float32(single(v)),
        Datum::Record(record) => Datum::Record(in_record(record)),
        Datum::Array(Array::Float64(v)) => v.into_iter().map(double).collect::<Vec<_>>().into(),
        Datum::Array(Array::Float32(v)) => v.into_iter().map(single).collect::<Vec<_>>().into(),
        Datum::Array(Array::Record(records)) => {
            records.into_iter().map(in_record).collect::<Vec<_>>().into()
        }
        other => other,
    }
}
