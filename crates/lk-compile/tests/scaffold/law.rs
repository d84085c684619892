//! What a harness decodes and encodes again is what lk encoded, for random
//! types and values.

use std::sync::Arc;

use lk::codec::Plan;
use lk::schema::{ElementType, FieldType, MessageType};
use lk::value::{Array, Datum, Record};
use lk::{Schema, Value};
use lk_compile::scaffold::Language;
use lk_compile::{ConfigSpec, PortSpec};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use crate::conversation::Script;
use crate::echo;
use crate::project::Project;

/// Types that a random draw might miss.
const EVERYTHING: &str = "\
uint8 RED=1
string NAME=ab\"c\\d
float64 ENDLESS=-inf
wstring WIDE=wide
bool yes true
byte raw
char letter 65
int8 i8 -128
uint8 u8 255
int16 i16 -32768
uint16 u16 65535
int32 i32 -2147483648
uint32 u32 4294967295
int64 i64 -9223372036854775808
uint64 u64 18446744073709551615
float32 f32 0.1
float64 f64 -1e-300
float64 not_a_number nan
float64 endless -inf
string text \"a \\\"quoted\\\" backslash \\\\ and ünïcode ?? end\"
string<=8 short_text
wstring wide \"wïde\"
wstring<=8 short_wide
bool[] flags [true, false]
bool[3] three_flags [true, false, true]
uint8[] octets [1, 2]
uint8[5] five_octets
float64[36] covariance
float64[3] axis [0.0, nan, 1.0]
string[] names [\"x\", \"y\"]
string<=5[<=3] few_short_names
wstring[2] two_wide
Inner inner
Inner[2] two_inner
Inner[] inners
Outer[] outers
Outer[1] outer
Nothing nothing
Nothing[] nothings
OnlyConstants only_constants
other/Inner other_inner
uint8 class
int32 lambda
int32 fn
int32 list
int32 body
===
MSG: test/Inner
uint8 a 7
float64 b
===
MSG: test/Outer
string s
Inner[<=2] inner
uint8 last
===
MSG: test/Nothing
===
MSG: test/OnlyConstants
int32 A=-5
===
MSG: other/Inner
uint16[<=4] x
";

fn draw<S: Strategy>(runner: &mut TestRunner, strategy: &S) -> S::Value {
    strategy.new_tree(runner).unwrap().current()
}

/// The same type in another package, so that many can be in one component.
fn in_package(ty: &MessageType, package: &str) -> Arc<MessageType> {
    let mut ty = ty.clone();
    ty.name = format!("{package}/msg/{}", ty.name.rsplit('/').next().unwrap());
    for field in &mut ty.fields {
        if let FieldType::One(ElementType::Message(nested))
        | FieldType::Array(ElementType::Message(nested), _)
        | FieldType::Sequence(ElementType::Message(nested), _) = &mut field.ty
        {
            *nested = in_package(nested, package);
        }
    }
    Arc::new(ty)
}

/// Python has no float32: a signalling NaN becomes a quiet one on the way.
fn quiet(datum: Datum) -> Datum {
    let quiet_f32 = |v: f32| if v.is_nan() { f32::from_bits(v.to_bits() | 1 << 22) } else { v };
    let all = |fields: Vec<Datum>| fields.into_iter().map(quiet).collect();
    match datum {
        Datum::Float32(v) => Datum::Float32(quiet_f32(v)),
        Datum::Array(Array::Float32(v)) => {
            Datum::Array(Array::Float32(v.into_iter().map(quiet_f32).collect()))
        }
        Datum::Record(Record { fields }) => Datum::Record(Record { fields: all(fields) }),
        Datum::Array(Array::Record(records)) => {
            let records = records.into_iter().map(|r| Record { fields: all(r.fields) });
            Datum::Array(Array::Record(records.collect()))
        }
        other => other,
    }
}

fn quiet_value(value: Value) -> Value {
    let schema = value.schema().clone();
    match quiet(Datum::Record(value.into_record())) {
        Datum::Record(record) => Value::new(schema, record).unwrap(),
        _ => unreachable!("a record stays one"),
    }
}

fn echoes_every_payload(language: Language) {
    let mut runner = TestRunner::deterministic();
    let everything = Schema::parse("test/msg/Everything", EVERYTHING).unwrap();
    let names: Vec<String> = everything
        .root()
        .fields
        .iter()
        .map(|f| format!("test/msg/Everything.{}", f.name))
        .collect();
    assert!(names.len() > 40);
    let mut schemas = vec![everything];
    for i in 0..20 {
        let schema = draw(&mut runner, &lk::testing::schema());
        schemas.push(Schema::new(in_package(schema.root(), &format!("p{i}"))).unwrap());
    }
    let ports = schemas.iter().enumerate().map(|(i, schema)| {
        let name = format!("port_{i}");
        PortSpec { key: name.clone(), name, schema: schema.clone() }
    });
    let config = Schema::parse("echo/msg/Config", "float64 gain 0.5\nstring[] names").unwrap();
    let value = draw(&mut runner, &lk::testing::value(&config));
    let spec = echo::spec(ports.collect(), Some(ConfigSpec { schema: config, value }));
    let config_port = u16::try_from(spec.outputs.len() - 1).unwrap();
    let config = spec.config.as_ref().unwrap();
    let config_payload = Plan::new(&config.schema).encode(&config.value).unwrap();

    let mut script = Script::hello(&spec);
    let mut expected = Vec::new();
    for tick in 0..60_u64 {
        let time_ns = i64::try_from(tick).unwrap() * 1_000 - 5_000;
        expected.push((config_port, time_ns, config_payload.clone()));
        for (i, schema) in schemas.iter().enumerate() {
            // A port that rests in some ticks, and defaults in the first.
            let value = match tick {
                0 => Value::default_of(schema),
                _ if (tick + i as u64).is_multiple_of(3) => continue,
                _ => draw(&mut runner, &lk::testing::value(schema)),
            };
            let payload = Plan::new(schema).encode(&quiet_value(value)).unwrap();
            let port = u16::try_from(i).unwrap();
            script.input(port, time_ns, &payload);
            expected.push((port, time_ns, payload));
        }
        script.step(tick, time_ns);
    }
    script.bye();

    let project = Project::new(&spec, language, &echo::files(&spec, language));
    let targets: &[&str] = match language {
        Language::Python => &["component:Component", "component:Dicts"],
        _ => &["component:Component"],
    };
    expected.sort();
    for target in targets {
        for piece in [usize::MAX, 7] {
            let said = project.run_target(target, &script, piece);
            said.ended_well();
            assert_eq!(said.errors(), []);
            assert_eq!(said.done(), (0..60).collect::<Vec<_>>());
            let mut outputs = said.outputs();
            outputs.sort();
            assert_eq!(outputs.len(), expected.len());
            for (is, should) in outputs.iter().zip(&expected) {
                assert_eq!((is.0, is.1), (should.0, should.1));
                assert_eq!(
                    is.2,
                    should.2,
                    "port {} of {}",
                    is.0,
                    schemas[is.0 as usize].to_msg_text()
                );
            }
        }
    }
}

#[test]
fn cpp_echoes_every_payload() {
    echoes_every_payload(Language::Cpp);
}

#[test]
fn rust_echoes_every_payload() {
    echoes_every_payload(Language::Rust);
}

#[test]
fn python_echoes_every_payload() {
    echoes_every_payload(Language::Python);
}
