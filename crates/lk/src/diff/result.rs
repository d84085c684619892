//! The outcome of a comparison. Its JSON is the product: every other form is
//! a view of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::known::KnownOutcome;
use super::{Cause, ErrorHistogram, Policy, Statistical};
use crate::time::{Span, Time};
use crate::value::Scalar;

/// Version of the JSON form; rises when a reader of the old one would err.
pub const REPORT_VERSION: u32 = 1;

/// What a comparison says, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Values bit for bit, types and times.
    Identical,
    /// Within tolerance.
    Equal,
    /// Something is outside of tolerance, missing, extra or in error.
    Different,
    /// Nothing was compared, or nothing could be.
    Incomparable,
}

/// The comparison of two datasets: A the reference, B the candidate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DiffResult {
    /// [`REPORT_VERSION`] of the writer.
    pub version: u32,
    /// The outcome.
    pub verdict: Verdict,
    /// Why a dataset is incomparable, as a phrase; `None` otherwise.
    pub incomparable_reason: Option<String>,
    /// Where the reference is: a path, or `memory`.
    pub reference: String,
    /// Where the candidate is.
    pub candidate: String,
    /// Both sides have the same keys, but for known differences.
    pub keys_match: bool,
    /// No timestamp is off by more than its tolerance, but for known
    /// differences.
    pub timestamps_match: bool,
    /// Nothing violates, is missing, extra, in error, or of another type, but
    /// for known differences.
    pub values_match: bool,
    /// Keys of the reference that the candidate lacks.
    pub missing_keys_in_b: Vec<String>,
    /// Keys of the candidate that the reference lacks.
    pub extra_keys_in_b: Vec<String>,
    /// Keys left out by name, with the reason given for it.
    pub ignored_keys: BTreeMap<String, String>,
    /// The comparison of each key that both sides have, and of each that one
    /// lacks (whose messages are all missing or extra).
    pub key_diffs: BTreeMap<String, KeyDiff>,
    /// Whether few enough messages violate, where the policy allows some.
    #[serde(default)]
    pub statistical: Option<Statistical>,
    /// The earliest place where the sides part; `None` where they don't.
    pub first_divergence: Option<Divergence>,
    /// The known differences of the policy, and what became of them.
    #[serde(default)]
    pub known_differences: Vec<KnownOutcome>,
    /// The policy; `None` in results of an lk that didn't keep it.
    #[serde(default)]
    pub policy: Option<Policy>,
    /// The rules, as the policy language writes them, and how often each was
    /// the one that decided a field.
    pub rules: Vec<RuleUse>,
    /// What a reader should know that is no difference: an unverified file, a
    /// lossy recovery, a fallback of the alignment.
    pub notes: Vec<String>,
    /// A hash of all that judging again goes by, so that it isn't believed
    /// where it was changed since; empty in results of an lk that had none.
    #[serde(default)]
    pub seal: String,
}

impl DiffResult {
    /// Whether it passes: identical, equal, or different in no more messages
    /// than the policy allows.
    pub fn passes(&self) -> bool {
        matches!(self.verdict, Verdict::Identical | Verdict::Equal)
            || self.statistical.as_ref().is_some_and(|reading| reading.passes)
    }

    /// Whether keys, timestamps and values match, and known differences hold.
    /// Of an incomparable result this says nothing; ask the verdict.
    pub fn all_match(&self) -> bool {
        let hold = self.known_differences_hold();
        self.keys_match && self.timestamps_match && self.values_match && hold
    }
}

/// One rule of the policy and how many fields it decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleUse {
    /// The rule as text.
    pub rule: String,
    /// Fields of either side's schemas that it was the last to match.
    pub fields: u64,
}

/// How messages of a key were paired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Alignment {
    /// Tick number, then order within the tick.
    Tick,
    /// Exact time, then order within it.
    Time,
    /// Position.
    Index,
    /// Sequence number, then order within it.
    Sequence,
    /// The nearest in time, within a window.
    Nearest,
    /// The candidate's values at the times of the reference.
    Interpolate,
}

/// The comparison of one key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyDiff {
    /// Messages in the reference.
    pub length_a: u64,
    /// Messages in the candidate.
    pub length_b: u64,
    /// Compared messages without a violation.
    pub n_matching: u64,
    /// Compared messages with one that is no known difference.
    pub n_different: u64,
    /// Compared messages with known differences alone.
    #[serde(default)]
    pub n_known: u64,
    /// How messages were paired.
    pub alignment: Alignment,
    /// Where every message went.
    pub messages: MessageCounts,
    /// The comparison of times, apart from values.
    pub timestamps: TimestampDiff,
    /// Types that differ, and fields that one side lacks.
    pub schema: Vec<SchemaFinding>,
    /// Statistics per field, in the order of the reference's schema, fields
    /// that only the candidate has last. Elements of an array share an entry
    /// (`ranges[*]`).
    pub fields: Vec<FieldDiff>,
    /// The first ten violations that are no known differences, in reference
    /// order.
    pub mismatches: Vec<Mismatch>,
    /// Largest finite absolute error over all fields.
    pub max_error: Option<f64>,
    /// Mean absolute error over all compared numbers of all fields.
    pub mean_error: Option<f64>,
    /// By how much the candidate's times are late, where that explains most of
    /// what is wrong with them.
    #[serde(default)]
    pub time_lag: Option<TimeLag>,
    /// By how many messages the candidate's values are late, where that
    /// explains most of what is wrong with some fields.
    #[serde(default)]
    pub value_lag: Option<ValueLag>,
    /// Error messages met while comparing (a payload that can't be decoded),
    /// the first ten.
    pub errors: Vec<String>,
}

/// Where every message of a key went.
///
/// `reference = compared + missing + unaligned_reference + errors` and
/// `candidate = compared + extra + unaligned_candidate + errors`. Where values
/// are interpolated, some of what is compared is no message of the candidate,
/// and some of its messages only serve that: `candidate + interpolated =
/// compared + unaligned_candidate + errors + between`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageCounts {
    /// Messages in the reference.
    pub reference: u64,
    /// Messages in the candidate.
    pub candidate: u64,
    /// Pairs whose fields were compared.
    pub compared: u64,
    /// Of the reference, without a partner.
    pub missing: u64,
    /// Of the candidate, without a partner.
    pub extra: u64,
    /// Of the reference, that the alignment leaves out.
    pub unaligned_reference: u64,
    /// Of the candidate, that the alignment leaves out.
    pub unaligned_candidate: u64,
    /// Pairs that could not be decoded.
    pub errors: u64,
    /// Pairs whose candidate is interpolated, so no message of its own; 0 but
    /// for [`Alignment::Interpolate`].
    #[serde(default)]
    pub interpolated: u64,
    /// Of the candidate, between two of the reference: drawn on or passed over
    /// by interpolation.
    #[serde(default)]
    pub between: u64,
    /// Tag: missing, extra and unaligned ones that are known differences.
    #[serde(default)]
    pub known: u64,
    /// Tag: compared pairs known to be equal without decoding them.
    pub undecoded: u64,
    /// Tag: candidate messages that repeat the one before them.
    pub duplicated: u64,
    /// Tag: candidate messages whose time runs back.
    pub reordered: u64,
}

/// A constant lag of the candidate's times: the median of `candidate -
/// reference`. Reported, never taken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeLag {
    /// Positive where the candidate is late.
    #[serde(rename = "span_ns")]
    pub span: Span,
    /// Pairs whose times are further apart than the tolerance; where no message
    /// was paired, pairs by position.
    pub violations: u64,
    /// Those that would not be with the lag taken off.
    pub vanish: u64,
}

/// A constant lag of the candidate's values, in messages: what it says is what
/// the reference said so many before. Reported, never taken off.
///
/// It is looked for around the first violation of the first 16 keys that are
/// different: among some thousand messages and up to 64 messages either way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueLag {
    /// Positive where the candidate is late; never 0.
    pub messages: i64,
    /// The time that this usually takes in the reference, with the same sign.
    #[serde(rename = "span_ns")]
    pub span: Span,
    /// Paths of the fields that it explains, elements of an array together.
    pub fields: Vec<String>,
    /// Values of those that violate, among the messages that were looked at.
    pub violations: u64,
    /// How many fewer would with the lag taken off.
    pub vanish: u64,
}

/// The comparison of times of paired messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimestampDiff {
    /// Pairs whose times were compared.
    pub compared: u64,
    /// Pairs with exactly equal times.
    pub equal: u64,
    /// Pairs further apart than the tolerance.
    pub violations: u64,
    /// Of these, known differences.
    #[serde(default)]
    pub known: u64,
    /// Largest difference without its sign, in nanoseconds.
    #[serde(rename = "max_error_ns")]
    pub max_error: Span,
    /// By how much the candidate is later at most, in nanoseconds.
    #[serde(rename = "max_later_ns", default)]
    pub max_later: Span,
    /// By how much the candidate is earlier at most, in nanoseconds.
    #[serde(rename = "max_earlier_ns", default)]
    pub max_earlier: Span,
}

/// A difference of types.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaFinding {
    /// Dotted path of the field; empty for the message itself.
    pub path: String,
    /// What is wrong with it.
    pub kind: SchemaFindingKind,
    /// Type in the reference, where it has the field.
    pub reference: Option<String>,
    /// Type in the candidate, where it has the field.
    pub candidate: Option<String>,
    /// Set aside by an `ignore` rule, so that it is no difference.
    pub ignored: bool,
    /// A known difference, so that it is none.
    #[serde(default)]
    pub known: bool,
}

/// What is wrong with a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SchemaFindingKind {
    /// The candidate lacks the field.
    Missing,
    /// The reference lacks the field.
    Extra,
    /// The types differ, so that values were not compared.
    Type,
    /// The same fields in another order; values were compared by name.
    Order,
    /// The message encodings differ, or can't be decoded.
    Encoding,
}

/// Statistics of one field over all compared messages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldDiff {
    /// Dotted path: `pose.position.x`, `ranges[*]`.
    pub path: String,
    /// Type of an element: `float64`.
    pub type_name: String,
    /// What decided: `abs=1e-6`, `exact`, `ignore: noisy`.
    pub tolerance: String,
    /// Where every scalar went.
    pub values: ValueCounts,
    /// Sequences whose lengths differ between the sides, and elements of
    /// unordered ones that have no partner (each a violation).
    pub shape_violations: u64,
    /// Of these, known differences.
    #[serde(default)]
    pub known_shape_violations: u64,
    /// Of the others, elements of unordered sequences without a partner.
    #[serde(default)]
    pub unmatched: u64,
    /// Numeric errors; `None` for what isn't a number or never compared.
    pub error: Option<ErrorStats>,
    /// Absolute errors by their size; `None` where `error` is.
    #[serde(default)]
    pub histogram: Option<ErrorHistogram>,
    /// Time of the first violation in this field.
    #[serde(rename = "first_violation_ns", with = "crate::time::optional_nanos")]
    pub first_violation: Option<Time>,
}

/// Where every scalar of a field went: `compared = equal + within +
/// violations`; the others are tags on those, but for `ignored`, `missing`
/// and `extra`, which were not compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueCounts {
    /// Scalars compared.
    pub compared: u64,
    /// Equal bit for bit, or as numbers (0.0 and -0.0, NaN and NaN). Angles a
    /// whole turn apart are `within`, as a quaternion and its negative are.
    pub equal: u64,
    /// Unequal, within tolerance.
    pub within: u64,
    /// Outside of tolerance.
    pub violations: u64,
    /// Left out by an `ignore` rule.
    pub ignored: u64,
    /// Elements that the candidate's shorter sequence lacks.
    pub missing: u64,
    /// Elements that the reference's shorter sequence lacks.
    pub extra: u64,
    /// Tag: violations that are known differences.
    #[serde(default)]
    pub known: u64,
    /// Tag: equal in every bit.
    pub bit_equal: u64,
    /// Tag: NaN in the reference.
    pub nan_reference: u64,
    /// Tag: NaN in the candidate.
    pub nan_candidate: u64,
    /// Tag: infinite on either side.
    pub inf: u64,
    /// Tag: zero in the reference, where a relative error is no number.
    pub zero_reference: u64,
    /// Tag: NaN on both sides.
    #[serde(default)]
    pub nan_both: u64,
    /// Tag: NaN or infinite on one side, or infinite with another sign (a
    /// quaternion: no rotation on some side). No tolerance lets these pass.
    #[serde(default)]
    pub unbounded: u64,
    /// Tag: finite numbers whose difference is not.
    #[serde(default)]
    pub overflow: u64,
    /// Tag: zeros of different signs.
    #[serde(default)]
    pub zero_signs: u64,
}

impl ValueCounts {
    /// The share of compared scalars that is equal in every bit, from 0 to 1;
    /// `None` where none was compared.
    pub fn bit_equal_share(&self) -> Option<f64> {
        (self.compared > 0).then(|| self.bit_equal as f64 / self.compared as f64)
    }
}

/// Statistics of `candidate - reference`, over pairs where that is finite; of
/// an angle, of what is left of it without whole turns; of a quaternion, of the
/// angle between two, once for its four scalars.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ErrorStats {
    /// Numbers that went in.
    pub count: u64,
    /// Largest absolute error.
    pub max: f64,
    /// Index of the message with the largest, in the reference.
    pub max_index: u64,
    /// Time of that message.
    #[serde(rename = "max_time_ns", with = "crate::time::nanos")]
    pub max_time: Time,
    /// Mean absolute error.
    pub mean: f64,
    /// Root of the mean square error.
    pub rms: f64,
    /// Mean of the signed error.
    pub bias: f64,
    /// What shares of the absolute errors are below.
    #[serde(default)]
    pub quantiles: Option<ErrorQuantiles>,
    /// Smallest absolute tolerance that would pass, at the relative one given;
    /// `None` where none would (NaN, infinity, the sign of a zero that is asked
    /// for, another length), and where the tolerance is none of these (`ulp`).
    pub passing_abs: Option<f64>,
    /// Smallest relative tolerance that would pass, at the absolute one given;
    /// `None` where none would, as for too large an error at a reference of 0,
    /// and where the tolerance has no relative part.
    #[serde(default)]
    pub passing_rel: Option<f64>,
    /// Smallest number of representable floats that would pass, where the
    /// tolerance is one (`ulp`).
    #[serde(default)]
    pub passing_ulp: Option<u64>,
}

/// Quantiles of absolute errors, those of exactly 0 among them: each an upper
/// bound of the smallest error that such a share of all errors is at most,
/// never more than 1/8 above it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ErrorQuantiles {
    /// Half of the errors are at most this.
    pub p50: f64,
    /// 90 % are.
    pub p90: f64,
    /// 99 % are.
    pub p99: f64,
    /// 99.9 % are.
    pub p999: f64,
}

/// One violation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mismatch {
    /// Index of the message in the reference (in the candidate, where extra).
    pub index: u64,
    /// Number of the tick, where the runner wrote the dataset.
    pub tick: Option<u64>,
    /// Time of the message in the reference (in the candidate, where extra).
    #[serde(rename = "time_ns", with = "crate::time::nanos")]
    pub time: Time,
    /// Dotted path with the element's index: `ranges[17]`; empty where the
    /// whole message is missing or extra.
    pub path: String,
    /// What is wrong.
    pub kind: MismatchKind,
    /// Value in the reference.
    pub a: Scalar,
    /// Value in the candidate.
    pub b: Scalar,
    /// Absolute error, where it is a finite number.
    pub error: Option<f64>,
    /// What decided, as text: `abs=1e-6`.
    pub tolerance: String,
}

/// What is wrong with one value, or one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MismatchKind {
    /// Outside of tolerance.
    Value,
    /// NaN on one side.
    Nan,
    /// Infinite on one side, or of the other sign.
    Infinity,
    /// Sequences of different lengths.
    Length,
    /// An element of an unordered sequence without a partner; or all of one that
    /// is too long to be matched.
    Unmatched,
    /// Times further apart than the tolerance.
    Time,
    /// The candidate lacks the message.
    Missing,
    /// The reference lacks the message.
    Extra,
    /// The message is outside of the span of the other side, and values are
    /// interpolated.
    Unaligned,
    /// Types differ, or the candidate lacks a field.
    Schema,
    /// A payload could not be decoded.
    Decode,
}

/// The earliest place where the two sides part: by reference time, then key,
/// field in schema order, and element.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Divergence {
    /// The key.
    pub key: String,
    /// Where and what.
    #[serde(flatten)]
    pub mismatch: Mismatch,
    /// The last sample at or before that time of each input that the
    /// reference recorded.
    pub inputs: Vec<InputBefore>,
    /// What it looks like, where it looks like something known.
    #[serde(default)]
    pub cause: Option<Cause>,
}

/// An input just before a divergence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InputBefore {
    /// Key of the input.
    pub key: String,
    /// Time of the sample.
    #[serde(rename = "time_ns", with = "crate::time::nanos")]
    pub time: Time,
    /// Leaf fields by dotted path, in schema order, the first 64.
    pub fields: Vec<(String, Scalar)>,
}
