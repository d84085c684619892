//! Pairings of small columns.

use super::*;

fn column(messages: &[(i64, u32)]) -> Column {
    let mut column = Column::default();
    for (time, sequence) in messages {
        column.push(*time, *sequence);
    }
    column
}

fn check(a: &[(i64, u32)], b: &[(i64, u32)], ticks: bool, to: (Alignment, &[(usize, usize)])) {
    let pairing = Pairing::new(AlignBy::Auto, &column(a), &column(b), ticks);
    let pairs: Vec<_> = (0..pairing.len()).map(|n| pairing.pair(n).unwrap()).collect();
    assert_eq!((pairing.alignment, pairs.as_slice()), to);
    for (ordinal, (i, j)) in pairs.iter().enumerate() {
        assert_eq!(pairing.of_a().ordinal(*i), Some(ordinal));
        assert_eq!(pairing.of_b().ordinal(*j), Some(ordinal));
    }
    for i in (0..a.len()).filter(|i| pairs.iter().all(|pair| pair.0 != *i)) {
        assert_eq!(pairing.of_a().ordinal(i), None);
    }
    for j in (0..b.len()).filter(|j| pairs.iter().all(|pair| pair.1 != *j)) {
        assert_eq!(pairing.of_b().ordinal(j), None);
    }
}

#[test]
fn unique_times_pair_where_they_are_equal() {
    let a = [(10, 0), (20, 1), (30, 2)];
    let b = [(10, 0), (30, 1), (40, 2)];
    check(&a, &b, false, (Alignment::Time, &[(0, 0), (2, 1)]));
    check(&a, &a, false, (Alignment::Time, &[(0, 0), (1, 1), (2, 2)]));
}

#[test]
fn a_repeated_time_on_either_side_falls_back_to_position() {
    let a = [(10, 0), (10, 1), (30, 2)];
    let b = [(10, 0), (30, 1)];
    check(&a, &b, false, (Alignment::Index, &[(0, 0), (1, 1)]));
    check(&b, &a, false, (Alignment::Index, &[(0, 0), (1, 1)]));
}

#[test]
fn ticks_pair_with_their_order_within_the_tick() {
    let a = [(10, 1), (10, 2), (10, 2), (10, 4)];
    let b = [(10, 2), (10, 2), (10, 2), (10, 4)];
    check(&a, &b, true, (Alignment::Tick, &[(1, 0), (2, 1), (3, 3)]));
}

#[test]
fn ticks_out_of_order_still_pair() {
    let a = [(10, 1), (20, 2), (30, 3)];
    let b = [(10, 3), (20, 1), (30, 2)];
    check(&a, &b, true, (Alignment::Tick, &[(0, 1), (1, 2), (2, 0)]));
}

#[test]
fn no_common_time_falls_back_to_position_and_says_so() {
    let (a, b) = ([(10, 0), (20, 1)], [(11, 0), (21, 1)]);
    check(&a, &b, false, (Alignment::Index, &[(0, 0), (1, 1)]));
    let fallback = |a: &[(i64, u32)], b: &[(i64, u32)]| {
        Pairing::new(AlignBy::Auto, &column(a), &column(b), false).fallback
    };
    assert_eq!(fallback(&a, &b), Some(Fallback::NothingCommon));
    // An empty side is no fallback: there is nothing to pair.
    check(&a, &[], false, (Alignment::Time, &[]));
    let twice = [(10, 0), (10, 1)];
    assert_eq!(fallback(&twice, &a), Some(Fallback::Repeated { side: 0 }));
    assert_eq!(fallback(&a, &twice), Some(Fallback::Repeated { side: 1 }));
    assert_eq!(fallback(&a, &a), None);
}

#[test]
fn a_message_that_is_missing_parts_two_runs() {
    let a: Vec<(i64, u32)> = (0..5_000).map(|n| (i64::from(n) * 10, n)).collect();
    let b: Vec<(i64, u32)> = a.iter().copied().filter(|(_, n)| *n % 1_700 != 3).collect();
    let pairing = Pairing::new(AlignBy::Auto, &column(&a), &column(&b), false);
    assert_eq!((pairing.len(), pairing.prefix()), (b.len(), None));
    assert!(matches!(&pairing.pairs, Pairs::Listed(runs) if runs.len() == 4));
    let pairs: Vec<(usize, usize)> =
        b.iter().enumerate().map(|(j, (_, n))| (*n as usize, j)).collect();
    check(&a, &b, false, (Alignment::Time, &pairs));
    check(&a, &b, true, (Alignment::Tick, &pairs));
}
