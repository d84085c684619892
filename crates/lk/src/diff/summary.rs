//! A comparison in a few lines, for a terminal or a log.

use std::fmt::Write as _;

use super::{DiffResult, KeyDiff, KnownState, MismatchKind, Verdict};

/// Keys shown at most.
const SHOWN: usize = 10;

impl DiffResult {
    /// The comparison in a few lines, each ended by a newline: the verdict, the
    /// first divergence, keys that differ, the most messages first, and known
    /// differences that don't hold. Bounded, whatever was compared; what the
    /// names hold can do nothing to a terminal. `lk-report` has more to say.
    ///
    /// ```
    /// use lk::Dataset;
    /// use lk::diff::{Policy, diff};
    ///
    /// let (a, b) = (Dataset::memory(), Dataset::memory());
    /// let result = diff(&a, &b, &Policy::default())?;
    /// assert_eq!(result.summary(), "incomparable: both sides are empty\n");
    /// # Ok::<(), lk::Error>(())
    /// ```
    pub fn summary(&self) -> String {
        let mut text = String::new();
        let compared: u64 = self.key_diffs.values().map(|key| key.messages.compared).sum();
        let keys = self.key_diffs.len();
        let amount = format!("{compared} messages compared under {keys} keys");
        let verdict = match (self.verdict, &self.incomparable_reason) {
            (Verdict::Identical, _) => format!("identical: {amount}"),
            (Verdict::Equal, _) if self.has_known() => {
                format!("equal: {amount}, all within tolerance but for known differences")
            }
            (Verdict::Equal, _) => format!("equal: {amount}, all within tolerance"),
            (Verdict::Different, _) => format!("different: {amount}"),
            (Verdict::Incomparable, Some(reason)) => format!("incomparable: {reason}"),
            (Verdict::Incomparable, None) => "incomparable".to_owned(),
        };
        line(&mut text, &verdict);
        if let Some(first) = self.first_divergence.as_ref().filter(|_| self.is_different()) {
            let found = &first.mismatch;
            let dot = if found.path.is_empty() { "" } else { "." };
            let mut place = format!("first in {}{dot}{}", first.key, found.path);
            let _ = write!(place, ", message {} at {} ns", found.index, found.time.as_nanos());
            let _ = write!(place, ": reference {}, candidate {}", found.a, found.b);
            if let Some(error) = found.error {
                let _ = write!(place, ", error {error:?}, tolerance {}", found.tolerance);
            }
            line(&mut text, &place);
            if let Some(cause) = &first.cause {
                line(&mut text, &cause.text);
            }
        }
        let mut keys: Vec<(&String, String)> = self
            .key_diffs
            .iter()
            .map(|(key, found)| (key, self.what_differs(key, found)))
            .filter(|(_, what)| !what.is_empty())
            .collect();
        // Stable: equally bad keys stay in their order.
        keys.sort_by_key(|(key, _)| {
            std::cmp::Reverse(self.key_diffs.get(*key).map_or(0, |found| found.n_different))
        });
        for (key, what) in keys.iter().take(SHOWN) {
            line(&mut text, &format!("{key}: {what}"));
        }
        if keys.len() > SHOWN {
            line(&mut text, &format!("... {} more keys", keys.len() - SHOWN));
        }
        let broken = self.known_differences.iter().filter(|known| known.state != KnownState::Holds);
        for known in broken.take(SHOWN) {
            let (of, n) = (&known.known.glob, known.count);
            line(&mut text, &format!("known difference {of} does not hold: there {n} times"));
        }
        text
    }

    fn is_different(&self) -> bool {
        self.verdict == Verdict::Different
    }

    /// Empty where nothing does.
    fn what_differs(&self, key: &String, found: &KeyDiff) -> String {
        let m = &found.messages;
        let [missing, extra] = [MismatchKind::Missing, MismatchKind::Extra];
        let unknown = |n: u64, kind| if self.is_known(key, kind) { 0 } else { n };
        if self.missing_keys_in_b.contains(key) {
            return match self.is_known(key, missing) {
                true => String::new(),
                false => format!("the candidate lacks this key ({} messages)", m.reference),
            };
        }
        if self.extra_keys_in_b.contains(key) {
            return match self.is_known(key, extra) {
                true => String::new(),
                false => format!("the reference lacks this key ({} messages)", m.candidate),
            };
        }
        let unaligned = m.unaligned_reference + m.unaligned_candidate;
        let times = found.timestamps.violations - found.timestamps.known;
        let types = found.schema.iter().filter(|f| !f.ignored && !f.known).count() as u64;
        let parts = [
            (found.n_different, format!("{} of {} messages differ", found.n_different, m.compared)),
            (unknown(m.missing, missing), format!("{} missing", m.missing)),
            (unknown(m.extra, extra), format!("{} extra", m.extra)),
            (m.errors, format!("{} not decodable", m.errors)),
            (unknown(unaligned, MismatchKind::Unaligned), "not aligned".to_owned()),
            (times, format!("{times} times off")),
            (types, format!("{types} findings on types")),
        ];
        let mut parts: Vec<String> =
            parts.into_iter().filter(|(n, _)| *n > 0).map(|(_, text)| text).collect();
        if let Some(max) = found.max_error.filter(|max| *max > 0.0 && found.n_different > 0) {
            parts.push(format!("largest error {max:?}"));
        }
        parts.join(", ")
    }
}

/// Adds a line, control characters in it escaped.
fn line(text: &mut String, add: &str) {
    for c in add.chars() {
        match c {
            c if c.is_control() => text.extend(c.escape_default()),
            c => text.push(c),
        }
    }
    text.push('\n');
}
