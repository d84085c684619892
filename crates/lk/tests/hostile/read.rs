//! Everything that reads a file, and what is said of it.

use std::fmt::Write;
use std::path::Path;

use lk::dataset::{Encoding, Query, csv, ndjson};
use lk::diff::{Policy, diff};
use lk::{Dataset, Result};

/// All of it in one text.
pub(super) fn everything(path: &Path) -> String {
    let mut said = String::new();
    match read(path, &mut said) {
        Ok(()) => {}
        Err(error) => put(&mut said, &format!("error: {error}")),
    }
    said
}

fn put(said: &mut String, text: &str) {
    // Writing to a string can't fail.
    let _ = write!(said, "{text}; ");
}

fn read(path: &Path, said: &mut String) -> Result<()> {
    let extension = path.extension().and_then(|extension| extension.to_str());
    let mut dataset = match extension {
        Some("csv") => imported(|dataset| {
            csv::import(path, dataset, &csv::ImportOptions::default()).map(drop)
        })?,
        Some("ndjson") => imported(|dataset| {
            ndjson::import(path, dataset, &ndjson::ImportOptions::default()).map(drop)
        })?,
        _ => Dataset::open(path)?,
    };
    let told = |dataset: &Dataset, said: &mut String| {
        dataset.integrity().problems.iter().take(20).for_each(|problem| put(said, problem));
    };
    told(&dataset, said);
    let (mut samples, mut errors) = (0_u64, 0);
    for item in dataset.samples(&Query::default())? {
        match item {
            Ok(_) => samples += 1,
            Err(error) => {
                errors += 1;
                if errors < 20 {
                    put(said, &format!("while reading: {error}"));
                }
            }
        }
    }
    put(said, &format!("{samples} samples"));
    let channels = dataset.channels().to_vec();
    put(said, &format!("{} channels", channels.len()));
    for channel in channels.iter().take(20) {
        put(said, &format!("key {:?}", channel.key));
        match &channel.encoding {
            Encoding::Foreign(foreign) => put(said, &foreign.reason),
            Encoding::Cdr(_) => {
                let view = dataset.channel(&channel.key)?;
                if let Some(Err(error)) = view.values()?.find(Result::is_err) {
                    put(said, &format!("while decoding: {error}"));
                }
            }
        }
    }
    let result = diff(&dataset, &dataset, &Policy::default())?;
    put(said, &format!("compared with itself {:?}", result.verdict));
    let counted: u64 = dataset.stats()?.iter().map(|stats| stats.count).sum();
    put(said, &format!("counted {counted}"));
    dataset.check()?;
    told(&dataset, said);
    let integrity = dataset.integrity();
    put(said, &format!("verified {}, lost {:?}", integrity.verified, integrity.lost_samples));
    let after = dataset.samples(&Query::default())?.filter(Result::is_ok).count();
    put(said, &format!("{after} after a check"));
    Ok(())
}

fn imported(import: impl FnOnce(&mut Dataset) -> Result<()>) -> Result<Dataset> {
    let mut dataset = Dataset::memory();
    import(&mut dataset)?;
    Ok(dataset)
}
