//! The error of reading, whose path grows on the way out.

use std::fmt;

use serde::de;

use crate::codec::layout::Layout;
use crate::error::fault::Fault;

/// Why reading stopped. What a type itself reports has no place at first.
#[derive(Debug)]
pub(in crate::codec::typed) struct Stop {
    fault: Box<Fault>,
}

const NO_PLACE: usize = usize::MAX;

impl Stop {
    pub(super) fn new(offset: usize, reason: impl Into<String>) -> Stop {
        Stop { fault: Fault::new(offset, reason) }
    }

    /// Gives the value's offset to what has none.
    #[cold]
    pub(in crate::codec::typed) fn or_at(mut self, offset: usize) -> Stop {
        if self.fault.offset == NO_PLACE {
            self.fault.offset = offset;
        }
        self
    }

    pub(super) fn in_field(self, name: &str) -> Stop {
        Stop { fault: self.fault.in_field(name) }
    }

    /// Within a field of the message, or an element where there is none.
    #[cold]
    pub(super) fn in_part(self, index: usize, layout: Option<&Layout>) -> Stop {
        match layout.and_then(|layout| layout.ty.fields.get(index)) {
            Some(field) => self.in_field(&field.name),
            None => Stop { fault: self.fault.in_element(index) },
        }
    }

    pub(in crate::codec::typed) fn into_fault(self) -> Box<Fault> {
        self.fault
    }
}

impl From<Box<Fault>> for Stop {
    fn from(fault: Box<Fault>) -> Stop {
        Stop { fault }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.fault.reason)
    }
}

impl std::error::Error for Stop {}

impl de::Error for Stop {
    fn custom<T: fmt::Display>(reason: T) -> Stop {
        Stop::new(NO_PLACE, reason.to_string())
    }

    fn missing_field(field: &'static str) -> Stop {
        Stop::new(NO_PLACE, "the type wants it, and the message has no such field").in_field(field)
    }
}
