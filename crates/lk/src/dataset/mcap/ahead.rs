//! The content of pieces in the order in which they are needed, unpacked
//! before their turn where there are threads for it.

use std::collections::VecDeque;
use std::sync::Arc;

use super::compression::Unpacker;
use super::piece::{Content, Piece};
use super::source::Source;
use crate::dataset::Together;
use crate::error::Result;
use crate::pool::Task;

/// Bytes that may lie unpacked before their turn, and pieces.
const AHEAD_BYTES: u64 = 16 << 20;
const AHEAD_PIECES: usize = 8;

/// The content of pieces, one after another.
pub(super) struct Ahead<'a> {
    source: &'a Arc<Source>,
    pieces: &'a [Piece],
    together: Option<&'a Together>,
    unpacker: Unpacker,
    /// Pieces in the order in which they will be asked for.
    tasks: VecDeque<Task<Result<Content>>>,
    /// Of their content.
    bytes: u64,
}

impl<'a> Ahead<'a> {
    pub(super) fn new(
        source: &'a Arc<Source>,
        pieces: &'a [Piece],
        together: Option<&'a Together>,
    ) -> Ahead<'a> {
        let unpacker = Unpacker::default();
        Ahead { source, pieces, together, unpacker, tasks: VecDeque::new(), bytes: 0 }
    }

    /// The content of a piece, where `next` are those to be asked for after
    /// it, in this order.
    pub(super) fn content(
        &mut self,
        order: usize,
        next: impl Iterator<Item = usize>,
    ) -> Result<Content> {
        let begun = self.pass_over(order);
        let Some(together) = self.together else { return self.again(order) };
        if together.pool().threads() > 1 {
            self.begin(together, next);
        }
        match begun {
            Some(task) => together.pool().take(task),
            None => self.again(order),
        }
    }

    /// The content of a piece that was read before.
    pub(super) fn again(&mut self, order: usize) -> Result<Content> {
        let piece = &self.pieces[order];
        match self.together {
            Some(together) => together.twins().content(piece, self.source),
            None => piece.read(self.source, &mut self.unpacker),
        }
    }

    /// Hands out the pieces that come next, as far as there is room.
    fn begin(&mut self, together: &Together, next: impl Iterator<Item = usize>) {
        let most = (together.pool().threads() + 1).min(AHEAD_PIECES);
        for order in next.skip(self.tasks.len()) {
            let piece = &self.pieces[order];
            let bytes = self.bytes + piece.content_bytes;
            if self.tasks.len() == most || bytes > AHEAD_BYTES {
                return;
            }
            self.bytes = bytes;
            let (piece, source) = (piece.clone(), self.source.clone());
            let twins = together.twins().clone();
            let task = together.pool().submit(move || twins.content(&piece, &source));
            self.tasks.push_back(task);
        }
    }

    /// Goes on behind a piece, whose content is not wanted.
    pub(super) fn pass_over(&mut self, order: usize) -> Option<Task<Result<Content>>> {
        let begun = self.tasks.pop_front()?;
        self.bytes -= self.pieces[order].content_bytes;
        Some(begun)
    }
}
