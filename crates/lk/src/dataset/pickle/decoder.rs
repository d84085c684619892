//! The stack machine of pickles, without the part that runs code.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::object::{Heap, Node, Obj, Refusal, Step};
use super::opcode as op;

/// A pickle, read.
#[derive(Debug)]
pub(super) struct Decoded<'a> {
    pub(super) heap: Heap<'a>,
    pub(super) root: Obj,
    /// Where it ends in the input.
    pub(super) end: usize,
}

/// Reads the pickle that `input` begins with. Memory is at most a multiple of
/// the input: no size is believed beyond the bytes that are there.
pub(super) fn decode(input: &[u8]) -> Step<Decoded<'_>> {
    let mut decoder = Decoder::new(input);
    let root = decoder.run()?;
    Ok(Decoded { heap: decoder.heap, root, end: decoder.at })
}

pub(super) struct Decoder<'a> {
    input: &'a [u8],
    at: usize,
    /// Where the current opcode stands.
    pub(super) start: usize,
    pub(super) heap: Heap<'a>,
    stack: Vec<Obj>,
    marks: Vec<usize>,
    /// Numbers are dense in what Python writes.
    memo: Vec<Obj>,
    sparse_memo: BTreeMap<u32, Obj>,
    /// Bytes and elements that may still be copied, as old protocols need.
    copies_left: usize,
}

impl<'a> Decoder<'a> {
    fn new(input: &'a [u8]) -> Decoder<'a> {
        Decoder {
            input,
            at: 0,
            start: 0,
            heap: Heap::default(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: Vec::new(),
            sparse_memo: BTreeMap::new(),
            copies_left: input.len(),
        }
    }

    fn run(&mut self) -> Step<Obj> {
        match self.input {
            [] => return self.refuse("it is empty"),
            [op::PROTO, 2..=5, ..] => self.at = 2,
            [op::PROTO, protocol, ..] => {
                return self.refuse(format!("it is of protocol {protocol}, not 2 to 5"));
            }
            [op::PROTO] => return self.refuse("it is cut off after its first byte"),
            _ => return self.refuse("it is of protocol 0 or 1, or no pickle; lk reads 2 to 5"),
        }
        loop {
            self.start = self.at;
            let code = self.byte()?;
            if code == op::STOP {
                let root = self.pop()?;
                if !self.stack.is_empty() || !self.marks.is_empty() {
                    return self.refuse("it ends with more than one object on the stack");
                }
                return Ok(root);
            }
            self.step(code)?;
        }
    }

    fn step(&mut self, code: u8) -> Step<()> {
        match code {
            op::NONE => self.stack.push(Obj::None),
            op::NEWTRUE => self.stack.push(Obj::Bool(true)),
            op::NEWFALSE => self.stack.push(Obj::Bool(false)),
            op::BININT => {
                let value = i32::from_le_bytes(self.array()?);
                self.stack.push(Obj::Int(i64::from(value)));
            }
            op::BININT1 => {
                let value = self.byte()?;
                self.stack.push(Obj::Int(i64::from(value)));
            }
            op::BININT2 => {
                let value = u16::from_le_bytes(self.array()?);
                self.stack.push(Obj::Int(i64::from(value)));
            }
            op::LONG1 => {
                let len = self.byte()?;
                self.long(u64::from(len))?;
            }
            op::LONG4 => {
                let len = i32::from_le_bytes(self.array()?);
                match u64::try_from(len) {
                    Ok(len) => self.long(len)?,
                    Err(_) => return self.refuse("an int has a negative length"),
                }
            }
            op::BINFLOAT => {
                let value = f64::from_be_bytes(self.array()?);
                self.stack.push(Obj::Float(value));
            }
            op::SHORT_BINUNICODE | op::BINUNICODE | op::BINUNICODE8 => {
                let len = self.length(code)?;
                let bytes = self.take(len)?;
                match std::str::from_utf8(bytes) {
                    Ok(text) => self.push(Node::Text(text))?,
                    Err(_) => return self.refuse("a str isn't UTF-8"),
                }
            }
            op::SHORT_BINBYTES | op::BINBYTES | op::BINBYTES8 | op::BYTEARRAY8 => {
                let len = self.length(code)?;
                let bytes = self.take(len)?;
                self.push(Node::Bytes(Cow::Borrowed(bytes)))?;
            }
            op::EMPTY_LIST => self.push(Node::List(Vec::new()))?,
            op::EMPTY_DICT => self.push(Node::Dict(Vec::new()))?,
            op::EMPTY_SET => self.push(Node::Set(Vec::new()))?,
            op::EMPTY_TUPLE => self.push(Node::Tuple(Vec::new()))?,
            op::TUPLE1 | op::TUPLE2 | op::TUPLE3 => {
                let mut items = Vec::with_capacity(3);
                for _ in op::TUPLE1..=code {
                    items.push(self.pop()?);
                }
                items.reverse();
                self.push(Node::Tuple(items))?;
            }
            op::MARK => self.marks.push(self.stack.len()),
            op::TUPLE => {
                let items = self.pop_mark()?;
                self.push(Node::Tuple(items))?;
            }
            op::LIST => {
                let items = self.pop_mark()?;
                self.push(Node::List(items))?;
            }
            op::FROZENSET => {
                let items = self.pop_mark()?;
                self.push(Node::Set(items))?;
            }
            op::DICT => {
                let items = self.pop_mark()?;
                let entries = self.pairs(&items)?;
                self.push(Node::Dict(entries))?;
            }
            op::APPEND => {
                let item = self.pop()?;
                self.extend_list(&[item])?;
            }
            op::APPENDS => {
                let items = self.pop_mark()?;
                self.extend_list(&items)?;
            }
            op::SETITEM => {
                let value = self.pop()?;
                let key = self.pop()?;
                self.extend_dict(&[key, value])?;
            }
            op::SETITEMS => {
                let items = self.pop_mark()?;
                self.extend_dict(&items)?;
            }
            op::ADDITEMS => {
                let items = self.pop_mark()?;
                let top = self.top()?;
                match self.heap.node_mut(top) {
                    Some(Node::Set(set)) => set.extend(items),
                    _ => return self.refuse_use("ADDITEMS to", top),
                }
            }
            op::POP => {
                if self.marks.last() == Some(&self.stack.len()) {
                    self.marks.pop();
                } else {
                    self.pop()?;
                }
            }
            op::POP_MARK => drop(self.pop_mark()?),
            op::DUP => {
                let top = self.top()?;
                self.stack.push(top);
            }
            op::BINPUT => {
                let index = self.byte()?;
                self.put(u32::from(index))?;
            }
            op::LONG_BINPUT => {
                let index = u32::from_le_bytes(self.array()?);
                self.put(index)?;
            }
            op::MEMOIZE => {
                let count = self.memo.len() + self.sparse_memo.len();
                match u32::try_from(count) {
                    Ok(index) => self.put(index)?,
                    Err(_) => return self.refuse("there are too many objects"),
                }
            }
            op::BINGET => {
                let index = self.byte()?;
                self.get(u32::from(index))?;
            }
            op::LONG_BINGET => {
                let index = u32::from_le_bytes(self.array()?);
                self.get(index)?;
            }
            op::FRAME => {
                let len = u64::from_le_bytes(self.array()?);
                self.check_left(len)?;
            }
            op::GLOBAL => {
                let module = self.line()?;
                let name = self.line()?;
                self.global(module, name)?;
            }
            op::STACK_GLOBAL => {
                let name = self.pop()?;
                let module = self.pop()?;
                match (self.heap.text(module), self.heap.text(name)) {
                    (Some(module), Some(name)) => self.global(module, name)?,
                    _ => return self.refuse("STACK_GLOBAL without two strs"),
                }
            }
            op::REDUCE => {
                let arguments = self.pop()?;
                let callable = self.pop()?;
                let result = self.reduce(callable, arguments)?;
                self.stack.push(result);
            }
            op::NEWOBJ => {
                let arguments = self.pop()?;
                let class = self.pop()?;
                let result = self.new_object(class, arguments)?;
                self.stack.push(result);
            }
            op::BUILD => {
                let state = self.pop()?;
                let object = self.top()?;
                self.build(object, state)?;
            }
            op::PROTO => return self.refuse("the protocol is given a second time"),
            other => {
                return match op::refused_name(other) {
                    Some(name) => self.refuse(format!("opcode {name} is not plain data")),
                    None => self.refuse(format!("byte {other:#04x} is no opcode")),
                };
            }
        }
        Ok(())
    }

    pub(super) fn refuse<T>(&self, reason: impl Into<String>) -> Step<T> {
        Err(Refusal { offset: self.start, reason: reason.into() })
    }

    /// Refuses what is done to `obj`.
    pub(super) fn refuse_use<T>(&self, action: &str, obj: Obj) -> Step<T> {
        self.refuse(format!("{action} {}", self.heap.describe(obj)))
    }

    pub(super) fn add(&mut self, node: Node<'a>) -> Step<Obj> {
        match self.heap.add(node) {
            Some(obj) => Ok(obj),
            None => self.refuse("there are too many objects"),
        }
    }

    /// Allows a copy of so many bytes or elements. Python's own pickles copy
    /// each at most once, so they never exceed it.
    pub(super) fn charge(&mut self, copied: usize) -> Step<()> {
        match self.copies_left.checked_sub(copied) {
            Some(left) => {
                self.copies_left = left;
                Ok(())
            }
            None => self.refuse("it copies more than it holds"),
        }
    }

    fn push(&mut self, node: Node<'a>) -> Step<()> {
        let obj = self.add(node)?;
        self.stack.push(obj);
        Ok(())
    }

    fn global(&mut self, module: &str, name: &str) -> Step<()> {
        let global = self.recognise(module, name)?;
        self.push(Node::Global(global))
    }

    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn pop(&mut self) -> Step<Obj> {
        if self.stack.len() <= self.floor() {
            return self.refuse("the stack is empty");
        }
        match self.stack.pop() {
            Some(obj) => Ok(obj),
            None => self.refuse("the stack is empty"),
        }
    }

    fn top(&self) -> Step<Obj> {
        match self.stack.get(self.floor()..).and_then(<[Obj]>::last) {
            Some(&obj) => Ok(obj),
            None => self.refuse("the stack is empty"),
        }
    }

    fn pop_mark(&mut self) -> Step<Vec<Obj>> {
        match self.marks.pop() {
            Some(mark) => Ok(self.stack.split_off(mark)),
            None => self.refuse("there is no mark on the stack"),
        }
    }

    fn pairs(&self, items: &[Obj]) -> Step<Vec<(Obj, Obj)>> {
        let (pairs, rest) = items.as_chunks::<2>();
        if !rest.is_empty() {
            return self.refuse("a dict has a key without a value");
        }
        Ok(pairs.iter().map(|&[key, value]| (key, value)).collect())
    }

    fn extend_list(&mut self, items: &[Obj]) -> Step<()> {
        let top = self.top()?;
        match self.heap.node_mut(top) {
            Some(Node::List(list)) => list.extend_from_slice(items),
            _ => return self.refuse_use("APPEND to", top),
        }
        Ok(())
    }

    fn extend_dict(&mut self, items: &[Obj]) -> Step<()> {
        let pairs = self.pairs(items)?;
        let top = self.top()?;
        match self.heap.node_mut(top) {
            Some(Node::Dict(dict)) => dict.extend(pairs),
            _ => return self.refuse_use("SETITEM to", top),
        }
        Ok(())
    }

    fn put(&mut self, index: u32) -> Step<()> {
        let top = self.top()?;
        let place = index as usize;
        if let Some(known) = self.memo.get_mut(place) {
            *known = top;
        } else if place == self.memo.len() {
            self.memo.push(top);
        } else {
            self.sparse_memo.insert(index, top);
        }
        Ok(())
    }

    fn get(&mut self, index: u32) -> Step<()> {
        let sparse = || self.sparse_memo.get(&index);
        match self.memo.get(index as usize).or_else(sparse) {
            Some(&obj) => {
                self.stack.push(obj);
                Ok(())
            }
            None => self.refuse(format!("memo {index} was never set")),
        }
    }

    fn long(&mut self, len: u64) -> Step<()> {
        let bytes = self.take(len)?;
        let obj = match len {
            0 => Some(Obj::Int(0)),
            1..=9 => {
                let negative = bytes.last().is_some_and(|last| last & 0x80 != 0);
                let mut wide = [if negative { 0xff } else { 0 }; 16];
                wide[..bytes.len()].copy_from_slice(bytes);
                let value = i128::from_le_bytes(wide);
                i64::try_from(value)
                    .map(Obj::Int)
                    .or_else(|_| u64::try_from(value).map(Obj::Uint))
                    .ok()
            }
            _ => None,
        };
        match obj {
            Some(obj) => {
                self.stack.push(obj);
                Ok(())
            }
            None => self.refuse(format!("an int of {len} bytes is more than 64 bits hold")),
        }
    }

    fn length(&mut self, code: u8) -> Step<u64> {
        Ok(match code {
            op::SHORT_BINUNICODE | op::SHORT_BINBYTES => u64::from(self.byte()?),
            op::BINUNICODE | op::BINBYTES => u64::from(u32::from_le_bytes(self.array()?)),
            _ => u64::from_le_bytes(self.array()?),
        })
    }

    fn check_left(&self, len: u64) -> Step<usize> {
        let left = self.input.len() - self.at;
        match usize::try_from(len) {
            Ok(len) if len <= left => Ok(len),
            _ => self.refuse(format!("it asks for {len} bytes where {left} are left")),
        }
    }

    fn take(&mut self, len: u64) -> Step<&'a [u8]> {
        let len = self.check_left(len)?;
        let bytes = &self.input[self.at..self.at + len];
        self.at += len;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Step<[u8; N]> {
        let bytes = self.take(N as u64)?;
        Ok(bytes.try_into().expect("as many were taken"))
    }

    fn byte(&mut self) -> Step<u8> {
        match self.input.get(self.at) {
            Some(&byte) => {
                self.at += 1;
                Ok(byte)
            }
            None => self.refuse("it is cut off"),
        }
    }

    fn line(&mut self) -> Step<&'a str> {
        let rest = &self.input[self.at..];
        // No name of Python's is longer, and a search for it must end.
        let rest = &rest[..rest.len().min(4096)];
        let Some(len) = rest.iter().position(|&byte| byte == b'\n') else {
            return self.refuse("a global's name has no end");
        };
        self.at += len + 1;
        match std::str::from_utf8(&rest[..len]) {
            Ok(text) => Ok(text),
            Err(_) => self.refuse("a global's name isn't UTF-8"),
        }
    }
}
