//! `lk info`, `lk cat`, `lk convert`: reading and writing files.

use crate::fixture::{Folder, Ran, doubler};
use crate::usage::cut_off;

#[test]
fn a_missing_file_is_named_with_the_cause() {
    let folder = Folder::new();
    for args in [&["info", "no.mcap"][..], &["cat", "no.mcap"], &["diff", "no.mcap", "no.mcap"]] {
        folder.lk(args).expect_mistake(&["no.mcap", "caused by: No such file or directory"]);
    }
    folder
        .lk(&["convert", "no.csv", "out.mcap", "--time", "t"])
        .expect_mistake(&["no.csv", "No such file"]);
}

#[test]
fn a_wrong_extension_is_named_with_the_right_ones() {
    let folder = Folder::new();
    folder.write("data.xlsx", "PK\u{3}\u{4}");
    folder.lk(&["info", "data.xlsx"]).expect_mistake(&["data.xlsx", "zip", "hint: "]);
    folder.lk(&["convert", "data.xlsx", "out.mcap"]).expect_mistake(&[
        "data.xlsx",
        "hint: ",
        ".csv",
        ".ndjson",
    ]);
    folder.write("data.csv", "t,value\n0,1\n");
    folder.lk(&["convert", "data.csv", "out.parquet", "--time", "t"]).expect_mistake(&[
        "out.parquet",
        "hint: ",
        ".mcap",
    ]);
}

#[test]
fn a_file_that_is_not_what_it_is_called_is_named() {
    let folder = Folder::new();
    folder.write("text.mcap", "t,value\n0,1\n");
    folder.lk(&["info", "text.mcap"]).expect_mistake(&[
        "text.mcap",
        "not a dataset",
        "CSV",
        "hint: ",
        "lk convert",
    ]);
}

#[test]
fn info_shows_keys_types_roles_and_times() {
    doubler("").lk(&["info", "inputs.mcap"]).expect(0).shows(&[
        "20 messages",
        "1 key",
        "doubler/msg/Number",
        "input",
        "0.500 s",
        "19.500 s",
    ]);
}

#[test]
fn cat_shows_values_in_three_formats() {
    let folder = doubler("");
    let text = folder.lk(&["cat", "inputs.mcap", "--limit", "2"]).expect(0).stdout;
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(text.lines().nth(1).is_some_and(|l| l.contains("1.500000000") && l.contains("1.25")));

    let cat = ["cat", "inputs.mcap", "--limit", "2", "--format", "ndjson"];
    let ndjson = folder.lk(&cat).expect(0).stdout;
    let second: serde_json::Value =
        serde_json::from_str(ndjson.lines().nth(1).expect("two lines")).expect("JSON");
    assert!(second.to_string().contains("1.25"), "{second}");
    assert!(second.to_string().contains("1500000000"), "{second}");

    let csv = folder.lk(&["cat", "inputs.mcap", "--limit", "2", "--format", "csv"]).expect(0);
    assert_eq!(csv.stdout.lines().count(), 3, "a header and two rows\n{}", csv.stdout);
}

#[test]
fn cat_takes_a_time_range_and_keys() {
    let folder = doubler("");
    let cat = |args: &[&str]| {
        let args: Vec<&str> = ["cat", "inputs.mcap"].iter().chain(args).copied().collect();
        folder.lk(&args)
    };
    assert_eq!(cat(&["--start", "3", "--end", "5"]).expect(0).stdout.lines().count(), 2);
    assert_eq!(cat(&["--key", "x"]).expect(0).stdout.lines().count(), 20);
    cat(&["--key", "y*"]).expect_mistake(&["y*", "hint: ", "x"]);
    cat(&["--start", "noon"]).expect_mistake(&["noon"]);
}

#[test]
fn a_reader_who_leaves_is_no_mistake() {
    let folder = doubler("");
    // More than a pipe holds, so that lk is still writing when it is cut off.
    let rows: String = (0..20_000).map(|n| format!("{n},{n}.25\n")).collect();
    folder.write("many.csv", &("time,value\n".to_owned() + &rows));
    let convert = ["convert", "many.csv", "many.mcap", "--key", "x", "--time-unit", "s"];
    folder.lk(&convert).expect(0);
    for format in ["text", "ndjson", "csv"] {
        let ran = cut_off(folder.command(&["cat", "many.mcap", "--format", format])).expect(0);
        assert_eq!(ran.stderr, "", "{format}");
    }
}

#[test]
fn convert_keeps_every_value_there_and_back() {
    let folder = doubler("");
    folder.lk(&["convert", "inputs.mcap", "out.ndjson"]).expect(0);
    folder.lk(&["convert", "out.ndjson", "back.mcap"]).expect(0);
    folder.lk(&["diff", "inputs.mcap", "back.mcap", "--tol", "exact"]).expect(0);
    folder.lk(&["convert", "inputs.mcap", "out.csv"]).expect(0);
    assert_eq!(folder.read("out.csv").lines().count(), 21);
}

#[test]
fn convert_overwrites_only_by_force() {
    let folder = doubler("");
    let before = folder.read("inputs.csv");
    folder.lk(&["convert", "inputs.mcap", "inputs.csv"]).expect_mistake(&[
        "inputs.csv",
        "hint: ",
        "--force",
    ]);
    assert_eq!(folder.read("inputs.csv"), before);
    folder.lk(&["convert", "inputs.mcap", "inputs.csv", "--force"]).expect(0);
    assert_ne!(folder.read("inputs.csv"), before);
    folder
        .lk(&["convert", "inputs.csv", "./inputs.csv", "--force"])
        .expect_mistake(&["inputs.csv"]);
}

#[test]
fn an_unknown_column_is_named_with_the_known() {
    let folder = doubler("");
    let convert = |args: &[&str]| {
        let args: Vec<&str> =
            ["convert", "inputs.csv", "new.mcap"].iter().chain(args).copied().collect();
        let ran = folder.lk(&args);
        assert!(!folder.path().join("new.mcap").exists(), "a mistake leaves no file");
        ran
    };
    convert(&["--time", "time"]).expect_mistake(&["time", "hint: ", "t, value"]);
    convert(&["--time", "t", "--map", "valeu=value"]).expect_mistake(&["valeu"]);
    convert(&["--time", "t", "--map", "nonsense"]).expect_mistake(&["nonsense", "column=field"]);
    folder.write("whole.csv", "t,value\n0,1\n");
    folder
        .lk(&["convert", "whole.csv", "new.mcap", "--time", "t"])
        .expect_mistake(&["column t", "unit", "hint: "]);
    convert(&["--time", "t", "--type", "doubler/Missing", "--msgs", "msg"])
        .expect_mistake(&["doubler/", "Missing"]);
}

#[test]
fn a_folder_that_rosbag2_wrote_is_a_dataset_for_every_command() {
    let folder = doubler("");
    let bag = folder.path().join("bag");
    std::fs::create_dir(&bag).expect("writable");
    std::fs::copy(folder.path().join("inputs.mcap"), bag.join("bag_0.mcap")).expect("writable");
    let said = ["bag: there is no metadata.yaml"];
    folder.lk(&["info", "bag"]).expect(0).shows(&["bag  20 messages", "there is no metadata.yaml"]);
    folder.lk(&["cat", "bag", "-n", "1"]).expect(0).says(&said).shows(&["0.500000000  "]);
    folder.lk(&["diff", "inputs.mcap", "bag"]).expect(0).shows(&["identical"]);
    folder.lk(&["convert", "bag", "out.mcap"]).expect(0).says(&said);
    folder.lk(&["diff", "bag", "out.mcap"]).expect(0).shows(&["identical"]);
}

/// The definitions of a recording that has none, and its payloads as text.
#[test]
fn a_recording_in_sqlite_is_read_by_every_command() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/rosbag2");
    if !std::path::Path::new(root).is_dir() {
        eprintln!("skipped: no {root}");
        return;
    }
    let folder = Folder::new();
    let [mcap, bag] = ["mcap", "sqlite3"].map(|storage| format!("{root}/{storage}/wbag"));
    let common = "std_msgs/msg/String is read as ROS 2 commonly has it";
    folder.lk(&["info", &bag]).expect(0).shows(&["6,074 messages in 8 keys", common, "unverified"]);
    folder.lk(&["cat", &bag, "-n", "1"]).expect(0).shows(&["0.000001000  EEE  {data: "]);
    folder.lk(&["diff", &mcap, &bag]).expect(0).shows(&["identical", "6,074"]);
    folder.write("msgs/std_msgs/String.msg", "string renamed\n");
    folder.lk(&["convert", &bag, "out.mcap", "--msgs", "msgs"]).expect(0);
    folder.lk(&["cat", "out.mcap", "-n", "1"]).expect(0).shows(&["{renamed: "]);
    let one = format!("{bag}/wbag_0.db3");
    folder.lk(&["info", &one]).expect(0).shows(&["wbag_0.db3"]);
}

/// A recording of several chunks.
fn many(folder: &Folder) {
    let rows: String = (0..60_000).map(|n| format!("{n},{n}.25\n")).collect();
    folder.write("many.csv", &("time,value\n".to_owned() + &rows));
    let convert = ["convert", "many.csv", "many.mcap", "--key", "x", "--time-unit", "s"];
    folder.lk(&convert).expect(0);
}

#[test]
fn convert_of_a_damaged_file_warns_and_the_copy_tells_of_it() {
    let folder = Folder::new();
    many(&folder);
    let path = folder.path().join("many.mcap");
    let mut bytes = std::fs::read(&path).expect("readable");
    bytes[5_000] ^= 1;
    std::fs::write(&path, bytes).expect("writable");
    for (copy, says) in [("copy.mcap", true), ("copy.ndjson", true), ("copy.csv", false)] {
        folder.lk(&["convert", "many.mcap", copy]).expect(0).says(&["warning:", "many.mcap: "]);
        if says {
            folder.lk(&["convert", copy, "again.mcap", "--force"]).expect(0);
            let info = folder.lk(&["info", "again.mcap", "--check"]).expect(0);
            info.shows(&["copied from a damaged recording: ", " messages lost", "lost_bytes"]);
        }
    }
    assert!(folder.read("copy.csv").lines().count() > 10_000, "what is whole is there");
}

#[test]
#[cfg(unix)]
fn a_full_disk_is_told_with_the_file_and_leaves_nothing_behind() {
    let folder = Folder::new();
    many(&folder);
    for output in ["out.mcap", "out.pkl", "out.csv", "out.ndjson"] {
        for there in [false, true] {
            if there {
                folder.write(output, "what was there before");
            }
            // Files of at most 8 blocks of 512 bytes, or 1 KiB in some shells;
            // beyond, a write fails as it does on a full disk.
            let ran = std::process::Command::new("sh")
                .args(["-c", "ulimit -f 8; trap '' XFSZ; exec \"$0\" \"$@\""])
                .args([env!("CARGO_BIN_EXE_lk"), "convert", "many.mcap", output, "--force"])
                .current_dir(folder.path())
                .output()
                .expect("a shell");
            let wrote = format!("error: can't write {output}\n");
            Ran::of(ran).expect_mistake(&[&wrote, "caused by: File too large"]);
            let path = folder.path().join(output);
            assert_eq!(path.exists(), there, "{output}");
            assert!(!there || folder.read(output) == "what was there before", "{output}");
        }
    }
    let left = std::fs::read_dir(folder.path()).expect("readable");
    let left: Vec<_> = left.flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left.len(), 6, "{left:?}");
}

#[test]
fn convert_writes_a_folder_for_rosbag2() {
    let folder = doubler("");
    folder
        .lk(&["convert", "inputs.mcap", "bag", "--rosbag2"])
        .expect(0)
        .shows(&["bag: 20 messages"]);
    assert!(folder.path().join("bag/bag_0.mcap").is_file());
    assert!(folder.read("bag/metadata.yaml").contains("message_count: 20"));
    let ran = folder.lk(&["diff", "inputs.mcap", "bag"]).expect(0).shows(&["identical"]);
    assert!(!ran.stdout.contains("metadata.yaml"), "{}", ran.stdout);
    for force in [&[][..], &["--force"]] {
        let args = [&["convert", "inputs.mcap", "bag", "--rosbag2"], force].concat();
        folder.lk(&args).expect_mistake(&["a folder is there already: bag", "hint: "]);
    }
    folder.lk(&["convert", "bag", "inputs.csv", "--force"]).expect(0);
}
