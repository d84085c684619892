//! Passing over what a type doesn't read.

use crate::codec::cursor::Cursor;
use crate::codec::layout::{Count, Layout};
use crate::codec::typed::slot::{Slot, What};
use crate::error::fault::{Fault, Walk};
use crate::schema::Primitive;

/// Passes over a slot, with the checks that reading it would make.
pub(super) fn skip(cursor: &mut Cursor<'_>, slot: Slot<'_>) -> Walk<()> {
    let count = match slot.count() {
        Count::One => 1,
        Count::Array(count) => count,
        Count::Sequence(bound) => cursor.length(bound, slot.min_size())?,
    };
    let many = slot.count() != Count::One;
    let at =
        |index: usize| move |fault: Box<Fault>| if many { fault.in_element(index) } else { fault };
    match slot.what() {
        What::Primitive(primitive) => {
            let skipped = cursor.run(primitive.size(), count).and_then(|bytes| match primitive {
                Primitive::Bool => cursor.check_bools(bytes),
                _ => Ok(()),
            });
            skipped.map_err(|mut fault| match fault.element.take() {
                Some(index) => at(index)(fault),
                None => fault,
            })
        }
        What::String(bound) => {
            (0..count).try_for_each(|index| cursor.string(bound).map(drop).map_err(at(index)))
        }
        What::WString(bound) => {
            let mut text = String::new();
            (0..count).try_for_each(|index| {
                text.clear();
                cursor.wstring(bound, &mut text).map_err(at(index))
            })
        }
        What::Message(layout) => {
            (0..count).try_for_each(|index| skip_message(cursor, layout).map_err(at(index)))
        }
    }
}

fn skip_message(cursor: &mut Cursor<'_>, layout: &Layout) -> Walk<()> {
    if layout.fields.is_empty() {
        return cursor.bytes(1).map(drop);
    }
    for (index, field) in layout.ty.fields.iter().enumerate() {
        if let Some(slot) = Slot::field(layout, index) {
            skip(cursor, slot).map_err(|fault| fault.in_field(&field.name))?;
        }
    }
    Ok(())
}
