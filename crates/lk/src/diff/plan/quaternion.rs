//! What can be compared as a rotation.

use super::compile::{Compiler, Place};
use super::{Close, LeafSide, Measure, Op, Part, kind_of};
use crate::codec::layout::Count;
use crate::diff::compare::Places;
use crate::diff::policy::{Decision, FieldKind};
use crate::schema::{ElementType, FieldType, MessageType, Primitive};

/// What a field must be for a rule that calls it a quaternion.
pub(super) const NEEDS: &str = "a quaternion is a message with the fields x, y, z and w and no \
                                other, all float64 or all float32, or an array of four floats \
                                whose order the rule gives, as in `quaternion=wxyz`";

/// The float type of a message that can be a quaternion, and where its fields
/// are.
pub(super) fn of_message(ty: &MessageType) -> Option<(Primitive, Places)> {
    let [first, _, _, _] = ty.fields.as_slice() else { return None };
    let primitive = float(&first.ty)?;
    if !ty.fields.iter().all(|field| float(&field.ty) == Some(primitive)) {
        return None;
    }
    let mut places = [0; 4];
    for (place, name) in places.iter_mut().zip(["w", "x", "y", "z"]) {
        let at = ty.fields.iter().position(|field| field.name == name)?;
        *place = u8::try_from(at).ok()?;
    }
    Some((primitive, places))
}

fn float(ty: &FieldType) -> Option<Primitive> {
    match ty {
        FieldType::One(ElementType::Primitive(p @ (Primitive::Float32 | Primitive::Float64))) => {
            Some(*p)
        }
        _ => None,
    }
}

impl Compiler<'_, '_> {
    /// The step over two messages that are compared as rotations; `None`
    /// where no rule says so, or they can't be.
    pub(super) fn quaternion(
        &mut self,
        a: &MessageType,
        b: &MessageType,
        at: &Place,
        side: LeafSide,
    ) -> Option<Op> {
        let probed = self.resolver.decide(&at.glob, FieldKind::Message);
        probed.quaternion()?;
        let (primitive, places) = match (of_message(a), of_message(b)) {
            (Some((p, x)), Some((q, y))) if p == q => (p, [x, y]),
            (None, None) => {
                let both = side == LeafSide::Both && !self.torn;
                self.resolver.misfit(&probed, &at.name, NEEDS, both);
                return None;
            }
            _ => return None,
        };
        let kind = kind_of(primitive);
        let decision = self.resolver.decide(&at.glob, kind);
        for field in &a.fields {
            let place = at.field(&field.name, self.resolver);
            let own = self.resolver.decide(&place.glob, kind);
            self.one_rule(&decision, &own, &place);
        }
        let leaf = self.rotation(at, primitive, decision, places, side);
        let parts = vec![Part { leaf, count: 4, first: 0 }];
        Some(Op::Run { primitive, total: 4, parts })
    }

    /// Sees to it that no other rule has a say about a part of a quaternion.
    fn one_rule(&mut self, whole: &Decision, part: &Decision, at: &Place) {
        if !part.same_rule(whole) {
            let why = "it is a part of a quaternion, and another rule decides it";
            self.resolver.misfit(whole, &at.name, why, true);
        }
    }

    /// The leaf of all numbers of a quaternion.
    fn rotation(
        &mut self,
        at: &Place,
        primitive: Primitive,
        decision: Decision,
        places: [Places; 2],
        side: LeafSide,
    ) -> usize {
        let measure = Measure::Quaternion(places);
        let close = Close { measure, ..Close::from(&decision) };
        let type_name = format!("quaternion of {}", ElementType::Primitive(primitive));
        self.push_leaf(at, type_name, decision, close, true, side)
    }

    /// The leaf of an array that is compared as a rotation; `None` where no
    /// rule says so, or it can't be.
    pub(super) fn quaternion_array(
        &mut self,
        element: &ElementType,
        count: Count,
        at: &Place,
        side: LeafSide,
    ) -> Option<usize> {
        let (ElementType::Primitive(primitive), Count::Array(4)) = (element, count) else {
            return None;
        };
        let kind = kind_of(*primitive);
        let decision = self.resolver.decide(&at.element(None).glob, kind);
        let order = decision.quaternion().flatten().filter(|_| kind.is_float())?;
        for index in self.candidates(count) {
            let place = at.element(Some(index));
            let own = self.resolver.decide(&place.glob, kind);
            self.one_rule(&decision, &own, &place);
        }
        Some(self.rotation(at, *primitive, decision, [order.places(); 2], side))
    }
}
