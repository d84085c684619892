//! What implementations give in one tick, pair by pair.

use crate::codec::Plan;
use crate::component::{InAny, Io, Ports};
use crate::diff::{Pairwise, Policy, Sides};
use crate::error::{Error, Result};
use crate::schema::Schema;

/// What is watched: the ports of implementations of one component.
///
/// Who watches has an input for each: those of the component under their own
/// names, what an implementation gives as `implementation/port`.
#[derive(Clone, Debug, Default)]
pub struct Watched {
    /// Names of the component's inputs.
    pub inputs: Vec<String>,
    /// In the order in which they are compared: of each pair the first is the
    /// reference.
    pub implementations: Vec<Implementation>,
}

/// One of several that should do the same.
#[derive(Clone, Debug)]
pub struct Implementation {
    /// Its name.
    pub name: String,
    /// Its outputs, with their types.
    pub outputs: Vec<(String, Schema)>,
}

/// Hears all implementations, and holds each against each.
pub(super) struct Panel {
    pub(super) voices: Vec<Voice>,
    pub(super) pairs: Vec<Pair>,
    pub(super) pairwise: Pairwise,
}

/// An output of an implementation.
pub(super) struct Voice {
    pub(super) implementation: String,
    pub(super) port: String,
    pub(super) input: InAny,
    plan: Plan,
    /// What it gave in this tick, or earlier.
    payload: Vec<u8>,
}

/// The same output of two implementations, by their places among the voices.
#[derive(Clone, Copy)]
pub(super) struct Pair {
    pub(super) first: usize,
    pub(super) second: usize,
    pub(super) heard: Heard,
}

/// What a pair said in a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Nothing,
    /// One of the two alone.
    One,
    Agreement,
    Disagreement,
}

impl Voice {
    /// The name of its port here, and of its key.
    pub(super) fn name(&self) -> String {
        format!("{}/{}", self.implementation, self.port)
    }
}

impl Panel {
    pub(super) fn new(watched: &Watched, policy: &Policy, ports: &mut Ports) -> Result<Panel> {
        let who = ports.component().to_owned();
        let refuse = |reason: String| Err(Error::Config { component: who.clone(), reason });
        let all = &watched.implementations;
        if all.len() < 2 {
            return refuse(format!("{} implementations can't be compared", all.len()));
        }
        let (mut voices, mut pairs, mut sides) = (Vec::new(), Vec::new(), Vec::new());
        for implementation in all {
            for (port, schema) in &implementation.outputs {
                let name = format!("{}/{port}", implementation.name);
                voices.push(Voice {
                    implementation: implementation.name.clone(),
                    port: port.clone(),
                    input: ports.input_any(&name)?,
                    plan: Plan::new(schema),
                    payload: Vec::new(),
                });
            }
        }
        if voices.is_empty() {
            return refuse(format!("{} and the others have no output", all[0].name));
        }
        for (first, a) in voices.iter().enumerate() {
            let others = all.iter().skip_while(|other| other.name != a.implementation).skip(1);
            for other in others {
                let is_it = |b: &Voice| b.implementation == other.name && b.port == a.port;
                let Some(second) = voices.iter().position(is_it) else {
                    return refuse(lacks(other, a));
                };
                pairs.push(Pair { first, second, heard: Heard::Nothing });
                let (reference, candidate) = (a.plan.schema(), voices[second].plan.schema());
                sides.push(Sides { key: &a.port, reference, candidate });
            }
            // An output that those before it lack makes no pair.
            if let Some(before) = all.iter().find(|before| {
                !voices.iter().any(|b| b.implementation == before.name && b.port == a.port)
            }) {
                return refuse(lacks(before, a));
            }
        }
        let pairwise = Pairwise::new(&sides, policy)?;
        Ok(Panel { voices, pairs, pairwise })
    }

    /// Takes what was given in this tick, and compares it.
    pub(super) fn hear(&mut self, io: &Io<'_>) -> Result<()> {
        for voice in &mut self.voices {
            if let (true, Some(message)) = (io.fresh(voice.input), io.get_any(voice.input)) {
                message.encode(&voice.plan, &mut voice.payload)?;
            }
        }
        for (place, pair) in self.pairs.iter_mut().enumerate() {
            let (a, b) = (&self.voices[pair.first], &self.voices[pair.second]);
            pair.heard = match (io.fresh(a.input), io.fresh(b.input)) {
                (false, false) => Heard::Nothing,
                (true, true) => {
                    match self.pairwise.agree(place, &a.payload, &b.payload, io.now()) {
                        true => Heard::Agreement,
                        false => Heard::Disagreement,
                    }
                }
                _ => Heard::One,
            };
        }
        Ok(())
    }

    /// Whether all that was heard agrees; `None` where nothing was.
    pub(super) fn agrees(&self) -> Option<bool> {
        let mut heard = self.pairs.iter().map(|pair| pair.heard).filter(|h| *h != Heard::Nothing);
        let first = heard.next()?;
        Some(first == Heard::Agreement && heard.all(|heard| heard == Heard::Agreement))
    }
}

fn lacks(implementation: &Implementation, voice: &Voice) -> String {
    let Voice { implementation: other, port, .. } = voice;
    format!("implementation {} has no output {port}, which {other} has", implementation.name)
}
