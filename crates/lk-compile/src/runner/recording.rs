//! What a run leaves: inputs, outputs and state by tick, always in the same
//! order.

use std::collections::BTreeMap;

use bytes::BytesMut;
use lk::codec::Plan;
use lk::dataset::{Channel, ChannelId, Encoding, Facts, Memory, Role, Sample, SequenceMeaning};
use lk::value::{Datum, Record};
use lk::{Dataset, Schema, Time, Value};

use crate::component::{ComponentSpec, PortSpec};
use crate::error::Result;
use crate::manifest::ERROR_KEY;
use crate::ticks::TickSample;

/// Type of the messages under [`ERROR_KEY`].
const ERROR_TYPE: &str = "lk/msg/StepError";

/// A block of memory that payloads are cut off.
const ARENA_BYTES: usize = 1 << 20;

/// A dataset being written.
pub(super) struct Recording {
    dataset: Dataset,
    inputs: Vec<ChannelId>,
    outgoing: Vec<ChannelId>,
    /// Made at the first error, so that a run without any has no such key.
    errors: Option<(ChannelId, Plan)>,
    /// Payloads are cut off it, so that not each is an allocation.
    arena: BytesMut,
}

impl Recording {
    /// A recording with room for so many samples.
    pub(super) fn new(component: &ComponentSpec, capacity: usize) -> Result<Recording> {
        // Inputs are the ticks' own, which all runs share; what the program
        // writes is copied out of the pipe's buffer, once.
        let mut dataset = Dataset::with_backend(Box::new(Memory::sharing(capacity)));
        let mut add = |ports: &[PortSpec], role| {
            let channel = |port: &PortSpec| Channel {
                key: port.key.clone(),
                encoding: Encoding::Cdr(port.schema.clone()),
                role,
                metadata: BTreeMap::new(),
            };
            let ids = ports.iter().map(|port| dataset.add_channel(channel(port)));
            ids.collect::<lk::Result<Vec<_>>>()
        };
        let inputs = add(&component.inputs, Role::Input)?;
        let mut outgoing = add(&component.outputs, Role::Output)?;
        outgoing.extend(add(&component.states, Role::State)?);
        Ok(Recording { dataset, inputs, outgoing, errors: None, arena: BytesMut::new() })
    }

    /// The inputs of a tick; called before anything else of that tick.
    pub(super) fn inputs(&mut self, tick: u32, samples: &[TickSample]) -> Result<()> {
        for TickSample { port, sample } in samples {
            let sample = Sample { sequence: tick, ..sample.clone() };
            self.dataset.write_sample(self.inputs[usize::from(*port)], sample)?;
        }
        Ok(())
    }

    /// A checked sample of an output or state port.
    pub(super) fn output(
        &mut self,
        tick: u32,
        port: usize,
        time: Time,
        payload: &[u8],
    ) -> Result<()> {
        self.write(self.outgoing[port], tick, time, payload)
    }

    /// That a tick ended in an error of the component.
    pub(super) fn error(&mut self, tick: u32, time: Time, text: &str) -> Result<()> {
        if self.errors.is_none() {
            let schema = Schema::parse(ERROR_TYPE, "string text")?;
            let channel = Channel {
                key: ERROR_KEY.to_owned(),
                encoding: Encoding::Cdr(schema.clone()),
                role: Role::Output,
                metadata: BTreeMap::new(),
            };
            self.errors = Some((self.dataset.add_channel(channel)?, Plan::new(&schema)));
        }
        let (id, plan) = self.errors.as_ref().expect("made above");
        let id = *id;
        let fields = vec![Datum::String(text.to_owned())];
        let payload = plan.encode(&Value::new(plan.schema().clone(), Record { fields })?)?;
        self.write(id, tick, time, &payload)
    }

    fn write(&mut self, id: ChannelId, tick: u32, time: Time, payload: &[u8]) -> Result<()> {
        if self.arena.capacity() < payload.len() {
            self.arena = BytesMut::with_capacity(payload.len().max(ARENA_BYTES));
        }
        self.arena.extend_from_slice(payload);
        let payload = self.arena.split().freeze();
        let sample = Sample { time, publish_time: time, sequence: tick, payload };
        Ok(self.dataset.write_sample(id, sample)?)
    }

    pub(super) fn finish(mut self, entries: BTreeMap<String, String>) -> Result<Dataset> {
        self.dataset.set_facts(Facts { sequence: SequenceMeaning::Tick, entries })?;
        Ok(self.dataset)
    }
}
