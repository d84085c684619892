//! What a Python component may be, and what it may return.

use lk::codec::Plan;
use lk::value::{Datum, Record};
use lk::{Schema, Value};
use lk_compile::scaffold::Language;
use lk_compile::{ComponentSpec, ConfigSpec, PortSpec};

use crate::conversation::Script;
use crate::project::Project;

const COMPONENTS: &str = r#"
import types
from collections import namedtuple
from dataclasses import dataclass

from lk_types import *


def function(inputs):
    return Report(inputs.tick, [1.0], Inner("f"))


class Called:
    def __call__(self, inputs):
        return Report(inputs.tick, [1.0], Inner("c"))


class WithConfig:
    def __init__(self, config):
        self.gain = config.gain

    def step(self, inputs):
        return Report(int(self.gain * 10), [], Inner("config"))


class WithAny:
    def __init__(self, settings):
        self.gain = settings.gain

    def step(self, inputs):
        return Report(int(self.gain * 10), [], Inner("any"))


class WithNames:
    def __init__(self, *, gain, size=3):
        self.gain, self.size = gain, size

    def step(self, inputs):
        return Report(int(self.gain * 10), [self.size], Inner("names"))


class Outer:
    class Nested:
        def step(self, inputs):
            return Report(0, [], Inner("nested"))


@dataclass
class Mine:
    n: int
    numbers: tuple
    inner: object


def foreign(inputs):
    return Mine(5, (1, 2), types.SimpleNamespace(text="foreign", unused=1))


def mixed(inputs):
    return {"report": {"n": 6, "numbers": range(2), "inner": Inner("mixed")}}


def message_dict(inputs):
    return {"n": 7, "numbers": [], "inner": {"text": "dict"}}


def several(inputs):
    return [Report(1), (Report(2), inputs.time_ns + 1), {"n": 3, "numbers": [], "inner": {"text": ""}}]


def pair(inputs):
    return Report(8), inputs.time_ns + 2


def nothing(inputs):
    return {"report": None}


def empty(inputs):
    return []


# What is refused.
def number(inputs):
    return 5


def unknown_field(inputs):
    return {"n": 7, "numbers": [], "inner": {"text": "", "txet": ""}}


def missing_field(inputs):
    return {"n": 7, "inner": {"text": ""}}


def missing_attribute(inputs):
    return Mine(5, (), types.SimpleNamespace(tex="x"))


def float_for_int(inputs):
    return Report(1.5, [], Inner())


def too_large(inputs):
    return Report(2**31, [], Inner())


def text_in_numbers(inputs):
    return Report(0, [1.0, "2"], Inner())


def none_for_number(inputs):
    return Report(None, [], Inner())


def single_for_several(inputs):
    return Report(1, 2.0, Inner())


def bytes_for_text(inputs):
    return Report(1, [], Inner(b"x"))


def wrong_port(inputs):
    return [{"reprot": Report()}]


class NoStep:
    pass


class Broken:
    def __init__(self):
        raise RuntimeError("no luck")


class Unfitting:
    def __init__(self, gain, other):
        pass
"#;

fn spec() -> ComponentSpec {
    let port = |name: &str, ty: &str, text: &str| PortSpec {
        name: name.to_owned(),
        key: name.to_owned(),
        schema: Schema::parse(&format!("forms/msg/{ty}"), text).unwrap(),
    };
    let report = "int32 n\nfloat64[] numbers\nInner inner\n===\nMSG: forms/Inner\nstring text";
    let config = Schema::parse("forms/msg/Config", "float64 gain 0.5\nint32 size 4").unwrap();
    ComponentSpec {
        name: "forms".to_owned(),
        description: None,
        inputs: vec![port("input", "Input", "float64 x")],
        outputs: vec![port("report", "Report", report)],
        states: vec![],
        config: Some(ConfigSpec { value: Value::default_of(&config), schema: config }),
    }
}

/// Time in nanoseconds, and the fields of a report.
type Report<'a> = (i64, i32, &'a [f64], &'a str);

fn value(spec: &ComponentSpec, n: i32, numbers: &[f64], text: &str) -> Vec<u8> {
    let schema = &spec.outputs[0].schema;
    let inner = Record { fields: vec![Datum::String(text.to_owned())] };
    let fields = vec![Datum::Int32(n), Datum::Array(numbers.to_vec().into()), Datum::Record(inner)];
    let value = Value::new(schema.clone(), Record { fields }).unwrap();
    Plan::new(schema).encode(&value).unwrap()
}

#[test]
fn components_of_every_form_are_taken() {
    let spec = spec();
    let project = Project::new(&spec, Language::Python, &[("forms.py", COMPONENTS.to_owned())]);
    let mut script = Script::hello(&spec);
    script.step(0, 100);
    script.bye();
    let said = |name: &str| project.run_target(&format!("forms:{name}"), &script, usize::MAX);

    let cases: [(&str, &[Report<'_>]); 13] = [
        ("function", &[(100, 0, &[1.0], "f")]),
        ("Called", &[(100, 0, &[1.0], "c")]),
        ("WithConfig", &[(100, 5, &[], "config")]),
        ("WithAny", &[(100, 5, &[], "any")]),
        ("WithNames", &[(100, 5, &[4.0], "names")]),
        ("Outer.Nested", &[(100, 0, &[], "nested")]),
        ("foreign", &[(100, 5, &[1.0, 2.0], "foreign")]),
        ("mixed", &[(100, 6, &[0.0, 1.0], "mixed")]),
        ("message_dict", &[(100, 7, &[], "dict")]),
        ("several", &[(100, 1, &[], ""), (101, 2, &[], ""), (100, 3, &[], "")]),
        ("pair", &[(102, 8, &[], "")]),
        ("nothing", &[]),
        ("empty", &[]),
    ];
    for (name, expected) in cases {
        let said = said(name);
        assert_eq!(said.ended_well().errors(), [], "{name}");
        let expected: Vec<_> = expected
            .iter()
            .map(|(time, n, numbers, text)| (*time, value(&spec, *n, numbers, text)))
            .collect();
        let outputs: Vec<_> =
            said.outputs().into_iter().map(|(_, time, bytes)| (time, bytes.to_vec())).collect();
        assert_eq!(outputs, expected, "{name}");
    }

    for (name, expected) in [
        ("number", "TypeError: output report: expected a Report, got 5"),
        ("unknown_field", "TypeError: output report.inner: Inner has no field 'txet'"),
        ("missing_field", "TypeError: output report.numbers is missing"),
        (
            "missing_attribute",
            "TypeError: output report.inner.text: SimpleNamespace has no such attribute",
        ),
        ("float_for_int", "TypeError: output report.n: 1.5 is no int32"),
        ("too_large", "TypeError: output report.n: 2147483648 is no int32"),
        ("text_in_numbers", "TypeError: output report.numbers[1]: '2' is no float64"),
        ("none_for_number", "TypeError: output report.n: None is no int32"),
        (
            "single_for_several",
            "TypeError: output report.numbers: expected several elements, got 2.0",
        ),
        ("bytes_for_text", "TypeError: output report.inner.text: expected a str, got b'x'"),
        ("wrong_port", "TypeError: output report: Report has no field 'reprot'"),
    ] {
        let said = said(name);
        assert_eq!(said.ended_well().errors(), [(0, expected.to_owned())]);
        assert_eq!((said.outputs().len(), said.done()), (0, vec![0]));
    }

    for (target, expected) in [
        ("forms:NoStep", "NoStep has neither a method `step` nor `__call__`"),
        ("forms:Broken", "constructing Broken failed: RuntimeError: no luck"),
        ("forms:Unfitting", "constructing Unfitting failed: TypeError: "),
        ("forms:Absent", "can't import forms:Absent: AttributeError: "),
        ("absent:X", "can't import absent:X: ModuleNotFoundError: No module named 'absent'"),
        ("forms", "'forms' names no component; write it as module:Name"),
        ("forms:COMPONENT.x", "can't import forms:COMPONENT.x: AttributeError: "),
    ] {
        let said = project.run_target(target, &script, usize::MAX);
        assert_eq!(said.status.code(), Some(3));
        let errors = said.errors();
        assert!(errors[0].1.starts_with(expected), "{errors:?}");
        assert_eq!((errors.len(), said.answers.len()), (1, 1));
    }
}
