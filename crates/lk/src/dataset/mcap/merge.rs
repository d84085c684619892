//! Messages of a file in time order.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, VecDeque};

use bytes::Bytes;

use super::ahead::Ahead;
use super::piece::{Found, Item, Piece, items, misplaced};
use super::reader::Reader;
use super::records::{ChannelRecord, LATE_PUBLISHING, MESSAGE_HEADER, MessageHeader, SchemaRecord};
use crate::dataset::{ChannelId, Query, Sample, Together};
use crate::error::{Error, Result};
use crate::time::Time;

/// What orders pieces, and messages of different pieces: time, then place in
/// the file.
type Key = (u64, usize);

/// Samples of a file in time order, ties in file order.
///
/// A piece is unpacked when its first time is reached and dropped behind its
/// last message, so that memory holds the pieces that overlap in time, no
/// more; where those are many, a few messages of each. Payloads are slices of
/// unpacked pieces.
pub(super) struct Merge<'a> {
    reader: &'a Reader,
    pieces: &'a [Piece],
    /// By channel of the dataset; all where `None`.
    wanted: Option<Vec<bool>>,
    start: u64,
    end: u64,
    /// Pieces still to be unpacked, by their first time.
    waiting: VecDeque<Key>,
    /// The piece that messages are taken from, until `limit` is reached.
    current: Option<Open>,
    limit: Key,
    /// Other unpacked pieces, by their next message; the last number is the
    /// place in `slots`.
    heap: BinaryHeap<Reverse<(Key, usize)>>,
    slots: Vec<Option<Open>>,
    free: Vec<usize>,
    open_bytes: u64,
    /// Of the last message that was given.
    last: Key,
    ahead: Ahead<'a>,
    errors: VecDeque<Error>,
    /// What is still to be found of each channel, where all of it is asked
    /// for and the file says how much that is.
    missing: Option<Vec<i128>>,
}

/// An unpacked piece.
struct Open {
    /// All of it, or a copy of some messages of it.
    content: Bytes,
    /// In a copy, where the next message is.
    copied: Option<usize>,
    order: usize,
    /// Its messages in time order, ties as they lie in it.
    entries: Vec<Entry>,
    next: usize,
    /// Entries whose messages are in the content, from the next one up to
    /// this one.
    kept: usize,
}

#[derive(Clone, Copy)]
struct Entry {
    time: u64,
    /// Of the payload in the content.
    at: u32,
    len: u32,
    channel: u32,
}

impl Entry {
    /// Of the message with its header, in the content.
    fn range(&self) -> std::ops::Range<usize> {
        self.at as usize - MESSAGE_HEADER..self.at as usize + self.len as usize
    }
}

/// Part of a chunk below which what is wanted of it is copied, so that a few
/// messages don't keep all of it in memory.
const KEPT_PART: usize = 4;

impl Open {
    /// Keeps the next messages: all of them, or a copy of at most `limit`
    /// bytes, which is one message at least.
    fn keep(&mut self, content: Bytes, limit: Option<usize>) {
        let entries = self.entries.iter().skip(self.next);
        let wanted: usize = entries.clone().map(|entry| entry.range().len()).sum();
        if wanted >= content.len() / KEPT_PART && limit.is_none() {
            (self.content, self.copied, self.kept) = (content, None, self.entries.len());
            return;
        }
        let limit = limit.unwrap_or(usize::MAX);
        let mut copy = Vec::with_capacity(wanted.min(limit));
        self.kept = self.next;
        for range in entries.map(Entry::range) {
            if !copy.is_empty() && copy.len() + range.len() > limit {
                break;
            }
            copy.extend_from_slice(&content[range]);
            self.kept += 1;
        }
        (self.content, self.copied) = (Bytes::from(copy), Some(0));
    }

    /// The next message, which is kept.
    fn take(&mut self, entry: Entry) -> Sample {
        self.next += 1;
        let mut range = entry.range();
        if let Some(at) = &mut self.copied {
            range = *at..*at + range.len();
            *at = range.end;
        }
        sample(&self.content, range)
    }

    fn key(&self) -> Option<Key> {
        self.entries.get(self.next).map(|entry| (entry.time, self.order))
    }
}

/// Chunks that overlap of which nothing more can be kept than a few messages
/// each.
const COPIES: u64 = 1024;

/// Times that such a chunk is unpacked again at most: more of a large one is
/// kept, so that reading it takes no more than this for each of its bytes.
const AGAIN: usize = 16;

/// Later than everything.
const NEVER: Key = (u64::MAX, usize::MAX);

impl<'a> Merge<'a> {
    pub(super) fn new(
        reader: &'a Reader,
        pieces: &'a [Piece],
        query: &Query,
        together: Option<&'a Together>,
    ) -> Merge<'a> {
        let wanted = query.channels.as_ref().map(|ids| {
            let mut wanted = vec![false; reader.channel_count()];
            for id in ids {
                if let Some(flag) = wanted.get_mut(id.0 as usize) {
                    *flag = true;
                }
            }
            wanted
        });
        // No message is before zero, or at u64::MAX, which no `Time` can be.
        let bound = |time: Time| u64::try_from(time.as_nanos()).unwrap_or(0);
        let mut merge = Merge {
            reader,
            pieces,
            wanted,
            start: query.start.map_or(0, bound),
            end: query.end.map_or(u64::MAX, bound),
            waiting: VecDeque::new(),
            current: None,
            limit: NEVER,
            heap: BinaryHeap::new(),
            slots: Vec::new(),
            free: Vec::new(),
            open_bytes: 0,
            last: (0, 0),
            ahead: Ahead::new(reader.source(), pieces, together),
            errors: VecDeque::new(),
            missing: None,
        };
        if query.start.is_none() && query.end.is_none() {
            merge.missing = reader.counted();
        }
        let useful = |(_, piece): &(usize, &Piece)| merge.may_have(piece);
        let mut keys: Vec<Key> =
            pieces.iter().enumerate().filter(useful).map(|(n, piece)| (piece.start, n)).collect();
        keys.sort_unstable();
        merge.waiting = keys.into();
        merge
    }

    /// Pieces still to be unpacked.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Bytes of pieces that are held.
    #[cfg(test)]
    pub(super) fn open_bytes(&self) -> u64 {
        self.open_bytes
    }

    fn may_have(&self, piece: &Piece) -> bool {
        let in_time = piece.start < self.end && piece.end >= self.start;
        let has_wanted = match (&piece.channels, &self.wanted) {
            (Some(channels), Some(wanted)) => channels.iter().any(|&channel| {
                // A channel that is nowhere defined is an error to be met.
                self.reader.id(channel).is_none_or(|id| wanted[id.0 as usize])
            }),
            (Some(channels), None) => !channels.is_empty(),
            (None, _) => true,
        };
        in_time && has_wanted
    }

    /// Makes the piece with the earliest message the current one; `false`
    /// where there is no message left.
    fn advance(&mut self) -> bool {
        if let Some(open) = self.current.take() {
            self.put_back(open);
        }
        loop {
            let head = self.heap.peek().map_or(NEVER, |Reverse((key, _))| *key);
            match self.waiting.front() {
                Some(&key) if key < head => {
                    self.waiting.pop_front();
                    if let Some(open) = self.open(key.1) {
                        self.put_back(open);
                    }
                }
                _ => break,
            }
        }
        let Some(Reverse((_, slot))) = self.heap.pop() else {
            return false;
        };
        self.current = self.slots.get_mut(slot).and_then(Option::take);
        self.free.push(slot);
        let head = self.heap.peek().map_or(NEVER, |Reverse((key, _))| *key);
        self.limit = self.waiting.front().map_or(head, |&key| key.min(head));
        true
    }

    fn put_back(&mut self, open: Open) {
        let Some(key) = open.key() else {
            self.open_bytes -= open.content.len() as u64;
            return;
        };
        let slot = self.free.pop().unwrap_or(self.slots.len());
        if slot == self.slots.len() {
            self.slots.push(None);
        }
        self.slots[slot] = Some(open);
        self.heap.push(Reverse((key, slot)));
    }

    /// Unpacks a piece; where that fails, or it contradicts the index, there
    /// is an error to give.
    fn open(&mut self, order: usize) -> Option<Open> {
        let piece = &self.pieces[order];
        let limit = self.reader.limits().open_bytes;
        let open_bytes = self.open_bytes + piece.content_bytes;
        if open_bytes > limit {
            let what = format!("unpacking the chunks that overlap at byte {}", piece.offset);
            let path = self.reader.path().to_owned();
            self.errors.push_back(Error::Limit { what, actual: open_bytes, limit, path });
            self.ahead.pass_over(order);
            return None;
        }
        let next = self.waiting.iter().map(|key| key.1);
        let content = match self.ahead.content(order, next) {
            Ok(Ok(content)) => content,
            Ok(Err(problem)) => {
                self.errors.push_back(self.reader.damaged(piece, problem));
                return None;
            }
            Err(error) => {
                self.errors.push_back(error);
                return None;
            }
        };
        let mut entries = match self.entries(piece, &content) {
            Ok(entries) => entries,
            Err(problem) => {
                self.errors.push_back(self.reader.damaged(piece, problem));
                return None;
            }
        };
        if !entries.is_sorted_by_key(|entry| entry.time) {
            entries.sort_by_key(|entry| entry.time);
        }
        // A chunk with messages before the time that it declares comes too
        // late for them.
        let late = entries.partition_point(|entry| (entry.time, order) < self.last);
        if late > 0 {
            let problem = format!("{late} messages of a chunk are before its declared start");
            self.errors.push_back(self.reader.damaged(piece, problem));
            entries.drain(..late);
        }
        let none = Bytes::new();
        let mut open = Open { content: none, copied: None, order, entries, next: 0, kept: 0 };
        self.keep(&mut open, content);
        Some(open)
    }

    /// Keeps of a piece what there is room for.
    fn keep(&mut self, open: &mut Open, content: Bytes) {
        let kept_bytes = self.reader.limits().kept_bytes;
        // One alone is there already.
        let is_tight = self.open_bytes > 0 && self.open_bytes + content.len() as u64 > kept_bytes;
        let limit = usize::try_from(kept_bytes / COPIES).unwrap_or(usize::MAX);
        let limit = limit.max(content.len() / AGAIN);
        open.keep(content, is_tight.then_some(limit));
        self.open_bytes += open.content.len() as u64;
    }

    /// Unpacks the current piece again, for messages that were not kept.
    fn read_on(&mut self) {
        let Some(mut open) = self.current.take() else { return };
        self.open_bytes -= open.content.len() as u64;
        open.content = Bytes::new();
        match self.ahead.again(open.order) {
            Ok(Ok(content)) => {
                self.keep(&mut open, content);
                self.current = Some(open);
            }
            Ok(Err(problem)) => {
                let piece = &self.pieces[open.order];
                self.errors.push_back(self.reader.damaged(piece, problem));
            }
            Err(error) => self.errors.push_back(error),
        }
    }

    fn entries(&mut self, piece: &Piece, content: &[u8]) -> Result<Vec<Entry>, String> {
        let mut entries = Vec::new();
        let mut odd = Oddities::default();
        for item in items(content) {
            match item? {
                Item::Message(found) => {
                    odd.look_at(&found.header, piece);
                    entries.extend(self.entry(&found)?);
                }
                Item::Other(op) => {
                    odd.misplaced.insert(op);
                }
                Item::Schema(body) => {
                    let schema = SchemaRecord::parse(body).ok_or("a schema is malformed")?;
                    self.reader.check_schema(schema)?;
                }
                Item::Channel(body) => {
                    let channel = ChannelRecord::parse(body).ok_or("a channel is malformed")?;
                    self.reader.check_channel(channel)?;
                }
            }
        }
        // A survey has looked at all this.
        if !self.reader.is_surveyed() {
            odd.notes().iter().for_each(|note| self.reader.note(note));
        }
        if let Some(missing) = &mut self.missing {
            for entry in &entries {
                missing[entry.channel as usize] -= 1;
            }
        }
        Ok(entries)
    }

    /// At the end: an error where the file has other messages than it counts,
    /// and no other error says why.
    fn miscounted(&mut self) -> Option<Error> {
        let missing = self.missing.take()?;
        let wanted = |id: usize| self.wanted.as_ref().is_none_or(|wanted| wanted[id]);
        let (id, missing) =
            missing.into_iter().enumerate().find(|&(id, missing)| missing != 0 && wanted(id))?;
        Some(self.reader.miscounted(id, missing))
    }

    fn entry(&self, found: &Found) -> Result<Option<Entry>, String> {
        let MessageHeader { channel, log_time: time, .. } = found.header;
        let Some(ChannelId(id)) = self.reader.id(channel) else {
            // The survey has counted them as lost.
            return if self.reader.is_surveyed() {
                Ok(None)
            } else {
                Err(format!("a message is of channel {channel}, which is missing from the file"))
            };
        };
        if time > i64::MAX as u64 && !self.reader.is_surveyed() {
            return Err("messages after the year 2262 can't be held".to_owned());
        }
        let wanted = self.wanted.as_ref().is_none_or(|wanted| wanted[id as usize])
            && (self.start..self.end).contains(&time)
            && time <= i64::MAX as u64;
        let size = |n: usize| u32::try_from(n).map_err(|_| "a chunk is over 4 GiB".to_owned());
        let (at, len) = (size(found.at)?, size(found.len)?);
        Ok(wanted.then_some(Entry { time, at, len, channel: id }))
    }
}

/// What is odd about the messages of a piece, though they can be given.
#[derive(Default)]
struct Oddities {
    /// The channel that was looked at last.
    known: Option<u16>,
    unindexed: bool,
    mistimed: bool,
    published_late: bool,
    misplaced: BTreeSet<u8>,
}

impl Oddities {
    fn look_at(&mut self, header: &MessageHeader, piece: &Piece) {
        self.mistimed |= !(piece.start..=piece.end).contains(&header.log_time);
        self.published_late |= header.publish_time > i64::MAX as u64;
        if self.known != Some(header.channel) {
            self.known = Some(header.channel);
            let has = |all: &Vec<u16>| all.binary_search(&header.channel).is_ok();
            self.unindexed |= !piece.channels.as_ref().is_none_or(has);
        }
    }

    fn notes(&self) -> Vec<String> {
        let told = [
            (self.mistimed, "chunks declare times that their messages don't have"),
            (self.unindexed, "chunks hold channels that their index doesn't name"),
            (self.published_late, LATE_PUBLISHING),
        ];
        let told = told.into_iter().filter(|(is, _)| *is).map(|(_, note)| note.to_owned());
        told.chain(self.misplaced.iter().map(|&op| misplaced(op))).collect()
    }
}

impl Iterator for Merge<'_> {
    type Item = Result<(ChannelId, Sample)>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(open) = &mut self.current
                && let Some(entry) = open.entries.get(open.next).copied()
                && (entry.time, open.order) < self.limit
            {
                if open.next < open.kept {
                    self.last = (entry.time, open.order);
                    return Some(Ok((ChannelId(entry.channel), open.take(entry))));
                }
                self.read_on();
                if self.errors.is_empty() {
                    continue;
                }
            }
            let found = self.errors.is_empty() && self.advance();
            if let Some(error) = self.errors.pop_front() {
                self.missing = None;
                return Some(Err(error));
            }
            if !found {
                return self.miscounted().map(Err);
            }
        }
    }
}

fn sample(content: &Bytes, range: std::ops::Range<usize>) -> Sample {
    let header = MessageHeader::parse(&content[range.clone()])
        .expect("the header was parsed when the chunk was indexed");
    let time = |nanos: u64| Time::from_nanos(i64::try_from(nanos).unwrap_or(i64::MAX));
    Sample {
        time: time(header.log_time),
        publish_time: time(header.publish_time),
        sequence: header.sequence,
        payload: content.slice(range.start + MESSAGE_HEADER..range.end),
    }
}
