use super::*;

const MINIMAL: &str = r#"
[component]
name = "attitude_filter"

[inputs]
imu = "attitude_filter/Imu"

[outputs]
attitude = "attitude_filter/Attitude"
"#;

fn parse(text: &str) -> Result<Manifest> {
    Manifest::parse(text.to_owned(), PathBuf::from("here/lk.toml"))
}

/// What is said of MINIMAL with `more` after it: message and hint.
fn complaint(more: &str) -> (String, Option<String>) {
    complaint_about(&format!("{MINIMAL}{more}"))
}

fn complaint_about(text: &str) -> (String, Option<String>) {
    let error = parse(text).expect_err("should be refused");
    (error.to_string(), error.hint())
}

#[test]
fn everything_that_can_be_said_is_read() {
    let manifest = parse(
        r#"
        [component]
        name = "attitude_filter"
        description = "Estimates attitude."
        [inputs]
        z_imu = { type = "attitude_filter/Imu", key = "/imu/data" }
        a_mag = "attitude_filter/msg/Mag"
        [outputs]
        attitude = "attitude_filter/Attitude"
        [state]
        bias = "geometry_msgs/Vector3"
        [config]
        type = "attitude_filter/Config"
        values = { gain = 0.5 }
        [tick]
        on = ["z_imu"]
        [data]
        inputs = "inputs.mcap"
        seed = 7
        [reference]
        dir = "python"
        run = ["python3", "lk_harness.py"]
        scaffold = "python"
        [candidates.rust]
        run = ["./target/release/attitude_filter"]
        build = ["cargo", "build"]
        default = false
        [candidates.cpp]
        dir = "cpp"
        run = ["./build/attitude_filter"]
        limits = { tick_s = 0.5 }
        [tolerance]
        rules = ["1e-9"]
        "#,
    )
    .unwrap();
    let file = &manifest.file;
    assert_eq!(file.inputs.keys().collect::<Vec<_>>(), ["z_imu", "a_mag"], "in written order");
    assert_eq!(file.inputs["z_imu"].key("z_imu"), "/imu/data");
    assert_eq!(file.inputs["a_mag"].key("a_mag"), "a_mag");
    assert_eq!(file.tick.on, Some(TickOn::Ports(vec!["z_imu".into()])));
    assert_eq!(file.candidates.keys().collect::<Vec<_>>(), ["rust", "cpp"]);
    assert!(!file.candidates["rust"].default && file.candidates["cpp"].default);
    let limits = LimitsTable { start_s: 30.0, tick_s: 0.5, build_s: 600.0 };
    assert_eq!(file.candidates["cpp"].limits, limits);
    assert_eq!(manifest.seed(), 7);
    assert_eq!(manifest.inputs_path().unwrap(), Path::new("here/inputs.mcap"));
    assert_eq!(file.reference.as_ref().unwrap().scaffold, Some(Language::Python));
}

#[test]
fn an_unknown_key_is_refused_with_its_line_and_a_suggestion() {
    let (message, hint) = complaint("[candidates.cpp]\nrun = [\"x\"]\nbiuld = [\"make\"]\n");
    assert_eq!(message, "unknown key `biuld` (here/lk.toml, line 12)");
    assert_eq!(hint.as_deref(), Some("did you mean `build`?"));

    let (message, hint) = complaint("[referense]\nrun = [\"x\"]\n");
    assert_eq!(message, "unknown key `referense` (here/lk.toml, line 10)");
    assert_eq!(hint.as_deref(), Some("did you mean `reference`?"));

    let (message, hint) = complaint("[tick]\nevery = 3\n");
    assert_eq!(message, "unknown key `every` (here/lk.toml, line 11)");
    assert_eq!(hint.as_deref(), Some("known here: `on`, `rate_hz`"));

    let text = MINIMAL.replace(
        "\"attitude_filter/Attitude\"",
        "{ type = \"attitude_filter/Attitude\", kye = \"a\" }",
    );
    let (message, hint) = complaint_about(&text);
    assert_eq!(message, "unknown key `kye` (here/lk.toml, line 9)");
    assert_eq!(hint.as_deref(), Some("did you mean `key`?"));
}

#[test]
fn what_cannot_be_is_refused_at_its_line() {
    let cases: &[(&str, &str)] = &[
        ("[tick]\non = [\"imo\"]\n", "tick on `imo`, which is no input (here/lk.toml, line 11)"),
        ("[tick]\non = []\n", "tick on no port at all (here/lk.toml, line 11)"),
        (
            "[tick]\non = \"any\"\nrate_hz = 3\n",
            "`on` and `rate_hz` exclude each other (here/lk.toml, line 12)",
        ),
        (
            "[tick]\nrate_hz = 0.0\n",
            "rate_hz = 0 is not between 1e-6 and 1e9 (here/lk.toml, line 11)",
        ),
        (
            "[reference]\ndir = \"x\"\n",
            "the reference is neither a program nor a recording (here/lk.toml, line 10)",
        ),
        (
            "[reference]\nrun = [\"x\"]\nrecording = \"r.mcap\"\n",
            "the reference is a program (`run`) and a recording (here/lk.toml, line 10)",
        ),
        ("[candidates.a]\nrun = []\n", "`run` of candidate a is empty (here/lk.toml, line 11)"),
        ("[candidates.a]\ndir = \"a\"\n", "missing key `run` (here/lk.toml, line 10)"),
        (
            "[candidates.a]\nrun = [\"x\"]\nlimits = { tick_s = nan }\n",
            "limit tick_s = NaN is no time to wait, in seconds (here/lk.toml, line 12)",
        ),
        (
            "[state]\nangle = { type = \"a/B\", key = \"imu\" }\n",
            "key \"imu\" belongs to both inputs.imu and state.angle (here/lk.toml, line 11)",
        ),
        (
            "[state]\nattitude = { type = \"a/B\", key = \"x\" }\n",
            "attitude is an output and a state (here/lk.toml, line 11)",
        ),
        (
            "[state]\nlk_error = \"a/B\"\n",
            "port lk_error can't have the key \"lk_error\" (here/lk.toml, line 11)",
        ),
        (
            "[state]\n\"a b\" = \"a/B\"\n",
            "port name \"a b\" is not an identifier (here/lk.toml, line 11)",
        ),
    ];
    for (more, expected) in cases {
        assert_eq!(complaint(more).0, *expected);
    }
    let (message, hint) = complaint("[tick]\non = [\"imo\"]\n");
    assert!(message.contains("imo") && hint.as_deref() == Some("did you mean `imu`?"));
}

#[test]
fn a_component_needs_a_name_that_every_language_takes() {
    let (message, _) = complaint_about(&MINIMAL.replace("\"attitude_filter\"", "\"Attitude-F\""));
    assert!(message.starts_with("component name \"Attitude-F\" can't name a package"), "{message}");
}

#[test]
fn broken_toml_is_an_error_with_its_line() {
    let (message, _) = complaint("[tick\n");
    assert!(message.ends_with("(here/lk.toml, line 10)"), "{message}");
}

#[test]
fn a_folder_without_the_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = Manifest::load(folder.path()).unwrap_err();
    assert_eq!(error.to_string(), format!("no lk.toml in {}", folder.path().display()));
    assert!(error.hint().is_some());
}

#[test]
fn the_json_schema_knows_every_table_and_describes_it() {
    let schema = json_schema();
    let properties = schema["properties"].as_object().unwrap();
    for table in ["component", "inputs", "tick", "data", "reference", "candidates", "tolerance"] {
        assert!(properties.contains_key(table), "{table}");
    }
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(properties["inputs"]["additionalProperties"]["$ref"], "#/$defs/PortEntry");
}
