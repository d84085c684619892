//! Pieces that are unpacked before their turn, by other threads.

use std::collections::VecDeque;

use super::piece::{Content, Piece};
use super::reader::Reader;
use crate::Pool;
use crate::error::Result;
use crate::pool::Task;

/// Bytes that may lie unpacked before their turn.
const AHEAD_BYTES: u64 = 16 << 20;

/// The content of pieces, one after another.
pub(super) struct Ahead<'a> {
    reader: &'a Reader,
    pieces: &'a [Piece],
    /// `None` where nobody helps.
    pool: Option<&'a Pool>,
    /// Pieces in the order in which they will be asked for.
    tasks: VecDeque<Task<Result<Content>>>,
    /// Of their content.
    bytes: u64,
}

impl<'a> Ahead<'a> {
    pub(super) fn new(
        reader: &'a Reader,
        pieces: &'a [Piece],
        pool: Option<&'a Pool>,
    ) -> Ahead<'a> {
        let pool = pool.filter(|pool| pool.threads() > 1);
        Ahead { reader, pieces, pool, tasks: VecDeque::new(), bytes: 0 }
    }

    /// The content of a piece, where `next` are those to be asked for after
    /// it, in this order.
    pub(super) fn content(
        &mut self,
        order: usize,
        next: impl Iterator<Item = usize>,
    ) -> Result<Content> {
        let Some(pool) = self.pool else { return read(self.reader, &self.pieces[order]) };
        let begun = self.pass_over(order);
        for order in next.skip(self.tasks.len()) {
            let piece = &self.pieces[order];
            let bytes = self.bytes + piece.content_bytes;
            if self.tasks.len() > pool.threads() || bytes > AHEAD_BYTES {
                break;
            }
            self.bytes = bytes;
            let (source, unpackers) =
                (self.reader.source().clone(), self.reader.unpackers().clone());
            let piece = piece.clone();
            let work = move || unpackers.with(|unpacker| piece.read(&source, unpacker));
            self.tasks.push_back(pool.submit(work));
        }
        match begun {
            Some(task) => pool.take(task),
            None => read(self.reader, &self.pieces[order]),
        }
    }

    /// Goes on behind a piece, whose content is not wanted.
    pub(super) fn pass_over(&mut self, order: usize) -> Option<Task<Result<Content>>> {
        let begun = self.tasks.pop_front()?;
        self.bytes -= self.pieces[order].content_bytes;
        Some(begun)
    }
}

fn read(reader: &Reader, piece: &Piece) -> Result<Content> {
    reader.unpackers().with(|unpacker| piece.read(reader.source(), unpacker))
}
