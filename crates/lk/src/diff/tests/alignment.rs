//! How messages are paired, and that every one of them is accounted for.

use proptest::prelude::*;

use super::*;

fn x(value: f64) -> Json {
    json!({ "x": value })
}

/// Key `k` of `float64 x`, from times and values.
fn floats(messages: &[(i64, f64)]) -> Data {
    let empty = Data::new().key("k", "float64 x");
    messages.iter().fold(empty, |data, (time, value)| data.at("k", *time, x(*value)))
}

fn policy(align: &str) -> Policy {
    Policy { align: align.parse().unwrap(), check_timestamps: false, ..Policy::default() }
}

fn aligned(a: &Data, b: &Data, policy: &Policy) -> DiffResult {
    let result = diff(&a.dataset, &b.dataset, policy).unwrap();
    assert_adds_up(&result);
    result
}

#[test]
fn repeated_times_pair_by_order_within_the_time() {
    let a = floats(&[(10, 1.0), (10, 2.0), (20, 3.0)]);
    let b = floats(&[(10, 1.0), (10, 2.0), (10, 7.0), (20, 3.0)]);
    let result = aligned(&a, &b, &policy("time"));
    let diff = &result.key_diffs["k"];
    assert_eq!((diff.alignment, diff.n_matching, diff.messages.extra), (Alignment::Time, 3, 1));
    assert_eq!(diff.mismatches[0].index, 2, "the third of its time");
}

#[test]
fn asked_for_by_time_nothing_falls_back_to_position() {
    let result = aligned(&floats(&[(10, 1.0)]), &floats(&[(11, 1.0)]), &policy("time"));
    assert_eq!(result.verdict, Verdict::Incomparable);
    assert_eq!(result.key_diffs["k"].alignment, Alignment::Time);
}

#[test]
fn by_index_the_rest_is_missing_or_extra() {
    let a = floats(&[(10, 1.0), (20, 2.0), (30, 3.0)]);
    let b = floats(&[(10, 1.0), (30, 2.0)]);
    let diff = &aligned(&a, &b, &policy("index")).key_diffs["k"];
    assert_eq!((diff.n_matching, diff.messages.missing), (2, 1));
    let diff = &aligned(&b, &a, &policy("index")).key_diffs["k"];
    assert_eq!((diff.n_matching, diff.messages.extra), (2, 1));
}

#[test]
fn by_sequence_a_gap_is_a_message_missing() {
    let key = || Data::new().key("k", "float64 x");
    let a = key().tick("k", 0, 10, x(0.0)).tick("k", 1, 10, x(1.0)).tick("k", 2, 10, x(2.0));
    let b = key().tick("k", 0, 10, x(0.0)).tick("k", 2, 10, x(2.0));
    let result = aligned(&a, &b, &policy("sequence"));
    let diff = &result.key_diffs["k"];
    assert_eq!((diff.alignment, diff.n_matching), (Alignment::Sequence, 2));
    assert_eq!((diff.messages.missing, diff.mismatches[0].index), (1, 1));
    // By position, as `auto` has it, the second is another one.
    assert_eq!(aligned(&a, &b, &policy("auto")).key_diffs["k"].n_different, 1);
}

#[test]
fn nearest_pairs_what_jitters_and_checks_its_times() {
    let a = floats(&[(0, 0.0), (10_000_000, 1.0), (20_000_000, 2.0)]);
    let b = floats(&[(400_000, 0.0), (9_000_000, 1.0), (22_500_000, 2.0)]);
    let nearest = policy("nearest,window=5ms");
    let result = aligned(&a, &b, &nearest);
    assert_eq!(result.key_diffs["k"].alignment, Alignment::Nearest);
    assert_eq!(result.verdict, Verdict::Equal, "the times differ");
    let checked = Policy { check_timestamps: true, ..nearest };
    let result = aligned(&a, &b, &checked);
    assert_eq!(result.key_diffs["k"].timestamps.violations, 1);
    let narrow = aligned(&a, &b, &policy("nearest,window=2ms"));
    let m = &narrow.key_diffs["k"].messages;
    assert_eq!((m.compared, m.missing, m.extra), (2, 1, 1));
}

#[test]
fn nothing_in_the_window_or_the_span_is_never_equal() {
    let (a, b) = (floats(&[(0, 1.0), (10, 1.0)]), floats(&[(1_000, 1.0), (1_010, 1.0)]));
    for align in ["nearest,window=5ns", "interpolate"] {
        let result = aligned(&a, &b, &policy(align));
        assert_eq!(result.verdict, Verdict::Incomparable, "{align}");
        let reason = result.incomparable_reason.unwrap();
        assert!(reason.contains("has a partner"), "{align}: {reason}");
    }
}

#[test]
fn interpolation_finds_the_values_between_samples() {
    let a = floats(&[(0, 0.0), (10, 10.0), (20, 20.0), (30, 30.0)]);
    let b = floats(&[(0, 0.0), (4, 4.0), (8, 8.0), (15, 15.0), (19, 19.0), (33, 33.0)]);
    let result = aligned(&a, &b, &policy("interpolate"));
    let diff = &result.key_diffs["k"];
    assert_eq!((diff.alignment, diff.n_matching), (Alignment::Interpolate, 4));
    assert_eq!(result.verdict, Verdict::Equal, "not identical: it was never said");
    let m = &diff.messages;
    assert_eq!((m.interpolated, m.between, m.unaligned_candidate), (3, 5, 0));
    assert_eq!((diff.timestamps.compared, diff.timestamps.equal), (1, 1));
    // One sample that is off shows in what is drawn from it.
    let b = floats(&[(0, 0.0), (8, 8.0), (15, 16.0), (33, 33.0)]);
    let result = aligned(&a, &b, &policy("interpolate"));
    assert_eq!(result.key_diffs["k"].n_different, 3);
    assert_eq!(result.first_divergence.unwrap().mismatch.time, Time::from_nanos(10));
}

#[test]
fn what_is_outside_of_the_other_span_is_unaligned_and_a_difference() {
    let a = floats(&[(0, 0.0), (10, 10.0), (20, 20.0)]);
    let b = floats(&[(5, 5.0), (15, 15.0), (16, 16.0)]);
    let result = aligned(&a, &b, &policy("interpolate"));
    let m = &result.key_diffs["k"].messages;
    assert_eq!((m.compared, m.unaligned_reference, m.unaligned_candidate), (1, 2, 1));
    assert_eq!(result.verdict, Verdict::Different);
    let first = result.first_divergence.unwrap().mismatch;
    assert_eq!((first.kind, first.index), (MismatchKind::Unaligned, 0));
}

#[test]
fn a_payload_that_cannot_be_decoded_is_an_error_of_what_is_drawn_from_it() {
    let a = floats(&[(10, 10.0), (20, 20.0)]);
    let b = Data::new().key("k", "float64 x").at("k", 5, x(5.0)).raw("k", 15, &[0, 1, 0, 0, 1]);
    let b = b.at("k", 25, x(25.0));
    let result = aligned(&a, &b, &policy("interpolate"));
    let diff = &result.key_diffs["k"];
    assert_eq!((diff.messages.errors, diff.messages.compared), (2, 0));
    assert!(diff.errors[0].contains("message 1 of the candidate"), "{:?}", diff.errors);
}

#[test]
fn a_key_can_be_aligned_by_itself() {
    let data = |late: i64| {
        let data = Data::new().key("j", "float64 x").key("k", "float64 x");
        data.at("j", 10 + late, x(1.0)).at("k", 10, x(2.0)).at("k", 20, x(2.0))
    };
    let mut policy = policy("time");
    policy.align_keys.insert("j".to_owned(), "nearest,window=9ns".parse().unwrap());
    let result = aligned(&data(0), &data(7), &policy);
    let alignments: Vec<_> = result.key_diffs.values().map(|diff| diff.alignment).collect();
    assert_eq!(alignments, [Alignment::Nearest, Alignment::Time]);
    assert_eq!(result.verdict, Verdict::Equal);
}

#[test]
fn an_alignment_that_the_datasets_cannot_have_is_a_mistake() {
    let data = floats(&[(10, 1.0)]);
    let error = |policy: &Policy| diff(&data.dataset, &data.dataset, policy).unwrap_err();
    let text = error(&policy("tick")).to_string();
    assert!(text.contains("the reference has no ticks"), "{text}");
    let mut unknown = policy("auto");
    unknown.align_keys.insert("K".to_owned(), AlignBy::Index);
    let error = error(&unknown);
    assert!(error.to_string().contains("neither side has this key"), "{error}");
    assert_eq!(error.hint().unwrap(), "did you mean `k`?");
    let negative = AlignBy::Nearest { window: crate::Span::from_nanos(-1) };
    let negative = Policy { align: negative, ..Policy::default() };
    assert!(diff(&data.dataset, &data.dataset, &negative).is_err());
}

#[test]
fn relative_times_start_where_the_reference_does() {
    let hour = 3_600_000_000_000;
    let make = |from: i64| {
        let data = Data::new().key_of("in", "float64 x", Role::Input).key("k", "float64 x");
        let data = data.at("in", from, x(0.0)).at("in", from + 10, x(0.0));
        data.at("k", from + 5, x(1.0)).at("k", from + 15, x(2.0))
    };
    let relative = Policy { relative_time: true, ..Policy::exact() };
    let result = aligned(&make(hour), &make(0), &relative);
    assert_eq!(result.verdict, Verdict::Equal, "not identical: {:?}", result.notes);
    assert_eq!(result.key_diffs["k"].timestamps.equal, 2);
    assert!(result.notes[0].contains("3600.000000000 s"), "{:?}", result.notes);
    // The dataset's first time counts, not the key's: what is late stays so.
    let late = Data::new().key_of("in", "float64 x", Role::Input).key("k", "float64 x");
    let late = late.at("in", 0, x(0.0)).at("in", 10, x(0.0)).at("k", 8, x(1.0)).at("k", 18, x(2.0));
    let result = aligned(&make(hour), &late, &Policy { align: AlignBy::Index, ..relative.clone() });
    assert_eq!(result.key_diffs["k"].timestamps.max_error.as_nanos(), 3);
    // Times of what is found are the reference's.
    assert_eq!(result.first_divergence.unwrap().mismatch.time, Time::from_nanos(hour + 5));
    assert_eq!(aligned(&make(0), &make(0), &relative).verdict, Verdict::Identical);
    let interpolated = Policy { align: AlignBy::Interpolate, ..relative };
    assert_eq!(aligned(&make(hour), &make(0), &interpolated).verdict, Verdict::Equal);
}

#[test]
fn a_result_of_interpolation_is_not_judged_again_under_other_rules() {
    let a = floats(&[(0, 0.0), (10, 10.0), (20, 20.0)]);
    let b = floats(&[(0, 0.0), (8, 8.0), (15, 16.0), (33, 33.0)]);
    let interpolated = policy("interpolate");
    let result = aligned(&a, &b, &interpolated);
    let rules = Policy::parse_rules(&["1.0"]).unwrap().rules;
    let loose = Policy { rules, ..interpolated.clone() };
    assert_eq!(result.rejudge(&loose).unwrap().passes, Answer::Unknown);
    // Nor is any under another alignment.
    let other = policy("nearest,window=9ns");
    assert_eq!(result.rejudge(&other).unwrap().passes, Answer::Unknown);
    assert_eq!(result.rejudge(&interpolated).unwrap().passes, Answer::No);
}

#[test]
fn what_a_divergence_looks_like_is_read_at_the_times_that_the_candidate_has() {
    let make = |from: i64, gain: f64| {
        let data: Vec<(i64, f64)> =
            (0..40).map(|n| (from + 10 * n, gain * (1.0 + (n as f64 * 0.7).sin()))).collect();
        floats(&data)
    };
    let relative = Policy { relative_time: true, ..Policy::default() };
    let plain = aligned(&make(0, 1.0), &make(0, 2.0), &Policy::default());
    let moved = aligned(&make(0, 1.0), &make(5_000, 2.0), &relative);
    let cause = |result: DiffResult| result.first_divergence.unwrap().cause;
    let cause_of_plain = cause(plain);
    assert!(cause_of_plain.is_some());
    assert_eq!(cause(moved), cause_of_plain);
}

const ALIGNMENTS: [&str; 7] = [
    "auto",
    "time",
    "index",
    "sequence",
    "nearest,window=2ns",
    "nearest,window=9ns",
    "interpolate",
];

/// Times with repetitions, and values that are a function of neither.
fn messages() -> impl Strategy<Value = Vec<(i64, f64)>> {
    prop::collection::vec((0..24_i64, prop::sample::select(vec![0.0, 1.0, 2.0])), 0..9)
}

#[test]
fn times_that_repeat_are_why_messages_are_paired_by_position_and_that_is_noted() {
    let twice = floats(&[(1, 1.0), (1, 2.0), (2, 3.0)]);
    let once = floats(&[(1, 1.0), (2, 2.0), (3, 3.0)]);
    for (a, b, side) in [(&twice, &once, "reference"), (&once, &twice, "candidate")] {
        let result = aligned(a, b, &Policy::default());
        let note = format!(
            "k: times occur more than once in the {side}, so messages are paired by position"
        );
        assert_eq!(result.key_diffs["k"].alignment, Alignment::Index);
        assert!(result.notes.contains(&note), "{:?}", result.notes);
    }
    let by_position = Policy { align: AlignBy::Index, ..Policy::default() };
    assert!(aligned(&twice, &once, &by_position).notes.is_empty(), "as it was asked");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn every_message_is_accounted_for_under_every_alignment(a in messages(), b in messages()) {
        let (a, b) = (floats(&a), floats(&b));
        for align in ALIGNMENTS {
            let result = aligned(&a, &b, &policy(align));
            let compared: u64 = result.key_diffs.values().map(|d| d.messages.compared).sum();
            prop_assert_eq!(compared == 0, result.verdict == Verdict::Incomparable, "{}", align);
        }
    }

    #[test]
    fn a_dataset_is_identical_to_itself_under_every_alignment(
        mut a in messages(), first in (0..24_i64, 0.0..1.0),
    ) {
        a.push(first);
        let a = floats(&a);
        for align in ALIGNMENTS {
            let result = aligned(&a, &a, &Policy { align: align.parse().unwrap(), ..Policy::exact() });
            prop_assert_eq!(result.verdict, Verdict::Identical, "{}", align);
        }
    }

    #[test]
    fn a_file_recorded_out_of_order_aligns_by_time_as_the_sorted_one(
        values in prop::collection::vec(0.0..1.0, 1..9),
        other in messages(),
        swaps in prop::collection::vec((0..9_usize, 0..9_usize), 0..9),
    ) {
        // Unique times: what order two of one time are in is the recording's.
        let sorted: Vec<(i64, f64)> =
            values.iter().enumerate().map(|(n, value)| (3 * n as i64, *value)).collect();
        let mut shuffled = sorted.clone();
        for (i, j) in swaps {
            let len = shuffled.len();
            shuffled.swap(i % len, j % len);
        }
        for align in ["auto", "time", "nearest,window=2ns", "interpolate"] {
            let with = |b: &[(i64, f64)]| {
                let mut result = aligned(&floats(&other), &floats(b), &policy(align));
                result.key_diffs.values_mut().for_each(|diff| diff.messages.reordered = 0);
                result.seal.clear();
                result
            };
            prop_assert_eq!(with(&sorted), with(&shuffled), "{}", align);
        }
    }
}
