use super::*;
use crate::error::Error;

fn nanos(time: i64) -> Time {
    Time::from_nanos(time)
}

#[test]
fn a_virtual_clock_jumps_and_never_runs_back() {
    let mut clock = Clock::virtual_at(nanos(5));
    assert_eq!(clock.wait_until(nanos(9)), Wait::Reached { late: Span::ZERO });
    assert_eq!(clock.wait_until(nanos(7)), Wait::Reached { late: Span::ZERO });
    assert_eq!(clock.now(), nanos(9));
    assert!(clock.remote().is_none());
}

#[test]
fn a_paced_clock_reaches_its_deadlines_and_never_before() {
    let start = nanos(1_000_000_000);
    let mut clock = Clock::paced(start, 10.0).unwrap();
    for n in 1..=20 {
        let due = start + Span::from_nanos(n * 5_000_000);
        assert!(matches!(clock.wait_until(due), Wait::Reached { .. }));
        assert!(clock.now() >= due);
    }
    // What has passed isn't waited for, and says how late it is.
    match clock.wait_until(start) {
        Wait::Reached { late } => assert!(late >= Span::from_nanos(10_000_000), "{late}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_paused_clock_stands_still_until_it_is_resumed() {
    let mut clock = Clock::paced(Time::ZERO, 1.0).unwrap();
    let remote = clock.remote().unwrap();
    remote.pause();
    let at = clock.now();
    assert!(remote.is_paused());
    let waiting =
        std::thread::spawn(move || (clock.wait_until(at + Span::from_nanos(1_000)), clock));
    assert_eq!(remote.now(), at);
    remote.resume();
    let (wait, _) = waiting.join().unwrap();
    assert!(matches!(wait, Wait::Reached { .. }));
}

#[test]
fn a_wake_up_ends_a_wait_and_moves_no_time() {
    let mut clock = Clock::paced(Time::ZERO, 1.0).unwrap();
    let remote = clock.remote().unwrap();
    let before = clock.now();
    // One that comes before the wait counts too.
    remote.wake();
    let told = clock.wait_until(nanos(i64::MAX / 2));
    let Wait::Moved(at) = told else { panic!("{told:?}") };
    assert!(before <= at && at <= clock.now());
    assert!(matches!(clock.wait_until(at), Wait::Reached { .. }));
}

#[test]
fn who_waits_is_told_of_a_move_and_of_the_end() {
    let far = nanos(i64::MAX / 2);
    let mut clock = Clock::paced(Time::ZERO, 1.0).unwrap();
    let remote = clock.remote().unwrap();
    let waiting = std::thread::spawn(move || {
        let moved = clock.wait_until(far);
        (moved, clock.wait_until(far))
    });
    remote.seek(nanos(77));
    // The first wait may begin only after both; it is told of the end first.
    let stopper = remote.clone();
    let stopping = std::thread::spawn(move || stopper.stop());
    let (first, second) = waiting.join().unwrap();
    stopping.join().unwrap();
    assert!(matches!(first, Wait::Moved(_) | Wait::Stopped), "{first:?}");
    assert_eq!(second, Wait::Stopped);
    assert!(remote.is_stopped());
}

#[test]
fn a_rate_that_is_none_is_refused() {
    for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(Clock::paced(Time::ZERO, rate), Err(Error::Config { .. })), "{rate}");
    }
    let clock = Clock::paced(Time::ZERO, 1.0).unwrap();
    assert!(clock.remote().unwrap().set_rate(-2.0).is_err());
}

#[test]
fn a_change_of_rate_counts_from_now_on() {
    let clock = Clock::paced(Time::ZERO, 1e-9).unwrap();
    let remote = clock.remote().unwrap();
    let before = clock.now();
    remote.set_rate(1e-9).unwrap();
    assert!(clock.now() - before < Span::from_nanos(1_000));
    remote.seek(nanos(5_000));
    assert!(clock.now() >= nanos(5_000) && clock.now() < nanos(6_000));
}

#[test]
fn quantiles_of_lateness_are_rounded_up_by_an_eighth_at_most() {
    let mut lateness = Lateness::default();
    assert_eq!(lateness.quantile(0.5), Span::ZERO);
    let mut all: Vec<i64> = (0..10_000).map(|n: i64| n * n * 37).collect();
    all.iter().for_each(|late| lateness.add(Span::from_nanos(*late)));
    lateness.add(Span::from_nanos(-5));
    all.push(0);
    all.sort_unstable();
    for part in [0.0001, 0.01, 0.5, 0.9, 0.99, 0.999, 1.0] {
        let rank = ((all.len() as f64 * part).ceil() as usize).max(1);
        let (exact, given) = (all[rank - 1], lateness.quantile(part).as_nanos());
        assert!(given >= exact && given as f64 <= exact as f64 * 1.125, "{part}: {exact} {given}");
    }
    assert_eq!(lateness.max(), Span::from_nanos(9_999 * 9_999 * 37));
    assert_eq!(lateness.count(), 10_001);
    let mut huge = Lateness::default();
    huge.add(Span::from_nanos(i64::MAX));
    assert_eq!(huge.quantile(0.5), Span::from_nanos(i64::MAX));
}
