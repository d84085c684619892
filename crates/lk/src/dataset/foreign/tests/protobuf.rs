//! Protobuf, of descriptors and payloads made here.

use prost_reflect::prost::Message;
use prost_reflect::prost_types::field_descriptor_proto::{Label, Type};
use prost_reflect::prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FieldDescriptorProto,
    FileDescriptorProto, FileDescriptorSet, MessageOptions,
};

use super::*;

fn field(name: &str, number: i32, ty: Type, label: Label, of: &str) -> FieldDescriptorProto {
    FieldDescriptorProto {
        name: Some(name.to_owned()),
        number: Some(number),
        label: Some(label as i32),
        r#type: Some(ty as i32),
        type_name: (!of.is_empty()).then(|| of.to_owned()),
        ..FieldDescriptorProto::default()
    }
}

fn message(name: &str, field: Vec<FieldDescriptorProto>) -> DescriptorProto {
    DescriptorProto { name: Some(name.to_owned()), field, ..DescriptorProto::default() }
}

fn entry() -> DescriptorProto {
    let options = MessageOptions { map_entry: Some(true), ..MessageOptions::default() };
    let fields = vec![
        field("key", 1, Type::String, Label::Optional, ""),
        field("value", 2, Type::Sint32, Label::Optional, ""),
    ];
    DescriptorProto { options: Some(options), ..message("CountsEntry", fields) }
}

/// Everything in one message.
fn all() -> Vec<DescriptorProto> {
    let value = |name: &str, number| EnumValueDescriptorProto {
        name: Some(name.to_owned()),
        number: Some(number),
        ..EnumValueDescriptorProto::default()
    };
    let mode = EnumDescriptorProto {
        name: Some("Mode".to_owned()),
        value: vec![value("OFF", 0), value("ON", 1)],
        ..EnumDescriptorProto::default()
    };
    let fields = vec![
        field("p", 1, Type::Message, Label::Optional, ".t.P"),
        field("mode", 2, Type::Enum, Label::Optional, ".t.All.Mode"),
        field("raw", 3, Type::Bytes, Label::Optional, ""),
        field("xs", 4, Type::Double, Label::Repeated, ""),
        field("counts", 5, Type::Message, Label::Repeated, ".t.All.CountsEntry"),
        field("s", 6, Type::String, Label::Optional, ""),
    ];
    let all = DescriptorProto {
        nested_type: vec![entry()],
        enum_type: vec![mode],
        ..message("All", fields)
    };
    vec![all, message("P", vec![field("x", 1, Type::Float, Label::Optional, "")])]
}

fn encoding(messages: Vec<DescriptorProto>, name: &str) -> ForeignEncoding {
    let file = FileDescriptorProto {
        name: Some("t.proto".to_owned()),
        package: Some("t".to_owned()),
        syntax: Some("proto3".to_owned()),
        message_type: messages,
        ..FileDescriptorProto::default()
    };
    ForeignEncoding {
        schema_name: name.to_owned(),
        schema_encoding: "protobuf".to_owned(),
        schema_data: FileDescriptorSet { file: vec![file] }.encode_to_vec().into(),
        ..ForeignEncoding::untyped("protobuf")
    }
}

fn dataset_of(encoding: ForeignEncoding, payloads: &[&[u8]]) -> Dataset {
    let mut dataset = Dataset::memory();
    let channel = Channel {
        key: "k".into(),
        encoding: Encoding::Foreign(encoding),
        role: Role::None,
        metadata: [].into(),
    };
    let id = dataset.add_channel(channel).unwrap();
    for (n, payload) in (0..).zip(payloads) {
        dataset.write_payload(id, payload.to_vec(), Time::from_nanos(n)).unwrap();
    }
    dataset
}

fn of_all(payloads: &[&[u8]]) -> Dataset {
    dataset_of(encoding(all(), "t.All"), payloads)
}

fn type_or_reason(dataset: &Dataset) -> Result<String, String> {
    let [decoders] = survey([dataset]);
    match decoders.encoding(ChannelId(0), &dataset.channels()[0]) {
        Encoding::Cdr(schema) => Ok(schema.to_msg_text()),
        Encoding::Foreign(foreign) => Err(foreign.reason),
    }
}

/// p.x = 1.5, mode = ON, raw = 00 ff, xs = [1.0], counts = {b: 2, a: -1}, s = "t"
const FULL: &[u8] = b"\x0a\x05\x0d\0\0\xc0\x3f\x10\x01\x1a\x02\0\xff\x22\x08\0\0\0\0\0\0\xf0\x3f\
    \x2a\x05\x0a\x01b\x10\x04\x2a\x05\x0a\x01a\x10\x01\x32\x01t";

fn values(dataset: Dataset) -> Vec<String> {
    let decoded = dataset.decoded();
    let view = decoded.channel("k").unwrap();
    let values = view.values().unwrap();
    values.map(|item| item.map_or_else(|e| e.to_string(), |(_, v)| v.to_string())).collect()
}

#[test]
fn a_message_has_the_fields_of_its_descriptor() {
    let text = type_or_reason(&of_all(&[FULL])).unwrap();
    let line = "================================================================================\n";
    let own =
        "t/P p\nint32 mode\nuint8[] raw\nfloat64[] xs\nt/All_CountsEntry[] counts\nstring s\n";
    for part in [own, "int32 OFF=0\nint32 ON=1\n", "MSG: t/P\nfloat32 x\n"] {
        assert!(text.contains(part), "{text}");
    }
    assert!(text.contains(&format!("{line}MSG: t/All_CountsEntry\nstring key\nint32 value\n")));
    assert_eq!(
        values(of_all(&[FULL])),
        ["{p: {x: 1.5}, mode: 1, raw: [0, 255], xs: [1.0], \
          counts: [{key: \"a\", value: -1}, {key: \"b\", value: 2}], s: \"t\"}"]
    );
}

#[test]
fn what_some_message_lacks_is_optional() {
    assert!(type_or_reason(&of_all(&[FULL, b""])).unwrap().contains("t/P[<=1] p\n"));
    assert_eq!(
        values(of_all(&[b"\x0a\0", b""])),
        [
            "{p: [{x: 0.0}], mode: 0, raw: [], xs: [], counts: [], s: \"\"}",
            "{p: [], mode: 0, raw: [], xs: [], counts: [], s: \"\"}"
        ]
    );
    // An empty message is more than none.
    let result = diff(&of_all(&[b"\x0a\0"]), &of_all(&[b""]), &Policy::default()).unwrap();
    assert_eq!(result.verdict, Verdict::Different);
}

#[test]
fn the_order_on_the_wire_is_no_difference_and_values_are() {
    let reordered = [&FULL[30..], &FULL[..30]].concat();
    let compare = |b: &[u8], rules: &[&str]| {
        let policy = Policy::parse_rules(rules).unwrap();
        diff(&of_all(&[FULL]), &of_all(&[b]), &policy).unwrap()
    };
    assert_eq!(compare(&reordered, &[]).verdict, Verdict::Identical);
    let mut other = FULL.to_vec();
    other[5] = 0xd0;
    let result = compare(&other, &[]);
    assert_eq!(result.first_divergence.unwrap().mismatch.path, "p.x");
    assert_eq!(compare(&other, &["k.p.x:abs=1"]).verdict, Verdict::Equal);
    let error = compare(&FULL[..FULL.len() - 1], &[]);
    assert_eq!(error.key_diffs["k"].messages.errors, 1);
}

#[test]
fn another_number_for_a_field_is_no_difference_of_values() {
    let mut renumbered = all();
    renumbered[1].field[0].number = Some(7);
    let b = dataset_of(encoding(renumbered, "t.All"), &[b"\x0a\x05\x3d\0\0\xc0\x3f"]);
    let a = of_all(&[b"\x0a\x05\x0d\0\0\xc0\x3f"]);
    let result = diff(&a, &b, &Policy::default()).unwrap();
    assert_eq!(result.verdict, Verdict::Identical, "{:?}", result.key_diffs["k"]);
    assert_eq!(
        result.notes,
        ["k: the schemas differ (t.All in the reference, t.All in the candidate)"]
    );
    // The same bytes are not the same values then.
    let b = dataset_of(b.channels()[0].encoding.clone().foreign(), &[b"\x0a\x05\x3d\0\0\0\x40"]);
    assert_eq!(diff(&a, &b, &Policy::default()).unwrap().verdict, Verdict::Different);
}

trait Foreign {
    fn foreign(self) -> ForeignEncoding;
}

impl Foreign for Encoding {
    fn foreign(self) -> ForeignEncoding {
        match self {
            Encoding::Foreign(foreign) => foreign,
            Encoding::Cdr(_) => panic!("it is foreign"),
        }
    }
}

#[test]
fn what_the_descriptor_does_not_hold_is_never_left_out() {
    let check = |dataset: Dataset, reason: &str| {
        let found = type_or_reason(&dataset).unwrap_err();
        assert!(found.contains(reason), "{found}");
        let result = diff(&dataset, &dataset, &Policy::default()).unwrap();
        assert_eq!(result.verdict, Verdict::Identical);
        assert!(result.notes[0].contains("compared as bytes, since"), "{:?}", result.notes);
    };
    check(of_all(&[b"\x58\x01"]), "a message has field 11, which its type t.All has not");
    check(of_all(&[b"\x0a\x02\x58\x01"]), "a message has field 11, which its type t.P has not");
    // Beside key and value of a map's entry, also where the map is further in.
    let entry = b"\x2a\x05\x0a\x01b\x18\x07";
    let reason = "a message has field 3, which the map's type t.All.CountsEntry has not";
    check(of_all(&[entry]), reason);
    check(of_all(&[&[FULL, entry].concat()]), reason);
    let outer = message("Outer", vec![field("all", 1, Type::Message, Label::Repeated, ".t.All")]);
    let nested = [&[0x0a, FULL.len() as u8], FULL, &[0x0a, entry.len() as u8], entry].concat();
    let mut types = all();
    types.push(outer);
    check(dataset_of(encoding(types.clone(), "t.Outer"), &[&nested]), reason);
    let whole = dataset_of(encoding(types, "t.Outer"), &[&nested[..2 + FULL.len()]]);
    assert!(type_or_reason(&whole).is_ok());
    let itself = message("R", vec![field("r", 1, Type::Message, Label::Optional, ".t.R")]);
    check(dataset_of(encoding(vec![itself], "t.R"), &[b""]), "type t.R contains itself");
    check(dataset_of(encoding(all(), "t.None"), &[b""]), "its descriptors have no message t.None");
    let cut = encoding(all(), "t.All");
    let cut = ForeignEncoding { schema_data: cut.schema_data.slice(..20), ..cut };
    check(dataset_of(cut, &[b""]), "its descriptors can't be read");
    let other = ForeignEncoding { schema_encoding: "x".into(), ..encoding(all(), "t.All") };
    check(dataset_of(other, &[b""]), "its schema is `x`, not protobuf");
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_it_panic(
        payload in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..64),
        at in 0..200_usize,
        byte in proptest::prelude::any::<u8>(),
    ) {
        let dataset = of_all(&[&payload, FULL]);
        let result = diff(&dataset, &dataset, &Policy::default()).unwrap();
        proptest::prop_assert!(result.verdict != Verdict::Equal);
        let mut bad = encoding(all(), "t.All");
        let mut data = bad.schema_data.to_vec();
        let at = at % data.len();
        data[at] = byte;
        bad.schema_data = data.into();
        let _ = type_or_reason(&dataset_of(bad, &[FULL]));
    }
}
