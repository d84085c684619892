use proptest::prelude::*;

use super::*;
use crate::testing;

fn parse(text: &str) -> Schema {
    Schema::parse("demo/msg/Test", text).unwrap()
}

/// Text and what is printed for it.
#[track_caller]
fn check(text: &str, printed: &str) {
    let schema = parse(text);
    assert_eq!(schema.to_msg_text(), printed);
    assert_eq!(parse(printed), schema);
}

/// Text and the error for it.
#[track_caller]
fn check_error(text: &str, expected: &str) {
    let error = Schema::parse("demo/msg/Test", text).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

#[test]
fn every_form_of_type_is_read_and_printed() {
    let text = "bool a\nbyte b\nchar c\nint8 d\nuint8 e\nint16 f\nuint16 g\nint32 h\nuint32 i\n\
                int64 j\nuint64 k\nfloat32 l\nfloat64 m\nstring n\nwstring o\nstring<=5 p\n\
                wstring<=6 q\nfloat64[9] r\nfloat64[] s\nfloat64[<=3] t\nstring<=5[2] u\n\
                string<=5[<=4] v\nwstring[] w\n";
    check(text, text);
}

#[test]
fn comments_and_blank_lines_are_skipped() {
    check(
        "# a comment\r\n\n   float64   x   # metres\r\n\tint32\ty# none\n#int8 z\n",
        "float64 x\nint32 y\n",
    );
}

#[test]
fn constants_and_defaults_are_kept() {
    check(
        "int32 A=-5\nuint8 B = 0xff # mask\nfloat32 C=1\nbool D=True\nchar E=65\n\
         string F=no quotes # kept\nfloat64 x 1.5\nint64 big -9223372036854775808\n\
         uint64 huge 18446744073709551615\nbool on true\nstring s \"a # b\"\n\
         string t 'it\\'s'\nint32[] list [1, -2,3]\nstring[<=2] names [\"a]\", 'b,']\n\
         float64[2] pair [1e-3, .5] # both\nbool[] none []\n",
        "int32 A=-5\nuint8 B=255\nfloat32 C=1.0\nbool D=true\nchar E=65\n\
         string F=\"no quotes\"\nfloat64 x 1.5\nint64 big -9223372036854775808\n\
         uint64 huge 18446744073709551615\nbool on true\nstring s \"a \\x23 b\"\n\
         string t \"it's\"\nint32[] list [1, -2, 3]\nstring[<=2] names [\"a]\", \"b,\"]\n\
         float64[2] pair [0.001, 0.5]\nbool[] none []\n",
    );
}

#[test]
fn annotations_are_skipped() {
    check("@key\nint32 a\n@key  @external int32 b 5\n", "int32 a\nint32 b 5\n");
}

#[test]
fn floats_that_are_not_finite_can_be_defaults() {
    check(
        "float64 a nan\nfloat32 b -inf\nfloat64[] c [inf, NaN]",
        "float64 a NaN\nfloat32 b -inf\nfloat64[] c [inf, NaN]\n",
    );
}

#[test]
fn text_that_would_break_the_line_is_escaped() {
    check(
        "string a \"\\\"\\\\\\n\\r\\t\\x07\\u2028\\d=\"",
        "string a \"\\\"\\\\\\n\\r\\t\\u0007\\u2028\\\\d\\x3d\"\n",
    );
    let schema = parse("string a \"\\\\n\"");
    assert_eq!(schema.root().fields[0].default, Some("\\n".into()));
}

#[test]
fn nested_types_are_found_by_every_form_of_name() {
    let schema = Schema::parse(
        "demo/Outer",
        "Header header\nInner a\ndemo/Inner b\ndemo/msg/Inner[] c\nother/Inner d\n\
         ================================================================================\n\
         MSG: demo/Inner\nfloat64 x\n\
         ===\nMSG: other/msg/Inner\nint32 x\nDeep deep\n===\nMSG: other/Deep\nint8 y",
    )
    .unwrap();
    let names: Vec<_> = schema.types().iter().map(|ty| ty.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "demo/msg/Outer",
            "std_msgs/msg/Header",
            "builtin_interfaces/msg/Time",
            "demo/msg/Inner",
            "other/msg/Inner",
            "other/msg/Deep",
        ]
    );
    let divider = "=".repeat(80);
    assert_eq!(
        schema.to_msg_text(),
        format!(
            "std_msgs/Header header\ndemo/Inner a\ndemo/Inner b\ndemo/Inner[] c\nother/Inner d\n\
             {divider}\nMSG: std_msgs/Header\nbuiltin_interfaces/Time stamp\nstring frame_id\n\
             {divider}\nMSG: builtin_interfaces/Time\nint32 sec\nuint32 nanosec\n\
             {divider}\nMSG: demo/Inner\nfloat64 x\n\
             {divider}\nMSG: other/Inner\nint32 x\nother/Deep deep\n\
             {divider}\nMSG: other/Deep\nint8 y\n"
        )
    );
    assert_eq!(Schema::parse("demo/Outer", &schema.to_msg_text()).unwrap(), schema);
}

#[test]
fn a_type_without_a_package_is_in_lk() {
    assert_eq!(Schema::parse("Reading", "int8 a").unwrap().name(), "lk/msg/Reading");
}

#[test]
fn given_definitions_come_before_built_in_ones() {
    let schema = parse("Header h\n===\nMSG: std_msgs/Header\nuint32 seq");
    let FieldType::One(ElementType::Message(header)) = &schema.root().fields[0].ty else {
        panic!("a header was expected");
    };
    assert_eq!(header.fields[0].name, "seq");
}

#[test]
fn definitions_are_found_by_a_function_under_their_full_names() {
    let find = |name: &str| match name {
        "demo/msg/Outer" => Some("Inner[2] inner\nstd_msgs/Header header".to_owned()),
        "demo/msg/Inner" => Some("int8 a".to_owned()),
        _ => None,
    };
    let schema = Schema::parse_with("demo/Outer", &find).unwrap();
    assert_eq!(schema, Schema::parse("demo/Outer", &schema.to_msg_text()).unwrap());
    assert_eq!(
        Schema::parse_with("demo/Missing", &find).unwrap_err().to_string(),
        "unknown type demo/msg/Missing"
    );
}

#[test]
fn every_built_in_type_can_be_read() {
    let mut known = 0;
    for name in builtin::names() {
        let schema = Schema::parse_with(name, &|_| None).unwrap();
        assert_eq!(schema.name(), name);
        known += 1;
    }
    assert!(known > 100, "only {known}");
}

#[test]
fn unknown_types_are_named_with_what_to_do() {
    let error = Schema::parse("demo/Test", "int8 a\nPoint p").unwrap_err();
    assert_eq!(error.to_string(), "unknown type demo/msg/Point (type demo/msg/Test, line 2)");
    assert_eq!(error.hint().unwrap(), "write `geometry_msgs/Point` if that is meant");

    let error = Schema::parse("demo/Test", "acme/Gripper g").unwrap_err();
    assert_eq!(
        error.hint().unwrap(),
        "give its definition as acme/msg/Gripper.msg, or after the text in a section \
         `MSG: acme/Gripper`"
    );
}

#[test]
fn errors_of_text_name_the_line_and_the_reason() {
    let cases = [
        ("int8", "a line is `type name`, `type name default` or `type NAME=value`; `` is no name"),
        (
            "int8 3x",
            "a line is `type name`, `type name default` or `type NAME=value`; `3x` is no name",
        ),
        ("int8 a-b", "`a-b` is no name"),
        ("int8 a 300", "value of a: `300` is out of the range of int8"),
        ("int8 A=1.5", "value of A: `1.5` is no int8"),
        ("int8 A=", "value of A: `` is no int8"),
        ("int8 a --5", "value of a: `--5` is no int8"),
        ("bool a yes", "value of a: `yes` is no bool"),
        ("float64 a one", "value of a: `one` is no float64"),
        ("string a \"open", "value of a: the text has no closing \""),
        ("string a \"x\" y", "value of a: `y` follows it"),
        ("string a \"\\xzz\"", "value of a: `\\xzz` is no character"),
        ("string<=2 a \"abc\"", "value of a: expected text of up to 2 bytes, got 3"),
        ("int8[] a 1", "value of a: a default of several elements is `[a, b]`, not `1`"),
        ("int8[] a [1, 2", "value of a: the default has no closing `]`"),
        ("int8[3] a [1, 2]", "value of a: expected 3 elements, got 2"),
        ("int8[<=1] a [1, 2]", "value of a: expected up to 1 elements, got 2"),
        ("int8[] A=[1]", "constant A can't be an array"),
        ("std_msgs/Header A=1", "constant A can't be a message"),
        ("std_msgs/Header a 1", "field a is a message, which has no default"),
        ("int8[x] a", "`int8[x]`: `x` is no length above 0"),
        ("int8[0] a", "`int8[0]`: `0` is no length above 0"),
        ("int8[<=+1] a", "`int8[<=+1]`: `+1` is no length above 0"),
        ("int8[2 a", "`int8[2` has no closing `]` at its end"),
        ("int8[2][3] a", "`int8[2][3]`: `2][3` is no length above 0"),
        ("int8<=3 a", "`int8<=3`: only string and wstring have bounds"),
        ("time a", "`time` is of ROS 1; in ROS 2 it is builtin_interfaces/Time"),
        ("a//B c", "`a//B` is no type"),
        ("Test inner", "demo/msg/Test contains itself"),
        ("---", "`---` belongs to services and actions, not to messages"),
        ("===\nIDL: a/B", "after a line of `=` comes `MSG: package/Type`, not `IDL: a/B`"),
    ];
    for (text, reason) in cases {
        // The last line is the bad one.
        let line = 2 + text.matches('\n').count();
        check_error(
            &format!("int8 good\n{text}"),
            &format!("{reason} (type demo/msg/Test, line {line})"),
        );
    }
}

#[test]
fn errors_in_nested_text_name_its_type_and_line_in_the_whole_text() {
    check_error(
        "demo/Inner a\n===\nMSG: demo/Inner\nint8 x\nint8 y z",
        "value of y: `z` is no int8 (type demo/msg/Inner, line 5)",
    );
}

fn message(name: &str, fields: Vec<(&str, FieldType)>) -> Arc<MessageType> {
    let field = |(name, ty): (&str, FieldType)| Field {
        name: name.to_owned(),
        ty,
        default: None,
        optional: false,
    };
    Arc::new(MessageType {
        name: name.to_owned(),
        fields: fields.into_iter().map(field).collect(),
        constants: vec![],
    })
}

const INT8: FieldType = FieldType::One(ElementType::Primitive(Primitive::Int8));

fn one(ty: &Arc<MessageType>) -> FieldType {
    FieldType::One(ElementType::Message(ty.clone()))
}

#[track_caller]
fn check_refused(ty: Arc<MessageType>, expected: &str) {
    assert_eq!(Schema::new(ty).unwrap_err().to_string(), expected);
}

#[test]
fn names_follow_the_rules() {
    for name in ["Test", "demo/Test", "demo/msg/", "demo/idl/Test", "demo/msg/1x", "d-o/msg/T", ""]
    {
        check_refused(
            message(name, vec![]),
            &format!(
                "type {name} is not a message type: its name has not the form `package/msg/Type`"
            ),
        );
    }
    for name in ["", "1x", "a.b", "a b", "é"] {
        check_refused(
            message("demo/msg/Test", vec![(name, INT8)]),
            &format!(
                "type demo/msg/Test is not a message type: {name:?} is no name of a field or constant"
            ),
        );
    }
    Schema::new(message("demo/action/Fly_Goal", vec![("K", INT8)])).unwrap();
}

#[test]
fn names_are_unique() {
    let reason = "type demo/msg/Test is not a message type: the name a is given twice";
    check_refused(message("demo/msg/Test", vec![("a", INT8), ("b", INT8), ("a", INT8)]), reason);
    check_error("int8 a=1\nint16 a", reason);
}

#[test]
fn types_of_one_name_are_the_same() {
    let inner = message("demo/msg/Inner", vec![("x", INT8)]);
    let equal = message("demo/msg/Inner", vec![("x", INT8)]);
    let other = message("demo/msg/Inner", vec![("y", INT8)]);
    Schema::new(message("demo/msg/T", vec![("a", one(&inner)), ("b", one(&equal))])).unwrap();
    check_refused(
        message("demo/msg/T", vec![("a", one(&inner)), ("b", one(&other))]),
        "type demo/msg/Inner is not a message type: two different definitions of it are used",
    );
    check_refused(
        message("demo/msg/Inner", vec![("a", one(&inner))]),
        "type demo/msg/Inner is not a message type: it contains itself",
    );
}

#[test]
fn nesting_is_bounded() {
    let mut ty = message("demo/msg/T0", vec![("x", INT8)]);
    for depth in 1..64 {
        ty = message(&format!("demo/msg/T{depth}"), vec![("x", one(&ty))]);
    }
    Schema::new(ty.clone()).unwrap();
    check_refused(
        message("demo/msg/T64", vec![("x", one(&ty))]),
        "type demo/msg/T0 is not a message type: it lies 64 messages deep",
    );
}

#[test]
fn types_that_multiply_are_refused_in_no_time() {
    // Twice in each of 40 layers: 2^40 fields.
    let mut ty = message("demo/msg/T0", vec![("x", INT8)]);
    for depth in 1..40 {
        ty = message(&format!("demo/msg/T{depth}"), vec![("x", one(&ty)), ("y", one(&ty))]);
    }
    check_refused(
        ty,
        "type demo/msg/T15 is not a message type: 98302 fields with the nested ones, over 65536",
    );
}

#[test]
fn arrays_too_large_for_memory_are_refused() {
    check_error(
        "float64[1000000000] a",
        "type demo/msg/Test is not a message type: \
         a value takes 8000000032 bytes at least, over 268435456",
    );
    parse("uint8[24883200] rgb_of_4k");
    check_error(
        "Inner[20000000] a\n===\nMSG: demo/Inner",
        "type demo/msg/Test is not a message type: \
         a value takes 480000032 bytes at least, over 268435456",
    );
}

#[test]
fn defaults_are_of_their_type() {
    let mut ty = MessageType::clone(&message("demo/msg/Test", vec![("a", INT8)]));
    ty.fields[0].default = Some(Datum::Uint8(1));
    check_refused(
        Arc::new(ty),
        "type demo/msg/Test is not a message type: \
         the value of a doesn't fit: expected int8, got uint8",
    );
    check_error(
        "float32 a -nan",
        "type demo/msg/Test is not a message type: \
         the value of a is a NaN with a sign or payload, which text can't say",
    );
}

#[test]
fn optional_fields_are_kept_beside_the_text() {
    let schema = parse("int8[<=1] a\nInner[<=1] b\nInner c\n===\nMSG: demo/Inner\nint8[<=1] x");
    assert!(schema.optional_fields().is_empty());
    let names = ["demo/msg/Inner.x", "demo/msg/Test.b"];
    let marked = schema.with_optional_fields(&names).unwrap();
    assert_eq!(marked.optional_fields(), names);
    assert_ne!(marked, schema);
    assert_eq!(marked.fingerprint(), schema.fingerprint());
    assert_eq!(marked.to_msg_text(), schema.to_msg_text());
    assert_eq!(marked.with_optional_fields::<&str>(&[]).unwrap(), schema);

    let error = schema.with_optional_fields(&["demo/msg/Test.c"]).unwrap_err().to_string();
    assert_eq!(
        error,
        "type demo/msg/Test is not a message type: \
         optional field c is demo/Inner, not a sequence `T[<=1]`"
    );
    let error = schema.with_optional_fields(&["demo/msg/Test.z"]).unwrap_err().to_string();
    assert_eq!(
        error,
        "type demo/msg/Test is not a message type: \
         demo/msg/Test.z is marked as optional, but is no field of it"
    );
}

#[test]
fn the_fingerprint_is_that_of_names_types_and_bounds() {
    let fingerprint = |text: &str| parse(text).fingerprint();
    let inner = "\n===\nMSG: demo/Inner\nfloat64 x";
    let base = fingerprint(&format!("Inner a\nint8[3] b\nstring c{inner}"));
    // Not part of it: type names, constants, defaults.
    let same = [
        "other/Same a\nint8[3] b\nstring c\n===\nMSG: other/Same\nfloat64 x".to_owned(),
        format!("int8 K=1\nInner a\nint8[3] b\nstring c{inner} 2.5"),
    ];
    for text in same {
        assert_eq!(fingerprint(&text), base, "{text}");
    }
    let other = [
        format!("Inner z\nint8[3] b\nstring c{inner}"),
        format!("Inner a\nint8[4] b\nstring c{inner}"),
        format!("Inner a\nint8[] b\nstring c{inner}"),
        format!("Inner a\nint8[<=3] b\nstring c{inner}"),
        format!("Inner a\nuint8[3] b\nstring c{inner}"),
        format!("Inner a\nint8[3] b\nwstring c{inner}"),
        format!("Inner a\nint8[3] b\nstring<=9 c{inner}"),
        format!("int8[3] b\nInner a\nstring c{inner}"),
        format!("Inner a\nint8[3] b{inner}"),
        "Inner a\nint8[3] b\nstring c\n===\nMSG: demo/Inner\nfloat64 y".to_owned(),
        "Inner a\nint8[3] b\nstring c\n===\nMSG: demo/Inner\nfloat32 x".to_owned(),
        // A field moves out of the nested message.
        "Inner a\nfloat64 x\nint8[3] b\nstring c\n===\nMSG: demo/Inner".to_owned(),
    ];
    let all: BTreeSet<_> = other.iter().map(|text| fingerprint(text)).chain([base]).collect();
    assert_eq!(all.len(), other.len() + 1);
}

#[test]
fn the_fingerprint_stays_what_it_was() {
    // Datasets and generated code hold fingerprints: a change here breaks them.
    assert_eq!(
        Schema::parse_with("sensor_msgs/Imu", &|_| None).unwrap().fingerprint().to_string(),
        "88075cf38e7ad10a056d24c84c7fcfb2"
    );
}

proptest! {
    #[test]
    fn printed_schemas_are_read_back_as_they_were(schema in testing::schema()) {
        let text = schema.to_msg_text();
        let read = Schema::parse(schema.name(), &text).unwrap();
        prop_assert_eq!(read.fingerprint(), schema.fingerprint());
        let read = read.with_optional_fields(&schema.optional_fields()).unwrap();
        prop_assert!(read == schema, "{}", text);
    }

    #[test]
    fn text_of_any_kind_does_no_harm(text in proptest::collection::vec(word(), 0..30)) {
        if let Ok(schema) = Schema::parse("demo/Test", &text.concat()) {
            let printed = schema.to_msg_text();
            prop_assert!(Schema::parse("demo/Test", &printed).unwrap() == schema, "{}", printed);
        }
    }
}

/// Pieces that definitions are made of, put together without sense.
fn word() -> impl Strategy<Value = String> {
    let words = [
        "int8",
        "float64",
        "string",
        "bool",
        "Header",
        "demo/Inner",
        "Inner",
        " ",
        " ",
        " ",
        "a",
        "b",
        "A",
        "=",
        "[",
        "]",
        "<=",
        "3",
        "-1",
        "1.5",
        "\"",
        "'",
        "\\",
        "#",
        "\n",
        "\n",
        "\n",
        "===\n",
        "MSG: ",
        ",",
        "true",
        "\u{2028}",
        "é",
        "---",
        "0x",
        "/",
    ];
    prop_oneof![
        20 => proptest::sample::select(words.to_vec()).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ]
}
