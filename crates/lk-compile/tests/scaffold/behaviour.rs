//! How harnesses keep to the protocol, whatever the component does.

use lk::codec::Plan;
use lk::schema::Fingerprint;
use lk::value::{Datum, Record};
use lk::{Schema, Value};
use lk_compile::ComponentSpec;
use lk_compile::protocol::{self, Answer, NO_TICK};
use lk_compile::scaffold::{Language, generate};

use crate::conversation::{Said, Script, ports};
use crate::project::Project;
use crate::{echo, trial};

fn payload(schema: &Schema, fields: Vec<Datum>) -> Vec<u8> {
    let value = Value::new(schema.clone(), Record { fields }).unwrap();
    Plan::new(schema).encode(&value).unwrap()
}

/// A conversation with the trial component, a tick per command; an empty
/// command is a tick without input.
fn commands(spec: &ComponentSpec, commands: &[&str]) -> Script {
    let mut script = Script::hello(spec);
    for (tick, command) in (0..).zip(commands) {
        let time_ns = 10 * i64::try_from(tick).unwrap();
        if !command.is_empty() {
            let text = vec![Datum::String((*command).to_owned())];
            script.input(0, time_ns, &payload(&spec.inputs[0].schema, text));
        }
        script.step(tick, time_ns);
    }
    script
}

/// Reports as tick (by time), count and text; the time where it isn't the
/// tick's.
fn reports(spec: &ComponentSpec, said: &Said) -> Vec<String> {
    let outputs = said.outputs().into_iter().map(|(port, time_ns, payload)| {
        let schema = &spec.outgoing().nth(port.into()).unwrap().schema;
        let value = Plan::new(schema).decode(payload).unwrap();
        let fields = value.leaves().into_iter().map(|(_, scalar)| format!("{scalar:?}"));
        format!("{port} {time_ns}: {}", fields.collect::<Vec<_>>().join(" "))
    });
    outputs.collect()
}

fn keeps_to_the_protocol(language: Language) {
    let spec = trial::spec();
    let project = Project::new(&spec, language, &trial::files(language));

    let mut script = commands(
        &spec,
        &[
            "count",
            "print",
            "",
            "twice",
            "late",
            "throw",
            "count",
            "read",
            "too long",
            "other",
            "odd throw",
            "caught",
            "state",
        ],
    );
    script.reset();
    let after_reset = commands(&spec, &["count", "other"]);
    let hello = Script::hello(&spec).0.len();
    script.0.extend_from_slice(&after_reset.0[hello..]);
    let other = &spec.inputs[1].schema;
    script.input(1, -3, &payload(other, vec![Datum::Float64(7.5)]));
    script.0.extend_from_slice(&after_reset.0[hello..]);
    script.bye();

    for piece in [usize::MAX, 11] {
        let said = project.run_target("component:Component", &script, piece);
        said.ended_well();
        let name = match language {
            Language::Cpp => "c++ 1",
            other => &format!("{other} 1"),
        };
        let ready = Answer::Ready { version: protocol::VERSION, harness: name.to_owned().into() };
        assert_eq!(said.answers[0], ready);
        let mut ticks: Vec<u64> = (0..13).collect();
        ticks.extend([NO_TICK, 0, 1, 0, 1]);
        assert_eq!(said.done(), ticks);
        insta::allow_duplicates! {
            insta::assert_snapshot!(reports(&spec, &said).join("\n"), @r#"
0 0: Int(1) Text("")
0 30: Int(1) Text("a")
0 30: Int(2) Text("b")
0 45: Int(5) Text("late")
0 60: Int(7) Text("")
0 70: Int(0) Text("nothing")
0 90: Int(-1) Text("7.5")
0 110: Int(1) Text("caught")
1 120: Int(13)
0 0: Int(1) Text("")
0 10: Int(-1) Text("7.5")
0 0: Int(3) Text("")
0 10: Int(-3) Text("7.5")
"#);
        }
        let errors = said.errors();
        let (at, texts): (Vec<u64>, Vec<&str>) =
            errors.iter().map(|(tick, text)| (*tick, text.as_str())).unzip();
        assert_eq!(at, [5, 8, 10]);
        assert!(texts[0].ends_with("it broke"), "{texts:?}");
        let too_long = "Report.text has 9 elements, at most 8 are allowed";
        assert!(texts[1].ends_with(too_long), "{texts:?}");
        match language {
            Language::Cpp => assert_eq!(texts[2], "an exception that is no std::exception"),
            Language::Rust => assert_eq!(texts[2], "panic: it panicked"),
            Language::Python => {
                assert_eq!(texts[2], "TypeError: output report: expected a Report, got 42");
            }
        }
        for line in ["hello from the start", "printed by a child"] {
            assert!(said.log.contains(line), "{}", said.log);
        }
    }
}

#[test]
fn cpp_keeps_to_the_protocol() {
    keeps_to_the_protocol(Language::Cpp);
}

#[test]
fn rust_keeps_to_the_protocol() {
    keeps_to_the_protocol(Language::Rust);
}

#[test]
fn python_keeps_to_the_protocol() {
    keeps_to_the_protocol(Language::Python);
}

/// Runs a script that the harness refuses; gives the text of its last answer,
/// and whether `ready` came before.
fn refused(project: &Project, script: &Script) -> (String, bool) {
    let said = project.run(script);
    assert_eq!(said.status.code(), Some(3), "{}", said.log);
    let ready = matches!(said.answers[0], Answer::Ready { .. });
    assert_eq!(said.answers.len(), if ready { 2 } else { 1 }, "{:?}", said.answers);
    match said.answers.last() {
        Some(Answer::Error { tick: NO_TICK, text }) => (text.to_string(), ready),
        other => panic!("{other:?}"),
    }
}

fn refusal(project: &Project, script: &Script) -> String {
    let (text, ready) = refused(project, script);
    assert!(!ready, "{text}");
    text
}

fn refusal_after_ready(project: &Project, script: &Script) -> String {
    let (text, ready) = refused(project, script);
    assert!(ready, "{text}");
    text
}

fn refuses_what_it_was_not_made_for(language: Language) {
    let config = Schema::parse("echo/msg/Config", "float64 gain\nuint8 mode").unwrap();
    let imu = Schema::parse("echo/msg/Imu", "float64[3] gyro\nstring note").unwrap();
    let value = Value::default_of(&config);
    let port = lk_compile::PortSpec { name: "imu".into(), key: "imu".into(), schema: imu.clone() };
    let config = lk_compile::ConfigSpec { schema: config, value };
    let spec = echo::spec(vec![port], Some(config.clone()));
    let project = Project::new(&spec, language, &echo::files(&spec, language));
    let config = Plan::new(&config.schema).encode(&config.value).unwrap();
    let hello = |ports: &[protocol::HelloPort], config: &[u8]| {
        let mut script = Script::default();
        protocol::encode_hello(&mut script.0, 0, ports, config);
        script
    };
    let good = ports(&spec);
    let stale = "the harness is not that of this lk.toml: ";

    let mut changed = good.clone();
    changed[2].fingerprint = Fingerprint([7; 16]);
    let text = refusal(&project, &hello(&changed, &config));
    assert!(text.starts_with(&format!("{stale}port config has another type there; ")), "{text}");
    assert!(text.contains("`lk init --refresh`"), "{text}");

    let text = refusal(&project, &hello(&good[..2], &config));
    assert!(text.starts_with(&format!("{stale}that one has 2 ports, this harness 3")), "{text}");
    let text = refusal(&project, &hello(&good, &[]));
    assert!(text.starts_with(&format!("{stale}that one has no config")), "{text}");
    let text = refusal(&project, &hello(&good, &config[..8]));
    assert!(text.starts_with(&format!("{stale}its config is of another type: ")), "{text}");
    assert!(text.contains("can't decode"), "{text}");

    let mut script = Script::hello(&spec);
    let header = script.0.len();
    script.0[5] = 2;
    let text = refusal(&project, &script);
    assert!(text.starts_with("lk speaks version 2 of lk-run, this harness 1; "), "{text}");

    let mut script = Script::default();
    script.step(0, 0);
    assert_eq!(refusal(&project, &script), "a frame came before hello");

    let text = "aé".to_owned();
    let whole = payload(&imu, vec![Datum::Array(vec![1.0, 2.0, 3.0].into()), Datum::String(text)]);
    for cut in 0..whole.len() {
        let mut script = Script::hello(&spec);
        script.input(0, 5, &whole[..cut]);
        script.step(0, 5);
        let text = refusal_after_ready(&project, &script);
        assert!(text.starts_with("input imu: "), "{text}");
        assert!(text.contains("can't decode") || text.contains("00 01"), "{text}");
    }
    for (bytes, expected) in [
        ([&whole[..], &[0; 4]].concat(), "4 bytes follow the last field"),
        ([&whole[..], &[1]].concat(), "1 bytes follow the last field"),
        ([&[0, 0], &whole[2..]].concat(), "payload is not little-endian CDR"),
    ] {
        let mut script = Script::hello(&spec);
        script.input(0, 5, &bytes);
        let text = refusal_after_ready(&project, &script);
        assert!(text.contains(expected), "{text}");
    }
    let mut script = Script::hello(&spec);
    script.input(0, 5, &[&whole[..], &[0; 3]].concat());
    script.step(0, 5);
    project.run(&script).ended_well();

    let mut script = Script::hello(&spec);
    script.input(1, 5, &whole);
    assert_eq!(refusal_after_ready(&project, &script), "there is no input port 1");
    let mut script = Script::hello(&spec);
    script.0.extend([1, 0, 0, 0, 77]);
    assert_eq!(refusal_after_ready(&project, &script), "frames of kind 77 are not known");
    let mut script = Script::hello(&spec);
    script.0.truncate(header - 1);
    assert_eq!(refusal(&project, &script), "the input ends inside a frame");
}

#[test]
fn cpp_refuses_what_it_was_not_made_for() {
    refuses_what_it_was_not_made_for(Language::Cpp);
}

#[test]
fn rust_refuses_what_it_was_not_made_for() {
    refuses_what_it_was_not_made_for(Language::Rust);
}

#[test]
fn python_refuses_what_it_was_not_made_for() {
    refuses_what_it_was_not_made_for(Language::Python);
}

#[test]
fn as_generated_it_builds_and_fails_at_every_tick() {
    for spec in [trial::spec(), with_config()] {
        for language in Language::ALL {
            let project = Project::new(&spec, language, &[]);
            let mut script = Script::hello(&spec);
            for tick in 0..3 {
                script.step(tick, 0);
            }
            script.bye();
            let said = project.run(&script);
            said.ended_well();
            assert_eq!(said.done(), [0, 1, 2]);
            let errors = said.errors();
            assert_eq!(errors.len(), 3);
            for (tick, text) in errors {
                assert!(tick < 3 && text.contains("not written yet: fill in step() in"), "{text}");
            }
        }
    }
}

/// A component whose names are all taken by something.
fn with_config() -> ComponentSpec {
    let schema = |name: &str, text: &str| Schema::parse(name, text).unwrap();
    let port = |name: &str, schema: Schema| lk_compile::PortSpec {
        name: name.to_owned(),
        key: name.to_owned(),
        schema,
    };
    let input = schema(
        "std/msg/Component",
        "uint8 NAN=1\nuint8 OVERFLOW=2\nuint8 class\nbool tick\nInputs type\nNone[<=2] None\n\
         string<=3 self\nfloat64 EOF inf\n===\nMSG: std/Inputs\nint8 int\n===\nMSG: std/None\n\
         float64[40] list\nbytes bytes\n===\nMSG: std/bytes\n",
    );
    let value = schema("namespace/msg/String", "float64[<=1] gain [0.5]\nstring[] class [\"x\"]");
    let value = value.with_optional_fields(&["namespace/msg/String.gain"]).unwrap();
    ComponentSpec {
        name: "namespace".into(),
        description: Some("Says */ \"\"\" and\n\n\\ things.".into()),
        inputs: vec![port("tick", input.clone()), port("in", input), port("fresh", value.clone())],
        outputs: vec![port("class", value.clone()), port("fn", value.clone())],
        states: vec![port("time_ns", value.clone())],
        config: Some(lk_compile::ConfigSpec { value: Value::default_of(&value), schema: value }),
    }
}

#[test]
fn renamed_members_are_documented() {
    let files = generate(&with_config(), Language::Cpp).unwrap();
    let types = &files[0].contents;
    for line in [
        "struct Component_ {",
        "  std::uint8_t class_ = 0;  // `class`",
        "  static constexpr std::uint8_t OVERFLOW_ = 2;  // `OVERFLOW`",
        "  ::lk::Input<Component_> tick_;  // `tick`",
        "  std::optional<double> gain = 0.5;",
    ] {
        assert!(types.lines().any(|l| l == line), "{line:?} is not in\n{types}");
    }
}

#[test]
fn a_message_longer_than_every_buffer_goes_through() {
    let blob = Schema::parse("echo/msg/Blob", "uint8[] bytes\nfloat64[] numbers").unwrap();
    let port =
        lk_compile::PortSpec { name: "blob".into(), key: "blob".into(), schema: blob.clone() };
    let spec = echo::spec(vec![port], None);
    let bytes: Vec<u8> = (0..3_000_001_u32).map(|i| i.to_le_bytes()[1]).collect();
    let numbers: Vec<f64> = (0..100_000).map(f64::from).collect();
    let long = payload(&blob, vec![Datum::Array(bytes.into()), Datum::Array(numbers.into())]);
    let short =
        payload(&blob, vec![Datum::Array(vec![1_u8].into()), Datum::Array(vec![2.0].into())]);
    let sent = [&short, &long, &short, &long, &long, &short];
    let mut script = Script::hello(&spec);
    for (tick, payload) in (0..).zip(sent) {
        script.input(0, 0, payload);
        script.step(tick, 0);
    }
    for language in Language::ALL {
        let project = Project::new(&spec, language, &echo::files(&spec, language));
        let said = project.run_target("component:Component", &script, 100_003);
        said.ended_well();
        let outputs = said.outputs();
        assert_eq!(outputs.len(), sent.len());
        for ((_, _, is), should) in outputs.iter().zip(sent) {
            assert!(is == should, "{language} changed a payload of {} bytes", should.len());
        }
    }
}
