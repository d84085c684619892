//! Pickles: what is read can be written, and reads back as the same.

use lk::Dataset;
use lk::dataset::{CreateOptions, Query};

use super::scratch::File;

/// The bytes are a file.
pub fn run(data: &[u8]) {
    let file = File::with("pkl", data);
    let Ok(dataset) = Dataset::open(file.path()) else { return };
    let file = File::named("again.pkl");
    let options = CreateOptions { overwrite: true, ..CreateOptions::default() };
    let mut copy =
        Dataset::create_with(file.path(), options).expect("the temporary folder takes files");
    if copy.copy_from(&dataset).is_err() || copy.close().is_err() {
        return;
    }
    let again = match Dataset::open(file.path()) {
        Ok(again) => again,
        Err(e) => panic!("what lk wrote is refused: {e}"),
    };
    assert_eq!(again.channels(), dataset.channels());
    let all = |dataset: &Dataset| -> Vec<_> {
        let samples = dataset.samples(&Query::default()).expect("it was opened");
        samples.map(|item| item.expect("pickles are read whole")).collect()
    };
    assert_eq!(all(&again), all(&dataset));
}
