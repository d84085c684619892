//! Known differences, in lines of their own and in headlines.

use lk::diff::{Glob, KnownDifference, KnownOutcome, KnownState, Policy};

use super::*;

#[test]
fn known_differences_are_shown_with_their_reasons_those_that_do_not_hold_first() {
    let known = |of: &str, count: u64, state: KnownState| KnownOutcome {
        known: KnownDifference {
            glob: Glob::parse(of).expect("a pattern"),
            kind: (state == KnownState::More).then_some(MismatchKind::Nan),
            at_least: 1,
            at_most: (state == KnownState::More).then_some(2),
            reason: "see the design notes".to_owned(),
        },
        count,
        state,
        first: None,
    };
    let mut result = failing();
    result.known_differences = vec![
        known("attitude.orientation.x", 4, KnownState::Holds),
        known("attitude.orientation.y", 0, KnownState::Gone),
        known("attitude.orientation.z", 3, KnownState::More),
    ];
    let text = diff(&result, None, Style::PLAIN);
    let lines: Vec<&str> = text.lines().filter(|line| line.contains("see the design")).collect();
    let reason = "(see the design notes)";
    assert_eq!(
        lines,
        [
            format!(
                "  known       attitude.orientation.y: no longer there; take it out of the policy {reason}"
            ),
            format!("  known       attitude.orientation.z NaN: 3, at most 2 {reason}"),
            format!("  known       attitude.orientation.x: 4 differences {reason}"),
        ]
    );
    let headline = text.lines().next().expect("a line");
    let broken = "1 known difference no longer there, 1 known difference not as often as asserted";
    assert!(headline.ends_with(broken), "{headline}");
}

#[test]
fn headlines_tell_known_differences_and_elements_without_a_partner_apart() {
    let headline = |result: &DiffResult| {
        let text = diff(result, None, Style::PLAIN);
        text.lines().next().expect("a line").to_owned()
    };
    let mut result = compared(Verdict::Different, 1e-3, 0);
    let found = result.key_diffs.get_mut("attitude").expect("compared has it");
    found.messages.missing = 2;
    (found.fields[3].shape_violations, found.fields[3].unmatched) = (5, 3);
    let all = "✗ different, 2 sequences of another length, 3 elements without a partner, \
               2 messages missing";
    assert_eq!(headline(&result), all);
    // A key and messages that are known to be missing are no part of it.
    result.missing_keys_in_b.push("bias".to_owned());
    let known = |of: &str| KnownDifference {
        glob: Glob::parse(of).expect("a pattern"),
        kind: Some(MismatchKind::Missing),
        at_least: 1,
        at_most: None,
        reason: "late".to_owned(),
    };
    let known_differences = vec![known("attitude"), known("bias")];
    result.policy = Some(Policy { known_differences, ..Policy::default() });
    let shapes = "✗ different, 2 sequences of another length, 3 elements without a partner";
    assert_eq!(headline(&result), shapes);
    let text = diff(&result, None, Style::PLAIN);
    assert!(text.contains("attitude: 2 missing (known)"), "{text}");
    assert!(text.contains("bias: the candidate lacks this key (0 messages, known)"), "{text}");

    let mut result = passing();
    assert!(headline(&result).ends_with(" within tolerance"));
    result.known_differences = vec![KnownOutcome {
        known: known("attitude"),
        count: 2,
        state: KnownState::Holds,
        first: None,
    }];
    assert!(headline(&result).ends_with(", within tolerance or known to differ"));
}
