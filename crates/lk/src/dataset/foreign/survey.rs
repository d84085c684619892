//! The pass over foreign channels that finds their types.

use std::collections::BTreeMap;

#[cfg(feature = "protobuf")]
use super::PROTOBUF;
#[cfg(feature = "protobuf")]
use super::protobuf::{Absent, ProtobufType, Unsurveyed};
use super::self_describing::{Format, Unshaped};
use super::{Decoder, Reader};
use crate::dataset::shape::{self, Shape};
use crate::dataset::{Channel, ChannelId, Dataset, DatasetInfo, Encoding, ForeignEncoding, Query};

/// Fields of an inferred type. More of them are data, such as identifiers,
/// rather than the names of fields.
const MAX_FIELDS: usize = 16_384;

/// How the foreign channels of one dataset can be decoded: a decoder, or why
/// there is none. Channels in formats that lk doesn't know are not in it.
#[derive(Clone, Debug, Default)]
pub struct Decoders(BTreeMap<ChannelId, Result<Decoder, String>>);

impl Decoders {
    /// The decoder of a channel.
    pub fn get(&self, id: ChannelId) -> Option<&Decoder> {
        self.0.get(&id)?.as_ref().ok()
    }

    /// Whether no channel can be decoded.
    pub fn is_empty(&self) -> bool {
        self.0.values().all(Result::is_err)
    }

    /// Says in `info`, which is of the same dataset, what types were found.
    pub fn describe(&self, dataset: &Dataset, info: &mut DatasetInfo) {
        for channel in &mut info.channels {
            let id = dataset.channel_id(&channel.key);
            match id.and_then(|id| self.0.get(&id)) {
                Some(Ok(decoder)) => {
                    let inferred = if decoder.is_inferred() { " (inferred)" } else { "" };
                    channel.type_name = format!("{}{inferred}", decoder.schema().name());
                    channel.opaque_reason = None;
                }
                Some(Err(reason)) => channel.opaque_reason = Some(reason.clone()),
                None => {}
            }
        }
    }

    /// How `channel`, which has this number, is encoded once it is decoded;
    /// where it can't be, why not.
    pub fn encoding(&self, id: ChannelId, channel: &Channel) -> Encoding {
        match (self.0.get(&id), &channel.encoding) {
            (Some(Ok(decoder)), _) => Encoding::Cdr(decoder.schema().clone()),
            (Some(Err(reason)), Encoding::Foreign(foreign)) => {
                let mut foreign = foreign.clone();
                foreign.reason.clone_from(reason);
                Encoding::Foreign(foreign)
            }
            (_, encoding) => encoding.clone(),
        }
    }
}

/// Finds how the foreign channels of datasets can be decoded, those of one key
/// and one encoding alike, by reading all of their messages once. Memory is
/// bounded by the types, not by the messages.
///
/// Where a dataset can't be read to its end, its channels can't be decoded.
pub fn survey<const N: usize>(sides: [&Dataset; N]) -> [Decoders; N] {
    let mut groups = groups(&sides);
    for (side, dataset) in sides.iter().enumerate() {
        read(dataset, side, &mut groups);
    }
    let mut decoders = [(); N].map(|()| Decoders::default());
    for group in groups {
        // One decoder for all sides whose payloads mean the same.
        let mut made: BTreeMap<usize, Result<Decoder, String>> = BTreeMap::new();
        for &(side, id) in &group.members {
            let alike = group.alike(side);
            let decoder = made.entry(alike).or_insert_with(|| group.decoder(alike));
            decoders[side].0.insert(id, decoder.clone());
        }
    }
    decoders
}

/// Channels of one key and one encoding, on one or several sides.
struct Group {
    key: String,
    /// Sides, and the channel there.
    members: Vec<(usize, ChannelId)>,
    found: Found,
}

/// What is known so far.
enum Found {
    /// Of a format that says itself what it holds: a type, or why there is
    /// none.
    Shape(Format, Result<Shape, String>),
    #[cfg(feature = "protobuf")]
    Protobuf(Protobuf),
}

/// Types by the side that has them, and the fields that some message lacks.
#[cfg(feature = "protobuf")]
struct Protobuf {
    types: BTreeMap<usize, (ForeignEncoding, ProtobufType)>,
    absent: Result<Absent, String>,
}

impl Found {
    fn new(message_encoding: &str) -> Option<Found> {
        if let Some(format) = Format::of(message_encoding) {
            return Some(Found::Shape(format, Ok(Shape::Unknown)));
        }
        #[cfg(feature = "protobuf")]
        if message_encoding == PROTOBUF {
            let (types, absent) = (BTreeMap::new(), Ok(Absent::new()));
            return Some(Found::Protobuf(Protobuf { types, absent }));
        }
        None
    }

    fn refuse(&mut self, reason: String) {
        match self {
            Found::Shape(_, shape) => *shape = Err(reason),
            #[cfg(feature = "protobuf")]
            Found::Protobuf(protobuf) => protobuf.absent = Err(reason),
        }
    }
}

fn groups(sides: &[&Dataset]) -> Vec<Group> {
    let mut places: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut groups: Vec<Group> = Vec::new();
    for (side, dataset) in sides.iter().enumerate() {
        for (id, channel) in (0..).map(ChannelId).zip(dataset.channels()) {
            let Encoding::Foreign(foreign) = &channel.encoding else { continue };
            let Some(found) = Found::new(&foreign.message_encoding) else { continue };
            let place =
                *places.entry((&channel.key, &foreign.message_encoding)).or_insert_with(|| {
                    groups.push(Group { key: channel.key.clone(), members: Vec::new(), found });
                    groups.len() - 1
                });
            groups[place].join(side, id, foreign);
        }
    }
    groups
}

/// Adds what the messages of one side say.
fn read(dataset: &Dataset, side: usize, groups: &mut [Group]) {
    let mut places = BTreeMap::new();
    for (n, group) in groups.iter().enumerate() {
        let here = group.members.iter().filter(|(of, _)| *of == side);
        places.extend(here.map(|(_, id)| (*id, n)));
    }
    if places.is_empty() {
        return;
    }
    let query = Query { channels: Some(places.keys().copied().collect()), ..Query::default() };
    let result = dataset.samples(&query).and_then(|samples| {
        for item in samples {
            let (id, sample) = item?;
            let group = places.get(&id).and_then(|n| groups.get_mut(*n));
            group.into_iter().for_each(|group| group.add(side, &sample.payload));
        }
        Ok(())
    });
    if let Err(error) = result {
        for n in places.values() {
            groups[*n].found.refuse(format!("{} can't be read: {error}", dataset.location()));
        }
    }
}

impl Group {
    #[cfg_attr(not(feature = "protobuf"), expect(unused_variables, reason = "no schemas to read"))]
    fn join(&mut self, side: usize, id: ChannelId, foreign: &ForeignEncoding) {
        self.members.push((side, id));
        #[cfg(feature = "protobuf")]
        if let Found::Protobuf(protobuf) = &mut self.found {
            match ProtobufType::new(foreign) {
                Ok(ty) => drop(protobuf.types.insert(side, (foreign.clone(), ty))),
                Err(reason) => protobuf.absent = Err(reason),
            }
        }
    }

    #[cfg_attr(not(feature = "protobuf"), expect(unused_variables, reason = "all sides are alike"))]
    fn add(&mut self, side: usize, payload: &[u8]) {
        match &mut self.found {
            Found::Shape(format, shape) => {
                let Ok(known) = shape else { return };
                let known = std::mem::replace(known, Shape::Unknown);
                *shape = add(*format, known, payload);
            }
            #[cfg(feature = "protobuf")]
            Found::Protobuf(Protobuf { types, absent }) => {
                let (Ok(fields), Some((_, ty))) = (absent.as_mut(), types.get(&side)) else {
                    return;
                };
                if let Err(Unsurveyed::Refused(reason)) = ty.survey(payload, fields) {
                    *absent = Err(reason);
                }
            }
        }
    }

    /// The decoder of one side.
    #[cfg_attr(not(feature = "protobuf"), expect(unused_variables, reason = "all sides are alike"))]
    fn decoder(&self, side: usize) -> Result<Decoder, String> {
        match &self.found {
            Found::Shape(format, shape) => {
                let shape = shape.clone()?;
                if shape == Shape::Unknown {
                    return Err("no message says its type".to_owned());
                }
                let schema = shape::schema(&self.key, &shape.settled());
                let schema = schema.map_err(|e| e.to_string())??;
                Ok(Decoder::new(&self.key, Reader::SelfDescribing(*format), &schema))
            }
            #[cfg(feature = "protobuf")]
            Found::Protobuf(Protobuf { types, absent }) => {
                let absent = absent.as_ref().map_err(Clone::clone)?;
                let (_, ty) = types.get(&side).ok_or("it has no descriptors")?;
                Ok(Decoder::new(&self.key, Reader::Protobuf(ty.clone()), &ty.schema(absent)?))
            }
        }
    }

    /// The side that comes first among those whose payloads mean the same.
    fn alike(&self, side: usize) -> usize {
        match &self.found {
            Found::Shape(..) => self.members.first().map_or(side, |(first, _)| *first),
            #[cfg(feature = "protobuf")]
            Found::Protobuf(Protobuf { types, .. }) => {
                let of = |side: &usize| types.get(side).map(|(foreign, _)| foreign);
                let alike = types.keys().find(|other| of(other) == of(&side));
                alike.copied().unwrap_or(side)
            }
        }
    }
}

/// What is known with one message more.
fn add(format: Format, known: Shape, payload: &[u8]) -> Result<Shape, String> {
    let shape = match format.shape(payload) {
        Ok(Shape::Unknown) => return Err("a message is null".to_owned()),
        Ok(shape) if shape == known => return Ok(known),
        Ok(shape) => known.merge(shape)?,
        Err(Unshaped::Malformed) => return Ok(known),
        Err(Unshaped::Refused(reason)) => return Err(reason),
    };
    match shape.fields() > MAX_FIELDS {
        true => Err(format!("the messages have over {MAX_FIELDS} different fields")),
        false => Ok(shape),
    }
}
