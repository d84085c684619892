//! YAML as plain data, of files that are not trusted.

use saphyr_parser::{Event, Parser};

/// Lists and maps inside each other.
const MAX_DEPTH: usize = 32;

/// Texts, lists and maps in one document. A recording of a thousand topics in
/// a thousand files has some 20,000.
const MAX_NODES: usize = 1 << 18;

/// Keys of one map, each of which is held against the others.
const MAX_KEYS: usize = 1024;

/// A document, or a part of one. Numbers and the like stay text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Node {
    /// The first document of `text`; nothing where there is none.
    ///
    /// Anchors and aliases, by which a short text can stand for a huge
    /// document, are refused: rosbag2 writes none.
    pub(super) fn parse(text: &str) -> Result<Node, String> {
        let mut building = Building::default();
        let mut parser = Parser::new_from_str(text);
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| error.to_string())?;
            let ended = building.take(event);
            match ended.map_err(|reason| format!("{reason} (line {})", span.start.line()))? {
                Some(node) => return Ok(node),
                None => continue,
            }
        }
        Ok(Node::Text(String::new()))
    }

    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        match self {
            Node::Map(entries) => entries.iter().find(|(k, _)| k == key).map(|(_, node)| node),
            _ => None,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The elements of a list; none of anything else.
    pub(super) fn list(&self) -> &[Node] {
        match self {
            Node::List(nodes) => nodes,
            _ => &[],
        }
    }

    /// A whole number.
    pub(super) fn number<T: std::str::FromStr>(&self) -> Option<T> {
        self.text()?.parse().ok()
    }
}

#[derive(Default)]
struct Building {
    around: Vec<Open>,
    nodes: usize,
}

/// A list or map that has begun.
enum Open {
    List(Vec<Node>),
    /// With the key whose value comes next.
    Map(Vec<(String, Node)>, Option<String>),
}

impl Building {
    /// The whole document, once it has ended.
    fn take(&mut self, event: Event<'_>) -> Result<Option<Node>, String> {
        let node = match event {
            Event::Alias(_) => return Err("aliases are not read".to_owned()),
            Event::SequenceStart(..) => return self.open(Open::List(Vec::new())),
            Event::MappingStart(..) => return self.open(Open::Map(Vec::new(), None)),
            Event::Scalar(text, ..) => Node::Text(text.into_owned()),
            Event::SequenceEnd | Event::MappingEnd => match self.around.pop() {
                Some(Open::List(nodes)) => Node::List(nodes),
                Some(Open::Map(entries, _)) => Node::Map(entries),
                None => return Err("a list or map ends that never began".to_owned()),
            },
            _ => return Ok(None),
        };
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(format!("more than {MAX_NODES} texts, lists and maps"));
        }
        match self.around.last_mut() {
            None => return Ok(Some(node)),
            Some(Open::List(nodes)) => nodes.push(node),
            Some(Open::Map(entries, key)) => match (key.take(), node) {
                (Some(key), node) => entries.push((key, node)),
                (None, Node::Text(text)) => {
                    if entries.len() == MAX_KEYS {
                        return Err(format!("a map has more than {MAX_KEYS} keys"));
                    }
                    if entries.iter().any(|(known, _)| *known == text) {
                        return Err(format!("{text} is given twice"));
                    }
                    *key = Some(text);
                }
                (None, _) => return Err("a key is no text".to_owned()),
            },
        }
        Ok(None)
    }

    fn open(&mut self, open: Open) -> Result<Option<Node>, String> {
        if self.around.len() == MAX_DEPTH {
            return Err(format!("more than {MAX_DEPTH} lists and maps inside each other"));
        }
        self.around.push(open);
        Ok(None)
    }
}

/// `text` as YAML that any parser takes for a text.
pub(super) fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            // What YAML calls printable; the rest must be escaped.
            ' '..='\u{7e}'
            | '\u{a0}'..='\u{2027}'
            | '\u{202a}'..='\u{d7ff}'
            | '\u{e000}'..='\u{fefe}'
            | '\u{ff00}'..='\u{fffd}'
            | '\u{10000}'.. => quoted.push(c),
            c => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Node {
        Node::Text(text.to_owned())
    }

    #[test]
    fn lists_maps_and_texts_are_read() {
        let node = Node::parse("a: [1, 'x']\nb:\n  c: ''\n  d: \"- e: 1\\n\"\n").unwrap();
        assert_eq!(node.get("a").unwrap().list(), [text("1"), text("x")]);
        assert_eq!(node.get("a").unwrap().list()[0].number(), Some(1_u8));
        let b = node.get("b").unwrap();
        assert_eq!((b.get("c"), b.get("d")), (Some(&text("")), Some(&text("- e: 1\n"))));
        assert_eq!(Node::parse("").unwrap(), text(""));
    }

    #[track_caller]
    fn refused(yaml: &str, reason: &str) {
        let error = Node::parse(yaml).unwrap_err();
        assert!(error.contains(reason), "{error}");
    }

    #[test]
    fn what_would_fill_memory_or_stack_is_refused() {
        refused("a: &x [1, 2]\nb: *x\n", "aliases are not read (line 2)");
        refused(&"[".repeat(100), "more than 32 lists and maps inside each other");
        refused(&"- - ".repeat(100_000), "inside each other");
        refused(&"- a\n".repeat(MAX_NODES + 1), "texts, lists and maps");
        refused("a: 1\na: 2\n", "a is given twice");
        let keys: String = (0..=MAX_KEYS).map(|n| format!("k{n}: 1\n")).collect();
        refused(&keys, "a map has more than 1024 keys");
        refused("[a]: 2\n", "a key is no text");
        assert!(Node::parse("a: [1").is_err());
        assert!(Node::parse("{]").is_err());
    }

    #[test]
    fn what_is_quoted_is_read_as_it_was() {
        for sample in ["", "a: b", "- x\n  y\t\"\\", "\0\u{7f}\u{85}\u{feff}\u{2028}ä€😀"] {
            assert_eq!(Node::parse(&quote(sample)).unwrap(), text(sample));
        }
    }
}
