//! What a component sees and does during a step.

use std::any::Any;
use std::sync::Arc;

use bytes::Bytes;

use super::ports::Handle;
use super::{AnyMsg, Dx, Encoded, In, InAny, InPort, Msg, Out, OutAny};
use crate::time::Time;

/// A component's ports at one moment.
///
/// # Panics
/// All methods that take a port do where it is one of another component.
pub struct Io<'a> {
    pub(crate) owner: u32,
    pub(crate) now: Time,
    pub(crate) tick: u64,
    pub(crate) inputs: &'a [Input],
    pub(crate) outputs: &'a mut [Output],
    pub(crate) dx: &'a mut Dx,
    pub(crate) stop: &'a mut bool,
}

/// What lies in an input port.
#[derive(Clone, Default)]
pub(crate) struct Input {
    pub(crate) value: Option<Arc<dyn AnyMsg>>,
    /// Written since the component last ran.
    pub(crate) fresh: bool,
}

/// What lies in an output port.
#[derive(Default)]
pub(crate) struct Output {
    pub(crate) value: Option<Arc<dyn AnyMsg>>,
    /// A value before it, whose memory is used again once nobody reads it.
    pub(crate) spare: Option<Arc<dyn AnyMsg>>,
    /// Written in this step.
    pub(crate) fresh: bool,
}

impl Io<'_> {
    /// The time of this step; it stands still.
    #[inline]
    pub fn now(&self) -> Time {
        self.now
    }

    /// Number of the system's tick, from 0.
    pub fn tick(&self) -> u64 {
        self.tick
    }

    /// The last message at an input; `None` before the first.
    pub fn get<T: Msg>(&self, port: In<T>) -> Option<&T> {
        let value: &dyn Any = &**self.input(port.handle).value.as_ref()?;
        Some(value.downcast_ref().expect("what is delivered has the port's type"))
    }

    /// Whether an input got a message since the last step.
    pub fn fresh(&self, port: impl InPort) -> bool {
        self.input(port.handle()).fresh
    }

    /// The message at an input, where one came since the last step.
    pub fn get_fresh<T: Msg>(&self, port: In<T>) -> Option<&T> {
        if self.fresh(port) { self.get(port) } else { None }
    }

    /// The last message at a dynamic input; `None` before the first. Sharing
    /// it costs no copy.
    pub fn get_any(&self, port: InAny) -> Option<&Arc<dyn AnyMsg>> {
        self.input(port.handle).value.as_ref()
    }

    /// Writes to an output. What is written again in one step replaces what
    /// was.
    pub fn set<T: Msg>(&mut self, port: Out<T>, message: T) {
        self.output(port.handle).set(message);
    }

    /// Writes a payload of the port's schema to a dynamic output.
    pub fn set_payload(&mut self, port: &OutAny, payload: Bytes) {
        let schema = port.schema.clone();
        self.output(port.handle).set(Encoded { schema, payload });
    }

    /// The component's diagnostics.
    pub fn dx(&mut self) -> &mut Dx {
        self.dx
    }

    /// Asks the system to end after this tick: the work is done.
    pub fn request_stop(&mut self) {
        *self.stop = true;
    }

    #[inline]
    fn input(&self, handle: Handle) -> &Input {
        assert_eq!(handle.owner, self.owner, "an input port of another component");
        &self.inputs[handle.index as usize]
    }

    #[inline]
    fn output(&mut self, handle: Handle) -> &mut Output {
        assert_eq!(handle.owner, self.owner, "an output port of another component");
        &mut self.outputs[handle.index as usize]
    }
}

impl Input {
    pub(crate) fn put(&mut self, value: Arc<dyn AnyMsg>) {
        self.fresh = true;
        self.value = Some(value);
    }
}

impl Output {
    fn set<T: AnyMsg>(&mut self, message: T) {
        // What lies here was handed on before, or is read by nobody by now: so
        // a steady flow allocates nothing.
        std::mem::swap(&mut self.value, &mut self.spare);
        self.fresh = true;
        let place = self.value.as_mut().and_then(Arc::get_mut);
        let place = place.and_then(|place| (place as &mut dyn Any).downcast_mut::<T>());
        match place {
            Some(place) => *place = message,
            None => self.value = Some(Arc::new(message)),
        }
    }
}
