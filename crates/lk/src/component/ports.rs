//! Ports: what a component declares, and the handles that it keeps.

use std::any::TypeId;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use super::{AnyMsg, Encoded, Msg};
use crate::codec::Plan;
use crate::error::{Error, Result};
use crate::schema::Schema;

/// The ports of one component while it is built.
///
/// A port's name is free text without line breaks; it becomes the key of what
/// is recorded from it.
#[derive(Debug)]
pub struct Ports {
    component: String,
    /// Tells the handles of this component from those of others.
    owner: u32,
    pub(crate) inputs: Vec<PortSpec>,
    pub(crate) outputs: Vec<PortSpec>,
}

/// One declared port.
#[derive(Clone)]
pub(crate) struct PortSpec {
    pub(crate) name: String,
    /// `None` for a dynamic input, which takes what it is connected to.
    pub(crate) schema: Option<Schema>,
    /// The Rust type; `None` for a dynamic port.
    pub(crate) rust_type: Option<TypeId>,
    /// Makes a message of the Rust type from another form of it.
    pub(crate) convert: Option<Convert>,
}

/// By the schemas' common plan.
pub(crate) type Convert = fn(&dyn AnyMsg, &Plan) -> Result<Arc<dyn AnyMsg>>;

/// A typed input port of a component.
pub struct In<T> {
    pub(crate) handle: Handle,
    of: PhantomData<fn() -> T>,
}

/// A typed output port of a component.
pub struct Out<T> {
    pub(crate) handle: Handle,
    of: PhantomData<fn(T)>,
}

/// An input port whose messages are seen without their Rust type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InAny {
    pub(crate) handle: Handle,
}

/// An output port whose type is known at run time.
#[derive(Clone, Debug, PartialEq)]
pub struct OutAny {
    pub(crate) handle: Handle,
    pub(crate) schema: Schema,
}

/// An input port of either kind.
pub trait InPort: sealed::Sealed {
    #[doc(hidden)]
    fn handle(&self) -> Handle;
}

#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handle {
    pub(crate) owner: u32,
    pub(crate) index: u32,
}

impl Ports {
    pub(crate) fn new(component: &str, owner: u32) -> Ports {
        Ports { component: component.to_owned(), owner, inputs: Vec::new(), outputs: Vec::new() }
    }

    /// Name of the component that is built.
    pub fn component(&self) -> &str {
        &self.component
    }

    /// Declares an input for messages of a Rust type.
    ///
    /// # Errors
    /// [`Error::Trace`] where the type can be no message; [`Error::Graph`] for
    /// a name that is there already or isn't one.
    pub fn input<T: Msg>(&mut self, name: &str) -> Result<In<T>> {
        let handle = self.declare(name, true, PortSpec::typed::<T>(name)?)?;
        Ok(In { handle, of: PhantomData })
    }

    /// Declares an output for messages of a Rust type.
    ///
    /// # Errors
    /// As [`Ports::input`].
    pub fn output<T: Msg>(&mut self, name: &str) -> Result<Out<T>> {
        let handle = self.declare(name, false, PortSpec::typed::<T>(name)?)?;
        Ok(Out { handle, of: PhantomData })
    }

    /// Declares an input for whatever it is connected to.
    ///
    /// # Errors
    /// [`Error::Graph`] as for [`Ports::input`].
    pub fn input_any(&mut self, name: &str) -> Result<InAny> {
        let handle = self.declare(name, true, PortSpec::dynamic(name, None))?;
        Ok(InAny { handle })
    }

    /// Declares an input for messages of a type that is known at run time.
    ///
    /// # Errors
    /// [`Error::Graph`] as for [`Ports::input`].
    pub fn input_of(&mut self, name: &str, schema: &Schema) -> Result<InAny> {
        let handle = self.declare(name, true, PortSpec::dynamic(name, Some(schema.clone())))?;
        Ok(InAny { handle })
    }

    /// Declares an output of messages that are given as payloads of `schema`.
    ///
    /// # Errors
    /// [`Error::Graph`] as for [`Ports::input`].
    pub fn output_any(&mut self, name: &str, schema: &Schema) -> Result<OutAny> {
        let handle = self.declare(name, false, PortSpec::dynamic(name, Some(schema.clone())))?;
        Ok(OutAny { handle, schema: schema.clone() })
    }

    fn declare(&mut self, name: &str, is_input: bool, spec: PortSpec) -> Result<Handle> {
        let refuse = |reason: &str| {
            Err(Error::Graph { reason: format!("port {name:?} of {}: {reason}", self.component) })
        };
        if name.is_empty() || name.contains(['\n', '\r']) {
            return refuse("a port needs a name, on one line");
        }
        if self.inputs.iter().chain(&self.outputs).any(|port| port.name == name) {
            return refuse("it is declared already");
        }
        let list = if is_input { &mut self.inputs } else { &mut self.outputs };
        let index = u32::try_from(list.len()).expect("ports are counted in thousands");
        list.push(spec);
        Ok(Handle { owner: self.owner, index })
    }
}

impl PortSpec {
    fn typed<T: Msg>(name: &str) -> Result<PortSpec> {
        Ok(PortSpec {
            name: name.to_owned(),
            schema: Some(Schema::of::<T>()?),
            rust_type: Some(TypeId::of::<T>()),
            convert: Some(|message, plan| {
                let mut payload = Vec::new();
                message.encode(plan, &mut payload)?;
                Ok(Arc::new(plan.decode_typed::<T>(&payload)?))
            }),
        })
    }

    fn dynamic(name: &str, schema: Option<Schema>) -> PortSpec {
        PortSpec { name: name.to_owned(), schema, rust_type: None, convert: None }
    }

    /// The Rust type of what an output holds.
    pub(crate) fn held_type(&self) -> TypeId {
        self.rust_type.unwrap_or(TypeId::of::<Encoded>())
    }
}

impl fmt::Debug for PortSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schema = self.schema.as_ref().map_or("any", |schema| schema.name());
        write!(f, "{}: {schema}", self.name)
    }
}

impl<T> InPort for In<T> {
    fn handle(&self) -> Handle {
        self.handle
    }
}

impl InPort for InAny {
    fn handle(&self) -> Handle {
        self.handle
    }
}

mod sealed {
    pub trait Sealed {}
    impl<T> Sealed for super::In<T> {}
    impl Sealed for super::InAny {}
}

// Handles are copied whatever the message type; a derive would ask for it.
impl<T> Clone for In<T> {
    fn clone(&self) -> In<T> {
        *self
    }
}
impl<T> Copy for In<T> {}
impl<T> Clone for Out<T> {
    fn clone(&self) -> Out<T> {
        *self
    }
}
impl<T> Copy for Out<T> {}

impl<T> fmt::Debug for In<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "In({})", self.handle.index)
    }
}

impl<T> fmt::Debug for Out<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Out({})", self.handle.index)
    }
}
