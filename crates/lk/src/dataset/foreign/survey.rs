//! The pass over foreign channels that finds their types.

use std::collections::{BTreeMap, btree_map::Entry};

use super::Decoder;
use super::self_describing::{Format, Unshaped};
use crate::dataset::shape::{self, Shape};
use crate::dataset::{Channel, ChannelId, Dataset, DatasetInfo, Encoding, Query};

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
        let decoder = group.decoder();
        for (side, id) in group.members {
            decoders[side].0.insert(id, decoder.clone());
        }
    }
    decoders
}

/// Channels of one key, on one or several sides.
struct Group {
    key: String,
    format: Format,
    /// Sides, and the channel there.
    members: Vec<(usize, ChannelId)>,
    /// What is known so far, or why there is no type.
    shape: Result<Shape, String>,
}

fn groups(sides: &[&Dataset]) -> Vec<Group> {
    let mut places: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut groups: Vec<Group> = Vec::new();
    for (side, dataset) in sides.iter().enumerate() {
        for (id, channel) in (0..).map(ChannelId).zip(dataset.channels()) {
            let Encoding::Foreign(foreign) = &channel.encoding else { continue };
            let Some(format) = Format::of(&foreign.message_encoding) else { continue };
            match places.entry((&channel.key, &foreign.message_encoding)) {
                Entry::Occupied(place) => groups[*place.get()].members.push((side, id)),
                Entry::Vacant(place) => {
                    place.insert(groups.len());
                    let key = channel.key.clone();
                    let members = vec![(side, id)];
                    groups.push(Group { key, format, members, shape: Ok(Shape::Unknown) });
                }
            }
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
            group.into_iter().for_each(|group| group.add(&sample.payload));
        }
        Ok(())
    });
    if let Err(error) = result {
        for n in places.values() {
            groups[*n].shape = Err(format!("{} can't be read: {error}", dataset.location()));
        }
    }
}

impl Group {
    fn add(&mut self, payload: &[u8]) {
        let Ok(known) = &mut self.shape else { return };
        let known = std::mem::replace(known, Shape::Unknown);
        self.shape = match self.format.shape(payload) {
            Ok(Shape::Unknown) => Err("a message is null".to_owned()),
            Ok(shape) if shape == known => Ok(known),
            Ok(shape) => known.merge(shape),
            Err(Unshaped::Malformed) => Ok(known),
            Err(Unshaped::Refused(reason)) => Err(reason),
        };
        if let Ok(shape) = &self.shape
            && shape.fields() > MAX_FIELDS
        {
            self.shape = Err(format!("the messages have over {MAX_FIELDS} different fields"));
        }
    }

    fn decoder(&self) -> Result<Decoder, String> {
        let shape = self.shape.clone()?;
        if shape == Shape::Unknown {
            return Err("no message says its type".to_owned());
        }
        let schema = shape::schema(&self.key, &shape.settled()).map_err(|e| e.to_string())??;
        Ok(Decoder::new(&self.key, self.format, &schema))
    }
}
