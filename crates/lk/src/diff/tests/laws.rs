//! What holds for all datasets, and the merging of parts.

use proptest::prelude::*;

use super::*;
use crate::dataset::Sample;
use crate::diff::compare::{Message, pair};
use crate::diff::plan::PairPlan;
use crate::diff::policy::Resolver;
use crate::diff::stats::{BLOCK, Partial};

/// All kinds of fields; floats from few values, so that pairs agree often.
const MSG: &str = "float64 x\nfloat32 f\nint32 n\nuint8[] bytes\nstring s\nfloat64[4] v\nP[] ps\n\
                   ===\nMSG: test/P\nfloat64 x\nbool b";

fn float() -> impl Strategy<Value = Json> {
    prop_oneof![
        6 => prop::sample::select(vec![json!(0.0), json!(-0.0), json!(1.0), json!(1.25), json!(-2.0)]),
        1 => prop::sample::select(vec![json!("NaN"), json!("Infinity"), json!("-Infinity")]),
    ]
}

fn message() -> impl Strategy<Value = Json> {
    let p = (float(), any::<bool>()).prop_map(|(x, b)| json!({"x": x, "b": b}));
    (
        (float(), float(), -2..2_i32, prop::collection::vec(0..3_u8, 0..3)),
        prop::sample::select(vec!["", "a", "ä"]),
        prop::collection::vec(float(), 4),
        prop::collection::vec(p, 0..3),
    )
        .prop_map(|((x, f, n, bytes), s, v, ps)| {
            json!({"x": x, "f": f, "n": n, "bytes": bytes, "s": s, "v": v, "ps": ps})
        })
}

/// What happens to a recording on its way to becoming the other side.
#[derive(Clone, Debug)]
enum Change {
    Drop(usize),
    Repeat(usize),
    Swap(usize),
    Shift(usize, i64),
    Replace(usize, Json),
    Cut(usize),
}

fn change() -> impl Strategy<Value = Change> {
    let at = 0..8_usize;
    prop_oneof![
        at.clone().prop_map(Change::Drop),
        at.clone().prop_map(Change::Repeat),
        at.clone().prop_map(Change::Swap),
        (at.clone(), -3_000_000..3_000_000_i64).prop_map(|(at, by)| Change::Shift(at, by)),
        (at.clone(), message()).prop_map(|(at, message)| Change::Replace(at, message)),
        at.prop_map(Change::Cut),
    ]
}

/// Samples of one key, by which datasets are made.
type Recording = Vec<(i64, u32, Vec<u8>)>;

fn record(messages: &[Json], ticks: bool) -> Recording {
    let encoder = Data::new().key("k", MSG);
    let step = |n: usize| (1_000 * n as i64, if ticks { n as u32 / 2 } else { n as u32 });
    messages
        .iter()
        .enumerate()
        .map(|(n, message)| (step(n).0, step(n).1, encoder.encode("k", message)))
        .collect()
}

fn apply(recording: &mut Recording, change: &Change) {
    let len = recording.len().max(1);
    let encoder = Data::new().key("k", MSG);
    match change {
        Change::Drop(at) if !recording.is_empty() => drop(recording.remove(at % len)),
        Change::Repeat(at) if !recording.is_empty() => {
            recording.insert(at % len, recording[at % len].clone());
        }
        Change::Swap(at) if recording.len() > 1 => {
            recording.swap(at % (len - 1), at % (len - 1) + 1)
        }
        _ => {}
    }
    let at = |at: &usize| at % len;
    match change {
        Change::Shift(i, by) => recording.iter_mut().skip(at(i)).take(1).for_each(|m| m.0 += by),
        Change::Replace(i, message) => {
            let payload = encoder.encode("k", message);
            recording.iter_mut().skip(at(i)).take(1).for_each(|m| m.2.clone_from(&payload));
        }
        Change::Cut(i) => recording.iter_mut().skip(at(i)).take(1).for_each(|m| m.2.truncate(9)),
        _ => {}
    }
}

fn dataset(recording: &Recording, ticks: bool) -> Data {
    let mut data = if ticks { Data::of_ticks() } else { Data::new() }.key("k", MSG);
    let id = data.dataset.channel_id("k").unwrap();
    for (time, sequence, payload) in recording {
        let time = Time::from_nanos(*time);
        let payload = payload.clone().into();
        let sample = Sample { time, publish_time: time, sequence: *sequence, payload };
        data.dataset.write_sample(id, sample).unwrap();
    }
    data
}

/// Times and payloads in reading order: what two sides must share to be the
/// same.
fn content(recording: &Recording) -> Vec<(i64, Vec<u8>)> {
    let mut content: Vec<_> = recording.iter().map(|m| (m.0, m.2.clone())).collect();
    content.sort_by_key(|m| m.0);
    content
}

/// Whether a decoder takes every payload.
fn decodable(recording: &Recording) -> bool {
    let schema = Schema::parse("test/msg/Test", MSG).unwrap();
    recording.iter().all(|m| Plan::new(&schema).decode(&m.2).is_ok())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_dataset_is_identical_to_itself(
        messages in prop::collection::vec(message(), 1..8),
        ticks: bool,
        rules in prop::sample::select(vec![&[][..], &["exact"][..], &["k.v:abs=1,rel=2"][..]]),
    ) {
        let a = dataset(&record(&messages, ticks), ticks);
        let result = compare(&a, &a, rules);
        prop_assert_eq!(result.verdict, Verdict::Identical);
        prop_assert_eq!(result.first_divergence, None);
    }

    #[test]
    fn the_verdict_is_identical_exactly_when_nothing_differs(
        messages in prop::collection::vec(message(), 1..8),
        changes in prop::collection::vec(change(), 0..3),
        ticks: bool,
    ) {
        let a = record(&messages, ticks);
        let mut b = a.clone();
        changes.iter().for_each(|change| apply(&mut b, change));
        let result = compare(&dataset(&a, ticks), &dataset(&b, ticks), &["exact"]);
        let same = content(&a) == content(&b) && decodable(&a);
        // With ticks, the numbers of the ticks say what belongs together.
        let same = same && (!ticks || a.iter().map(|m| m.1).eq(b.iter().map(|m| m.1)));
        if same {
            prop_assert_eq!(result.verdict, Verdict::Identical);
        } else if !ticks {
            prop_assert_ne!(result.verdict, Verdict::Identical);
        }
        prop_assert_eq!(
            result.first_divergence.is_some(),
            matches!(result.verdict, Verdict::Different) || !result.all_match()
        );
    }

    #[test]
    fn loosening_a_tolerance_never_parts_what_was_equal(
        messages in prop::collection::vec(message(), 1..6),
        changes in prop::collection::vec(change(), 0..3),
        abs in 0.0..4.0,
        rel in 0.0..2.0,
        more in 0.0..2.0,
    ) {
        let a = record(&messages, false);
        let mut b = a.clone();
        changes.iter().for_each(|change| apply(&mut b, change));
        let (a, b) = (dataset(&a, false), dataset(&b, false));
        let tight = compare(&a, &b, &[&format!("abs={abs},rel={rel}")]);
        let loose = compare(&a, &b, &[&format!("abs={},rel={}", abs + more, rel + more)]);
        for (tight, loose) in tight.key_diffs.values().zip(loose.key_diffs.values()) {
            prop_assert!(loose.n_different <= tight.n_different);
            for (tight, loose) in tight.fields.iter().zip(&loose.fields) {
                prop_assert!(loose.values.violations <= tight.values.violations);
            }
        }
        let passes = |r: &DiffResult| matches!(r.verdict, Verdict::Equal | Verdict::Identical);
        prop_assert!(passes(&loose) || !passes(&tight));
    }

    #[test]
    fn loosening_a_range_or_an_unordered_rule_never_parts_what_was_equal(
        messages in prop::collection::vec(message(), 1..6),
        changes in prop::collection::vec(change(), 0..3),
        rotate in 0..3_usize,
        which in 0..5_usize,
        abs in 0.0..2.0,
        rel in 0.0..0.5,
        more in 0.0..0.5,
        form in prop::sample::select(vec!["sum", "max_ref", "max_sym"]),
    ) {
        let a = record(&messages, false);
        // Elements in another order, as `unordered` is for.
        let moved = messages.iter().map(|message| {
            let mut message = message.clone();
            for name in ["bytes", "v", "ps"] {
                let array = message[name].as_array_mut().unwrap();
                let by = rotate.min(array.len());
                array.rotate_left(by);
            }
            message
        });
        let mut b = record(&moved.collect::<Vec<_>>(), false);
        changes.iter().for_each(|change| apply(&mut b, change));
        let (a, b) = (dataset(&a, false), dataset(&b, false));
        let rules = |more: f64| {
            let (abs, rel) = (abs + more, rel + more);
            let unordered = |path: &str| format!("{path}:unordered,abs={abs},rel={rel},form={form}");
            match which {
                0 => vec![format!("range={rel}")],
                1 => vec![format!("k.x:range={rel}"), format!("k.n:range={rel}")],
                2 => vec![unordered("k.v"), unordered("k.bytes")],
                3 => vec![unordered("k.ps")],
                _ => vec![format!("range={rel}"), unordered("k")],
            }
        };
        let compare = |more: f64| {
            let rules = rules(more);
            let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
            compare(&a, &b, &rules)
        };
        let (tight, loose) = (compare(0.0), compare(more));
        for (tight, loose) in tight.key_diffs.values().zip(loose.key_diffs.values()) {
            prop_assert!(loose.n_different <= tight.n_different);
            for (tight, loose) in tight.fields.iter().zip(&loose.fields) {
                // With more partners, more values are compared; each of them
                // fits where the order says nothing.
                prop_assert!(loose.values.violations <= tight.values.violations);
                if which < 3 {
                    prop_assert!(loose.shape_violations <= tight.shape_violations);
                }
            }
            let shapes = |diff: &KeyDiff| diff.fields.iter().map(|f| f.shape_violations).sum::<u64>();
            prop_assert!(shapes(loose) <= shapes(tight));
        }
        let passes = |r: &DiffResult| matches!(r.verdict, Verdict::Equal | Verdict::Identical);
        prop_assert!(passes(&loose) || !passes(&tight));
    }

    #[test]
    fn schemas_that_differ_add_up_too(
        from in prop::sample::subsequence(vec!["float64 x", "int32 n", "string s", "P[] ps", "float64[] v"], 1..5),
        to in prop::sample::subsequence(vec!["float64[] v", "P[] ps", "float32 x", "int32 n", "string s"], 1..5),
        lens in (0..3_usize, 0..3_usize),
    ) {
        let make = |fields: &[&str], len: usize| {
            let msg = format!("{}\n===\nMSG: test/P\nfloat64 y\nstring t", fields.join("\n"));
            let mut message = serde_json::Map::new();
            for field in fields {
                let name = field.split(' ').nth(1).unwrap();
                let value = match name {
                    "s" => json!("s"),
                    "ps" => json!(vec![json!({"y": 1.0, "t": "t"}); len]),
                    "v" => json!(vec![1.0; len]),
                    _ => json!(1),
                };
                message.insert(name.to_owned(), value);
            }
            data(&msg, &[Json::Object(message)])
        };
        let result = compare(&make(&from, lens.0), &make(&to, lens.1), &[]);
        let kinds: Vec<_> = result.key_diffs["k"].schema.iter().map(|f| f.kind).collect();
        let same = from.iter().all(|f| to.contains(f)) && to.len() == from.len();
        prop_assert_eq!(same, kinds.iter().all(|k| *k == SchemaFindingKind::Order));
    }
}

/// Every pair compared by itself in one partial, or in parts that are merged.
fn partial_of(plan: &PairPlan, pairs: &[(Vec<u8>, Vec<u8>)], offset: usize) -> Partial {
    let mut partial = Partial::new(plan.leaves.len());
    let policy = Policy::default();
    for (n, (a, b)) in pairs.iter().enumerate() {
        let n = n + offset;
        let time = Time::from_nanos(n as i64);
        let interpolated = false;
        let message =
            |payload| Message { index: n as u64, time, tick: None, payload, interpolated };
        pair(plan, &policy, &mut partial, message(a), message(b));
    }
    partial
}

#[test]
fn parts_merged_at_blocks_give_exactly_the_whole() {
    let schema = Schema::parse("test/msg/Test", "float64 x\nfloat32[3] v\nstring s").unwrap();
    let encoding = Encoding::Cdr(schema.clone());
    let policy = Policy::default();
    let plan = PairPlan::new("k", &encoding, &encoding, &mut Resolver::new(&policy));
    let encoder = data("float64 x\nfloat32[3] v\nstring s", &[]);
    let block = BLOCK as usize;
    // Sums that depend on their order, some NaN, text and a broken payload.
    let pairs: Vec<_> = (0..3 * block + 500)
        .map(|n| {
            let noise = (n as f64 * 0.7).sin() * 10_f64.powi((n % 13) as i32 - 6);
            let x = if n % 997 == 3 { json!("NaN") } else { json!(noise) };
            let a = encoder.encode("k", &json!({"x": 1.0, "v": [1.0, noise, 3.0], "s": "a"}));
            let s = if n == 2_000 { "b" } else { "a" };
            let mut b = encoder.encode("k", &json!({"x": x, "v": [1.0, 2.0, noise], "s": s}));
            b.truncate(if n == 1_500 { 20 } else { b.len() });
            (a, b)
        })
        .collect();
    let whole = partial_of(&plan, &pairs, 0);
    for cut in [0, block, 2 * block, 3 * block, pairs.len()] {
        let mut merged = partial_of(&plan, &pairs[..cut], 0);
        merged.merge(partial_of(&plan, &pairs[cut..], cut));
        // As text, since NaN in the evidence equals nothing.
        assert_eq!(format!("{merged:?}"), format!("{whole:?}"), "cut at {cut}");
    }
    let mut merged = partial_of(&plan, &pairs[..block], 0);
    let mut rest = partial_of(&plan, &pairs[block..2 * block], block);
    rest.merge(partial_of(&plan, &pairs[2 * block..], 2 * block));
    merged.merge(rest);
    assert_eq!(format!("{merged:?}"), format!("{whole:?}"), "merged from the right");
    assert!(whole.leaves[0].violations > 0 && whole.errors == 1);
}
