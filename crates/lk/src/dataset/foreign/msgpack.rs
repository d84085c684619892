//! The items of MessagePack
//! (<https://github.com/msgpack/msgpack/blob/master/spec.md>).

use super::binary::{Bytes, Item, Items};

pub(super) struct Msgpack;

impl<'a> Items<'a> for Msgpack {
    fn next(&mut self, bytes: &mut Bytes<'a>) -> Result<Item<'a>, String> {
        macro_rules! number {
            ($ty:ty) => {
                <$ty>::from_be_bytes(bytes.array()?)
            };
        }
        let [head] = bytes.array()?;
        Ok(match head {
            0x00..=0x7f => Item::Int(head.into()),
            0x80..=0x8f => Item::Map(Some((head & 0x0f).into())),
            0x90..=0x9f => Item::List(Some((head & 0x0f).into())),
            0xa0..=0xbf => Item::Text(bytes.text((head & 0x1f).into())?),
            0xc0 => Item::Null,
            0xc1 => return Err("the byte c1 begins no item".to_owned()),
            0xc2 => Item::Bool(false),
            0xc3 => Item::Bool(true),
            0xc4 => {
                let len = number!(u8);
                Item::Bytes(bytes.take(len.into())?)
            }
            0xc5 => {
                let len = number!(u16);
                Item::Bytes(bytes.take(len.into())?)
            }
            0xc6 => {
                let len = number!(u32);
                Item::Bytes(bytes.take(len.into())?)
            }
            0xc7..=0xc9 | 0xd4..=0xd8 => Item::Other("an extension type"),
            0xca => Item::Single(number!(f32)),
            0xcb => Item::Float(number!(f64)),
            0xcc => Item::Int(number!(u8).into()),
            0xcd => Item::Int(number!(u16).into()),
            0xce => Item::Int(number!(u32).into()),
            0xcf => Item::Int(number!(u64).into()),
            0xd0 => Item::Int(number!(i8).into()),
            0xd1 => Item::Int(number!(i16).into()),
            0xd2 => Item::Int(number!(i32).into()),
            0xd3 => Item::Int(number!(i64).into()),
            0xd9 => {
                let len = number!(u8);
                Item::Text(bytes.text(len.into())?)
            }
            0xda => {
                let len = number!(u16);
                Item::Text(bytes.text(len.into())?)
            }
            0xdb => {
                let len = number!(u32);
                Item::Text(bytes.text(len.into())?)
            }
            0xdc => Item::List(Some(number!(u16).into())),
            0xdd => Item::List(Some(number!(u32).into())),
            0xde => Item::Map(Some(number!(u16).into())),
            0xdf => Item::Map(Some(number!(u32).into())),
            0xe0..=0xff => Item::Int((head as i8).into()),
        })
    }
}
