//! Several backends written at once.

use super::{
    Backend, Channel, ChannelId, ChannelStats, Extra, Extras, Facts, Integrity, Query, Sample,
    Samples, Together,
};
use crate::error::{Error, Result};

/// Writes to several backends at once, and reads from the first.
///
/// Every call goes to every backend, also after one has failed: the others
/// get what it couldn't take. The caller is told each time, by [`Error::Tee`],
/// which names those that failed. What was written then is in the others, so
/// it isn't to be written again; whether to go on without the failed ones is
/// the caller's choice.
///
/// Counts, facts and integrity are those of the first.
pub struct Tee {
    first: Box<dyn Backend>,
    others: Vec<Other>,
}

struct Other {
    backend: Box<dyn Backend>,
    /// By the first's channel numbers; `None` where it refused the channel.
    ids: Vec<Option<ChannelId>>,
}

impl Tee {
    /// Writes to all of these, which have no channels yet.
    ///
    /// # Errors
    /// [`Error::State`] where one has.
    pub fn new(first: Box<dyn Backend>, others: Vec<Box<dyn Backend>>) -> Result<Tee> {
        for backend in std::iter::once(&first).chain(&others) {
            if !backend.channels().is_empty() {
                let (reason, location) = ("it has channels already", backend.location());
                return Err(Error::State { action: "copy what is written to", reason, location });
            }
        }
        let other = |backend| Other { backend, ids: Vec::new() };
        Ok(Tee { first, others: others.into_iter().map(other).collect() })
    }

    /// Calls all of them.
    fn each(&mut self, mut call: impl FnMut(&mut dyn Backend) -> Result<()>) -> Result<()> {
        let mut told = Told::default();
        let done = call(&mut *self.first);
        told.add(&*self.first, done);
        for other in &mut self.others {
            let done = call(&mut *other.backend);
            told.add(&*other.backend, done);
        }
        told.result()
    }
}

/// What the backends said to one call.
#[derive(Default)]
struct Told {
    count: usize,
    failed: Vec<String>,
    source: Option<Box<Error>>,
}

impl Told {
    fn add(&mut self, backend: &dyn Backend, done: Result<()>) {
        self.count += 1;
        if let Err(error) = done {
            self.failed.push(backend.location());
            self.source.get_or_insert(Box::new(error));
        }
    }

    fn result(self) -> Result<()> {
        let Told { count, failed, source } = self;
        source.map_or(Ok(()), |source| Err(Error::Tee { failed, count, source }))
    }
}

// So that a method that gets a default can't be forgotten here.
#[deny(clippy::missing_trait_methods)]
impl Backend for Tee {
    fn location(&self) -> String {
        let others = self.others.iter().map(|other| other.backend.location());
        std::iter::once(self.first.location()).chain(others).collect::<Vec<_>>().join(" and ")
    }

    fn channels(&self) -> &[Channel] {
        self.first.channels()
    }

    /// Where the first refuses it, the others aren't asked. Where another
    /// does, its samples go on missing there, and each is told; adding the
    /// same channel again asks those that lack it.
    fn add_channel(&mut self, channel: Channel) -> Result<ChannelId> {
        let mut told = Told::default();
        let known = self.first.channels().iter().position(|known| *known == channel);
        let id = match known {
            Some(index) => ChannelId(index as u32),
            None => self.first.add_channel(channel.clone())?,
        };
        told.add(&*self.first, Ok(()));
        for other in &mut self.others {
            let index = id.0 as usize;
            if other.ids.len() <= index {
                other.ids.resize(index + 1, None);
            }
            let done = match other.ids[index] {
                Some(_) => Ok(()),
                None => other.backend.add_channel(channel.clone()).map(|theirs| {
                    other.ids[index] = Some(theirs);
                }),
            };
            told.add(&*other.backend, done);
        }
        told.result().map(|()| id)
    }

    fn write(&mut self, channel: ChannelId, sample: Sample) -> Result<()> {
        let mut told = Told::default();
        let done = self.first.write(channel, sample.clone());
        told.add(&*self.first, done);
        for other in &mut self.others {
            let done = match other.ids.get(channel.0 as usize).copied().flatten() {
                Some(theirs) => other.backend.write(theirs, sample.clone()),
                None => Err(Error::UnknownChannel {
                    channel: channel.0,
                    count: other.backend.channels().len(),
                    location: other.backend.location(),
                }),
            };
            told.add(&*other.backend, done);
        }
        told.result()
    }

    fn samples(&self, query: &Query) -> Result<Samples<'_>> {
        self.first.samples(query)
    }

    fn samples_together<'a>(
        &'a self,
        query: &Query,
        together: &'a Together,
    ) -> Result<Samples<'a>> {
        self.first.samples_together(query, together)
    }

    fn stats(&self) -> Result<Vec<ChannelStats>> {
        self.first.stats()
    }

    fn facts(&self) -> &Facts {
        self.first.facts()
    }

    fn set_facts(&mut self, facts: Facts) -> Result<()> {
        self.each(|backend| backend.set_facts(facts.clone()))
    }

    fn extras(&self) -> Extras<'_> {
        self.first.extras()
    }

    fn add_extra(&mut self, extra: Extra) -> Result<()> {
        self.each(|backend| backend.add_extra(extra.clone()))
    }

    fn integrity(&self) -> Integrity {
        self.first.integrity()
    }

    fn check(&mut self) -> Result<Integrity> {
        self.first.check()
    }

    fn flush(&mut self) -> Result<()> {
        self.each(|backend| backend.flush())
    }

    fn sync(&mut self) -> Result<()> {
        self.each(|backend| backend.sync())
    }

    fn close(&mut self) -> Result<()> {
        self.each(|backend| backend.close())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use bytes::Bytes;

    use super::*;
    use crate::dataset::{Encoding, ForeignEncoding, Memory, Role, conformance, mcap};
    use crate::testing::failing::FailingBackend;
    use crate::time::Time;

    fn memory() -> Box<dyn Backend> {
        Box::new(Memory::new())
    }

    fn file(path: &Path) -> Box<dyn Backend> {
        Box::new(mcap::Writer::create(path, mcap::CreateOptions::default()).unwrap())
    }

    fn text(key: &str) -> Channel {
        Channel {
            key: key.to_owned(),
            encoding: Encoding::Foreign(ForeignEncoding::untyped("text")),
            role: Role::None,
            metadata: Default::default(),
        }
    }

    fn sample(n: i64) -> Sample {
        let time = Time::from_nanos(n);
        Sample { time, publish_time: time, sequence: n as u32, payload: Bytes::new() }
    }

    fn times(backend: &dyn Backend) -> Vec<i64> {
        let samples = backend.samples(&Query::default()).unwrap();
        samples.map(|item| item.unwrap().1.time.as_nanos()).collect()
    }

    #[test]
    fn a_tee_of_two_memories_conforms() {
        conformance::all(&conformance::Subject {
            create: &|| Box::new(Tee::new(memory(), vec![memory()]).unwrap()),
            reopen: &|backend| backend,
        });
    }

    #[test]
    fn a_tee_of_memory_and_mcap_conforms_on_both_sides() {
        for read_file in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            let count = std::cell::Cell::new(0);
            let path = |count: u32| folder.path().join(format!("{count}.mcap"));
            conformance::all(&conformance::Subject {
                create: &|| {
                    count.set(count.get() + 1);
                    Box::new(Tee::new(memory(), vec![file(&path(count.get()))]).unwrap())
                },
                reopen: &|mut backend| {
                    backend.close().unwrap();
                    if !read_file {
                        return backend;
                    }
                    // Locations are told apart by the word between them.
                    let location = backend.location();
                    let path = location.strip_prefix("memory and ").unwrap();
                    let reader = mcap::Reader::open(Path::new(path), mcap::Limits::default());
                    Box::new(reader.unwrap())
                },
            });
        }
    }

    #[test]
    fn each_call_may_fail_in_one_and_the_others_still_get_it() {
        // Two channels, three samples each, facts, flush, sync, close.
        let calls = 2 + 6 + 4;
        for refused in 0..calls {
            let failing = FailingBackend::new(memory(), refused..refused + 1);
            let mut tee = Tee::new(memory(), vec![Box::new(failing), memory()]).unwrap();
            let mut errors = Vec::new();
            for key in ["a", "b"] {
                errors.extend(tee.add_channel(text(key)).err());
            }
            for n in 0..6 {
                errors.extend(tee.write(ChannelId(n % 2), sample(i64::from(n))).err());
            }
            errors.extend(tee.set_facts(Facts::default()).err());
            errors.extend(tee.flush().err());
            errors.extend(tee.sync().err());
            errors.extend(tee.close().err());
            for error in &errors {
                assert_eq!(error.to_string(), "1 of 3 copies failed: memory");
                assert!(error.hint().unwrap().contains("the others"), "{refused}");
            }
            // A channel that is missing in one is told with each sample of it.
            assert_eq!(errors.len(), if refused < 2 { 4 } else { 1 }, "{refused}: {errors:?}");
            let all: Vec<i64> = (0..6).collect();
            assert_eq!(times(&tee), all, "{refused}");
            assert_eq!(times(&*tee.others[1].backend), all, "{refused}");
            let there = times(&*tee.others[0].backend).len();
            let expected = match refused {
                0 | 1 => 3,
                2..8 => 5,
                _ => 6,
            };
            assert_eq!(there, expected, "{refused}");
        }
    }

    #[test]
    fn a_channel_that_one_refused_can_be_added_again() {
        let failing = FailingBackend::new(memory(), 0..1);
        let mut tee = Tee::new(memory(), vec![Box::new(failing)]).unwrap();
        tee.add_channel(text("a")).unwrap_err();
        let id = tee.add_channel(text("a")).unwrap();
        tee.write(id, sample(0)).unwrap();
        assert_eq!((tee.channels().len(), id), (1, ChannelId(0)));
        assert_eq!(times(&*tee.others[0].backend), [0]);
    }

    #[test]
    fn a_sample_that_one_can_not_hold_is_named_and_kept_in_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.mcap");
        let mut tee = Tee::new(memory(), vec![file(&path)]).unwrap();
        let id = tee.add_channel(text("a")).unwrap();
        let error = tee.write(id, sample(-1)).unwrap_err();
        let Error::Tee { failed, source, .. } = error else { panic!("{error}") };
        assert_eq!(failed, [path.display().to_string()]);
        assert!(source.to_string().contains("before zero"), "{source}");
        tee.write(id, sample(1)).unwrap();
        tee.close().unwrap();
        assert_eq!(times(&tee), [-1, 1]);
        let reader = mcap::Reader::open(&path, mcap::Limits::default()).unwrap();
        assert_eq!(times(&reader), [1]);
    }

    #[test]
    fn a_backend_that_has_channels_is_refused() {
        let mut full = Memory::new();
        full.add_channel(text("a")).unwrap();
        let error = Tee::new(memory(), vec![Box::new(full)]).err().unwrap();
        let expected = "can't copy what is written to memory: it has channels already";
        assert_eq!(error.to_string(), expected);
    }
}
