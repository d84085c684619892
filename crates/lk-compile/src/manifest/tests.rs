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
    let policy = serde_json::to_value(lk::diff::Policy::default()).unwrap();
    let known = properties["tolerance"]["properties"].as_object().unwrap();
    for key in policy.as_object().unwrap().keys() {
        assert!(known.contains_key(key), "{key} of the policy");
    }
    assert_eq!(known.len(), policy.as_object().unwrap().len());
    assert_eq!(properties["inputs"]["additionalProperties"]["$ref"], "#/$defs/PortEntry");
}

/// A folder with MINIMAL plus `more`, and these files in `msg/`.
fn folder(more: &str, files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(FILE_NAME), format!("{MINIMAL}{more}")).unwrap();
    for (name, text) in files {
        let path = folder.path().join("msg").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

const CONFIG: &str = "[config]\ntype = \"attitude_filter/Config\"\n";

#[test]
fn types_come_from_the_msg_folder_and_from_ros() {
    let folder = folder(
        "[state]\nbias = \"geometry_msgs/Vector3\"\n",
        &[
            ("Imu.msg", "std_msgs/Header header\nother/Part part\n"),
            ("other/Part.msg", "float64 x\n"),
            ("attitude_filter/msg/Attitude.msg", "float64[4] q\n"),
            // Of the component's own package: it doesn't shadow std_msgs.
            ("Header.msg", "bool wrong\n"),
        ],
    );
    let component = Manifest::load(folder.path()).unwrap().component().unwrap();
    assert_eq!(component.name, "attitude_filter");
    assert_eq!(component.inputs[0].name, "imu");
    assert_eq!(component.inputs[0].schema.name(), "attitude_filter/msg/Imu");
    let text = component.inputs[0].schema.to_msg_text();
    assert!(text.contains("frame_id") && text.contains("float64 x"), "{text}");
    assert!(!text.contains("wrong"), "{text}");
    assert_eq!(component.outputs[0].schema.root().fields.len(), 1);
    assert_eq!(component.states[0].schema.name(), "geometry_msgs/msg/Vector3");
    assert_eq!(
        component.outgoing().map(|p| p.name.as_str()).collect::<Vec<_>>(),
        ["attitude", "bias"]
    );
    assert_eq!(component.config, None);
}

#[test]
fn types_that_the_msg_folder_lacks_come_from_the_inputs() {
    let folder = folder(
        "[data]\ninputs = \"in.mcap\"\n",
        &[("Attitude.msg", "attitude_filter/Part part\n")],
    );
    let manifest = Manifest::load(folder.path()).unwrap();
    let error = manifest.component().unwrap_err();
    assert!(error.to_string().contains("attitude_filter/msg/Imu of inputs.imu"), "{error}");

    let text = "float64[<=1] rate\nattitude_filter/Part part\n\
                ================\nMSG: attitude_filter/Part\nbool ok\n";
    let schema = lk::Schema::parse("attitude_filter/msg/Imu", text).unwrap();
    let mut inputs = lk::Dataset::create(manifest.inputs_path().unwrap()).unwrap();
    let channel = lk::dataset::Channel {
        key: "/imu".into(),
        encoding: lk::dataset::Encoding::Cdr(schema.clone()),
        role: lk::dataset::Role::None,
        metadata: BTreeMap::new(),
    };
    inputs.add_channel(channel).unwrap();
    inputs.close().unwrap();
    let component = manifest.component().unwrap();
    assert_eq!(component.inputs[0].schema, schema);
    // A nested type of the inputs serves a file of msg/, too.
    assert!(component.outputs[0].schema.to_msg_text().contains("bool ok"));
}

#[test]
fn a_type_that_is_nowhere_is_named_with_the_file_to_write() {
    let folder = folder("", &[("Imu.msg", "float64 x\n")]);
    let error = Manifest::load(folder.path()).unwrap().component().unwrap_err();
    let message = error.to_string();
    let expected = "type attitude_filter/msg/Attitude of outputs.attitude is not defined (";
    assert!(message.starts_with(expected) && message.ends_with(", line 9)"), "{message}");
    let hint = error.hint().unwrap();
    assert!(hint.contains("msg/Attitude.msg"), "{hint}");
}

#[test]
fn a_type_that_is_wrong_is_named_with_its_port() {
    let folder = folder("", &[("Imu.msg", "flaot64 x\n"), ("Attitude.msg", "float64 x\n")]);
    let error = Manifest::load(folder.path()).unwrap().component().unwrap_err();
    assert_eq!(error.to_string(), "type attitude_filter/msg/Imu of inputs.imu");
    assert!(std::error::Error::source(&error).is_some());
}

#[test]
fn a_type_without_package_is_refused() {
    let text = MINIMAL.replace("\"attitude_filter/Imu\"", "\"Imu\"");
    let error = parse(&text).unwrap().component().unwrap_err();
    assert_eq!(
        error.to_string(),
        "\"Imu\" is not of the form `package/Type` (here/lk.toml, line 6)"
    );
    assert!(error.hint().unwrap().contains("attitude_filter/Imu"));
}

#[test]
fn the_config_takes_defaults_from_its_type_and_refuses_what_doesnt_fit() {
    let files = [
        ("Imu.msg", "float64 x\n"),
        ("Attitude.msg", "float64 x\n"),
        ("Config.msg", "float64 gain 0.25\nint32 n 3\n"),
    ];
    let load = |values: &str| {
        let folder = folder(&format!("{CONFIG}values = {values}\n"), &files);
        Manifest::load(folder.path()).unwrap().component()
    };
    let config = load("{ n = 7 }").unwrap().config.unwrap();
    assert_eq!(config.value.scalar("gain"), Some(lk::value::Scalar::Float64(0.25)));
    assert_eq!(config.value.scalar("n"), Some(lk::value::Scalar::Int(7)));

    let message = load("{ gian = 1.0 }").unwrap_err().to_string();
    assert!(message.contains("gian") && message.contains("line 12"), "{message}");
    let message = load("{ n = \"many\" }").unwrap_err().to_string();
    assert!(message.contains("field n: expected int32"), "{message}");
}

#[test]
fn the_tolerance_is_a_policy_and_an_unknown_key_in_it_is_refused() {
    let manifest = parse(&format!("{MINIMAL}[tolerance]\nrules = [\"1e-9\"]\n")).unwrap();
    assert_eq!(manifest.file.tolerance, lk::diff::Policy::parse_rules(&["1e-9"]).unwrap());
    let (message, hint) = complaint("[tolerance]\nruels = [\"1e-9\"]\n");
    assert_eq!(message, "unknown key `ruels` (here/lk.toml, line 11)");
    assert_eq!(hint.as_deref(), Some("did you mean `rules`?"));
    let (message, _) = complaint("[tolerance]\ntimestamp_tol = \"-1ms\"\n");
    assert!(message.contains("negative") && message.contains("line 11"), "{message}");
}

#[test]
fn a_scope_that_verify_does_not_heed_is_refused() {
    let (message, hint) = complaint("[tolerance]\nscope = \"all\"\n");
    assert!(message.contains("has no effect in verify"), "{message}");
    assert!(message.contains("line 11"), "{message}");
    assert!(hint.unwrap().contains("leave `scope` out"));
    parse(&format!("{MINIMAL}[tolerance]\nscope = \"outputs\"\n")).unwrap();
}

const DISTRIBUTED: &[(&str, &str)] =
    &[("Imu.msg", "geometry_msgs/Vector3 gyro\nfloat64[] ranges\n"), ("Attitude.msg", "bool x\n")];

/// The distribution of the input port, with `more` at the end of `lk.toml`.
fn distribution(more: &str) -> Result<lk::dist::DataDist> {
    let folder = folder(more, DISTRIBUTED);
    let manifest = Manifest::load(folder.path())?;
    manifest.distribution(&manifest.component()?.inputs[0], None)
}

#[test]
fn distributions_are_read_by_port_and_field() {
    let mut imu = distribution(
        "[distributions.imu]\ngyro.x = { uniform = [-1, 1] }\n\"gyro.y\" = 2\n\
         gyro.z = { constant = nan }\nranges = { normal = { mean = 5, std = 1 }, len = [2, 4] }\n",
    )
    .unwrap();
    let message = imu.sample();
    assert_eq!(message.scalar("gyro.y"), Some(lk::value::Scalar::Float64(2.0)));
    assert!(message.get("gyro.z").unwrap().as_f64().unwrap().is_nan());
    assert!(imu.contains(&message));
    assert!(distribution("[distributions.imu]\nfill = \"default\"\n").is_ok());
}

#[test]
fn a_distribution_that_makes_no_sense_is_named_with_port_field_and_line() {
    let complaint = |more: &str| {
        let error = distribution(more).expect_err("should be refused");
        (error.to_string(), error.hint().unwrap_or_default())
    };
    let (message, hint) = complaint("");
    assert!(message.starts_with("input port imu can't be sampled: it has no distribution (/"));
    assert!(hint.contains("`[distributions.imu]` with a line for each field (gyro, ranges)"));

    let (message, hint) = complaint("[distributions.imu]\ngyro.x = 1\ngyro.y = 1\n");
    let expected =
        "distribution of port imu: field gyro.z can't be sampled: it has no distribution";
    assert!(message.starts_with(expected) && message.ends_with("line 11)"), "{message}");
    assert!(hint.contains("`gyro.z = { uniform = [-1.0, 1.0] }`"), "{hint}");

    for (line, expected) in [
        ("ranges = { uniform = [0, true], len = 1 }", "expected a number, got true"),
        ("ranges = { unifrom = [0, 1], len = 1 }", "there is no distribution `unifrom`"),
        ("ranges = { uniform = [0, 1] }", "it has no number of elements"),
        ("gyro.w = 3", "there is no such field"),
        ("ranges = [1, 2]", "it has no number of elements"),
    ] {
        let rest = "gyro.x = 1\ngyro.y = 1\ngyro.z = 1\n";
        let (message, _) = complaint(&format!("[distributions.imu]\n{rest}{line}\n"));
        assert!(message.contains(expected), "{message}");
        let line = if line.starts_with("ranges") { "line 14)" } else { "line 11)" };
        assert!(message.ends_with(line) || message.ends_with("line 14)"), "{message}");
    }
    let (message, hint) = complaint("[distributions.imo]\nx = 1\n");
    assert!(message.contains("distributions of imo, which is no input"), "{message}");
    assert_eq!(hint, "did you mean `imu`?");
}

#[test]
fn a_candidate_without_a_name_is_refused() {
    let (message, _) = complaint("[candidates.\"\"]\nrun = [\"./port\"]\n");
    assert!(message.contains("candidate name \"\" can't name a file"), "{message}");
}
