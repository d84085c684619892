//! Differences that are known: covered ones pass and are counted, and those
//! that are gone fail.

use super::*;

fn policy(known: Json) -> Policy {
    serde_json::from_value(json!({"known_differences": known})).unwrap()
}

fn check(a: &Data, b: &Data, known: Json) -> DiffResult {
    let result = diff(&a.dataset, &b.dataset, &policy(known)).unwrap();
    assert_adds_up(&result);
    // Reading it back loses no more than the types of numbers.
    let text = serde_json::to_string(&result).unwrap();
    let back: DiffResult = serde_json::from_str(&text).unwrap();
    assert!(serde_json::to_string(&back).unwrap() == text);
    result
}

fn states(result: &DiffResult) -> Vec<(u64, KnownState)> {
    result.known_differences.iter().map(|known| (known.count, known.state)).collect()
}

const MSG: &str = "float64 x\nfloat64 y\nfloat64[] v\nstring s";

fn side(x: &[Json], v: Json) -> Data {
    let message = |x: &Json| json!({"x": x, "y": 0, "v": v, "s": "a"});
    data(MSG, &x.iter().map(message).collect::<Vec<_>>())
}

fn original() -> Data {
    side(&[json!(1), json!(2), json!(3)], json!([1]))
}

fn known(of: &str) -> Json {
    json!([{"match": of, "reason": "a bug of the original"}])
}

#[test]
fn a_covered_violation_passes_and_is_counted_with_its_place() {
    let other = side(&[json!(1), json!(9), json!("NaN")], json!([1]));
    let result = check(&original(), &other, known("k.x"));
    assert_eq!((result.verdict, states(&result)), (Verdict::Equal, vec![(2, KnownState::Holds)]));
    let first = result.known_differences[0].first.as_ref().unwrap();
    assert_eq!((first.key.as_str(), first.mismatch.path.as_str()), ("k", "x"));
    assert_eq!((first.mismatch.index, first.mismatch.b.clone()), (1, Scalar::Float64(9.0)));
    let key = &result.key_diffs["k"];
    assert_eq!((key.n_matching, key.n_different, key.n_known), (1, 0, 2));
    let values = &field(&result, "x").values;
    assert_eq!((values.violations, values.known), (2, 2));
    assert_eq!((key.mismatches.len(), result.first_divergence), (0, None));
}

#[test]
fn what_is_not_covered_still_fails_and_is_the_first_divergence() {
    let other = side(&[json!(9), json!(2), json!("NaN")], json!([1]));
    let of_nan = json!([{"match": "k.x", "kind": "nan", "reason": "why"}]);
    let result = check(&original(), &other, of_nan);
    assert_eq!(
        (result.verdict, states(&result)),
        (Verdict::Different, vec![(1, KnownState::Holds)])
    );
    assert_eq!(result.first_divergence.unwrap().mismatch.index, 0);
    // Known beside unknown in one message: the message is different.
    let both = original();
    let other = data(
        MSG,
        &[
            json!({"x": 9, "y": 9, "v": [1], "s": "a"}),
            json!({"x": 2, "y": 0, "v": [1], "s": "a"}),
            json!({"x": 3, "y": 0, "v": [1], "s": "a"}),
        ],
    );
    let result = check(&both, &other, known("k.x"));
    let key = &result.key_diffs["k"];
    assert_eq!((key.n_different, key.n_known, key.mismatches.len()), (1, 0, 1));
    assert_eq!(result.first_divergence.unwrap().mismatch.path, "y");
}

#[test]
fn one_that_no_longer_occurs_fails_by_name() {
    let result = check(&original(), &original(), known("k.x"));
    assert_eq!(
        (result.verdict, states(&result)),
        (Verdict::Different, vec![(0, KnownState::Gone)])
    );
    assert!(result.values_match && !result.all_match() && !result.known_differences_hold());
    assert_eq!(result.known_differences[0].known.glob.as_str(), "k.x");
    // Unless it may be absent.
    let maybe = json!([{"match": "k.x", "at_least": 0, "reason": "now and then"}]);
    assert_eq!(check(&original(), &original(), maybe).verdict, Verdict::Identical);
}

#[test]
fn bounds_on_how_often_are_held() {
    let other = side(&[json!(8), json!(9), json!(3)], json!([1]));
    for (bounds, state) in [
        (json!({"at_least": 2, "at_most": 2}), KnownState::Holds),
        (json!({"at_least": 3}), KnownState::Fewer),
        (json!({"at_most": 1}), KnownState::More),
    ] {
        let mut of = json!({"match": "k.x", "reason": "why"});
        of.as_object_mut().unwrap().extend(bounds.as_object().unwrap().clone());
        let result = check(&original(), &other, json!([of]));
        assert_eq!(states(&result), [(2, state)]);
        let passes = state == KnownState::Holds;
        assert_eq!(result.verdict == Verdict::Equal, passes, "{state:?}");
    }
}

#[test]
fn lengths_text_messages_times_types_and_keys_can_be_known() {
    let longer = side(&[json!(1), json!(2), json!(3)], json!([1, 2]));
    let result = check(&original(), &longer, known("k.v"));
    assert_eq!((result.verdict, states(&result)), (Verdict::Equal, vec![(3, KnownState::Holds)]));
    assert_eq!(field(&result, "v[*]").known_shape_violations, 3);

    let shorter = side(&[json!(1), json!(2)], json!([1]));
    let missing = json!([{"match": "k", "kind": "missing", "at_most": 1, "reason": "late"}]);
    let result = check(&original(), &shorter, missing.clone());
    assert_eq!((result.verdict, states(&result)), (Verdict::Equal, vec![(1, KnownState::Holds)]));
    assert_eq!(result.key_diffs["k"].messages.known, 1);
    assert_eq!(check(&shorter, &original(), missing).verdict, Verdict::Different);

    let late = original().at("k", 2_000_000, json!({"x": 3, "y": 0, "v": [], "s": ""}));
    let later = original().at("k", 9_000_000, json!({"x": 3, "y": 0, "v": [], "s": ""}));
    let twice = |data: Data| data.at("k", 3_000, json!({"x": 3, "y": 0, "v": [1], "s": "a"}));
    let result = check(
        &twice(late),
        &twice(later),
        json!([
            {"match": "k", "kind": "time", "reason": "another clock"},
        ]),
    );
    assert_eq!((result.verdict, states(&result)), (Verdict::Equal, vec![(1, KnownState::Holds)]));

    let renamed = MSG.replace("string s", "string t");
    let message = json!({"x": 1, "y": 0, "v": [1], "t": "a"});
    let (a, b) = (side(&[json!(1)], json!([1])), data(&renamed, &[message]));
    let result = check(
        &a,
        &b,
        json!([
            {"match": "k.s", "kind": "schema", "reason": "renamed"},
            {"match": "k.t", "kind": "schema", "reason": "renamed"},
        ]),
    );
    assert_eq!(result.verdict, Verdict::Equal);
    assert!(result.key_diffs["k"].schema.iter().all(|finding| finding.known));

    let more = || original().key("more", "bool b").messages("more", &[json!({"b": true})]);
    let result = check(&more(), &original(), known("more"));
    assert_eq!((result.verdict, result.keys_match), (Verdict::Equal, true));
    assert_eq!(result.missing_keys_in_b, ["more"]);
    assert_eq!(check(&more(), &original(), json!([])).verdict, Verdict::Different);
}

#[test]
fn known_elements_and_rotations_count_as_what_they_are() {
    let (a, b) = (data("float64[3] v", &[json!({"v": [1, 2, 3]})]), [json!({"v": [1, 9, 9]})]);
    let b = data("float64[3] v", &b);
    let result = check(&a, &b, known("k.v[1]"));
    assert_eq!(
        (result.verdict, states(&result)),
        (Verdict::Different, vec![(1, KnownState::Holds)])
    );
    assert_eq!(result.first_divergence.unwrap().mismatch.path, "v[2]");

    let q = |w: f64| {
        data(
            "float64 w\nfloat64 x\nfloat64 y\nfloat64 z",
            &[json!({"w": w, "x": 1, "y": 0, "z": 0})],
        )
    };
    let rules: Vec<Rule> = vec!["k:quaternion".parse().unwrap()];
    let policy = Policy { rules, ..policy(known("k")) };
    let result = diff(&q(0.0).dataset, &q(1.0).dataset, &policy).unwrap();
    assert_adds_up(&result);
    assert_eq!((result.verdict, states(&result)), (Verdict::Equal, vec![(1, KnownState::Holds)]));
}

#[test]
fn one_that_covers_nothing_or_says_nothing_is_an_error() {
    let error = |known: Json| {
        let a = original();
        diff(&a.dataset, &a.dataset, &policy(known)).unwrap_err()
    };
    let typo = error(known("k.xx"));
    assert!(typo.to_string().contains("known difference k.xx"), "{typo}");
    assert!(typo.hint().unwrap().contains("`k.x`"), "{typo}");
    for (known, why) in [
        (json!([{"match": "k", "reason": " "}]), "needs a reason"),
        (json!([{"match": "k", "kind": "decode", "reason": "a"}]), "can't be decoded"),
        (json!([{"match": "k", "at_most": 0, "reason": "a"}]), "`at_most`"),
        (json!([{"match": "k", "at_least": 3, "at_most": 2, "reason": "a"}]), "`at_most`"),
    ] {
        let text = error(known).to_string();
        assert!(text.contains(why), "{text}");
    }
    for broken in [json!([{"match": "k"}]), json!([{"match": "k[", "reason": "a"}])] {
        serde_json::from_value::<Policy>(json!({"known_differences": broken})).unwrap_err();
    }
}

#[test]
fn an_undecodable_payload_is_never_known() {
    let broken = || original().raw("k", 9_000, &[0, 1, 0, 0, 1]);
    let other = side(&[json!(1), json!(9), json!(3)], json!([1])).raw("k", 9_000, &[0, 1, 0, 0, 1]);
    assert_eq!(check(&broken(), &other, known("k")).verdict, Verdict::Different);
}

#[test]
fn what_is_known_of_a_part_of_an_element_is_not_known_of_its_lack() {
    const POINTS: &str = "float64[] v\nt/P[] ps\n===\nMSG: t/P\nfloat64 x\nfloat64 y";
    let side = |v: Json, ps: Json| data(POINTS, &[json!({"v": v, "ps": ps})]);
    let point = json!({"x": 1, "y": 2});
    let (none, more) = (side(json!([]), json!([])), side(json!([1, 2, 3]), json!([point])));
    for (v, ps, passes) in [
        ("k.v", "k.ps", true),
        ("k.v[*]", "k.ps[*]", true),
        ("k.v", "k.ps[*].*", true),
        ("k.v[0]", "k.ps", false),
        ("k.v", "k.ps[*].x", false),
        ("k.v", "k.ps[*].y", false),
    ] {
        let known = json!([{"match": v, "at_least": 0, "reason": "r"},
            {"match": ps, "at_least": 0, "reason": "r"}]);
        for (a, b) in [(&none, &more), (&more, &none)] {
            assert_eq!(check(a, b, known.clone()).all_match(), passes, "{v} {ps}");
        }
        let rules = policy(known);
        let unordered = Policy { rules: vec!["k.ps:unordered".parse().unwrap()], ..rules };
        let result = diff(&none.dataset, &more.dataset, &unordered).unwrap();
        assert_eq!(result.all_match(), passes, "{v} {ps}, unordered");
    }
}

#[test]
fn a_summary_counts_what_is_known_apart() {
    let other = side(&[json!(1), json!(9), json!(3)], json!([1]));
    let result = check(&original(), &other, known("k.x"));
    let first = "equal: 3 messages compared under 1 keys, all within tolerance but for known \
                 differences\n";
    assert_eq!(result.summary(), first);
    let shorter = side(&[json!(1), json!(2)], json!([1]));
    let missing = json!([{"match": "k", "kind": "missing", "reason": "late"}]);
    let summary = check(&original(), &shorter, missing).summary();
    assert!(!summary.contains("missing"), "{summary}");
}
