//! Python's own pickle reads what lk writes, and lk what Python writes.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use super::{at, json, rich_schema, rich_values};
use crate::dataset::Dataset;
use crate::{Schema, Time, Value};

/// Runs a script; `None`, with a note, where there is no Python.
#[track_caller]
fn python(script: &str, path: &Path) -> Option<String> {
    let named = std::env::var_os("LK_TEST_PYTHON");
    let program = named.unwrap_or_else(|| OsString::from("python3"));
    let output = match Command::new(&program).arg("-c").arg(script).arg(path).output() {
        Ok(output) => output,
        Err(e) => {
            let required = std::env::var_os("LK_REQUIRE_TOOLS").is_some_and(|v| v == "1");
            assert!(!required, "{}: {e}", program.display());
            eprintln!("skipped: can't start {}: {e}", program.display());
            return None;
        }
    };
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    Some(String::from_utf8(output.stdout).unwrap().trim().to_owned())
}

#[track_caller]
fn check_key(dataset: &Dataset, key: &str, type_name: &str, expected: &[&str]) {
    let view = dataset.channel(key).unwrap();
    let values: Vec<Value> = view.values().unwrap().map(|value| value.unwrap().1).collect();
    assert_eq!(values[0].schema().name(), type_name, "{key}");
    assert_eq!(values.iter().map(json).collect::<Vec<_>>(), expected, "{key}");
}

#[test]
fn plain_data_of_every_protocol_is_read() {
    let script = r#"
import pickle, sys, dataclasses
sys.modules["shop"] = type(sys)("shop")
@dataclasses.dataclass
class Inner:
    n: int
@dataclasses.dataclass
class Pose:
    x: float
    inner: Inner
    names: list
@dataclasses.dataclass(slots=True)
class Slots:
    a: int
for cls in (Inner, Pose, Slots):
    cls.__module__ = "shop"; setattr(sys.modules["shop"], cls.__name__, cls)
def key(*values):
    return {"data": list(values), "timestamps": [0.5 * i for i in range(len(values))]}
data = {
    "f": key(1, 2.5), "i": key(-5, 2**62), "u": key(2**64 - 1), "s": key("ä", ""),
    "b": key(True, False), "l": key([1, 2], [3.5]), "t": key((1.0, 2.0)),
    "set": key({3, 1, 2}), "fs": key(frozenset([2, 1])), "by": key(b"\x00\xff", b""),
    "ba": key(bytearray(b"\x01")), "d": key({"a": 1, "b": {"c": [1.5]}}, {"a": 2, "b": {"c": []}}),
    "o": key(Pose(1.5, Inner(3), ["x"])), "sl": key(Slots(4)),
    "int times": {"data": [1], "timestamps": [7]},
}
pickle.dump(data, open(sys.argv[1] , "wb"), protocol=PROTOCOL)
"#;
    let folder = tempfile::tempdir().unwrap();
    for protocol in 2..=5 {
        let path = folder.path().join(format!("{protocol}.pkl"));
        let script = script.replace("PROTOCOL", &protocol.to_string());
        let Some(_) = python(&script, &path) else { return };
        let dataset = Dataset::open(&path).unwrap();
        let check = |key, name: &str, expected: &[&str]| {
            check_key(&dataset, key, &format!("lk/msg/{name}"), expected);
        };
        check("f", "Float64", &[r#"{"data":1.0}"#, r#"{"data":2.5}"#]);
        check("i", "Int64", &[r#"{"data":-5}"#, r#"{"data":4611686018427387904}"#]);
        check("u", "Uint64", &[r#"{"data":18446744073709551615}"#]);
        check("s", "String", &[r#"{"data":"ä"}"#, r#"{"data":""}"#]);
        check("b", "Bool", &[r#"{"data":true}"#, r#"{"data":false}"#]);
        check("l", "Float64Array", &[r#"{"data":[1.0,2.0]}"#, r#"{"data":[3.5]}"#]);
        check("t", "Float64Array", &[r#"{"data":[1.0,2.0]}"#]);
        check("set", "Int64Array", &[r#"{"data":[1,2,3]}"#]);
        check("fs", "Int64Array", &[r#"{"data":[1,2]}"#]);
        check("by", "Uint8Array", &[r#"{"data":[0,255]}"#, r#"{"data":[]}"#]);
        check("ba", "Uint8Array", &[r#"{"data":[1]}"#]);
        check("d", "D", &[r#"{"a":1,"b":{"c":[1.5]}}"#, r#"{"a":2,"b":{"c":[]}}"#]);
        check("o", "Pose", &[r#"{"x":1.5,"inner":{"n":3},"names":["x"]}"#]);
        check("sl", "Slots", &[r#"{"a":4}"#]);
        assert_eq!(dataset.timestamps("f").unwrap(), [Time::ZERO, at(500_000_000)]);
        assert_eq!(dataset.timestamps("int times").unwrap(), [at(7_000_000_000)]);
    }
}

#[test]
fn numpy_arrays_and_scalars_of_every_protocol_are_read() {
    let script = r#"
import pickle, sys
try:
    import numpy as np
except ImportError:
    print("no numpy"); sys.exit()
def key(*values):
    return {"data": list(values), "timestamps": np.arange(len(values)) * 0.5}
a = np.arange(6.0).reshape(2, 3)
data = {
    "a": key(a, a[:1]), "f": key(np.asfortranarray(a)), "strided": key(a[:, ::2]),
    "big": key(a[0].astype(">f8")), "i": key(np.array([1, 2]), np.array([0.5])),
    "u1": key(np.array([1, 255], dtype=np.uint8)), "bool": key(np.array([True, False])),
    "f4": key(np.array([0.5], dtype=np.float32)), "zero": key(np.array(7.0)),
    "empty": key(np.zeros((0, 3))), "sf": key(np.float64(1.5), 2), "si": key(np.int32(-3)),
    "sb": key(np.bool_(True)), "d": key({"x": np.array([1.0])}),
}
frozen = np.array([1.0]); frozen.flags.writeable = False
data["frozen"] = key(frozen)
data["int scalars"] = {"data": [1], "timestamps": [np.int64(7)]}
pickle.dump(data, open(sys.argv[1], "wb"), protocol=PROTOCOL)
"#;
    let folder = tempfile::tempdir().unwrap();
    for protocol in 2..=5 {
        let path = folder.path().join(format!("{protocol}.pkl"));
        let script = script.replace("PROTOCOL", &protocol.to_string());
        let Some(said) = python(&script, &path) else { return };
        if said == "no numpy" {
            eprintln!("skipped: the Python has no NumPy");
            return;
        }
        let dataset = Dataset::open(&path).unwrap();
        let check = |key, name: &str, expected: &[&str]| {
            check_key(&dataset, key, &format!("lk/msg/{name}"), expected);
        };
        let all = r#"{"shape":[2,3],"data":[0.0,1.0,2.0,3.0,4.0,5.0]}"#;
        let row = r#"{"shape":[1,3],"data":[0.0,1.0,2.0]}"#;
        check("a", "Float64NdArray", &[all, row]);
        check("f", "Float64NdArray", &[all]);
        check("strided", "Float64NdArray", &[r#"{"shape":[2,2],"data":[0.0,2.0,3.0,5.0]}"#]);
        check("big", "Float64NdArray", &[r#"{"shape":[3],"data":[0.0,1.0,2.0]}"#]);
        let both = [r#"{"shape":[2],"data":[1.0,2.0]}"#, r#"{"shape":[1],"data":[0.5]}"#];
        check("i", "Float64NdArray", &both);
        check("u1", "Uint8NdArray", &[r#"{"shape":[2],"data":[1,255]}"#]);
        check("bool", "BoolNdArray", &[r#"{"shape":[2],"data":[true,false]}"#]);
        check("f4", "Float32NdArray", &[r#"{"shape":[1],"data":[0.5]}"#]);
        check("zero", "Float64NdArray", &[r#"{"shape":[],"data":[7.0]}"#]);
        check("empty", "Float64NdArray", &[r#"{"shape":[0,3],"data":[]}"#]);
        check("sf", "Float64", &[r#"{"data":1.5}"#, r#"{"data":2.0}"#]);
        check("si", "Int32", &[r#"{"data":-3}"#]);
        check("sb", "Bool", &[r#"{"data":true}"#]);
        check("d", "D", &[r#"{"x":{"shape":[1],"data":[1.0]}}"#]);
        check("frozen", "Float64NdArray", &[r#"{"shape":[1],"data":[1.0]}"#]);
        assert_eq!(dataset.timestamps("a").unwrap(), [Time::ZERO, at(500_000_000)]);
        assert_eq!(dataset.timestamps("int scalars").unwrap(), [at(7_000_000_000)]);
    }
}

#[test]
fn python_reads_what_lk_writes_as_plain_data() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.pkl");
    let mut file = Dataset::create(&path).unwrap();
    for (n, value) in rich_values(&rich_schema()).iter().enumerate() {
        file.write_value("/rich", value, at(n as i64 * 250_000_000)).unwrap();
    }
    let number = Schema::parse("lk/msg/Float64", "float64 data").unwrap();
    for n in 0..2500 {
        let mut value = Value::default_of(&number);
        value.set("data", f64::from(n)).unwrap();
        file.write_value("number", &value, at(i64::from(n) * 1_000_000_000)).unwrap();
    }
    let matrix = Schema::parse("lk/msg/Int8NdArray", "uint32[] shape\nint8[] data").unwrap();
    let matrix = super::value(&matrix, r#"{"shape": [2, 2], "data": [1, -2, 3, 4]}"#);
    file.write_value("matrix", &matrix, at(0)).unwrap();
    file.close().unwrap();
    let script = r#"
import pickle, struct, sys, math
data = pickle.load(open(sys.argv[1], "rb"))
assert list(data) == ["/rich", "number", "matrix"], list(data)
assert all(list(series) == ["data", "timestamps"] for series in data.values())
assert data["/rich"]["timestamps"] == [0.0, 0.25]
zero, rich = data["/rich"]["data"]
assert math.isnan(rich.pop("j"))
single = struct.unpack("f", struct.pack("f", 1.1))[0]
assert math.copysign(1, rich["fixed"][0]) == -1
assert rich == {"yes": True, "raw": 255, "a": -128, "b": 255, "c": -32768, "d": 65535,
    "e": -2**31, "f": 2**32 - 1, "g": -2**63, "h": 2**64 - 1, "i": single, "s": "hä \0",
    "w": "\U0001f600", "fixed": [-0.0, math.inf, 5e-324], "names": ["", "x"],
    "blob": b"\x00\x80\xff", "inner": {"n": 1}, "many": [{"n": 2}, {"n": 3}],
    "maybe": {"n": 4}}, rich
assert zero["maybe"] is None and zero["inner"] == {"n": 0} and zero["blob"] == b""
assert data["number"] == {"data": [float(n) for n in range(2500)],
    "timestamps": [float(n) for n in range(2500)]}
assert data["matrix"] == {"data": [[[1, -2], [3, 4]]], "timestamps": [0.0]}
# Written again by Python it is read by inference.
del data["/rich"]
pickle.dump(data, open(sys.argv[1], "wb"))
"#;
    let Some(_) = python(script, &path) else { return };
    let again = Dataset::open(&path).unwrap();
    assert_eq!(again.channel("number").unwrap().stats().unwrap().count, 2500);
    check_key(
        &again,
        "matrix",
        "lk/msg/Int64ArrayArray",
        &[r#"{"data":[{"data":[1,-2]},{"data":[3,4]}]}"#],
    );
    assert!(!again.integrity().verified);
}
