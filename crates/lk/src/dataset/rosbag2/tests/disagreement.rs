//! What `metadata.yaml` says and the folder doesn't hold, and the reverse.

use super::*;

/// A folder of two files, `bag_0.mcap` and `bag_1.mcap`, with two messages of
/// `/a` and one of `/b`, from 10 to 30 ns, described by `text`.
fn described(text: &str) -> tempfile::TempDir {
    let folder = folder(&[&[("/a", 10, 0), ("/b", 20, 0)], &[("/a", 30, 1)]]);
    write_metadata(folder.path(), text);
    folder
}

/// Opens it, and holds what is said against what is expected.
#[track_caller]
fn check(text: &str, problems: &[&str], notes: &[&str]) {
    let folder = described(text);
    let mut dataset = Dataset::open(folder.path()).unwrap();
    assert_eq!(all(&dataset), items(&[("/a", 10, 0), ("/b", 20, 0), ("/a", 30, 1)]));
    let integrity = dataset.integrity();
    assert_eq!(
        (&integrity.problems[..], &integrity.notes[..]),
        (&strings(problems)[..], &strings(notes)[..])
    );
    assert_eq!(dataset.check().unwrap(), integrity);
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

const FILES: [&str; 2] = ["bag_0.mcap", "bag_1.mcap"];

fn topic(name: &str, type_name: &str, count: u32) -> String {
    format!(
        "    - topic_metadata:\n        name: {name}\n        type: {type_name}\n        \
         offered_qos_profiles: ''\n      message_count: {count}\n"
    )
}

fn topics(a: u32, b: u32) -> String {
    let topics = [topic("/a", "demo/msg/Text", a), topic("/b", "demo/msg/Text", b)].concat();
    format!("  topics_with_message_count:\n{topics}")
}

#[test]
fn where_all_agree_nothing_is_said() {
    let start = "  starting_time:\n    nanoseconds_since_epoch: 10\n";
    let duration = "  duration:\n    nanoseconds: 20\n";
    let by_file = "  files:\n    - path: bag_0.mcap\n      message_count: 2\n";
    let more = [start, duration, "  message_count: 3\n", &topics(2, 1), by_file].concat();
    check(&metadata(&FILES, &more), &[], &[]);
    // As Jazzy writes it.
    check(&metadata(&FILES, &more).replace("version: 4", "version: 9"), &[], &[]);
}

#[test]
fn fewer_messages_than_counted_is_a_problem_and_more_is_not() {
    check(
        &metadata(&FILES, &format!("  message_count: 4\n{}", topics(3, 0))),
        &[
            "metadata.yaml counts 4 messages, there are 3",
            "metadata.yaml counts 3 messages of /a, there are 2",
        ],
        &["metadata.yaml counts 0 messages of /b, there are 1"],
    );
    let by_file = "  files:\n    - path: bag/bag_1.mcap\n      message_count: 2\n";
    check(
        &metadata(&FILES, &(topics(2, 1) + by_file)),
        &["metadata.yaml counts 2 messages in bag_1.mcap, there are 1"],
        &[],
    );
}

#[test]
fn a_count_that_is_no_number_is_said_and_not_passed_over() {
    let start = "  starting_time:\n    nanoseconds_since_epoch: soon\n";
    let by_file = "  files:\n    - path: bag_0.mcap\n      message_count: -2\n";
    let topics = topics(2, 1).replace("message_count: 2", "message_count: 0x2");
    let more = [start, "  message_count: 99999999999999999999\n", &topics, by_file].concat();
    let is = |name: &str, what: &str| {
        format!("metadata.yaml: {name} is {what}, which is no number that it can be")
    };
    let notes = [
        is("starting_time.nanoseconds_since_epoch", "`soon`"),
        is("message_count", "`99999999999999999999`"),
        is("message_count of bag_0.mcap", "`-2`"),
        is("message_count of /a", "`0x2`"),
    ];
    check(&metadata(&FILES, &more), &[], &notes.each_ref().map(String::as_str));
    let nothing = "  message_count: ~\n  duration:\n    nanoseconds: ''\n";
    check(&metadata(&FILES, &(self::topics(2, 1) + nothing)), &[], &[]);
}

#[test]
fn messages_that_are_counted_and_not_there_may_be_lost() {
    let integrity = |counted| {
        let folder = described(&metadata(&FILES, &format!("  message_count: {counted}\n")));
        Dataset::open(folder.path()).unwrap().integrity()
    };
    assert_eq!(integrity(4).lost_samples, None);
    assert_eq!(integrity(3).lost_samples, Some(0));
    assert_eq!(integrity(2).lost_samples, Some(0));
}

#[test]
fn a_file_that_cannot_be_read_keeps_the_others_readable_and_is_told() {
    let folder = described(&metadata(&FILES, ""));
    std::fs::write(folder.path().join(FILES[1]), "").unwrap();
    let dataset = Dataset::open(folder.path()).unwrap();
    assert_eq!(all(&dataset), items(&[("/a", 10, 0), ("/b", 20, 0)]));
    let integrity = dataset.integrity();
    assert_eq!(integrity.lost_samples, None);
    let problem = &integrity.problems[0];
    assert!(problem.contains("it is empty") && problem.contains(FILES[1]), "{problem}");
    std::fs::write(folder.path().join(FILES[0]), "").unwrap();
    let error = Dataset::open(folder.path()).map(drop).unwrap_err().to_string();
    assert!(error.contains("it is empty") && error.contains(FILES[0]), "{error}");
}

#[test]
fn times_types_and_topics_that_disagree_are_said() {
    let more = "  starting_time:\n    nanoseconds_since_epoch: 2623\n  duration:\n    \
                nanoseconds: 411\n  topics_with_message_count:\n";
    let topics = [topic("/a", "demo/msg/Other", 2), topic("/c", "demo/msg/Text", 0)].concat();
    check(
        &metadata(&FILES, &(more.to_owned() + &topics)),
        &[],
        &[
            "metadata.yaml begins at 0.000002623 s, the first message is at 0.000000010 s",
            "metadata.yaml is 411 ns long, the messages span 20 ns",
            "metadata.yaml says that /a is demo/msg/Other, it is demo/msg/Text",
            "metadata.yaml doesn't list /b",
        ],
    );
}

#[test]
fn without_metadata_files_are_told_by_their_names() {
    let folder = described("");
    std::fs::remove_file(folder.path().join(METADATA)).unwrap();
    write_part(&folder.path().join("bag_10.mcap"), &[("/a", 50, 3)]);
    write_part(&folder.path().join("bag_2.mcap"), &[("/a", 50, 2)]);
    let dataset = Dataset::open(folder.path()).unwrap();
    assert_eq!(all(&dataset)[3..], items(&[("/a", 50, 2), ("/a", 50, 3)]));
    let integrity = dataset.integrity();
    assert_eq!(
        (&integrity.problems[..], &integrity.notes[..]),
        (&[][..], &strings(&["there is no metadata.yaml"])[..])
    );
}

#[test]
fn metadata_that_cannot_be_read_is_a_problem_and_the_files_are_read() {
    let unreadable = |reason: &str| {
        format!("metadata.yaml can't be read: {reason}; its files are told by their names")
    };
    check("a: b", &[&unreadable("it has no rosbag2_bagfile_information")], &[]);
    let bomb = "a: &a [1, 1]\nb: &b [*a, *a]\nrosbag2_bagfile_information: [*b, *b]\n";
    check(bomb, &[&unreadable("aliases are not read (line 2)")], &[]);
    check(&" ".repeat(17 << 20), &[&unreadable("it is larger than 16777216 bytes")], &[]);
    let folder = described("");
    std::fs::write(folder.path().join(METADATA), b"\xff\xfe").unwrap();
    let problems = Dataset::open(folder.path()).unwrap().integrity().problems;
    assert_eq!(problems, [unreadable("it is not text")]);
}

#[test]
fn a_missing_file_is_a_problem_and_one_that_is_not_listed_is_told() {
    let unlisted = described(&metadata(&["bag_0.mcap", "bag_7.mcap"], ""));
    write_part(&unlisted.path().join("other.mcap"), &[("/x", 1, 0)]);
    let integrity = Dataset::open(unlisted.path()).unwrap().integrity();
    assert_eq!(integrity.problems, ["bag_7.mcap is listed in metadata.yaml and missing"]);
    assert_eq!(integrity.lost_samples, None, "nobody can tell how many");
    assert_eq!(
        integrity.notes[..2],
        [
            "bag_1.mcap is read, though metadata.yaml doesn't list it",
            "other.mcap is left out, since metadata.yaml doesn't list it",
        ]
    );

    // Files that were renamed.
    let renamed = described(&metadata(&["gone.mcap"], &topics(2, 1)));
    let dataset = Dataset::open(renamed.path()).unwrap();
    assert_eq!(dataset.len().unwrap(), 3);
    assert_eq!(dataset.integrity().problems, ["gone.mcap is listed in metadata.yaml and missing"]);
    assert_eq!(dataset.integrity().notes.len(), 2);

    let none = tempfile::tempdir().unwrap();
    write_metadata(none.path(), &metadata(&["gone.mcap"], ""));
    let error = Dataset::open(none.path()).unwrap_err();
    assert!(error.to_string().contains("none of the files that metadata.yaml lists"), "{error}");
}

#[test]
fn a_path_stays_in_the_folder() {
    // Up to version 3 paths began with the folder's name.
    check(&metadata(&["bag/bag_0.mcap", "bag/bag_1.mcap"], &topics(2, 1)), &[], &[]);
    let escaping = described(&metadata(&["../../bag_0.mcap", "/etc/passwd"], &topics(2, 1)));
    let integrity = Dataset::open(escaping.path()).unwrap().integrity();
    assert_eq!(integrity.problems, ["/etc/passwd is listed in metadata.yaml and missing"]);
    assert!(integrity.notes[0].contains("of which only bag_0.mcap in this folder is read"));
}
