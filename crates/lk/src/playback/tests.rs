use std::sync::Arc;
use std::sync::mpsc::channel;

use super::*;
use crate::component::{Component, In, Io, StepResult};
use crate::dataset::mcap;
use crate::system::{NodeConfig, SystemBuilder};

/// `fast` every 10 ms, `slow` every 25 ms, for a second.
fn two_rates() -> Dataset {
    let mut dataset = Dataset::memory();
    for n in 0..100_i64 {
        dataset.write("fast", &n, ms(1000 + 10 * n)).unwrap();
    }
    for n in 0..40_i64 {
        dataset.write("slow", &n, ms(1000 + 25 * n)).unwrap();
    }
    dataset
}

fn ms(ms: i64) -> Time {
    Time::from_nanos(ms * 1_000_000)
}

fn player(dataset: Dataset, config: PlaybackConfig) -> Player {
    Player::new(Arc::new(dataset), config).unwrap()
}

/// Time in milliseconds and names of the keys of each tick.
fn ticks(player: &mut Player) -> Vec<(i64, Vec<String>)> {
    let names: Vec<String> = player.keys().iter().map(|key| key.name.clone()).collect();
    let mut ticks = Vec::new();
    while let Some(tick) = player.step().unwrap() {
        let keys = tick.messages.iter().map(|message| names[message.key].clone()).collect();
        ticks.push((tick.time.as_nanos() / 1_000_000, keys));
    }
    ticks
}

#[test]
fn a_tick_has_just_the_messages_of_its_time() {
    let mut player = player(two_rates(), PlaybackConfig::default());
    let ticks = ticks(&mut player);
    assert_eq!(ticks.len(), 100 + 40 - 20);
    assert_eq!(ticks[0], (1000, vec!["fast".to_owned(), "slow".to_owned()]));
    assert_eq!(ticks[1], (1010, vec!["fast".to_owned()]));
    assert_eq!(ticks[3], (1025, vec!["slow".to_owned()]));
    assert!(player.done());
    assert_eq!(player.progress(), 1.0);
}

#[test]
fn offset_end_keys_and_names_are_heeded() {
    let config = PlaybackConfig {
        start_offset: Span::from_nanos(500_000_000),
        until: Some(ms(1900)),
        keys: vec!["slow".to_owned()],
        rename: [("slow".to_owned(), "s".to_owned())].into(),
        ..PlaybackConfig::default()
    };
    let ticks = ticks(&mut player(two_rates(), config));
    assert_eq!(ticks.first(), Some(&(1500, vec!["s".to_owned()])));
    assert_eq!(ticks.last(), Some(&(1875, vec!["s".to_owned()])));
    assert_eq!(ticks.len(), 16);
}

#[test]
fn rows_go_by_index_over_all_keys() {
    let config = PlaybackConfig { use_recorded_timestamps: false, ..PlaybackConfig::default() };
    let mut player = player(two_rates(), config);
    let all = ticks(&mut player);
    assert_eq!(all.len(), 100);
    assert_eq!((all[39].1.len(), all[40].1.len()), (2, 1));
    player.seek(Seek::Index(99)).unwrap();
    assert_eq!(ticks(&mut player).len(), 1);
    assert!(
        player
            .seek(Seek::Index(100))
            .unwrap_err()
            .to_string()
            .contains("to message 100: there are 100")
    );
    assert!(player.seek(Seek::Time(ms(1500))).unwrap_err().to_string().contains("no times"));
}

#[test]
fn seeking_goes_to_the_first_tick_from_there() {
    let mut player = player(two_rates(), PlaybackConfig::default());
    player.seek(Seek::Time(ms(1501))).unwrap();
    assert_eq!(player.step().unwrap().unwrap().time, ms(1510));
    assert!(player.progress() > 0.5 && player.progress() < 0.53);
    player.seek(Seek::Index(7)).unwrap();
    assert_eq!(player.step().unwrap().unwrap().time, ms(1070));
    let refused = player.seek(Seek::Time(ms(999))).unwrap_err().to_string();
    assert!(refused.contains("plays from 1.000000000 s to 1.990000000 s"), "{refused}");
    player.reset();
    assert_eq!(player.step().unwrap().unwrap().time, ms(1000));
}

#[test]
fn order_of_publishing_sorts_by_it() {
    let mut dataset = Dataset::memory();
    dataset.write("x", &0_i64, ms(0)).unwrap();
    let id = dataset.channel_id("x").unwrap();
    let payload = dataset.channel("x").unwrap().samples().unwrap().next().unwrap().unwrap().payload;
    for (log, publish) in [(10, 9), (20, 5), (30, 29)] {
        let (time, publish_time) = (ms(log), ms(publish));
        let sample = Sample { time, publish_time, sequence: 0, payload: payload.clone() };
        dataset.write_sample(id, sample).unwrap();
    }
    let config = PlaybackConfig { order: Order::Publish, ..PlaybackConfig::default() };
    let mut player = player(dataset, config);
    let times: Vec<i64> = ticks(&mut player).into_iter().map(|(ms, _)| ms).collect();
    assert_eq!(times, [0, 5, 9, 29]);
}

#[test]
fn what_was_published_before_anything_was_recorded_is_played() {
    let mut dataset = Dataset::memory();
    dataset.write("x", &0_i64, ms(100)).unwrap();
    let (id, x) = (dataset.channel_id("x").unwrap(), dataset.channel("x").unwrap());
    let payload = x.samples().unwrap().next().unwrap().unwrap().payload;
    let mut late = Dataset::memory();
    late.add_channel(dataset.channels()[0].clone()).unwrap();
    for (log, publish) in [(100, 70), (110, 90), (120, 119)] {
        let (time, publish_time, payload) = (ms(log), ms(publish), payload.clone());
        let sample = Sample { time, publish_time, sequence: 0, payload };
        late.write_sample(id, sample).unwrap();
    }
    let publish = PlaybackConfig { order: Order::Publish, ..PlaybackConfig::default() };
    let late = Arc::new(late);
    let times = |config| -> Vec<i64> {
        let mut player = Player::new(Arc::clone(&late), config).unwrap();
        ticks(&mut player).into_iter().map(|(ms, _)| ms).collect()
    };
    assert_eq!(times(publish.clone()), [70, 90, 119]);
    // Counted from the first that is played.
    let start_offset = ms(20) - Time::ZERO;
    assert_eq!(times(PlaybackConfig { start_offset, ..publish.clone() }), [90, 119]);
    let mut player = Player::new(Arc::clone(&late), publish).unwrap();
    player.seek(Seek::Index(1)).unwrap();
    assert_eq!(player.step().unwrap().unwrap().time, ms(90));
}

#[test]
fn what_cant_be_played_is_refused_by_name() {
    let refused = |dataset: Dataset, config| {
        Player::new(Arc::new(dataset), config).err().expect("refused").to_string()
    };
    let default = PlaybackConfig::default;
    assert!(refused(Dataset::memory(), default()).contains("nothing to play in memory"));
    let keys = vec!["slwo".to_owned()];
    assert!(refused(two_rates(), PlaybackConfig { keys, ..default() }).contains("no key slwo"));
    let rtf = Some(-1.0);
    assert!(refused(two_rates(), PlaybackConfig { rtf, ..default() }).contains("-1 is no rate"));
    let start_offset = Span::from_nanos(1_000_000_000_000);
    let late = refused(two_rates(), PlaybackConfig { start_offset, ..default() });
    assert!(late.contains("start_offset 1000.000000000 s is past the end"), "{late}");
    let early = refused(two_rates(), PlaybackConfig { until: Some(Time::MIN), ..default() });
    assert!(early.contains("is not after"), "{early}");
    let rows = PlaybackConfig { use_recorded_timestamps: false, ..default() };
    let timed = refused(two_rates(), PlaybackConfig { until: Some(ms(1500)), ..rows });
    assert!(timed.contains("start_offset and until are times, and rows have none"), "{timed}");
    let (keys, rename) = (vec!["fast".to_owned()], [("slow".to_owned(), "s".to_owned())].into());
    let idle = refused(two_rates(), PlaybackConfig { keys, rename, ..default() });
    assert!(idle.contains("slow gets another name, and isn't played"), "{idle}");
    let rename = [("slow".to_owned(), "fast".to_owned())].into();
    let twice = refused(two_rates(), PlaybackConfig { rename, ..default() });
    assert!(twice.contains("two keys would be called fast"), "{twice}");
}

#[test]
fn a_playback_or_recorder_in_a_system_is_named_as_it_is_there() {
    let mut builder = SystemBuilder::new("play");
    let config = PlaybackConfig::default;
    let mut seeks = Vec::new();
    builder
        .add("tape", |ports| {
            let mut tape = DataPlayback::new(Arc::new(two_rates()), config(), ports)?;
            seeks.extend([Seek::Time(ms(5)), Seek::Index(200)].map(|to| tape.seek(to)));
            Ok(tape)
        })
        .unwrap();
    let said: Vec<String> = seeks.into_iter().map(|seek| seek.unwrap_err().to_string()).collect();
    let times = "it plays from 1.000000000 s to 1.990000000 s";
    assert_eq!(said[0], format!("tape can't seek to 0.005000000 s: {times}"));
    assert_eq!(said[1], "tape can't seek to message 200: there are 100, counted from 0");

    let empty = |ports: &mut crate::component::Ports| {
        DataPlayback::new(Arc::new(Dataset::memory()), config(), ports)
    };
    let refused = builder.add("blank", empty).unwrap_err().to_string();
    assert_eq!(refused, "config of blank: there is nothing to play in memory");
    let refused = builder.add("log", |ports| {
        use crate::recorder::{DataRecorder, RecorderConfig, Target};
        let config = RecorderConfig { queue_bytes: 0, ..RecorderConfig::default() };
        DataRecorder::new(Target::Dataset(Dataset::memory()), config, &[], ports)
    });
    assert_eq!(refused.unwrap_err().to_string(), "config of log: queue_bytes must be at least 1");
}

#[test]
fn a_large_file_is_read_a_piece_at_a_time_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("big.mcap");
    let mut file = Dataset::create_with(&path, mcap::CreateOptions::default()).unwrap();
    // More than is read ahead, with ties across the border.
    let count = 150_000_i64;
    for n in 0..count {
        file.write("n", &n, Time::from_nanos(n / 7)).unwrap();
    }
    file.close().unwrap();
    let mut player = player(Dataset::open(&path).unwrap(), PlaybackConfig::default());
    let (mut messages, mut before) = (0, Time::MIN);
    let report = player
        .play_unpaced(|tick| {
            assert!(tick.time > before);
            before = tick.time;
            for message in &tick.messages {
                assert_eq!(message.sample.sequence, messages);
                messages += 1;
            }
            Ok(())
        })
        .unwrap();
    assert_eq!((report.messages, i64::from(messages)), (count as u64, count));
    assert_eq!(report.lateness.count(), 0);
}

#[test]
fn paced_playing_is_never_early_and_reports_its_lateness_and_rate() {
    let config = PlaybackConfig { rate: 20.0, ..PlaybackConfig::default() };
    let mut player = player(two_rates(), config);
    let begin = std::time::Instant::now();
    let mut early = 0;
    let report = player
        .play(|tick| {
            let due = (tick.time - ms(1000)).as_nanos() as f64 / 20.0;
            // The clock starts within this call, after `begin`.
            early += u32::from((begin.elapsed().as_nanos() as f64) < due);
            Ok(())
        })
        .unwrap();
    assert_eq!((early, report.ticks, report.lateness.count()), (0, 120, 120));
    let rate = report.rate.unwrap();
    assert!(rate > 1.0 && rate < 25.0, "{rate}");
}

#[test]
fn playing_on_a_thread_is_paused_moved_and_stopped_from_here() {
    let config = PlaybackConfig { rate: 100.0, repeat: true, ..PlaybackConfig::default() };
    let (seen, ticks) = channel();
    let playing = player(two_rates(), config).spawn(move |tick| {
        let _ = seen.send(tick.time);
        Ok(())
    });
    let playing = playing.unwrap();
    assert_eq!(ticks.recv().unwrap(), ms(1000));
    playing.remote().seek(ms(1900));
    while ticks.recv().unwrap() < ms(1900) {}
    // Around its end and on again.
    while ticks.recv().unwrap() >= ms(1900) {}
    playing.remote().pause();
    assert!(playing.remote().is_paused() && !playing.is_done());
    playing.remote().stop();
    let (player, report) = playing.join().unwrap();
    assert!(report.stopped && !player.done());
}

#[test]
fn the_first_error_of_a_sink_ends_it() {
    let mut player = player(two_rates(), PlaybackConfig::default());
    let failed = player.play_unpaced(|_| {
        Err(Error::Config { component: "sink".to_owned(), reason: "full".to_owned() })
    });
    assert!(failed.unwrap_err().to_string().contains("full"));
}

/// Notes times and numbers.
struct Sink(In<i64>, std::sync::mpsc::Sender<(i64, i64)>);

impl Component for Sink {
    fn step(&mut self, io: &mut Io<'_>) -> StepResult {
        if let Some(n) = io.get_fresh(self.0).copied() {
            self.1.send((io.now().as_nanos(), n))?;
        }
        Ok(())
    }
}

fn in_a_system(dataset: Dataset, config: PlaybackConfig, ticks: u64) -> Vec<(i64, i64)> {
    on_a_node(None, dataset, config, ticks)
}

fn on_a_node(
    rate_hz: Option<f64>,
    dataset: Dataset,
    config: PlaybackConfig,
    ticks: u64,
) -> Vec<(i64, i64)> {
    let (sender, seen) = channel();
    let mut builder = SystemBuilder::new("play");
    builder.node("data", NodeConfig { rate_hz, threaded: false }).unwrap();
    let dataset = Arc::new(dataset);
    builder.add_to("data", "play", |ports| DataPlayback::new(dataset, config, ports)).unwrap();
    builder.add_to("data", "sink", |ports| Ok(Sink(ports.input("n")?, sender))).unwrap();
    builder.connect("play.slow", "sink.n").unwrap();
    let mut system = builder.build().unwrap();
    system.run_for(ticks).unwrap();
    drop(system);
    seen.iter().collect()
}

#[test]
fn a_system_gets_the_messages_at_their_times() {
    let auto = PlaybackConfig { auto_play: true, ..PlaybackConfig::default() };
    let seen = in_a_system(two_rates(), auto.clone(), u64::MAX);
    let expected: Vec<(i64, i64)> = (0..40).map(|n| (ms(1000 + 25 * n).as_nanos(), n)).collect();
    assert_eq!(seen, expected);

    let twice = PlaybackConfig { rate: 2.0, delay: Span::from_nanos(5), ..auto.clone() };
    let seen = in_a_system(two_rates(), twice, u64::MAX);
    assert_eq!(seen[1], (1_012_500_005, 1));

    let repeat = PlaybackConfig { repeat: true, ..auto.clone() };
    let seen = in_a_system(two_rates(), repeat, 130);
    // The last of the first round is at 1990 ms; the second begins behind it.
    assert_eq!(seen[40], (1_990_000_001, 0));
    assert_eq!(seen[41], (2_015_000_001, 1));

    assert_eq!(in_a_system(two_rates(), PlaybackConfig::default(), u64::MAX), []);
}

#[test]
fn a_node_with_a_rate_gives_nothing_before_its_time() {
    let auto = PlaybackConfig { auto_play: true, ..PlaybackConfig::default() };
    let seen = on_a_node(Some(1e3), two_rates(), auto, 1_100);
    let expected: Vec<(i64, i64)> = (0..4).map(|n| (ms(1000 + 25 * n).as_nanos(), n)).collect();
    assert_eq!(seen, expected);
}

#[test]
fn rows_begin_again_where_they_repeat() {
    let rows = PlaybackConfig {
        use_recorded_timestamps: false,
        auto_play: true,
        repeat: true,
        keys: vec!["slow".to_owned()],
        ..PlaybackConfig::default()
    };
    let seen: Vec<i64> =
        on_a_node(Some(1e3), two_rates(), rows, 42).into_iter().map(|s| s.1).collect();
    assert_eq!((seen.len(), &seen[38..]), (42, [38, 39, 0, 1].as_slice()));
}

#[test]
fn messages_of_one_key_at_one_time_all_arrive() {
    let mut dataset = Dataset::memory();
    for n in 0..3_i64 {
        dataset.write("slow", &n, ms(1)).unwrap();
    }
    let auto = PlaybackConfig { auto_play: true, ..PlaybackConfig::default() };
    let seen = in_a_system(dataset, auto, u64::MAX);
    assert_eq!(seen, [(1_000_000, 0), (1_000_001, 1), (1_000_002, 2)]);
}

#[test]
fn a_config_reads_back_with_the_names_of_its_fields() {
    let config: PlaybackConfig =
        serde_json::from_str(r#"{"loop": true, "rtf": 2.0, "until": 5}"#).unwrap();
    assert_eq!((config.repeat, config.effective_rate()), (true, 2.0));
    let text = serde_json::to_string(&config).unwrap();
    assert_eq!(serde_json::from_str::<PlaybackConfig>(&text).unwrap(), config);
    assert!(serde_json::from_str::<PlaybackConfig>(r#"{"lop": true}"#).is_err());
}

/// What a system that plays `slow` shows at each of some ticks.
fn shows(
    system: &mut crate::system::System,
    ticks: u64,
) -> Vec<(i64, Option<crate::component::Encoded>)> {
    let show = |system: &crate::system::System| {
        let shown = system.output_any("slow").unwrap()?;
        let shown: &dyn std::any::Any = &**shown;
        shown.downcast_ref::<crate::component::Encoded>().cloned()
    };
    let step = |_| {
        system.run_for(1).unwrap();
        (system.now().as_nanos(), show(system))
    };
    (0..ticks).map(step).collect()
}

#[test]
fn a_playback_goes_on_from_a_snapshot() {
    let mut ties = two_rates();
    for n in 100..103_i64 {
        ties.write("slow", &n, ms(2000)).unwrap();
    }
    let ties = Arc::new(ties);
    let auto = PlaybackConfig { auto_play: true, repeat: true, ..PlaybackConfig::default() };
    let rows = PlaybackConfig { use_recorded_timestamps: false, ..auto.clone() };
    let fast = PlaybackConfig { rate: 3.0, ..auto.clone() };
    for config in [auto, rows, fast] {
        let mut builder = SystemBuilder::new("play");
        let rate_hz = (!config.use_recorded_timestamps).then_some(100.0);
        builder.node("node", NodeConfig { rate_hz, threaded: false }).unwrap();
        let dataset = Arc::clone(&ties);
        builder.add_to("node", "play", |ports| DataPlayback::new(dataset, config, ports)).unwrap();
        builder.expose_output("slow", "play.slow").unwrap();
        let mut system = builder.build().unwrap();
        system.run_for(0).unwrap();
        for before in [0, 1, 50, 70, 1, 1] {
            system.run_for(before).unwrap();
            let snapshot = system.snapshot().unwrap();
            let first = shows(&mut system, 30);
            shows(&mut system, 100);
            system.restore(&snapshot).unwrap();
            assert_eq!(shows(&mut system, 30), first, "after {}", snapshot.ticks());
            system.restore(&snapshot).unwrap();
        }
    }
}
