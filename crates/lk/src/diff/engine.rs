//! From two datasets to the result, step by step.

use std::collections::{BTreeMap, BTreeSet};

use super::column::Column;
use super::foreign::Foreign;
use super::judge::{self, Ignored};
use super::plan::{Leaf, LeafSide, PairPlan};
use super::policy::{FieldKind, FieldPath, Policy, Resolver};
use super::stream::{self, KeyJob, Means, OneSided};
use super::{DiffResult, Statistical, lag, ranges, timing};
use crate::dataset::{Channel, ChannelId, Dataset, Together};
use crate::error::Result;
use crate::pool::Pool;
use crate::time::Span;

/// How to go about a comparison; what comes out doesn't depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiffOptions {
    /// Threads that read and compare, the caller's among them; 0 is taken for
    /// 1. Default: as many as the machine runs at once.
    pub threads: usize,
}

impl Default for DiffOptions {
    fn default() -> DiffOptions {
        DiffOptions { threads: Pool::available() }
    }
}

/// Compares dataset `a`, the reference, with dataset `b`, the candidate.
///
/// A side that can't be read to its end makes the result incomparable; it is
/// no error.
///
/// # Errors
///
/// [`Error::Policy`](crate::Error::Policy) where the policy makes no sense for
/// these datasets: a rule that matches nothing, a negative tolerance.
pub fn diff(a: &Dataset, b: &Dataset, policy: &Policy) -> Result<DiffResult> {
    diff_with(a, b, policy, &DiffOptions::default())
}

/// As [`diff`], with options.
///
/// # Errors
///
/// As [`diff`].
pub fn diff_with(
    a: &Dataset,
    b: &Dataset,
    policy: &Policy,
    options: &DiffOptions,
) -> Result<DiffResult> {
    diff_by(a, b, policy, &Means::new(&Together::new(options.threads)))
}

/// As [`diff`], with these threads and this much memory.
pub(super) fn diff_by(
    a: &Dataset,
    b: &Dataset,
    policy: &Policy,
    means: &Means<'_>,
) -> Result<DiffResult> {
    policy.check()?;
    timing::check([a, b], policy)?;
    let moved = timing::moved([a, b], policy);
    let foreign = Foreign::survey([a, b]);
    let at = *moved.as_ref().unwrap_or(&Span::ZERO);
    let mut keys = sort_keys([a, b], policy, &foreign, at);
    let rules = keys.resolver.finish()?;
    let (both, one_sided) = (&mut keys.both, &mut keys.one_sided);
    let compared = moved
        .and_then(|_| ranges::resolve(a, both, means.together))
        .and_then(|()| stream::compare([a, b], policy, both, one_sided, means))
        .and_then(|()| lag::estimate([a, b], both, policy));
    let mut result = match compared {
        Ok(()) => judge::judge([a, b], policy, keys.both, keys.one_sided, keys.ignored, rules),
        Err(unreadable) => {
            judge::unreadable([a, b], &unreadable, &keys.one_sided, &keys.ignored, rules)
        }
    };
    result.statistical = Statistical::of(&result, policy);
    result.policy = Some(policy.clone());
    result.seal = result.sealed();
    Ok(result)
}

/// Keys by what is done with them.
struct Keys<'p> {
    both: Vec<KeyJob>,
    one_sided: Vec<OneSided>,
    ignored: BTreeMap<String, Ignored>,
    resolver: Resolver<'p>,
}

fn sort_keys<'p>(
    sides: [&Dataset; 2],
    policy: &'p Policy,
    foreign: &Foreign,
    moved: Span,
) -> Keys<'p> {
    let mut resolver = Resolver::new(policy);
    let (mut both, mut one_sided, mut ignored) = (Vec::new(), Vec::new(), BTreeMap::new());
    let keys: BTreeSet<&str> = sides.iter().flat_map(|side| side.keys()).collect();
    for key in keys {
        let [a, b] = sides.map(|side| find(side, key));
        let role = |side: Option<(ChannelId, &Channel)>| side.map(|(_, channel)| channel.role);
        let left_out = policy.scope.leaves_out(role(a), role(b));
        let left_out = left_out.map(|reason| Ignored { reason: reason.to_owned(), by_rule: false });
        match (a, b) {
            (Some((id_a, a)), Some((id_b, b))) => {
                let plan = foreign.plan(key, [(id_a, a), (id_b, b)], &mut resolver);
                match left_out.or_else(|| ignored_by_rule(key, &plan.leaves, &mut resolver)) {
                    Some(reason) => drop(ignored.insert(key.to_owned(), reason)),
                    None => both.push(KeyJob {
                        align: policy.align_by(key),
                        moved,
                        ..KeyJob::new(key, [id_a, id_b], plan)
                    }),
                }
            }
            (Some(found), None) | (None, Some(found)) => {
                let (side, leaf_side) = match a {
                    Some(_) => (0, LeafSide::Reference),
                    None => (1, LeafSide::Candidate),
                };
                let (id, channel) = found;
                let encoding = foreign.encoding(side, id, channel);
                let leaves = PairPlan::one_sided(key, &encoding, leaf_side, &mut resolver);
                match left_out.or_else(|| ignored_by_rule(key, &leaves, &mut resolver)) {
                    Some(reason) => drop(ignored.insert(key.to_owned(), reason)),
                    None => one_sided.push(OneSided {
                        key: key.to_owned(),
                        side,
                        id,
                        known: resolver.known(&FieldPath::key(key)),
                        align: policy.align_by(key),
                        moved: if side == 1 { moved } else { Span::ZERO },
                        column: Column::default(),
                    }),
                }
            }
            (None, None) => {}
        }
    }
    Keys { both, one_sided, ignored, resolver }
}

fn find<'d>(dataset: &'d Dataset, key: &str) -> Option<(ChannelId, &'d Channel)> {
    let id = dataset.channel_id(key)?;
    dataset.channels().get(id.0 as usize).map(|channel| (id, channel))
}

/// The reason, where rules set aside the key itself and all that is in it.
fn ignored_by_rule(key: &str, leaves: &[Leaf], resolver: &mut Resolver<'_>) -> Option<Ignored> {
    let decision = resolver.decide(&FieldPath::key(key), FieldKind::Exact);
    let all = leaves.iter().all(|leaf| leaf.close.ignore);
    (decision.is_ignore() && all).then(|| Ignored {
        reason: decision.reason.unwrap_or_else(|| "no reason given".to_owned()),
        by_rule: true,
    })
}
