use super::*;
use crate::error::Error;

#[test]
fn each_transition_leads_from_its_stages_alone() {
    use Stage::{Active, Finalized, Inactive, Unconfigured};
    let stages = [Unconfigured, Inactive, Active, Finalized];
    let to = |transition: Transition| stages.map(|stage| transition.from(stage));
    assert_eq!(to(Transition::Configure), [Some(Inactive), None, None, None]);
    assert_eq!(to(Transition::Activate), [None, Some(Active), None, None]);
    assert_eq!(to(Transition::Deactivate), [None, None, Some(Inactive), None]);
    assert_eq!(to(Transition::Shutdown), [Some(Finalized), Some(Finalized), Some(Finalized), None]);
}

#[test]
fn a_port_that_is_declared_twice_or_without_a_name_is_refused() {
    let mut ports = Ports::new("plant", 0);
    ports.input::<f64>("u").unwrap();
    let error = ports.output::<f64>("u").unwrap_err();
    assert_eq!(error.to_string(), "port \"u\" of plant: it is declared already");
    assert!(matches!(ports.input_any(""), Err(Error::Graph { .. })));
}

#[test]
fn a_type_that_can_be_no_message_is_refused_by_its_port() {
    let mut ports = Ports::new("plant", 0);
    let refused = ports.input::<std::collections::BTreeMap<String, f64>>("map");
    assert!(matches!(refused, Err(Error::Trace { .. })));
}

#[test]
fn diagnostics_are_stale_until_something_ran_and_keep_the_worst() {
    let mut dx = Dx::default();
    assert_eq!(dx.level(), Level::Stale);
    dx.alive();
    assert_eq!(dx.level(), Level::Ok);
    dx.error("no fix");
    dx.warn("few satellites");
    assert_eq!((dx.level(), dx.message()), (Level::Error, "no fix"));
    dx.ok();
    assert_eq!((dx.level(), dx.message()), (Level::Ok, ""));
    dx.count("resets", 2);
    dx.count("resets", 1);
    assert_eq!(dx.counters()["resets"], 3);
}
