//! Keys whose payloads are decoded before they are compared.

use super::plan::PairPlan;
use super::policy::Resolver;
use crate::dataset::foreign::{Decoder, Decoders, survey};
use crate::dataset::{Channel, ChannelId, Dataset, Encoding};
use crate::error::Error;

/// How the foreign channels of both sides can be decoded.
pub(super) struct Foreign([Decoders; 2]);

impl Foreign {
    pub(super) fn survey(sides: [&Dataset; 2]) -> Foreign {
        Foreign(survey(sides))
    }

    /// How the channel of one side is encoded once it is decoded.
    pub(super) fn encoding(&self, side: usize, id: ChannelId, channel: &Channel) -> Encoding {
        self.0[side].encoding(id, channel)
    }

    /// The comparison of a key that both sides have.
    pub(super) fn plan(
        &self,
        key: &str,
        sides: [(ChannelId, &Channel); 2],
        resolver: &mut Resolver<'_>,
    ) -> PairPlan {
        let [(id_a, a), (id_b, b)] = sides;
        let foreign = match (&a.encoding, &b.encoding) {
            (Encoding::Foreign(a), Encoding::Foreign(b))
                if a.message_encoding == b.message_encoding =>
            {
                [a, b]
            }
            (a, b) => return PairPlan::new(key, a, b, resolver),
        };
        let encodings = [self.encoding(0, id_a, a), self.encoding(1, id_b, b)];
        let mut plan = PairPlan::new(key, &encodings[0], &encodings[1], resolver);
        let (Some(a), Some(b)) = (self.0[0].get(id_a), self.0[1].get(id_b)) else { return plan };
        if a.is_inferred() {
            plan.notes.push(format!(
                "{key}: {} is decoded by a type that is inferred from the values of both sides",
                a.encoding()
            ));
        }
        let same_schema = foreign[0].schema_name == foreign[1].schema_name
            && foreign[0].schema_data == foreign[1].schema_data;
        if !same_schema {
            let names = foreign.map(|foreign| match foreign.schema_name.as_str() {
                "" => "none",
                name => name,
            });
            plan.notes.push(format!(
                "{key}: the schemas differ ({} in the reference, {} in the candidate)",
                names[0], names[1]
            ));
        }
        plan.decoders = Some(PairDecoders { sides: [a.clone(), b.clone()], same_schema });
        plan
    }
}

/// The decoders of both sides of a key.
pub(super) struct PairDecoders {
    sides: [Decoder; 2],
    same_schema: bool,
}

/// A pair of payloads, decoded.
pub(super) struct Decoded {
    pub(super) a: Vec<u8>,
    /// `None` where it is the same.
    b: Option<Vec<u8>>,
    /// Whether the payloads were the same, and mean the same.
    pub(super) same_bytes: bool,
}

impl Decoded {
    pub(super) fn b(&self) -> &[u8] {
        self.b.as_ref().unwrap_or(&self.a)
    }
}

impl PairDecoders {
    /// Whether the type comes from the values.
    pub(super) fn is_inferred(&self) -> bool {
        self.sides.iter().any(Decoder::is_inferred)
    }

    /// The payload of one side as it is compared, where it can be decoded.
    pub(super) fn payload(&self, side: usize, payload: &[u8]) -> Option<Vec<u8>> {
        self.sides.get(side)?.decode(payload).ok()
    }

    /// Both payloads as they are compared; the side whose payload can't be
    /// decoded, and why.
    pub(super) fn decode(&self, a: &[u8], b: &[u8]) -> Result<Decoded, (usize, Error)> {
        let same = a == b && self.sides[0].same_as(&self.sides[1]);
        let decoded = self.sides[0].decode(a).map_err(|e| (0, e))?;
        let other = match same {
            true => None,
            false => Some(self.sides[1].decode(b).map_err(|e| (1, e))?),
        };
        Ok(Decoded { a: decoded, b: other, same_bytes: same && self.same_schema })
    }
}
