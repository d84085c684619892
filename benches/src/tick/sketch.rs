//! The least that could be called a system: closures that run in turn over
//! slots, at one rate.

use std::any::Any;

/// What one closure writes and others read.
#[derive(Default)]
pub struct Slot {
    value: Option<Box<dyn Any>>,
    /// When it was written, in nanoseconds.
    time: i64,
}

impl Slot {
    pub fn get<T: 'static>(&self) -> Option<&T> {
        self.value.as_ref()?.downcast_ref()
    }

    pub fn set<T: 'static>(&mut self, value: T, now: i64) {
        self.time = now;
        match self.value.as_mut().and_then(|place| place.downcast_mut()) {
            Some(place) => *place = value,
            None => self.value = Some(Box::new(value)),
        }
    }
}

type Step = Box<dyn FnMut(&mut [Slot], i64)>;

pub struct Sketch {
    slots: Vec<Slot>,
    steps: Vec<Step>,
    now: i64,
    period_ns: i64,
}

impl Sketch {
    pub fn new(period_ns: i64) -> Sketch {
        Sketch { slots: Vec::new(), steps: Vec::new(), now: 0, period_ns }
    }

    /// Adds a closure, and a slot for what it writes.
    pub fn add(&mut self, step: impl FnMut(&mut [Slot], i64) + 'static) {
        self.slots.push(Slot::default());
        self.steps.push(Box::new(step));
    }

    pub fn tick(&mut self) {
        for step in &mut self.steps {
            step(&mut self.slots, self.now);
        }
        self.now += self.period_ns;
    }

    pub fn get<T: 'static>(&self, slot: usize) -> Option<&T> {
        self.slots.get(slot)?.get()
    }
}
