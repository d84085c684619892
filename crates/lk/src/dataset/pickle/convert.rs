//! Python's objects as messages of a known type.

use std::cmp::Ordering;

use super::MAX_DEPTH;
use super::infer::{entries, in_field};
use super::ndarray;
use super::object::{Heap, Node, Obj, RawArray};
use crate::schema::wrapper::Wrapper;
use crate::schema::{ElementType, FieldType, MessageType, Primitive};
use crate::value::{Array, Datum, Record};

/// What objects may come to once each is written out wherever it is shared.
/// A pickle of a few bytes can stand for more objects than there are atoms.
#[derive(Debug)]
pub(super) struct Budget {
    objects: u64,
    bytes: u64,
}

impl Budget {
    /// For one walk over the objects of a pickle of so many bytes.
    pub(super) fn new(input_bytes: usize) -> Budget {
        let input = input_bytes as u64;
        Budget { objects: (1 << 20) + 4 * input, bytes: (64 << 20) + 4 * input }
    }

    pub(super) fn spend(&mut self, objects: u64, bytes: usize) -> Result<(), String> {
        match (self.objects.checked_sub(objects), self.bytes.checked_sub(bytes as u64)) {
            (Some(objects), Some(bytes)) => {
                *self = Budget { objects, bytes };
                Ok(())
            }
            _ => Err("shared objects make it many times larger than its file".to_owned()),
        }
    }
}

/// Makes messages of objects.
pub(super) struct Converter<'h, 'a> {
    pub(super) heap: &'h Heap<'a>,
    pub(super) budget: Budget,
}

impl Converter<'_, '_> {
    /// The message of type `ty` that `obj` is.
    pub(super) fn message(
        &mut self,
        ty: &MessageType,
        obj: Obj,
        depth: usize,
    ) -> Result<Record, String> {
        // A field that is missing costs as much as one that is there.
        self.budget.spend(1 + ty.fields.len() as u64, 0)?;
        if depth > MAX_DEPTH {
            return Err(format!("it is nested deeper than {MAX_DEPTH} levels"));
        }
        let is_record = matches!(self.heap.node(obj), Some(Node::Dict(_) | Node::Instance { .. }));
        match Wrapper::of(ty) {
            Some(Wrapper::Data(ty)) if !is_record => {
                return Ok(Record { fields: vec![self.field(ty, false, obj, depth + 1)?] });
            }
            Some(Wrapper::NdArray(primitive)) if !is_record => {
                return self.nd_array(primitive, obj);
            }
            _ => {}
        }
        let given = entries(self.heap, obj)?;
        let mut by_name: std::collections::BTreeMap<&str, Obj> = given.into_iter().collect();
        let mut fields = Vec::with_capacity(ty.fields.len());
        for field in &ty.fields {
            let value = match by_name.remove(field.name.as_str()) {
                Some(value) => value,
                None if field.optional => Obj::None,
                None => return Err(format!("field {} is missing", field.name)),
            };
            let datum = self.field(&field.ty, field.optional, value, depth);
            fields.push(datum.map_err(|e| in_field(&field.name, &e))?);
        }
        match by_name.keys().next() {
            Some(unknown) => Err(format!("its type {} has no field {unknown}", ty.name)),
            None => Ok(Record { fields }),
        }
    }

    fn field(
        &mut self,
        ty: &FieldType,
        optional: bool,
        obj: Obj,
        depth: usize,
    ) -> Result<Datum, String> {
        let element = match ty {
            FieldType::One(element) => return self.element(element, obj, depth),
            FieldType::Array(element, _) | FieldType::Sequence(element, _) => element,
        };
        let mut array = Array::default_of(element, 0);
        let mut push = |datum| array.push(datum).map_err(|_| "it is of another type".to_owned());
        if optional {
            if obj != Obj::None {
                push(self.element(element, obj, depth)?)?;
            }
            return Ok(Datum::Array(array));
        }
        let heap = self.heap;
        let mut sorted = Vec::new();
        let items = match heap.node(obj) {
            Some(Node::Bytes(bytes)) if is_byte(element) => {
                self.budget.spend(1, bytes.len())?;
                return Ok(Datum::from(bytes.to_vec()));
            }
            Some(Node::List(items) | Node::Tuple(items)) => items,
            Some(Node::Set(items)) => {
                // Their order is that of hashes, and other in each process.
                sorted.extend_from_slice(items);
                let plain = |item: &Obj| !matches!(item, Obj::Ref(_)) || heap.text(*item).is_some();
                if !sorted.iter().all(plain) {
                    return Err("a set of anything but numbers and str has no order".to_owned());
                }
                sorted.sort_by(|&a, &b| order(heap, a, b));
                &sorted
            }
            _ => return Err(format!("expected a list, got {}", heap.describe(obj))),
        };
        for (n, &item) in items.iter().enumerate() {
            let datum = self.element(element, item, depth + 1);
            push(datum.map_err(|reason| format!("[{n}]: {reason}"))?)?;
        }
        Ok(Datum::Array(array))
    }

    fn element(&mut self, element: &ElementType, obj: Obj, depth: usize) -> Result<Datum, String> {
        match element {
            ElementType::Message(ty) => Ok(Datum::Record(self.message(ty, obj, depth + 1)?)),
            ElementType::Primitive(primitive) => {
                self.budget.spend(1, 0)?;
                self.number(*primitive, obj)
            }
            ElementType::String(_) | ElementType::WString(_) => match self.heap.text(obj) {
                Some(text) => {
                    self.budget.spend(1, text.len())?;
                    Ok(Datum::from(text))
                }
                None => Err(format!("expected a str, got {}", self.heap.describe(obj))),
            },
        }
    }

    fn number(&self, primitive: Primitive, obj: Obj) -> Result<Datum, String> {
        let number = match obj {
            Obj::Bool(v) => Number::Bool(v),
            Obj::Int(v) => Number::Int(v.into()),
            Obj::Uint(v) => Number::Int(v.into()),
            Obj::Float(v) => Number::Float(v),
            Obj::None | Obj::Ref(_) => match self.heap.node(obj) {
                Some(Node::Scalar(scalar)) => return number_from(scalar, primitive),
                _ => {
                    return Err(format!("expected {primitive}, got {}", self.heap.describe(obj)));
                }
            },
        };
        number.into_datum(primitive)
    }

    /// A NumPy array, or nested lists, as a shape and the elements.
    fn nd_array(&mut self, primitive: Primitive, obj: Obj) -> Result<Record, String> {
        let (shape, data) = match self.heap.node(obj) {
            Some(Node::Array(Some(raw))) => (raw.shape.clone(), self.raw_array(primitive, raw)?),
            _ => {
                let mut shape = Vec::new();
                let mut at = obj;
                while let Some(items) = self.heap.items(at) {
                    if shape.len() == MAX_DEPTH {
                        return Err(format!("it has more than {MAX_DEPTH} dimensions"));
                    }
                    let len = u32::try_from(items.len()).map_err(|_| "a list is too long")?;
                    shape.push(len);
                    match items.first() {
                        Some(&first) => at = first,
                        None => break,
                    }
                }
                let mut data = Array::default_of(&ElementType::Primitive(primitive), 0);
                self.flatten(primitive, &shape, obj, &mut data)?;
                (shape, data)
            }
        };
        Ok(Record { fields: vec![Datum::from(shape), Datum::Array(data)] })
    }

    fn raw_array(&mut self, primitive: Primitive, raw: &RawArray) -> Result<Array, String> {
        let bytes = self.heap.bytes(Obj::Ref(raw.bytes)).unwrap_or_default();
        self.budget.spend(1, bytes.len())?;
        let elements = ndarray::elements(raw, bytes)?;
        if raw.primitive == primitive {
            return Ok(elements);
        }
        let mut widened = Array::default_of(&ElementType::Primitive(primitive), 0);
        for n in 0..elements.len() {
            let element = elements.element(n).ok_or("it has too few elements")?;
            let datum = number_from(&element, primitive)?;
            widened.push(datum).map_err(|_| "it is of another type".to_owned())?;
        }
        Ok(widened)
    }

    /// Bounded in depth by the shape.
    fn flatten(
        &mut self,
        primitive: Primitive,
        shape: &[u32],
        obj: Obj,
        data: &mut Array,
    ) -> Result<(), String> {
        self.budget.spend(1, 0)?;
        let Some((&len, inner)) = shape.split_first() else {
            let datum = self.number(primitive, obj)?;
            return data.push(datum).map_err(|_| "it is of another type".to_owned());
        };
        match self.heap.items(obj) {
            Some(items) if items.len() == len as usize => {
                for &item in items {
                    self.flatten(primitive, inner, item, data)?;
                }
                Ok(())
            }
            _ => Err(format!("expected a list of {len}, as the first one is")),
        }
    }
}

fn is_byte(element: &ElementType) -> bool {
    use Primitive::{Byte, Char, Uint8};
    matches!(element, ElementType::Primitive(Byte | Char | Uint8))
}

fn order(heap: &Heap<'_>, a: Obj, b: Obj) -> Ordering {
    let number = |obj| match obj {
        Obj::Bool(v) => (1, i128::from(v), 0.0),
        Obj::Int(v) => (1, v.into(), v as f64),
        Obj::Uint(v) => (1, v.into(), v as f64),
        Obj::Float(v) => (1, 0, v),
        _ => (0, 0, 0.0),
    };
    let (a_number, b_number) = (number(a), number(b));
    let floats = a_number.2.total_cmp(&b_number.2);
    let numbers = floats.then(a_number.1.cmp(&b_number.1));
    a_number.0.cmp(&b_number.0).then(numbers).then_with(|| heap.text(a).cmp(&heap.text(b)))
}

/// A number of Python's, or of any NumPy type.
#[derive(Clone, Copy, Debug)]
enum Number {
    Bool(bool),
    Int(i128),
    Float(f64),
}

fn number_from(datum: &Datum, primitive: Primitive) -> Result<Datum, String> {
    if datum.type_name() == primitive.name() {
        return Ok(datum.clone());
    }
    let number = match datum {
        Datum::Bool(v) => Number::Bool(*v),
        Datum::Float32(v) => Number::Float((*v).into()),
        Datum::Float64(v) => Number::Float(*v),
        other => match (other.as_i64(), other.as_u64()) {
            (Some(v), _) => Number::Int(v.into()),
            (None, Some(v)) => Number::Int(v.into()),
            (None, None) => return Err(format!("expected {primitive}, got {}", other.type_name())),
        },
    };
    number.into_datum(primitive)
}

impl Number {
    /// As a field of this type, where it fits without loss.
    fn into_datum(self, primitive: Primitive) -> Result<Datum, String> {
        macro_rules! integer {
            ($value:expr) => {
                Datum::from($value.map_err(|_| self.misfit(primitive))?)
            };
        }
        Ok(match (primitive, self) {
            (Primitive::Bool, Number::Bool(v)) => Datum::Bool(v),
            (Primitive::Float64, Number::Float(v)) => Datum::Float64(v),
            (Primitive::Float64, Number::Int(v)) => {
                let float = v as f64;
                if float as i128 != v {
                    return Err(self.misfit(primitive));
                }
                Datum::Float64(float)
            }
            (Primitive::Float32, Number::Float(v)) => {
                let single = v as f32;
                if f64::from(single) != v && !v.is_nan() {
                    return Err(self.misfit(primitive));
                }
                Datum::Float32(single)
            }
            (Primitive::Byte | Primitive::Char | Primitive::Uint8, Number::Int(v)) => {
                integer!(u8::try_from(v))
            }
            (Primitive::Int8, Number::Int(v)) => integer!(i8::try_from(v)),
            (Primitive::Int16, Number::Int(v)) => integer!(i16::try_from(v)),
            (Primitive::Uint16, Number::Int(v)) => integer!(u16::try_from(v)),
            (Primitive::Int32, Number::Int(v)) => integer!(i32::try_from(v)),
            (Primitive::Uint32, Number::Int(v)) => integer!(u32::try_from(v)),
            (Primitive::Int64, Number::Int(v)) => integer!(i64::try_from(v)),
            (Primitive::Uint64, Number::Int(v)) => integer!(u64::try_from(v)),
            _ => return Err(self.misfit(primitive)),
        })
    }

    fn misfit(self, primitive: Primitive) -> String {
        match self {
            Number::Bool(v) => format!("expected {primitive}, got the bool {v}"),
            Number::Int(v) => format!("{primitive} can't hold the int {v}"),
            Number::Float(v) => format!("{primitive} can't hold the float {v}"),
        }
    }
}
