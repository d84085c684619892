//! Messages that are compared as they come, without datasets.

use serde::{Deserialize, Serialize};

use super::compare::{self, Message};
use super::plan::{Leaf, PairPlan, Payloads};
use super::policy::{Policy, Resolver};
use super::stats::{BLOCK, LeafStats, Partial};
use crate::dataset::Encoding;
use crate::error::{Error, Result};
use crate::schema::Schema;
use crate::time::Time;

/// Pairs of messages held against each other one by one, by the closeness of
/// [`diff`](super::diff): what agrees here is equal or identical there.
///
/// ```
/// use lk::codec::Plan;
/// use lk::diff::{Pairwise, Policy, Sides};
/// use lk::{Schema, Time};
///
/// let schema = Schema::of::<f64>()?;
/// let sides = Sides { key: "speed", reference: &schema, candidate: &schema };
/// let mut pairwise = Pairwise::new(&[sides], &Policy::parse_rules(&["speed.data:abs=0.1"])?)?;
/// let plan = Plan::new(&schema);
/// let [mut a, mut b] = [Vec::new(), Vec::new()];
/// plan.encode_typed(&1.0, &mut a)?;
/// plan.encode_typed(&1.05, &mut b)?;
/// assert!(pairwise.agree(0, &a, &b, Time::ZERO));
/// plan.encode_typed(&f64::NAN, &mut b)?;
/// assert!(!pairwise.agree(0, &a, &b, Time::ZERO));
/// assert_eq!(pairwise.fields(0)[0].violations, 1);
/// # Ok::<(), lk::Error>(())
/// ```
///
/// Of a policy its default, its rules and `nan_equal` count. What takes a
/// whole recording to say, a fraction of a range or a known difference that is
/// gone, is refused. Memory doesn't grow with what was compared.
pub struct Pairwise {
    policy: Policy,
    compared: Vec<Compared>,
}

/// The types of two sides of a key.
#[derive(Clone, Copy, Debug)]
pub struct Sides<'s> {
    /// The name that rules know it by.
    pub key: &'s str,
    /// What tolerances are relative to.
    pub reference: &'s Schema,
    /// What is held against it.
    pub candidate: &'s Schema,
}

/// How well a field agrees over all pairs so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FieldAgreement {
    /// `speed.data`, with `[*]` for the elements of arrays.
    pub path: String,
    /// Scalars that both sides had.
    pub compared: u64,
    /// Of those, outside of tolerance.
    pub violations: u64,
    /// Elements that one side's shorter sequence lacked.
    pub unmatched: u64,
    /// The largest finite difference; of rotations and angles in radians.
    pub max_error: f64,
}

struct Compared {
    plan: PairPlan,
    /// The types differ, so that nothing agrees whatever the values.
    differs: bool,
    fields: Vec<FieldAgreement>,
    /// What isn't in `fields` yet.
    partial: Partial,
    pairs: u64,
}

impl Pairwise {
    /// Gets ready to compare the messages of some keys.
    ///
    /// # Errors
    /// [`Error::Policy`] where the policy makes no sense for these types: a
    /// rule that matches none of them, one that sets aside all there is, or
    /// what takes a whole recording.
    pub fn new(sides: &[Sides<'_>], policy: &Policy) -> Result<Pairwise> {
        policy.check()?;
        if let Some(known) = policy.known_differences.first() {
            let reason = "whether it still occurs takes a whole recording to say: write a rule";
            return Err(Error::policy(&format!("known difference {}", known.glob), reason));
        }
        let mut resolver = Resolver::new(policy);
        let compared = sides.iter().map(|sides| Compared::new(sides, &mut resolver));
        let compared = compared.collect::<Result<_>>()?;
        resolver.finish()?;
        Ok(Pairwise { policy: policy.clone(), compared })
    }

    /// Whether two messages agree, at a time, of the sides at this place.
    ///
    /// # Panics
    /// Where there are no sides at that place.
    pub fn agree(&mut self, place: usize, a: &[u8], b: &[u8], time: Time) -> bool {
        let Compared { plan, differs, partial, pairs, .. } = &mut self.compared[place];
        let message =
            |payload| Message { index: *pairs, time, tick: None, payload, interpolated: false };
        let matching = partial.n_matching;
        compare::pair(plan, &self.policy, partial, message(a), message(b));
        let agree = partial.n_matching > matching && !*differs;
        *pairs += 1;
        if partial.pairs == BLOCK {
            self.compared[place].fold();
        }
        agree
    }

    /// How well each field agrees so far, in the order of the reference's
    /// type.
    ///
    /// # Panics
    /// As [`Pairwise::agree`].
    pub fn fields(&mut self, place: usize) -> &[FieldAgreement] {
        let compared = &mut self.compared[place];
        compared.fold();
        &compared.fields
    }

    /// Goes on from what [`Pairwise::fields`] gave; whether it was of the same
    /// fields.
    ///
    /// # Panics
    /// As [`Pairwise::agree`].
    pub(crate) fn resume(&mut self, place: usize, fields: &[FieldAgreement]) -> bool {
        let compared = &mut self.compared[place];
        compared.fold();
        let same = fields.iter().map(|f| &f.path).eq(compared.fields.iter().map(|f| &f.path));
        if same {
            compared.fields.clone_from_slice(fields);
        }
        same
    }
}

impl Compared {
    fn new(sides: &Sides<'_>, resolver: &mut Resolver<'_>) -> Result<Compared> {
        let encoding = |schema: &Schema| Encoding::Cdr(schema.clone());
        let [a, b] = [encoding(sides.reference), encoding(sides.candidate)];
        let plan = PairPlan::new(sides.key, &a, &b, resolver);
        if let Some(leaf) = plan.leaves.iter().find(|leaf| leaf.decision.wants_range()) {
            let reason = format!(
                "the range of {} takes a whole recording to say: write `abs`",
                path(sides.key, leaf)
            );
            return Err(Error::policy(&leaf.decision.text, reason));
        }
        let differs = matches!(plan.payloads, Payloads::Incomparable)
            || plan.findings.iter().any(|finding| !finding.ignored);
        if !differs && !plan.has_evidence() {
            return Err(Error::policy(sides.key, "rules set aside all that there is to compare"));
        }
        let fields = plan.leaves.iter().map(|leaf| FieldAgreement {
            path: path(sides.key, leaf),
            ..FieldAgreement::default()
        });
        let (fields, partial) = (fields.collect(), Partial::new(plan.leaves.len()));
        Ok(Compared { plan, differs, fields, partial, pairs: 0 })
    }

    /// Adds the counts of what was compared since the last time.
    fn fold(&mut self) {
        let empty = Partial::new(self.plan.leaves.len());
        let partial = std::mem::replace(&mut self.partial, empty);
        for (field, stats) in self.fields.iter_mut().zip(&partial.leaves) {
            field.add(stats);
        }
    }
}

impl FieldAgreement {
    fn add(&mut self, stats: &LeafStats) {
        let counts = stats.counts();
        self.compared += counts.compared;
        self.violations += counts.violations;
        self.unmatched += counts.missing + counts.extra;
        self.max_error = self.max_error.max(stats.max);
    }
}

fn path(key: &str, leaf: &Leaf) -> String {
    match leaf.path.as_str() {
        "" => key.to_owned(),
        path => format!("{key}.{path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Plan;
    use crate::diff::{Verdict, diff};
    use crate::testing::{schema, value};
    use crate::{Dataset, Value};
    use proptest::prelude::*;

    const SIDE: &str = "float64 x\nfloat32[] r\nint32 n\nstring s";

    fn message(text: &str, json: &str) -> (Schema, Vec<u8>) {
        let schema = Schema::parse("demo/Side", text).unwrap();
        let mut value = Value::default_of(&schema);
        for (path, number) in serde_json::from_str::<Vec<(String, f64)>>(json).unwrap() {
            if value.set(&path, number).is_err() {
                value.set(&path, number as i32).unwrap();
            }
        }
        let payload = Plan::new(&schema).encode(&value).unwrap().to_vec();
        (schema, payload)
    }

    /// The same pair compared both ways.
    fn check(a: (&str, &str), b: (&str, &str), rules: &[&str], expected: bool) {
        let ((schema_a, a), (schema_b, b)) = (message(a.0, a.1), message(b.0, b.1));
        let policy = Policy::parse_rules(rules).unwrap();
        let sides = Sides { key: "k", reference: &schema_a, candidate: &schema_b };
        let mut pairwise = Pairwise::new(&[sides], &policy).unwrap();
        assert_eq!(pairwise.agree(0, &a, &b, Time::ZERO), expected, "{rules:?}");
        let dataset = |schema: &Schema, payload: &[u8]| {
            let mut dataset = Dataset::memory();
            let value = Plan::new(schema).decode(payload).unwrap();
            dataset.write_value("k", &value, Time::ZERO).unwrap();
            dataset
        };
        let verdict = diff(&dataset(&schema_a, &a), &dataset(&schema_b, &b), &policy).unwrap();
        let passes = matches!(verdict.verdict, Verdict::Identical | Verdict::Equal);
        assert_eq!(passes, expected, "{rules:?}");
    }

    #[test]
    fn a_pair_agrees_exactly_where_two_datasets_of_it_are_equal() {
        let one = (SIDE, r#"[["x", 1.0]]"#);
        check(one, one, &["0"], true);
        check(one, (SIDE, r#"[["x", 1.05]]"#), &["k.x:abs=0.1"], true);
        check(one, (SIDE, r#"[["x", 1.05]]"#), &["k.x:abs=0.01"], false);
        check(one, (SIDE, r#"[["x", 1.0], ["n", 1]]"#), &["1"], false);
        check(one, (SIDE, r#"[["x", 1.0], ["n", 1]]"#), &["k.n:ignore,reason=noisy"], true);
        // A field more on one side is a difference, whatever the values.
        let more = "float64 x\nfloat32[] r\nint32 n\nstring s\nbool more";
        check(one, (more, r#"[["x", 1.0]]"#), &["1"], false);
        check(("float64 x", "[]"), ("float64 y", "[]"), &["1"], false);
        check(("float64 x", "[]"), ("float32 x", "[]"), &["1"], false);
    }

    proptest! {
        /// A schema or two, floats of any bits, sequences of any length.
        #[test]
        fn any_two_messages_agree_exactly_where_their_datasets_are_equal(
            (a, b) in (schema(), schema(), any::<bool>()).prop_flat_map(|(a, b, same)| {
                let b = if same { a.clone() } else { b };
                (value(&a), value(&b))
            }),
        ) {
            let sides = Sides { key: "k", reference: a.schema(), candidate: b.schema() };
            let policy = Policy::parse_rules(&["1e3"]).unwrap();
            let mut pairwise = Pairwise::new(&[sides], &policy).unwrap();
            let dataset = |value: &Value| {
                let mut dataset = Dataset::memory();
                dataset.write_value("k", value, Time::ZERO).unwrap();
                dataset
            };
            let payload = |value: &Value| Plan::new(value.schema()).encode(value).unwrap();
            let mut check = |a: &Value, b: &Value| {
                let verdict = diff(&dataset(a), &dataset(b), &policy).unwrap().verdict;
                let passes = matches!(verdict, Verdict::Identical | Verdict::Equal);
                (pairwise.agree(0, &payload(a), &payload(b), Time::ZERO), passes, verdict)
            };
            let (agree, passes, verdict) = check(&a, &b);
            // Two sequences without elements compare nothing: that is no
            // evidence for a recording, and no disagreement in a tick.
            prop_assert!(agree == passes || (agree && verdict == Verdict::Incomparable));
            if a.schema() == b.schema() {
                let (agree, passes, verdict) = check(&a, &a);
                prop_assert!(agree && (passes || verdict == Verdict::Incomparable));
            }
        }
    }

    #[test]
    fn nan_on_one_side_is_a_violation_and_on_both_none() {
        let schema = Schema::of::<f64>().unwrap();
        let plan = Plan::new(&schema);
        let payload = |x: f64| {
            let mut payload = Vec::new();
            plan.encode_typed(&x, &mut payload).unwrap();
            payload
        };
        let sides = Sides { key: "k", reference: &schema, candidate: &schema };
        let policy = Policy::parse_rules(&["1e300"]).unwrap();
        let mut pairwise = Pairwise::new(&[sides], &policy).unwrap();
        let mut agree = |a, b| pairwise.agree(0, &payload(a), &payload(b), Time::ZERO);
        assert!(agree(f64::NAN, f64::NAN));
        assert!(!agree(f64::NAN, 1.0) && !agree(1.0, f64::NAN));
        assert!(!agree(f64::INFINITY, 1.0));
        assert!(!pairwise.agree(0, &payload(1.0), b"\0\x01\0\0\0", Time::ZERO), "undecodable");
    }

    #[test]
    fn counts_go_on_over_blocks_and_can_be_taken_up_again() {
        let schema = Schema::of::<f64>().unwrap();
        let (zero, two) = (Plan::new(&schema), 2.0_f64);
        let [mut a, mut b] = [Vec::new(), Vec::new()];
        zero.encode_typed(&0.0_f64, &mut a).unwrap();
        zero.encode_typed(&two, &mut b).unwrap();
        let sides = [Sides { key: "k", reference: &schema, candidate: &schema }];
        let mut pairwise = Pairwise::new(&sides, &Policy::default()).unwrap();
        for n in 0..5 * BLOCK / 2 {
            assert_eq!(
                pairwise.agree(0, &a, if n % 2 == 0 { &a } else { &b }, Time::ZERO),
                n % 2 == 0
            );
        }
        let fields = pairwise.fields(0).to_vec();
        let expected = FieldAgreement {
            path: "k.data".to_owned(),
            compared: 2560,
            violations: 1280,
            unmatched: 0,
            max_error: 2.0,
        };
        assert_eq!(fields, [expected]);
        let mut next = Pairwise::new(&sides, &Policy::default()).unwrap();
        assert!(next.resume(0, &fields) && !next.resume(0, &[]));
        next.agree(0, &a, &b, Time::ZERO);
        assert_eq!(next.fields(0)[0].violations, 1281);
    }

    #[test]
    fn what_takes_a_whole_recording_or_compares_nothing_is_refused() {
        let schema = Schema::of::<f64>().unwrap();
        let refused = |rule: &str| {
            let sides = [Sides { key: "k", reference: &schema, candidate: &schema }];
            let policy = Policy::parse_rules(&[rule]).unwrap();
            Pairwise::new(&sides, &policy).err().expect("refused").to_string()
        };
        assert!(refused("k.data:range=0.1").contains("the range of k.data takes a whole"));
        assert!(refused("k.date:abs=1").contains("matches no field"));
        assert!(refused("**:ignore,reason=all").contains("set aside all"));
    }
}
