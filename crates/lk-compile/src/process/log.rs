//! What a program writes to standard error, bounded.

use std::collections::VecDeque;

/// The last lines of a log. Long lines are cut; what is dropped is counted.
#[derive(Debug)]
pub(crate) struct Log {
    max_lines: usize,
    lines: VecDeque<String>,
    dropped: u64,
    /// The line that has not ended yet.
    partial: Vec<u8>,
}

/// Bytes of one line that are kept.
const MAX_LINE_BYTES: usize = 2_000;

impl Log {
    pub(crate) fn new(max_lines: usize) -> Log {
        Log { max_lines: max_lines.max(1), lines: VecDeque::new(), dropped: 0, partial: Vec::new() }
    }

    pub(crate) fn append(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            let (text, ended) = match piece.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (piece, false),
            };
            let room = (MAX_LINE_BYTES + 1).saturating_sub(self.partial.len());
            self.partial.extend_from_slice(&text[..text.len().min(room)]);
            if ended {
                self.end_line();
            }
        }
    }

    fn end_line(&mut self) {
        let mut line = String::from_utf8_lossy(&self.partial).into_owned();
        if self.partial.len() > MAX_LINE_BYTES {
            line.truncate(line.floor_char_boundary(MAX_LINE_BYTES));
            line.push_str(" ...");
        }
        self.partial.clear();
        if self.lines.len() == self.max_lines {
            self.lines.pop_front();
            self.dropped += 1;
        }
        self.lines.push_back(line.trim_end_matches('\r').to_owned());
    }

    /// The last lines that have ended; where there were more, the first line
    /// says how many.
    pub(crate) fn lines(&self) -> Vec<String> {
        let earlier = (self.dropped > 0).then(|| format!("({} lines before these)", self.dropped));
        earlier.into_iter().chain(self.lines.iter().cloned()).collect()
    }

    /// As [`Log::lines`], the last one whether it has ended or not.
    pub(crate) fn into_lines(mut self) -> Vec<String> {
        if !self.partial.is_empty() {
            self.end_line();
        }
        self.lines()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(max: usize, pieces: &[&[u8]]) -> Vec<String> {
        let mut log = Log::new(max);
        pieces.iter().for_each(|piece| log.append(piece));
        log.into_lines()
    }

    #[test]
    fn the_last_lines_are_kept_and_the_others_counted() {
        assert_eq!(lines(9, &[b"a\nb", b"c\r\n", b"\nd"]), ["a", "bc", "", "d"]);
        assert_eq!(lines(2, &[b"a\nb\nc\nd"]), ["(2 lines before these)", "c", "d"]);
        assert_eq!(lines(2, &[]), Vec::<String>::new());
    }

    #[test]
    fn an_endless_line_takes_no_more_memory_than_a_long_one() {
        let mut log = Log::new(3);
        for _ in 0..1_000 {
            log.append(&[b'x'; 1_000]);
        }
        assert!(log.partial.len() <= MAX_LINE_BYTES + 1);
        let lines = log.into_lines();
        assert_eq!(lines.len(), 1);
        assert!(lines[0].len() < MAX_LINE_BYTES + 10 && lines[0].ends_with(" ..."));
    }
}
