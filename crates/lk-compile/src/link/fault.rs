//! What a program can do wrong, in words.

use crate::protocol::{FrameBuffer, FrameError};

/// Characters of a program's text that are kept.
const KEPT_TEXT: usize = 2_000;

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Starting,
    Stepping,
    Resetting,
    Ending,
}

/// What a program did wrong.
pub(crate) struct Fault {
    /// As the rest of a sentence that begins with the program.
    pub(super) what: String,
    pub(super) hint: Option<String>,
}

impl Fault {
    pub(crate) fn new(what: impl Into<String>) -> Fault {
        Fault { what: what.into(), hint: None }
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Fault {
        Fault { hint: Some(hint.into()), ..self }
    }
}

/// Text of a program, bounded.
pub(crate) fn shortened(text: &str) -> String {
    match text.char_indices().nth(KEPT_TEXT) {
        Some((end, _)) => format!("{} ...", &text[..end]),
        None => text.to_owned(),
    }
}

/// No answer in time.
pub(super) fn late(stage: Stage, limit_s: f64) -> Fault {
    let (what, limit) = match stage {
        Stage::Starting => (format!("was not ready within {limit_s} s"), "start_s"),
        Stage::Stepping => (format!("gave no answer within {limit_s} s"), "tick_s"),
        Stage::Resetting => (format!("did not answer `reset` within {limit_s} s"), "tick_s"),
        Stage::Ending => (format!("did not end within {limit_s} s of `bye`"), "tick_s"),
    };
    let hint = format!("it hangs, or needs longer: then raise `limits.{limit}` in lk.toml");
    Fault { what, hint: Some(hint) }
}

/// Bytes that are no frame, as a fault.
pub(super) fn garbage(incoming: &FrameBuffer, error: &FrameError) -> Fault {
    let rest = incoming.rest();
    unframed(rest).unwrap_or_else(|| Fault {
        what: format!("sent {error}, beginning with {}", hex(rest)),
        hint: Some(
            "standard output carries the frames of lk-run/1 and nothing else; \
             `lk init` writes a harness that keeps to that"
                .to_owned(),
        ),
    })
}

/// The fault of a program that printed, where these bytes look like that.
pub(super) fn unframed(bytes: &[u8]) -> Option<Fault> {
    let shown = &bytes[..bytes.len().min(200)];
    let text = match std::str::from_utf8(shown) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&shown[..error.valid_up_to()]).ok()?,
    };
    let is_text = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t' | '\u{1b}');
    let end = text.find(|c| !is_text(c)).unwrap_or(text.len());
    // Where frames go on after the text, their length may look like a letter.
    let end = if end < text.len() { text[..end].rfind('\n').map_or(end, |at| at + 1) } else { end };
    let text = &text[..end];
    // A byte or two can be part of anything, unless nothing else is there.
    if text.len() < bytes.len().min(3) || text.is_empty() {
        return None;
    }
    Some(Fault {
        what: format!("printed to standard output, which belongs to the protocol: {text:?}"),
        hint: Some(
            "print to standard error instead; the harness that `lk init` writes \
             keeps the component's own prints away by itself"
                .to_owned(),
        ),
    })
}

/// The first bytes.
pub(super) fn hex(bytes: &[u8]) -> String {
    let shown: Vec<_> = bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("the bytes {}{}", shown.join(" "), if bytes.len() > 8 { " ..." } else { "" })
}
