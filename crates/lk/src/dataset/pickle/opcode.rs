//! The opcodes of pickles, by the names of Python's `pickletools`.

pub(super) const MARK: u8 = 0x28;
pub(super) const STOP: u8 = 0x2e;
pub(super) const POP: u8 = 0x30;
pub(super) const POP_MARK: u8 = 0x31;
pub(super) const DUP: u8 = 0x32;
pub(super) const BININT: u8 = 0x4a;
pub(super) const BININT1: u8 = 0x4b;
pub(super) const BININT2: u8 = 0x4d;
pub(super) const NONE: u8 = 0x4e;
pub(super) const REDUCE: u8 = 0x52;
pub(super) const BINUNICODE: u8 = 0x58;
pub(super) const APPEND: u8 = 0x61;
pub(super) const BUILD: u8 = 0x62;
pub(super) const GLOBAL: u8 = 0x63;
pub(super) const DICT: u8 = 0x64;
pub(super) const EMPTY_DICT: u8 = 0x7d;
pub(super) const APPENDS: u8 = 0x65;
pub(super) const BINGET: u8 = 0x68;
pub(super) const LONG_BINGET: u8 = 0x6a;
pub(super) const LIST: u8 = 0x6c;
pub(super) const EMPTY_LIST: u8 = 0x5d;
pub(super) const BINPUT: u8 = 0x71;
pub(super) const LONG_BINPUT: u8 = 0x72;
pub(super) const SETITEM: u8 = 0x73;
pub(super) const TUPLE: u8 = 0x74;
pub(super) const EMPTY_TUPLE: u8 = 0x29;
pub(super) const SETITEMS: u8 = 0x75;
pub(super) const BINFLOAT: u8 = 0x47;
pub(super) const PROTO: u8 = 0x80;
pub(super) const NEWOBJ: u8 = 0x81;
pub(super) const TUPLE1: u8 = 0x85;
pub(super) const TUPLE2: u8 = 0x86;
pub(super) const TUPLE3: u8 = 0x87;
pub(super) const NEWTRUE: u8 = 0x88;
pub(super) const NEWFALSE: u8 = 0x89;
pub(super) const LONG1: u8 = 0x8a;
pub(super) const LONG4: u8 = 0x8b;
pub(super) const BINBYTES: u8 = 0x42;
pub(super) const SHORT_BINBYTES: u8 = 0x43;
pub(super) const SHORT_BINUNICODE: u8 = 0x8c;
pub(super) const BINUNICODE8: u8 = 0x8d;
pub(super) const BINBYTES8: u8 = 0x8e;
pub(super) const EMPTY_SET: u8 = 0x8f;
pub(super) const ADDITEMS: u8 = 0x90;
pub(super) const FROZENSET: u8 = 0x91;
pub(super) const STACK_GLOBAL: u8 = 0x93;
pub(super) const MEMOIZE: u8 = 0x94;
pub(super) const FRAME: u8 = 0x95;
pub(super) const BYTEARRAY8: u8 = 0x96;

/// What an opcode is called that lk doesn't take.
pub(super) fn refused_name(op: u8) -> Option<&'static str> {
    Some(match op {
        0x49 => "INT",
        0x4c => "LONG",
        0x53 => "STRING",
        0x54 => "BINSTRING",
        0x55 => "SHORT_BINSTRING",
        0x97 => "NEXT_BUFFER",
        0x98 => "READONLY_BUFFER",
        0x56 => "UNICODE",
        0x46 => "FLOAT",
        0x67 => "GET",
        0x70 => "PUT",
        0x82 => "EXT1",
        0x83 => "EXT2",
        0x84 => "EXT4",
        0x69 => "INST",
        0x6f => "OBJ",
        0x92 => "NEWOBJ_EX",
        0x50 => "PERSID",
        0x51 => "BINPERSID",
        _ => return None,
    })
}
