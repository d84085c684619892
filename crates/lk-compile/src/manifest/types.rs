//! From the name of a type to its schema: `msg/`, the inputs, ROS 2's own.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use lk::dataset::Encoding;
use lk::schema::{ElementType, MessageType};
use lk::{Dataset, Schema};

use super::Manifest;
use crate::error::{Error, Result};

/// Finds types by name for one manifest.
pub(super) struct TypeResolver<'a> {
    manifest: &'a Manifest,
    /// What the inputs dataset defines; read only where `msg/` lacks a type.
    recorded: OnceCell<RecordedTypes>,
    /// What went wrong inside a callback that can only say "not found".
    failed: RefCell<Option<Error>>,
}

#[derive(Default)]
struct RecordedTypes {
    /// The channels' own, which know of optional fields too.
    roots: BTreeMap<String, Schema>,
    /// These and all that is nested in them.
    all: BTreeMap<String, Arc<MessageType>>,
}

impl<'a> TypeResolver<'a> {
    pub(super) fn new(manifest: &'a Manifest) -> TypeResolver<'a> {
        TypeResolver { manifest, recorded: OnceCell::new(), failed: RefCell::new(None) }
    }

    /// The schema of the type that is named at the place `at` of `lk.toml`.
    pub(super) fn resolve(&self, written: &str, at: &[&str]) -> Result<Schema> {
        let Some(name) = full_name(written) else {
            let hint = format!(
                "write `{}/Imu` for a type of this component, or `sensor_msgs/Imu` for one of ROS 2",
                self.manifest.file.component.name
            );
            let message = format!("{written:?} is not of the form `package/Type`");
            return Err(self.manifest.error_at(at, message, Some(hint)));
        };
        let in_msg_folder = self.file_text(&name).is_some();
        if !in_msg_folder && let Some(schema) = self.recorded().roots.get(&name) {
            return Ok(schema.clone());
        }
        let parsed = Schema::parse_with(&name, &|name| self.text(name));
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        parsed.map_err(|error| {
            if in_msg_folder || self.text(&name).is_some() {
                return Error::context(format!("type {name} of {}", at.join(".")))(error);
            }
            let short = name.rsplit('/').next().unwrap_or_default();
            let own = name.starts_with(&format!("{}/", self.manifest.file.component.name));
            let file = if own { format!("msg/{short}.msg") } else { format!("msg/{written}.msg") };
            let hint = format!(
                "define it in {} (the inputs dataset is searched too)",
                self.manifest.dir.join(file).display()
            );
            let message = format!("type {name} of {} is not defined", at.join("."));
            self.manifest.error_at(at, message, Some(hint))
        })
    }

    /// The definition of `package/msg/Type`, where there is one.
    fn text(&self, name: &str) -> Option<String> {
        self.file_text(name)
            .or_else(|| self.recorded().all.get(name).map(|message| message.to_msg_text()))
    }

    fn file_text(&self, name: &str) -> Option<String> {
        let path = self.files(name).into_iter().find(|path| path.is_file())?;
        match std::fs::read_to_string(&path) {
            Ok(text) => Some(text),
            Err(error) => {
                self.failed.replace(Some(Error::io("read", &path)(error)));
                None
            }
        }
    }

    /// Where the definition of a type may be. A file right in `msg/` belongs
    /// to the component's own package: were it to define that name for every
    /// package, a `Header.msg` would shadow `std_msgs/Header`.
    fn files(&self, name: &str) -> Vec<PathBuf> {
        let folder = self.manifest.dir.join("msg");
        let Some((package, short)) = name.split_once("/msg/") else { return Vec::new() };
        let file = format!("{short}.msg");
        let mut files = vec![folder.join(package).join(&file)];
        files.push(folder.join(package).join("msg").join(&file));
        if package == self.manifest.file.component.name {
            files.push(folder.join(&file));
        }
        files
    }

    fn recorded(&self) -> &RecordedTypes {
        self.recorded.get_or_init(|| {
            let mut types = RecordedTypes::default();
            // Without inputs (they may not be recorded yet) there are no types
            // to be had from them; what is missing is then reported by name.
            let Ok(path) = self.manifest.inputs_path() else { return types };
            if !path.exists() {
                return types;
            }
            match Dataset::open_with(&path, &self.manifest.open_options()) {
                Ok(dataset) => {
                    for channel in dataset.channels() {
                        if let Encoding::Cdr(schema) = &channel.encoding {
                            types.roots.insert(schema.name().to_owned(), schema.clone());
                            collect(schema.root(), &mut types.all);
                        }
                    }
                }
                Err(error) => {
                    let context = format!("inputs {}", path.display());
                    self.failed.replace(Some(Error::context(context)(error)));
                }
            }
            types
        })
    }
}

fn collect(message: &Arc<MessageType>, types: &mut BTreeMap<String, Arc<MessageType>>) {
    if types.insert(message.name.clone(), Arc::clone(message)).is_some() {
        return;
    }
    for field in &message.fields {
        if let ElementType::Message(nested) = field.ty.element() {
            collect(nested, types);
        }
    }
}

/// `package/msg/Type` from that or from `package/Type`.
fn full_name(written: &str) -> Option<String> {
    let parts: Vec<_> = written.split('/').collect();
    let word = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    match parts.as_slice() {
        [package, short] | [package, "msg", short] if word(package) && word(short) => {
            Some(format!("{package}/msg/{short}"))
        }
        _ => None,
    }
}
