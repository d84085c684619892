//! Whether a result is one that comparing could have come to: what was edited
//! since is not judged.

use crate::diff::{DiffResult, FieldDiff, KeyDiff, Verdict};

/// More than any recording holds, and little enough that sums don't overflow.
const MOST: u64 = 1 << 48;

/// The first key whose counts don't add up, or deny the verdict.
pub(super) fn first_wrong(result: &DiffResult) -> Option<&str> {
    let passed = matches!(result.verdict, Verdict::Identical | Verdict::Equal);
    let wrong = |diff: &KeyDiff| {
        !messages_add_up(diff)
            || !diff.fields.iter().all(|f| values_add_up(f, passed))
            || passed && diff.n_different > 0
    };
    result.key_diffs.iter().find(|(_, diff)| wrong(diff)).map(|(key, _)| key.as_str())
}

fn messages_add_up(diff: &KeyDiff) -> bool {
    let m = &diff.messages;
    sum([m.compared, m.missing, m.unaligned_reference, m.errors]) == Some(m.reference)
        && sum([m.compared, m.extra, m.unaligned_candidate, m.errors, m.between])
            == sum([m.candidate, m.interpolated])
        && sum([diff.n_matching, diff.n_different, diff.n_known]) == Some(m.compared)
}

fn values_add_up(field: &FieldDiff, passed: bool) -> bool {
    let v = &field.values;
    sum([v.missing, v.extra, field.shape_violations]).is_some()
        && sum([v.equal, v.within, v.violations]) == Some(v.compared)
        && !(passed && v.violations > v.known)
}

/// `None` where one is more than can be.
fn sum<const N: usize>(counts: [u64; N]) -> Option<u64> {
    counts.iter().all(|n| *n <= MOST).then(|| counts.iter().sum())
}
