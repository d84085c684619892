//! Sequences whose order says nothing.

use super::*;

fn numbers(ty: &str, values: &[Json]) -> Data {
    data(&format!("{ty}[] v"), &[json!({"v": values})])
}

/// The verdict, and the paths of what has no partner.
fn check(a: &Data, b: &Data, rules: &[&str]) -> (Verdict, Vec<String>) {
    let result = compare(a, b, rules);
    let unmatched = result.key_diffs["k"].mismatches.iter();
    let unmatched = unmatched.filter(|found| found.kind == MismatchKind::Unmatched);
    (result.verdict, unmatched.map(|found| found.path.clone()).collect())
}

fn none() -> Vec<String> {
    Vec::new()
}

fn floats(values: &[f64]) -> Data {
    numbers("float64", &values.iter().map(|v| json!(v)).collect::<Vec<_>>())
}

#[test]
fn order_says_nothing_and_values_do() {
    let a = floats(&[3.0, 1.0, 2.0]);
    let rule = ["k.v:unordered"];
    assert_eq!(check(&a, &floats(&[1.0, 2.0, 3.0 + 1e-9]), &rule), (Verdict::Equal, none()));
    assert_eq!(check(&a, &a, &rule).0, Verdict::Identical);
    // Another order is equal, and not identical.
    assert_eq!(check(&a, &floats(&[2.0, 3.0, 1.0]), &rule).0, Verdict::Equal);
    assert_eq!(check(&a, &floats(&[2.0, 3.0, 1.0]), &[]).0, Verdict::Different);
    let (verdict, alone) = check(&a, &floats(&[1.0, 2.0, 2.0]), &rule);
    assert_eq!((verdict, alone), (Verdict::Different, vec!["v[0]".into(), "v[2]".into()]));
    // How often each is there counts.
    let twice = floats(&[1.0, 1.0, 2.0]);
    assert_eq!(check(&twice, &floats(&[1.0, 2.0, 2.0]), &rule).0, Verdict::Different);
}

#[test]
fn as_many_are_paired_as_can_be() {
    // Each with the first of its own kind would leave two alone.
    let (a, b) = (floats(&[0.0, 1.0, 2.0]), floats(&[1.0, 2.0, 3.0]));
    assert_eq!(check(&a, &b, &["k.v:unordered,abs=1"]), (Verdict::Equal, none()));
    let (_, alone) = check(&a, &b, &["k.v:unordered,abs=0.5"]);
    assert_eq!(alone, ["v[0]", "v[2]"]);
    let relative = ["k.v:unordered,rel=0.5,form=max_sym"];
    assert_eq!(check(&floats(&[-4.0, 8.0]), &floats(&[10.0, -3.0]), &relative).0, Verdict::Equal);
}

#[test]
fn other_lengths_are_missing_or_extra_elements() {
    let result = compare(&floats(&[1.0, 2.0, 3.0]), &floats(&[3.0, 1.0]), &["k.v:unordered"]);
    let values = &field(&result, "v[*]").values;
    assert_eq!(
        (result.verdict, values.compared, values.missing, values.extra),
        (Verdict::Different, 2, 1, 0)
    );
    let found = &result.key_diffs["k"].mismatches[0];
    assert_eq!(
        (found.path.as_str(), &found.a, &found.b),
        ("v[1]", &Scalar::Float64(2.0), &Scalar::Absent)
    );
    assert_eq!(check(&floats(&[]), &floats(&[1.0]), &["k.v:unordered"]).1, ["v[0]"]);
}

#[test]
fn nan_infinity_integers_text_and_fixed_arrays_are_matched_as_they_are() {
    let special = |order: [usize; 4]| {
        let values = ["NaN", "Infinity", "-Infinity", "NaN"].map(|v| json!(v));
        numbers("float64", &order.map(|i| values[i].clone()))
    };
    let (a, b) = (special([0, 1, 2, 3]), special([2, 0, 3, 1]));
    assert_eq!(check(&a, &b, &["k.v:unordered,abs=1e9"]).0, Verdict::Equal);
    assert_eq!(check(&a, &b, &["k.v:unordered,nan_equal=false"]).1.len(), 4);
    assert_eq!(check(&a, &floats(&[0.0; 4]), &["k.v:unordered,abs=1e9"]).1.len(), 8);
    let ints = |values: [u64; 2]| numbers("uint64", &values.map(|v| json!(v)));
    let big = 1_u64 << 53;
    assert_eq!(check(&ints([big, 5]), &ints([5, big]), &["k.v:unordered"]).0, Verdict::Equal);
    assert_eq!(check(&ints([big, 5]), &ints([5, big + 1]), &["k:unordered,abs=1"]).1.len(), 2);
    assert_eq!(
        check(&ints([big, 5]), &ints([6, big + 1]), &["k.v:unordered,abs=1"]).0,
        Verdict::Equal
    );
    let texts = |values: [&str; 3]| numbers("string", &values.map(|v| json!(v)));
    assert_eq!(
        check(&texts(["a", "b", "a"]), &texts(["b", "a", "a"]), &["k.v:unordered"]).0,
        Verdict::Equal
    );
    assert_eq!(
        check(&texts(["a", "b", "a"]), &texts(["b", "b", "a"]), &["k.v:unordered"]).1.len(),
        2
    );
    let fixed = |v: [f64; 3]| {
        data("float64 x\nfloat64[3] v\nfloat64 y", &[json!({"x": 1, "v": v, "y": 2})])
    };
    assert_eq!(
        check(&fixed([1.0, 2.0, 3.0]), &fixed([3.0, 1.0, 2.0]), &["k.v:unordered"]).0,
        Verdict::Equal
    );
}

const RECORDS: &str = "P[] ps\n===\nMSG: test/P\nfloat64 x\nuint8 id\nstring[] tags";

fn records(of: &[(f64, u8, &[&str])]) -> Data {
    let record = |(x, id, tags): &(f64, u8, &[&str])| json!({"x": x, "id": id, "tags": tags});
    data(RECORDS, &[json!({"ps": of.iter().map(record).collect::<Vec<_>>()})])
}

#[test]
fn messages_are_matched_by_all_their_fields() {
    let a = records(&[(1.0, 1, &["a"]), (2.0, 2, &[]), (3.0, 3, &["b", "c"])]);
    let b = records(&[(3.0, 3, &["c", "b"]), (1.05, 1, &["a"]), (2.0, 2, &[])]);
    let rule = ["k.ps:unordered,abs=0.1"];
    assert_eq!(check(&a, &b, &rule), (Verdict::Equal, none()));
    let b = records(&[(3.0, 3, &["c", "b"]), (1.5, 1, &["a"]), (2.0, 2, &[])]);
    assert_eq!(check(&a, &b, &rule), (Verdict::Different, vec!["ps[0]".into(), "ps[1]".into()]));
    // A later rule decides its field.
    assert_eq!(check(&a, &b, &["k.ps:unordered,abs=0.1", "k.ps.x:abs=1"]).0, Verdict::Equal);
    // The first that is close is not always the one.
    let (a, b) =
        (records(&[(1.0, 0, &[]), (1.2, 0, &[])]), records(&[(1.1, 0, &[]), (0.9, 0, &[])]));
    assert_eq!(check(&a, &b, &["k.ps:unordered,abs=0.15"]), (Verdict::Equal, none()));
}

#[test]
fn more_messages_than_are_matched_never_pass() {
    let many = |n: usize| -> Vec<(f64, u8, &[&str])> { vec![(1.0, 0, &[]); n] };
    let rule = ["k.ps:unordered"];
    let (a, mut other) = (records(&many(1_000)), many(1_000));
    other[0].0 = 2.0;
    assert_eq!(check(&a, &records(&other), &rule).1.len(), 2);
    let (a, mut other) = (records(&many(1_001)), many(1_001));
    other.swap(0, 1);
    other[3].2 = &["x"];
    let result = compare(&a, &records(&other), &rule);
    let found = &result.key_diffs["k"].mismatches[0];
    assert_eq!((result.verdict, found.kind), (Verdict::Different, MismatchKind::Unmatched));
    assert!(found.tolerance.contains("at most 1000 messages"), "{}", found.tolerance);
}

#[test]
fn a_rule_for_what_is_no_array_is_an_error() {
    let side = data("float64 x", &[json!({"x": 1})]);
    let policy = Policy::parse_rules(&["k.x:unordered"]).unwrap();
    let error = diff(&side.dataset, &side.dataset, &policy).unwrap_err().to_string();
    assert!(error.contains("covers no array"), "{error}");
}
