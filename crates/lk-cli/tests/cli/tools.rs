//! `lk filter`, `lk merge`, `lk recover`, `lk doctor`.

use std::fs;

use crate::fixture::{Folder, doubler};

/// The first third of the inputs: a file that ends within its one chunk.
fn cut(folder: &Folder) {
    let bytes = fs::read(folder.path().join("inputs.mcap")).expect("readable");
    fs::write(folder.path().join("cut.mcap"), &bytes[..bytes.len() / 3]).expect("writable");
}

#[test]
fn filter_keeps_some_keys_and_some_time_as_they_are() {
    let folder = doubler("");
    let filter = ["filter", "inputs.mcap", "part.mcap", "--start", "2", "--end", "5.5"];
    let ran = folder.lk(&filter).expect(0);
    assert_eq!(ran.stdout, "part.mcap: 3 messages of 20\n");
    let cat = folder.lk(&["cat", "part.mcap", "--format", "csv"]).expect(0).stdout;
    let rows: Vec<&str> = cat.lines().skip(1).collect();
    assert_eq!(rows.len(), 3, "{cat}");
    assert!(rows[0] == "2500000000,2.25", "{cat}");
    folder.lk(&["info", "part.mcap"]).expect(0).shows(&["doubler/msg/Number", "input"]);
    folder.lk(&filter).expect_mistake(&["file exists", "part.mcap"]);
    folder.lk(&["filter", "inputs.mcap", "inputs.mcap", "--force"]).expect_mistake(&["both"]);
    folder
        .lk(&["filter", "inputs.mcap", "none.mcap", "--exclude", "y"])
        .expect_mistake(&["no key matches y", "hint: its keys are x"]);
    folder
        .lk(&["filter", "inputs.mcap", "none.mcap", "--exclude", "*"])
        .expect_mistake(&["no key is left"]);
    assert!(!folder.path().join("none.mcap").exists());
}

#[test]
fn merge_takes_parts_together_again() {
    let folder = doubler("");
    let part = |name: &str, range: [&str; 2]| {
        folder.lk(&["filter", "inputs.mcap", name, range[0], range[1]]).expect(0);
    };
    part("early.mcap", ["--end", "10"]);
    part("late.mcap", ["--start", "10"]);
    folder
        .lk(&["merge", "early.mcap", "late.mcap", "-o", "all.mcap"])
        .expect_mistake(&["key x is in early.mcap and in late.mcap", "hint: --join"]);
    let merge = ["merge", "late.mcap", "early.mcap", "-o", "all.mcap", "--join"];
    let ran = folder.lk(&merge).expect(0).says(&["note: sequence numbers"]);
    assert_eq!(ran.stdout, "all.mcap: 20 messages\n");
    folder.lk(&["diff", "inputs.mcap", "all.mcap"]).expect(0).shows(&["identical"]);
    folder
        .lk(&["merge", "late.mcap", "early.mcap", "-o", "two.mcap", "--prefix"])
        .expect(0)
        .shows(&["20 messages"]);
    folder.lk(&["info", "two.mcap"]).expect(0).shows(&["early/x", "late/x"]);
    folder.lk(&["merge", "late.mcap", "-o", "one.mcap"]).expect(2);
}

#[test]
fn recover_writes_what_is_whole_and_says_what_is_not() {
    let folder = doubler("");
    cut(&folder);
    let before = fs::read(folder.path().join("cut.mcap")).expect("readable");
    let ran = folder.lk(&["recover", "cut.mcap", "saved.mcap"]).expect(0);
    let ran = ran.says(&["warning: cut.mcap: "]).shows(&["saved.mcap: ", " recovered, "]);
    assert!(ran.stdout.contains("lost"), "{}", ran.stdout);
    assert_eq!(fs::read(folder.path().join("cut.mcap")).expect("readable"), before);
    // The new file is whole, and doesn't hide that it once was more.
    folder.lk(&["info", "saved.mcap", "--check"]).expect(0).shows(&["lost_samples", "lost_reason"]);
    let ran = folder.lk(&["recover", "inputs.mcap", "same.mcap"]).expect(0);
    assert_eq!(ran.stdout, "same.mcap: 20 messages recovered, nothing was lost\n");
    folder.lk(&["diff", "inputs.mcap", "same.mcap"]).expect(0).shows(&["identical"]);
}

#[test]
fn doctor_names_what_is_odd_and_the_exit_code_tells_of_loss() {
    let folder = doubler("");
    folder.lk(&["doctor", "inputs.mcap"]).expect(0).shows(&["20 messages", "nothing odd"]);
    cut(&folder);
    folder.lk(&["doctor", "cut.mcap"]).expect(2).shows(&["problem", "hint: `lk recover`"]);
    folder.write("gap.csv", "t,v\n0,1\n1,2\n2,nan\n3,4\n4,5\n5,6\n6,7\n7,8\n8,9\n90,10\n");
    folder.lk(&["convert", "gap.csv", "gap.mcap", "--time-unit", "s"]).expect(0);
    let ran = folder.lk(&["doctor", "gap.mcap"]).expect(0);
    let ran = ran.shows(&["a gap of 82", "v is NaN once", "no key has a role"]);
    assert!(!ran.stdout.contains("nothing odd"));
    let json = folder.lk(&["doctor", "gap.mcap", "--json"]).expect(0).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["findings"][0]["severity"], "warning");
    Folder::new().lk(&["doctor", "no.mcap"]).expect_mistake(&["no.mcap", "No such file"]);
}

#[test]
fn a_refusal_names_the_output_that_was_asked_for() {
    let folder = doubler("");
    folder.write("early.ndjson", "{\"key\":\"x\",\"time_ns\":-5,\"value\":{\"a\":1}}\n");
    let refused = ["before zero", "(out.mcap)"];
    folder.lk(&["convert", "early.ndjson", "out.mcap"]).expect_mistake(&refused);
    folder.lk(&["filter", "inputs.mcap", "out.txt"]).expect_mistake(&["(out.txt)"]);
}
