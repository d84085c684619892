//! How well implementations agree.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::panel::{Heard, Panel, Watched};
use crate::component::{Component, Encoded, Io, Ports, SaveResult, StepResult};
use crate::diff::{FieldAgreement, Policy};
use crate::error::{Error, Result};

/// When disagreement is worth a word.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConsensusDxConfig {
    /// The last messages of each pair that rates are taken over.
    pub window: usize,
    /// The share of those, from 0 to 1, above which the level is a warning: 0,
    /// for any disagreement at all, unless said otherwise.
    pub warn_above: f64,
    /// The share above which it is an error: 0.01 unless said otherwise.
    pub error_above: f64,
}

impl Default for ConsensusDxConfig {
    fn default() -> ConsensusDxConfig {
        ConsensusDxConfig { window: 1000, warn_above: 0.0, error_above: 0.01 }
    }
}

impl ConsensusDxConfig {
    fn check(&self, component: &str) -> Result<()> {
        let share = |share: f64| (0.0..=1.0).contains(&share);
        let reason = match self {
            c if c.window == 0 => "window must be at least 1",
            c if !share(c.warn_above) => "warn_above is a share, from 0 to 1",
            c if !share(c.error_above) => "error_above is a share, from 0 to 1",
            c if c.warn_above > c.error_above => "warn_above must not be above error_above",
            _ => return Ok(()),
        };
        Err(Error::Config { component: component.to_owned(), reason: reason.to_owned() })
    }
}

/// How well two implementations agree on one output.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PairAgreement {
    /// The implementation that is the reference.
    pub first: String,
    /// The one that is held against it.
    pub second: String,
    /// The output.
    pub port: String,
    /// Ticks in which both gave a message, and they agree.
    pub agreed: u64,
    /// Ticks in which both did, and they don't.
    pub disagreed: u64,
    /// Ticks in which one of the two alone gave a message: a disagreement too.
    pub one_alone: u64,
    /// The share of disagreements in the last ticks, as many as the config
    /// says; 0 before the first.
    pub recent: f64,
    /// By field, in the order of the reference's type.
    pub fields: Vec<FieldAgreement>,
}

/// What a [`ConsensusDx`] has counted, to be asked for at any time.
#[derive(Clone)]
pub struct Agreement(Arc<Mutex<Counted>>);

struct Counted {
    panel: Panel,
    tallies: Vec<Tally>,
}

/// Of one pair.
#[derive(Default, Serialize, Deserialize)]
struct Tally {
    agreed: u64,
    disagreed: u64,
    one_alone: u64,
    /// Whether it disagreed, of the last ticks.
    recent: VecDeque<bool>,
    /// Of those that did.
    recent_disagreed: u64,
}

/// The component that counts how well implementations agree, as its
/// diagnostics and by pair and field.
///
/// The level is that of the worst pair, by its share of disagreements among
/// its last messages: it rises at once, and falls when they are past.
pub struct ConsensusDx {
    counted: Agreement,
    config: ConsensusDxConfig,
}

impl ConsensusDx {
    /// Declares an input for each output that is watched; it has no use for the
    /// inputs.
    ///
    /// # Errors
    /// [`Error::Config`] for a config that makes no sense, less than two
    /// implementations, or an output that one of them lacks; as
    /// [`Pairwise::new`](crate::diff::Pairwise::new); what [`Ports`] refuses.
    pub fn new(
        config: ConsensusDxConfig,
        policy: &Policy,
        watched: &Watched,
        ports: &mut Ports,
    ) -> Result<ConsensusDx> {
        config.check(ports.component())?;
        let panel = Panel::new(watched, policy, ports)?;
        let tallies = panel.pairs.iter().map(|_| Tally::default()).collect();
        let counted = Agreement(Arc::new(Mutex::new(Counted { panel, tallies })));
        Ok(ConsensusDx { counted, config })
    }

    /// What it has counted, now and whenever it is asked.
    pub fn agreement(&self) -> Agreement {
        self.counted.clone()
    }
}

impl Agreement {
    /// By pair of implementations and output, in the order in which they were
    /// added.
    pub fn pairs(&self) -> Vec<PairAgreement> {
        let mut counted = self.lock();
        let Counted { panel, tallies } = &mut *counted;
        let pairs = panel.pairs.iter().zip(tallies).enumerate().map(|(place, (pair, tally))| {
            let (first, second) = (&panel.voices[pair.first], &panel.voices[pair.second]);
            PairAgreement {
                first: first.implementation.clone(),
                second: second.implementation.clone(),
                port: first.port.clone(),
                agreed: tally.agreed,
                disagreed: tally.disagreed,
                one_alone: tally.one_alone,
                recent: tally.rate(),
                fields: panel.pairwise.fields(place).to_vec(),
            }
        });
        pairs.collect()
    }

    fn lock(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tally {
    fn take(&mut self, heard: Heard, window: usize) {
        match heard {
            Heard::Nothing => return,
            Heard::One => self.one_alone += 1,
            Heard::Agreement => self.agreed += 1,
            Heard::Disagreement => self.disagreed += 1,
        }
        let disagreed = heard != Heard::Agreement;
        self.recent.push_back(disagreed);
        self.recent_disagreed += u64::from(disagreed);
        while self.recent.len() > window {
            let gone = self.recent.pop_front();
            self.recent_disagreed -= u64::from(gone == Some(true));
        }
    }

    fn rate(&self) -> f64 {
        self.recent_disagreed as f64 / self.recent.len().max(1) as f64
    }
}

impl Counted {
    /// What a person should know of the pair that disagrees most.
    fn say(&mut self, worst: usize) -> String {
        let (pair, tally) = (self.panel.pairs[worst], &self.tallies[worst]);
        let fields = self.panel.pairwise.fields(worst).iter();
        let field = fields.filter(|field| field.violations > 0).max_by_key(|f| f.violations);
        let most = field.map_or_else(String::new, |f| format!(", most in {}", f.path));
        let (first, second) = (&self.panel.voices[pair.first], &self.panel.voices[pair.second]);
        format!(
            "{} disagrees with {} in {} of the last {} messages of {}{most}",
            second.implementation,
            first.implementation,
            tally.recent_disagreed,
            tally.recent.len(),
            first.port
        )
    }
}

impl Component for ConsensusDx {
    fn step(&mut self, io: &mut Io<'_>) -> StepResult {
        let mut counted = self.counted.lock();
        counted.panel.hear(io)?;
        let Some(agrees) = counted.panel.agrees() else { return Ok(()) };
        io.dx().count(if agrees { "agreed" } else { "disagreed" }, 1);
        let Counted { panel, tallies } = &mut *counted;
        let mut worst = (0, 0.0);
        for (place, (pair, tally)) in panel.pairs.iter().zip(tallies).enumerate() {
            tally.take(pair.heard, self.config.window);
            if tally.rate() > worst.1 {
                worst = (place, tally.rate());
            }
        }
        let (place, rate) = worst;
        io.dx().ok();
        if rate > self.config.error_above {
            io.dx().error(counted.say(place));
        } else if rate > self.config.warn_above {
            io.dx().warn(counted.say(place));
        }
        Ok(())
    }

    fn save(&self) -> SaveResult {
        let mut counted = self.counted.lock();
        let Counted { panel, tallies } = &mut *counted;
        let fields = (0..tallies.len()).map(|place| panel.pairwise.fields(place).to_vec());
        let tallies = tallies.iter().zip(fields).map(|(tally, fields)| Saved {
            counts: [tally.agreed, tally.disagreed, tally.one_alone, tally.recent_disagreed],
            recent: tally.recent.iter().copied().collect(),
            fields,
        });
        Ok(Some(Encoded::of(&tallies.collect::<Vec<Saved>>())?))
    }

    fn restore(&mut self, state: &Encoded) -> StepResult {
        let saved: Vec<Saved> = state.to()?;
        let mut counted = self.counted.lock();
        let Counted { panel, tallies } = &mut *counted;
        let mut fits = saved.len() == tallies.len();
        for (place, (tally, saved)) in tallies.iter_mut().zip(saved).enumerate() {
            fits &= panel.pairwise.resume(place, &saved.fields);
            let [agreed, disagreed, one_alone, recent_disagreed] = saved.counts;
            let recent = saved.recent.into();
            *tally = Tally { agreed, disagreed, one_alone, recent, recent_disagreed };
        }
        if fits { Ok(()) } else { Err("the state is of other implementations".into()) }
    }
}

/// A pair's state.
#[derive(Serialize, Deserialize)]
struct Saved {
    counts: [u64; 4],
    recent: Vec<bool>,
    fields: Vec<FieldAgreement>,
}
