//! What `metadata.yaml` says of a recording.

use std::str::FromStr;

use super::yaml::Node;

/// The newest form that is known; it changed with ROS 2 Jazzy.
pub(super) const VERSION: u32 = 9;

/// What `metadata.yaml` says, in any of its forms; nothing of it is believed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Metadata {
    pub(super) version: Option<u32>,
    /// In the order of recording, as they are written.
    pub(super) files: Vec<String>,
    pub(super) start_ns: Option<i64>,
    pub(super) duration_ns: Option<i64>,
    pub(super) messages: Option<u64>,
    /// Messages by file, where that is said (from version 5 on).
    pub(super) messages_by_file: Vec<(String, u64)>,
    pub(super) topics: Vec<Topic>,
    /// `FILE`, `MESSAGE`, `NONE` or nothing, in any case.
    pub(super) compression_mode: String,
    /// `zstd`, or nothing.
    pub(super) compression_format: String,
    /// Numbers that are none, a phrase each.
    pub(super) unread: Vec<String>,
}

/// What it says of a topic.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Topic {
    pub(super) name: String,
    pub(super) type_name: String,
    pub(super) messages: Option<u64>,
    /// The profiles as data: text that holds YAML, up to version 8.
    pub(super) qos: Option<Node>,
}

impl Metadata {
    /// A phrase where the text is not what rosbag2 writes.
    pub(super) fn parse(text: &str) -> Result<Metadata, String> {
        let document = Node::parse(text)?;
        let Some(root) = document.get("rosbag2_bagfile_information") else {
            return Err("it has no rosbag2_bagfile_information".to_owned());
        };
        let text = |key: &str| {
            root.get(key).and_then(Node::text).filter(|text| !is_null(text)).unwrap_or_default()
        };
        let mut unread = Vec::new();
        let nanos =
            |key: &str, inner: &str| Some((format!("{key}.{inner}"), root.get(key)?.get(inner)?));
        let start_ns = number(nanos("starting_time", "nanoseconds_since_epoch"), &mut unread);
        let duration_ns = number(nanos("duration", "nanoseconds"), &mut unread);
        let plain = |key: &str| Some((key.to_owned(), root.get(key)?));
        let version = number(plain("version"), &mut unread);
        let messages = number(plain("message_count"), &mut unread);
        let list = |key: &str| root.get(key).map_or(&[][..], Node::list);
        let mut messages_by_file = Vec::new();
        for file in list("files") {
            let Some(path) = file.get("path").and_then(Node::text) else { continue };
            let count = file.get("message_count");
            let count = count.map(|node| (format!("message_count of {path}"), node));
            messages_by_file
                .extend(number(count, &mut unread).map(|count| (path.to_owned(), count)));
        }
        let topics = list("topics_with_message_count").iter();
        let topics = topics.filter_map(|node| topic(node, &mut unread)).collect();
        let files = list("relative_file_paths").iter().map(|node| match node.text() {
            Some(path) => Ok(path.to_owned()),
            None => Err("one of relative_file_paths is no text".to_owned()),
        });
        Ok(Metadata {
            version,
            files: files.collect::<Result<_, _>>()?,
            start_ns,
            duration_ns,
            messages,
            messages_by_file,
            topics,
            compression_mode: text("compression_mode").to_owned(),
            compression_format: text("compression_format").to_owned(),
            unread,
        })
    }
}

impl Metadata {
    /// Whether each payload is compressed for itself, rather than whole files
    /// or nothing.
    pub(super) fn compresses_messages(&self) -> bool {
        self.compression_mode.eq_ignore_ascii_case("message")
    }
}

/// A number by its name; one that is none is taken down, since nothing can be
/// held against it.
fn number<T: FromStr>(named: Option<(String, &Node)>, unread: &mut Vec<String>) -> Option<T> {
    let (name, node) = named?;
    let number = node.number();
    if number.is_none() && !node.text().is_some_and(|text| text.is_empty() || is_null(text)) {
        let what = node.text().map_or("a list or a map".to_owned(), |text| format!("`{text}`"));
        unread.push(format!("{name} is {what}, which is no number that it can be"));
    }
    number
}

/// Topics without a name say nothing.
fn topic(node: &Node, unread: &mut Vec<String>) -> Option<Topic> {
    let about = node.get("topic_metadata")?;
    let text = |key: &str| about.get(key).and_then(Node::text).map(str::to_owned);
    let name = text("name")?;
    let count = node.get("message_count").map(|node| (format!("message_count of {name}"), node));
    Some(Topic {
        name,
        type_name: text("type").unwrap_or_default(),
        messages: number(count, unread),
        qos: about.get("offered_qos_profiles").and_then(qos),
    })
}

/// Profiles as data; `None` where there are none.
fn qos(node: &Node) -> Option<Node> {
    match node {
        Node::Text(text) => qos_of_text(text),
        Node::List(profiles) if profiles.is_empty() => None,
        other => Some(named(other.clone())),
    }
}

/// Policies by name, as from version 9 on; before, they were numbers of
/// ROS 2's `rmw/types.h`.
fn named(node: Node) -> Node {
    const NAMES: [(&str, [&str; 5]); 4] = [
        ("history", ["system_default", "keep_last", "keep_all", "unknown", ""]),
        ("reliability", ["system_default", "reliable", "best_effort", "unknown", "best_available"]),
        (
            "durability",
            ["system_default", "transient_local", "volatile", "unknown", "best_available"],
        ),
        ("liveliness", ["system_default", "automatic", "", "manual_by_topic", "unknown"]),
    ];
    let policy = |key: &str, node: Node| {
        let names = NAMES.iter().find(|(policy, _)| *policy == key).map(|(_, names)| names);
        let name = names.zip(node.number::<usize>()).and_then(|(names, n)| names.get(n));
        match name.filter(|name| !name.is_empty()) {
            Some(name) => Node::Text((*name).to_owned()),
            None => node,
        }
    };
    match node {
        Node::List(nodes) => Node::List(nodes.into_iter().map(named).collect()),
        Node::Map(entries) => {
            let named = entries.into_iter().map(|(key, node)| {
                let node = policy(&key, node);
                (key, node)
            });
            Node::Map(named.collect())
        }
        text => text,
    }
}

/// Profiles as the files of a recording have them, which is a text.
pub(super) fn qos_of_text(text: &str) -> Option<Node> {
    if text.trim().is_empty() {
        return None;
    }
    match Node::parse(text) {
        Ok(Node::List(profiles)) if profiles.is_empty() => None,
        Ok(node) => Some(named(node)),
        // Compared as it is.
        Err(_) => Some(Node::Text(text.to_owned())),
    }
}

fn is_null(text: &str) -> bool {
    matches!(text, "~" | "null")
}
