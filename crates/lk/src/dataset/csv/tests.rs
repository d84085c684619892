use std::path::{Path, PathBuf};

use super::*;
use crate::Schema;
use crate::dataset::Dataset;
use crate::time::Time;
use crate::value::{Datum, Value};

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

fn options() -> ImportOptions {
    ImportOptions { key: "table".to_owned(), ..ImportOptions::default() }
}

fn read(text: &str, options: &ImportOptions) -> (Dataset, Import) {
    let file = file(text);
    let mut dataset = Dataset::memory();
    let imported = import(file.path(), &mut dataset, options).unwrap();
    (dataset, imported)
}

/// The error without the name of the file, which is a temporary one.
fn error(text: &str, options: &ImportOptions) -> String {
    let file = file(text);
    let error = import(file.path(), &mut Dataset::memory(), options).unwrap_err();
    error.to_string().replace(&file.path().display().to_string(), "FILE")
}

fn values(dataset: &Dataset) -> Vec<(i64, Value)> {
    let values = dataset.channel("table").unwrap().values().unwrap();
    values.map(|item| item.map(|(time, value)| (time.as_nanos(), value)).unwrap()).collect()
}

fn as_csv(dataset: &Dataset) -> String {
    let mut out = Vec::new();
    export(dataset.channel("table").unwrap(), &mut out, "memory").unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn types_and_names_are_inferred() {
    let text = "Time (s),Speed (m/s),n,big,ok,name,pose.x,pose.y\n\
                0,1.5,-3,18446744073709551615,true,é,1,2.5\n\
                0.000000001,2,4,0,False,\"a,b\",1,2.5\n";
    let (dataset, imported) = read(text, &options());
    assert_eq!((imported.rows, imported.unit, imported.out_of_order), (2, TimeUnit::Seconds, 0));
    assert_eq!(
        imported.schema.to_msg_text(),
        Schema::parse(
            "lk/msg/Table",
            "float64 speed_m_s\nint64 n\nuint64 big\nbool ok\nstring name\nlk/TablePose pose\n\
             ===\nMSG: lk/TablePose\nint64 x\nfloat64 y"
        )
        .unwrap()
        .to_msg_text()
    );
    let values = values(&dataset);
    assert_eq!(values[1].0, 1);
    assert_eq!(values[1].1.get("big").unwrap().as_u64(), Some(0));
    assert_eq!(values[0].1.get("big").unwrap().as_u64(), Some(u64::MAX));
    assert_eq!(values[1].1.get("name").unwrap().as_str(), Some("a,b"));
    assert_eq!(values[0].1.get("pose.y").unwrap().as_f64(), Some(2.5));
}

#[test]
fn a_given_type_takes_columns_by_path_by_name_and_by_mapping() {
    let schema = Schema::parse(
        "demo/msg/Table",
        "float32 gyro_x\ngeometry_msgs/Point at\nint8[2] codes\nfloat64 gain 0.5",
    )
    .unwrap();
    let options = ImportOptions {
        schema: Some(schema),
        columns: [("height".to_owned(), "at.z".to_owned())].into(),
        ignore: vec!["note".to_owned()],
        ..options()
    };
    let text = "note;t_ms;Gyro X;at.x;at.y;height;codes[0];codes[1]\nhi;-1.5;0.1;1;2;3;-4;5\n";
    let (dataset, imported) = read(text, &options);
    assert_eq!(imported.columns.len(), 6);
    let values = values(&dataset);
    assert_eq!(values[0].0, -1_500_000);
    assert_eq!(
        values[0].1.to_string(),
        "{gyro_x: 0.1, at: {x: 1.0, y: 2.0, z: 3.0}, codes: [-4, 5], gain: 0.5}"
    );
}

#[test]
fn what_does_not_fit_is_named() {
    let schema = |text| Some(Schema::parse("demo/msg/T", text).unwrap());
    let with = |text| ImportOptions { schema: schema(text), ..options() };
    for (text, options, expected) in [
        (
            "t_s,x\n0,1\n1\n",
            options(),
            "the row has 1 cells where the header has 2 (line 3 of FILE)",
        ),
        (
            "t_s,x\n0,1\nsoon,2\n",
            options(),
            "\"soon\" is not a time in s (column t_s, line 3 of FILE)",
        ),
        (
            "t_s,x\n0,1.5m\n",
            with("float64 x"),
            "\"1.5m\" is not a float64 (column x, line 2 of FILE)",
        ),
        ("t_s,x\n0,300\n", with("uint8 x"), "\"300\" is not a uint8 (column x, line 2 of FILE)"),
        ("t_s,x\n0,1.0\n", with("int32 x"), "\"1.0\" is not an int32 (column x, line 2 of FILE)"),
        (
            "t_s,x\n0,\n",
            with("float64 x"),
            "an empty cell is not a float64 (column x, line 2 of FILE)",
        ),
        (
            "t_s,x\n0,äöü\n",
            with("string<=5 x"),
            "\"äöü\" is not text of at most 5 bytes (column x, line 2 of FILE)",
        ),
        (
            "t_s,x\n0,1\n",
            with("float64 y"),
            "demo/msg/T has no field for it (column x, line 1 of FILE)",
        ),
        (
            "t_s,x\n0,1\n",
            with("float64 x\nfloat64 y"),
            "no column goes to y of demo/msg/T (line 1 of FILE)",
        ),
        (
            "t_s,X,x\n0,1,1\n",
            with("float64 x"),
            "it and column X both go to field x (column x, line 1 of FILE)",
        ),
        (
            "t_s,x\n0,1\n",
            with("float64[] x"),
            "demo/msg/T is no type for a table: the length of x, a float64[], varies (line 1 of FILE)",
        ),
        (
            "a,b\n0,1\n",
            options(),
            "no column is named as one of times; which of a, b is it? (line 1 of FILE)",
        ),
        (
            "1,2\n0,1\n",
            options(),
            "the first line holds numbers, not column names (line 1 of FILE)",
        ),
        ("", options(), "the file has no header line (line 1 of FILE)"),
        (
            "t_s,x,x\n0,1,2\n",
            options(),
            "another column goes to field x already (column x, line 1 of FILE)",
        ),
        (
            "time,x\n0,1\n20,2\n",
            options(),
            "neither the header nor the size of the times tells their unit: give the unit, one of s, ms, us and ns (column time, line 2 of FILE)",
        ),
    ] {
        assert_eq!(error(text, &options), expected);
    }
}

#[test]
fn a_stray_cell_does_not_turn_numbers_into_text() {
    let mut text = "t_s,x\n".to_owned();
    for n in 0..20 {
        text += &format!("{n},{}\n", if n == 13 { "n/a".to_owned() } else { n.to_string() });
    }
    assert_eq!(
        error(&text, &options()),
        "\"n/a\" is not a number, as 19 of 20 cells are; give a type if the column is text \
         (column x, line 15 of FILE)"
    );
}

#[test]
fn integers_that_a_float_would_round_are_refused_unless_asked_for() {
    let reason = "would be rounded as a float64, which is what the cells of the column have in \
                  common; give a type with an int64, uint64 or string field, or with a float64 \
                  if it may be rounded";
    for text in
        ["9007199254740993", "-9007199254740993", "18446744073709551615", "+0900719925474099300"]
    {
        let table = format!("t_s,x\n0,-0.5\n1,{text}\n");
        let expected = format!("{text:?} {reason} (column x, line 3 of FILE)");
        assert_eq!(error(&table, &options()), expected);
    }
    assert_eq!(
        error("t_s,x\n0,18446744073709551615\n1,-1\n", &options()),
        format!("\"18446744073709551615\" {reason} (column x, line 2 of FILE)")
    );
    let given = ImportOptions {
        schema: Some(Schema::parse("demo/msg/T", "float64 x").unwrap()),
        ..options()
    };
    for (text, options) in [
        ("9007199254740992", &options()),
        ("18446744073709551616", &options()),
        ("100000000000000000000", &options()),
        ("9007199254740993", &given),
    ] {
        let (dataset, _) = read(&format!("t_s,x\n0,-0.5\n1,{text}\n"), options);
        let x = values(&dataset)[1].1.get("x").unwrap().as_f64();
        assert_eq!(x, Some(text.parse().unwrap()));
    }
}

#[test]
fn numbers_beyond_the_range_of_a_float_are_refused() {
    let with = |text| ImportOptions {
        schema: Some(Schema::parse("demo/msg/T", text).unwrap()),
        ..options()
    };
    for (text, options, name) in [
        ("1e999", options(), "float64"),
        ("-1e999", options(), "float64"),
        ("1e-999", options(), "float64"),
        ("-0.01E-999", with("float64 x"), "float64"),
        ("1e39", with("float32 x"), "float32"),
        ("1e-50", with("float32 x"), "float32"),
    ] {
        let table = format!("t_s,x\n0,0.5\n1,{text}\n");
        let expected = format!("{text:?} is not in the range of {name} (column x, line 3 of FILE)");
        assert_eq!(error(&table, &options), expected);
    }
    let (dataset, _) = read("t_s,x\n0,inf\n1,-Infinity\n2,0e-999\n3,-0.0\n4,5e-324\n", &options());
    let floats: Vec<f64> =
        values(&dataset).iter().map(|(_, v)| v.get("x").and_then(Datum::as_f64).unwrap()).collect();
    assert_eq!(floats, [f64::INFINITY, f64::NEG_INFINITY, 0.0, 0.0, 5e-324]);
}

#[test]
fn times_finer_than_a_nanosecond_are_rounded_and_counted() {
    let text = "t_s,x\n0,1\n0.1000000000001,2\n0.200000000000,3\n0.2999999999999,4\n1e-30,5\n";
    let (dataset, imported) = read(text, &options());
    assert_eq!(imported.rounded_times, 3);
    let times: Vec<i64> = values(&dataset).iter().map(|(time, _)| *time).collect();
    assert_eq!(times, [0, 0, 100_000_000, 200_000_000, 300_000_000]);
}

#[test]
fn an_empty_cell_is_nan_on_request() {
    let options = ImportOptions { empty_is_nan: true, ..options() };
    let (dataset, _) = read("t_s,x\n0,1.5\n1,\n", &options);
    assert!(values(&dataset)[1].1.get("x").unwrap().as_f64().unwrap().is_nan());
}

#[test]
fn rows_that_run_back_are_counted_and_read_in_order_of_time() {
    let (dataset, imported) = read("t_s,x\n2,20\n1,10\n1,11\n0,0\n", &options());
    assert_eq!(imported.out_of_order, 2);
    let read: Vec<i64> =
        values(&dataset).iter().map(|(_, v)| v.get("x").and_then(Datum::as_i64).unwrap()).collect();
    assert_eq!(read, [0, 10, 11, 20]);
}

#[test]
fn a_missing_file_is_named() {
    let error = import(Path::new("nowhere.csv"), &mut Dataset::memory(), &options()).unwrap_err();
    assert_eq!(error.to_string(), "can't read nowhere.csv");
}

#[test]
fn what_is_exported_is_imported_to_the_same_bits() {
    let schema = Schema::parse(
        "demo/msg/T",
        "float64 a\nfloat32 b\nint64 c\nuint64 d\nbool e\nstring f\nfloat64[2] g\n\
         geometry_msgs/Point[2] h\nwstring i\nbyte j",
    )
    .unwrap();
    let mut value = Value::default_of(&schema);
    let floats = [f64::MIN_POSITIVE, 5e-324, 1.7976931348623157e308, -0.0, 0.1 + 0.2, f64::NAN];
    let mut dataset = Dataset::memory();
    for (n, float) in floats.into_iter().enumerate() {
        value.set("a", float).unwrap();
        value.set("b", float as f32).unwrap();
        value.set("c", i64::MIN + n as i64).unwrap();
        value.set("d", (1_u64 << 53) + 1 + n as u64).unwrap();
        value.set("e", n % 2 == 0).unwrap();
        value.set("f", format!("{n}, \"quoted\"\nand more ")).unwrap();
        value.set("h[1].z", float).unwrap();
        let time = Time::from_nanos(1_585_866_235_112_411_371 + n as i64);
        dataset.write_value("table", &value, time).unwrap();
    }
    let text = as_csv(&dataset);
    assert!(text.starts_with("time_ns,a,b,c,d,e,f,g[0],g[1],h[0].x,"), "{text}");
    let options = ImportOptions { schema: Some(schema), ..options() };
    let (again, imported) = read(&text, &options);
    assert_eq!((imported.rows, imported.unit), (6, TimeUnit::Nanos));
    assert_eq!(as_csv(&again), text);
    assert_eq!(values(&again), values(&dataset));
}

#[test]
fn a_sequence_has_no_columns() {
    let schema = Schema::parse("demo/msg/T", "geometry_msgs/Point[] points").unwrap();
    let mut dataset = Dataset::memory();
    dataset.write_value("table", &Value::default_of(&schema), Time::ZERO).unwrap();
    let error = export(dataset.channel("table").unwrap(), &mut Vec::new(), "x").unwrap_err();
    assert_eq!(
        error.to_string(),
        "can't write key table as CSV: the length of points, a geometry_msgs/Point[], varies"
    );
    assert_eq!(error.hint().unwrap(), "NDJSON has no such limit");
}

#[test]
fn a_real_table_of_a_sensor_is_read_to_the_nanosecond() {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/imu/sensor_data.csv");
    if !path.is_file() {
        eprintln!("skipped: no {}", path.display());
        return;
    }
    let mut dataset = Dataset::memory();
    let imported = import(&path, &mut dataset, &options()).unwrap();
    assert_eq!((imported.rows, imported.out_of_order), (13_514, 0));
    assert_eq!((imported.time.as_str(), imported.unit), ("Time (s)", TimeUnit::Seconds));
    let names: Vec<&str> = imported.columns.iter().map(|(_, field)| field.as_str()).collect();
    assert_eq!(
        names[..4],
        ["gyroscope_x_deg_s", "gyroscope_y_deg_s", "gyroscope_z_deg_s", "accelerometer_x_g"]
    );
    let values = values(&dataset);
    // Its second row: 0.010078907,0.01654156,...
    assert_eq!(values[1].0, 10_078_907);
    assert_eq!(values[1].1.get("gyroscope_x_deg_s").unwrap().as_f64(), Some(0.01654156));
}
