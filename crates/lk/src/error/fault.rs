//! A failure inside a walk, whose path grows while the walk unwinds.

use crate::error::Error;

/// The result of a step of a walk. Boxed, so that the good case is one word.
pub(crate) type Walk<T> = Result<T, Box<Fault>>;

/// What went wrong, and where.
#[derive(Debug)]
pub(crate) struct Fault {
    /// Offset in the payload, its header included.
    pub(crate) offset: usize,
    /// Expected and actual.
    pub(crate) reason: String,
    /// Which element of a run of equal primitives it was.
    pub(crate) element: Option<usize>,
    path: String,
}

impl Fault {
    /// A failure at a payload offset; 0 where nothing is read.
    pub(crate) fn new(offset: usize, reason: impl Into<String>) -> Box<Fault> {
        Box::new(Fault { offset, reason: reason.into(), element: None, path: String::new() })
    }

    /// Says which element of a run it was.
    pub(crate) fn at_element(mut self: Box<Self>, element: usize) -> Box<Fault> {
        self.element = Some(element);
        self
    }

    /// Puts a field's name before the path.
    #[cold]
    pub(crate) fn in_field(mut self: Box<Self>, name: &str) -> Box<Fault> {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{name}{dot}{}", self.path);
        self
    }

    /// Puts an index before the path.
    #[cold]
    pub(crate) fn in_element(mut self: Box<Self>, index: usize) -> Box<Fault> {
        let dot = if self.path.is_empty() { "" } else { "." };
        self.path = format!("[{index}]{dot}{}", self.path);
        self
    }

    /// Makes the element of a run part of the path.
    pub(crate) fn element_in_path(mut self: Box<Self>) -> Box<Fault> {
        match self.element.take() {
            Some(index) => self.in_element(index),
            None => self,
        }
    }

    /// As the crate's error for reading.
    pub(crate) fn into_decode(self, type_name: &str) -> Error {
        Error::Decode {
            type_name: type_name.to_owned(),
            field: self.path,
            offset: self.offset,
            reason: self.reason,
        }
    }

    /// As the crate's error for writing.
    pub(crate) fn into_encode(self, type_name: &str) -> Error {
        Error::Encode { type_name: type_name.to_owned(), field: self.path, reason: self.reason }
    }

    /// As the crate's error for checking.
    pub(crate) fn into_value(self, type_name: &str) -> Error {
        Error::Value { type_name: type_name.to_owned(), field: self.path, reason: self.reason }
    }
}
