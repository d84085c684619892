//! Recording within a system.

use super::{Key, Recorder, RecorderConfig, RecorderStats, Target};
use crate::component::{Component, Encoded, InAny, Io, Ports, SaveResult, StepResult};
use crate::dataset::Role;
use crate::error::Result;
use std::sync::{Arc, Mutex, PoisonError};

/// The component that records what comes to its inputs, whose names are the
/// keys. What is recorded in one tick has that tick's time.
///
/// The recording ends with the system's shutdown; a failure to write surfaces
/// in a step or there.
pub struct DataRecorder {
    recorder: Option<Recorder>,
    inputs: Vec<(InAny, Key)>,
    outcome: Arc<Mutex<Option<RecorderStats>>>,
}

impl DataRecorder {
    /// Declares an input for each key.
    ///
    /// # Errors
    /// As [`Recorder::new`]; what [`Ports`] refuses.
    pub fn new(
        target: Target,
        config: RecorderConfig,
        keys: &[(&str, Role)],
        ports: &mut Ports,
    ) -> Result<DataRecorder> {
        let recorder = Recorder::new(target, config);
        let recorder = recorder.map_err(|error| error.of_component(ports.component()))?;
        let mut recorder =
            DataRecorder { recorder: Some(recorder), inputs: Vec::new(), outcome: Arc::default() };
        keys.iter().try_for_each(|(key, role)| recorder.add_input(key, *role, ports))?;
        Ok(recorder)
    }

    /// Declares one more input.
    ///
    /// # Errors
    /// What [`Ports`] refuses.
    pub fn add_input(&mut self, key: &str, role: Role, ports: &mut Ports) -> Result<()> {
        let input = ports.input_any(key)?;
        if let Some(recorder) = &mut self.recorder {
            self.inputs.push((input, recorder.key_as(key, role)));
        }
        Ok(())
    }

    /// Where the counts will be found once the system is shut down.
    pub fn outcome(&self) -> Arc<Mutex<Option<RecorderStats>>> {
        Arc::clone(&self.outcome)
    }
}

impl Component for DataRecorder {
    fn step(&mut self, io: &mut Io<'_>) -> StepResult {
        let Some(recorder) = &self.recorder else { return Ok(()) };
        for (input, key) in &self.inputs {
            if io.fresh(*input)
                && let Some(message) = io.get_any(*input)
            {
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

    // What was recorded stays so, wherever the system goes on from.
    fn save(&self) -> SaveResult {
        Ok(Some(Encoded::of(&())?))
    }

    fn restore(&mut self, _: &Encoded) -> StepResult {
        Ok(())
    }
}
