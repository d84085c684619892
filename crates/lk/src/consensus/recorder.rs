//! Recording where implementations disagree.

use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::panel::{Panel, Watched};
use crate::component::{Component, Encoded, InAny, Io, Ports, SaveResult, StepResult};
use crate::dataset::Role;
use crate::diff::Policy;
use crate::error::Result;
use crate::recorder::{Key, Recorder, RecorderConfig, RecorderStats, Target};

/// Which ticks are recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Record {
    /// Those in which some two disagree: a value outside of tolerance, NaN on
    /// one side, another type, or a message that one of them didn't give.
    #[default]
    Mismatches,
    /// Those in which all that was given agrees.
    Matches,
    /// All of them.
    All,
}

/// The component that records implementations of one component and what they
/// were fed: inputs under their own names, each one's outputs under
/// `implementation/port`.
///
/// A recorded tick is whole: all that was given in it, and before it all inputs
/// that came since the tick that was recorded last, at the time of this one.
/// Of inputs that came twice since then the last is recorded: what the
/// implementations had in hand. Its diagnostics count ticks as `agreed` and
/// `disagreed`.
pub struct ConsensusRecorder {
    recorder: Option<Recorder>,
    record: Record,
    panel: Panel,
    inputs: Vec<Heeded>,
    outputs: Vec<Key>,
    outcome: Arc<Mutex<Option<RecorderStats>>>,
}

struct Heeded {
    input: InAny,
    key: Key,
    /// It came, and is not recorded yet.
    pending: bool,
}

impl ConsensusRecorder {
    /// Declares an input for all that is watched.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) for less than two
    /// implementations, or an output that one of them lacks; as
    /// [`Pairwise::new`](crate::diff::Pairwise::new) and [`Recorder::new`];
    /// what [`Ports`] refuses.
    pub fn new(
        target: Target,
        config: RecorderConfig,
        record: Record,
        policy: &Policy,
        watched: &Watched,
        ports: &mut Ports,
    ) -> Result<ConsensusRecorder> {
        let inputs = watched.inputs.iter().map(|name| ports.input_any(name));
        let inputs = inputs.collect::<Result<Vec<InAny>>>()?;
        let panel = Panel::new(watched, policy, ports)?;
        // Last: it creates the file.
        let recorder = Recorder::new(target, config);
        let mut recorder = recorder.map_err(|error| error.of_component(ports.component()))?;
        let inputs = inputs.into_iter().zip(&watched.inputs).map(|(input, name)| {
            let key = recorder.key_as(name, Role::Input);
            Heeded { input, key, pending: false }
        });
        let inputs = inputs.collect();
        let outputs = panel.voices.iter().map(|v| recorder.key_as(&v.name(), Role::Output));
        let outputs = outputs.collect();
        let (recorder, outcome) = (Some(recorder), Arc::default());
        Ok(ConsensusRecorder { recorder, record, panel, inputs, outputs, outcome })
    }

    /// Where the counts will be found once the system is shut down.
    pub fn outcome(&self) -> Arc<Mutex<Option<RecorderStats>>> {
        Arc::clone(&self.outcome)
    }
}

impl Component for ConsensusRecorder {
    fn step(&mut self, io: &mut Io<'_>) -> StepResult {
        self.panel.hear(io)?;
        let agrees = self.panel.agrees();
        if let Some(agrees) = agrees {
            io.dx().count(if agrees { "agreed" } else { "disagreed" }, 1);
        }
        for heeded in &mut self.inputs {
            heeded.pending |= io.fresh(heeded.input);
        }
        let wanted = match self.record {
            Record::Mismatches => agrees == Some(false),
            Record::Matches => agrees == Some(true),
            Record::All => true,
        };
        let Some(recorder) = self.recorder.as_ref().filter(|_| wanted) else { return Ok(()) };
        for heeded in &mut self.inputs {
            if std::mem::take(&mut heeded.pending)
                && let Some(message) = io.get_any(heeded.input)
            {
                recorder.record(&heeded.key, Arc::clone(message), io.now())?;
            }
        }
        for (voice, key) in self.panel.voices.iter().zip(&self.outputs) {
            if let (true, Some(message)) = (io.fresh(voice.input), io.get_any(voice.input)) {
                recorder.record(key, Arc::clone(message), io.now())?;
            }
        }
        Ok(())
    }

    fn on_shutdown(&mut self) -> StepResult {
        if let Some(recorder) = self.recorder.take() {
            let (_, stats) = recorder.close()?;
            *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(stats);
        }
        Ok(())
    }

    fn save(&self) -> SaveResult {
        let pending: Vec<bool> = self.inputs.iter().map(|heeded| heeded.pending).collect();
        Ok(Some(Encoded::of(&pending)?))
    }

    fn restore(&mut self, state: &Encoded) -> StepResult {
        let pending: Vec<bool> = state.to()?;
        for (heeded, pending) in self.inputs.iter_mut().zip(pending) {
            heeded.pending = pending;
        }
        Ok(())
    }
}
