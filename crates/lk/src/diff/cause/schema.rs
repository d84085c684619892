//! What differences of types and lengths look like.

use super::{Cause, CauseKind};
use crate::diff::stream::KeyJob;
use crate::diff::{Mismatch, SchemaFinding, SchemaFindingKind};
use crate::value::Scalar;

/// Sequences of different lengths.
pub(super) fn length(mismatch: &Mismatch) -> Cause {
    let text = match (&mismatch.a, &mismatch.b) {
        (Scalar::Uint(a), Scalar::Uint(b)) if a.abs_diff(*b) == 1 => {
            let what = if a > b { "fewer" } else { "more" };
            format!("one element {what} than the reference")
        }
        (Scalar::Uint(_), Scalar::Uint(0)) => "empty in the candidate".to_owned(),
        (Scalar::Uint(0), Scalar::Uint(_)) => "empty in the reference".to_owned(),
        _ => "another length".to_owned(),
    };
    Cause::new(CauseKind::Shape, text)
}

/// The finding on types that a mismatch stands for.
pub(super) fn finding(job: &KeyJob, mismatch: &Mismatch) -> Option<Cause> {
    let findings = &job.plan.findings;
    let found = findings
        .iter()
        .find(|finding| finding.path == mismatch.path && !finding.ignored && !finding.known)?;
    let (a, b) = (found.reference.as_deref(), found.candidate.as_deref());
    Some(match found.kind {
        SchemaFindingKind::Missing => match other_name(findings, found, SchemaFindingKind::Extra) {
            Some(other) => renamed(&found.path, &other.path),
            None => Cause::new(CauseKind::Missing, "the candidate lacks the field"),
        },
        SchemaFindingKind::Extra => match other_name(findings, found, SchemaFindingKind::Missing) {
            Some(other) => renamed(&other.path, &found.path),
            None => Cause::new(CauseKind::Extra, "the reference lacks the field"),
        },
        SchemaFindingKind::Type => types(a?, b?),
        SchemaFindingKind::Order => {
            Cause::new(CauseKind::Order, "the same fields in another order")
        }
        SchemaFindingKind::Encoding => Cause::new(CauseKind::Type, "another encoding"),
    })
}

fn renamed(from: &str, to: &str) -> Cause {
    Cause::new(CauseKind::Renamed, format!("looks renamed: `{from}` to `{to}`, of one type"))
}

/// The one field of the same message and type that the other side has instead.
fn other_name<'f>(
    findings: &'f [SchemaFinding],
    of: &SchemaFinding,
    kind: SchemaFindingKind,
) -> Option<&'f SchemaFinding> {
    let parent = |path: &str| path.rsplit_once('.').map(|(parent, _)| parent.to_owned());
    let ty = |finding: &SchemaFinding| finding.reference.clone().or(finding.candidate.clone());
    let mut others = findings.iter().filter(|other| {
        other.kind == kind && parent(&other.path) == parent(&of.path) && ty(other) == ty(of)
    });
    let only = others.next()?;
    others.next().is_none().then_some(only)
}

/// Types that differ, as `.msg` text writes them.
fn types(a: &str, b: &str) -> Cause {
    let split = |ty: &str| -> (String, String) {
        let (element, shape) = ty.split_at(ty.find('[').unwrap_or(ty.len()));
        (element.to_owned(), shape.to_owned())
    };
    let ((x, shape_a), (y, shape_b)) = (split(a), split(b));
    let family = |ty: &str| ty.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
    if shape_a != shape_b && x == y {
        return Cause::new(CauseKind::Shape, format!("`{a}` became `{b}`"));
    }
    if shape_a == shape_b && x != y && family(&x) == family(&y) {
        return Cause::new(
            CauseKind::Width,
            format!("the same kind of number, `{a}` became `{b}`"),
        );
    }
    Cause::new(CauseKind::Type, format!("`{a}` became `{b}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_told_apart_by_width_shape_and_kind() {
        for (a, b, kind) in [
            ("float64", "float32", CauseKind::Width),
            ("uint8[4]", "uint16[4]", CauseKind::Width),
            ("uint8", "int8", CauseKind::Type),
            ("float64[]", "float64[2]", CauseKind::Shape),
            ("float64", "float64[1]", CauseKind::Shape),
            ("string", "int32", CauseKind::Type),
            ("string", "string<=5", CauseKind::Type),
        ] {
            assert_eq!(types(a, b).kind, kind, "{a} {b}");
        }
    }
}
