//! A first `lk.toml` from a dataset: its ports are the dataset's channels.

use std::collections::BTreeMap;
use std::path::PathBuf;

use lk::Schema;
use lk::dataset::{Channel, Dataset, Encoding, Role};

use super::GeneratedFile;
use super::entry::{key, string};
use super::names::{Scope, identifier};
use crate::{Error, Result, suggest};

/// How to make an `lk.toml` from a dataset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FromDataset {
    /// Name of the component.
    pub component: String,
    /// Path of the dataset, as `lk.toml` shall have it.
    pub path: String,
    /// Keys that are inputs, whatever role they have.
    pub inputs: Vec<String>,
    /// Keys that are outputs, whatever role they have.
    pub outputs: Vec<String>,
}

/// `lk.toml` and its types in `msg/`, for a component whose ports are the
/// dataset's channels. Inputs come from the dataset, and its outputs are the
/// recorded reference.
///
/// Ports are the keys that are named, and otherwise those with a role; a
/// channel without one is left out. That a field is optional can't be said in
/// `.msg` text: it becomes the sequence `T[<=1]` that it is encoded as.
///
/// # Errors
///
/// No input or no output; a key that is not there; a channel whose messages
/// lk can't decode; two types of one name.
pub fn from_dataset(dataset: &Dataset, options: &FromDataset) -> Result<Vec<GeneratedFile>> {
    let channels = dataset.channels();
    let refuse = |message: String, hint: String| Error::Data {
        message,
        path: dataset.location(),
        hint: Some(hint),
    };
    for name in options.inputs.iter().chain(&options.outputs) {
        if !channels.iter().any(|channel| channel.key == *name) {
            let hint = suggest::hint(name, channels.iter().map(|channel| channel.key.as_str()));
            let message = format!("there is no key {name:?}");
            return Err(refuse(message, hint.unwrap_or_else(|| "it has no keys".to_owned())));
        }
        if options.inputs.contains(name) && options.outputs.contains(name) {
            let message = format!("key {name:?} can't be both an input and an output");
            return Err(refuse(message, "name it once".to_owned()));
        }
    }
    let role_of = |channel: &Channel| match channel {
        _ if options.inputs.contains(&channel.key) => Role::Input,
        _ if options.outputs.contains(&channel.key) => Role::Output,
        // Who names the outputs has decided which there are.
        Channel { role: Role::Input, .. } if !options.inputs.is_empty() => Role::None,
        Channel { role: Role::Output, .. } if !options.outputs.is_empty() => Role::None,
        _ => channel.role,
    };

    let mut types = Types { component: &options.component, files: BTreeMap::new() };
    let mut names = Scope::new([]);
    let mut sections = String::new();
    for (section, role) in
        [("inputs", Role::Input), ("outputs", Role::Output), ("state", Role::State)]
    {
        let mut lines = String::new();
        for channel in channels.iter().filter(|channel| role_of(channel) == role) {
            let schema = match &channel.encoding {
                Encoding::Cdr(schema) => schema,
                Encoding::Foreign(foreign) => {
                    let message =
                        format!("key {:?} can't be a port: {}", channel.key, foreign.reason);
                    let hint =
                        "ports are CDR messages of a known type; leave it out, or convert it";
                    return Err(refuse(message, hint.to_owned()));
                }
            };
            let ty = types.add(&channel.key, schema)?;
            lines += &port_line(&names.claim(&port_name(&channel.key)), &channel.key, &ty);
        }
        if lines.is_empty() && role != Role::State {
            let singular = section.trim_end_matches('s');
            let all: Vec<_> = channels.iter().map(|channel| channel.key.as_str()).collect();
            let hint = format!("name one; the keys are: {}", all.join(", "));
            return Err(refuse(format!("no key says that it is an {singular}"), hint));
        }
        if !lines.is_empty() {
            sections += &format!("\n[{section}]\n{lines}");
        }
    }
    let text = format!(
        "[component]\nname = {}\n{sections}\n[data]\ninputs = {1}\n\n[reference]\nrecording = {1}\n",
        string(&options.component),
        string(&options.path)
    );
    let mut files = vec![user_file(PathBuf::from(crate::manifest::FILE_NAME), text)];
    let msg = PathBuf::from("msg");
    files.extend(types.files.into_iter().map(|(path, (text, _))| user_file(msg.join(path), text)));
    Ok(files)
}

fn user_file(path: PathBuf, contents: String) -> GeneratedFile {
    GeneratedFile { path, contents, refresh: false }
}

/// A port's name from its key: `/imu/data` is `imu_data`.
fn port_name(channel: &str) -> String {
    let name = identifier(channel.trim_start_matches(|c: char| !c.is_ascii_alphanumeric()));
    if name.starts_with('_') { format!("port{name}") } else { name }
}

fn port_line(name: &str, channel: &str, ty: &str) -> String {
    match name == channel {
        true => format!("{} = {}\n", key(name), string(ty)),
        false => {
            format!("{} = {{ type = {}, key = {} }}\n", key(name), string(ty), string(channel))
        }
    }
}

/// Definitions for the folder `msg`.
struct Types<'a> {
    component: &'a str,
    /// Text, and the key that brought it, by path in the folder.
    files: BTreeMap<PathBuf, (String, String)>,
}

impl Types<'_> {
    /// Adds a type with all that is nested in it; gives its name for `lk.toml`.
    fn add(&mut self, channel: &str, schema: &Schema) -> Result<String> {
        for ty in schema.types() {
            let text = ty.to_msg_text();
            let (package, short) = match ty.name.split_once("/msg/") {
                Some(parts) => parts,
                None => {
                    let message =
                        format!("key {channel:?} can't be a port: its type is {}", ty.name);
                    return Err(Error::Data {
                        message,
                        path: schema.name().to_owned(),
                        hint: Some(
                            "only types of the form package/msg/Type have a .msg file".into(),
                        ),
                    });
                }
            };
            let file = format!("{short}.msg");
            let path = match package == self.component {
                true => PathBuf::from(file),
                false => PathBuf::from(package).join(file),
            };
            match self.files.get(&path) {
                Some((known, _)) if *known == text => {}
                Some((_, first)) => {
                    return Err(Error::TypesDiffer {
                        type_name: ty.name.clone(),
                        first: format!("key {first:?}"),
                        second: format!("key {channel:?}"),
                    });
                }
                None => {
                    self.files.insert(path, (text, channel.to_owned()));
                }
            }
        }
        Ok(schema.name().replacen("/msg/", "/", 1))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::Manifest;
    use crate::scaffold::write;

    fn channel(key: &str, role: Role, schema: &Schema) -> Channel {
        let encoding = Encoding::Cdr(schema.clone());
        Channel { key: key.into(), encoding, role, metadata: BTreeMap::new() }
    }

    fn recording() -> Dataset {
        let imu = Schema::parse(
            "filter/msg/Imu",
            "std_msgs/Header header\nfloat64[3] gyro\nfloat64 gain 0.5\n",
        )
        .unwrap();
        let pose = Schema::parse("geometry_msgs/msg/Quaternion", "float64 w 1.0\n").unwrap();
        let mut dataset = Dataset::memory();
        dataset.add_channel(channel("/imu/data", Role::Input, &imu)).unwrap();
        dataset.add_channel(channel("attitude", Role::Output, &pose)).unwrap();
        dataset.add_channel(channel("bias", Role::State, &pose)).unwrap();
        dataset.add_channel(channel("noise", Role::None, &imu)).unwrap();
        dataset
    }

    fn options() -> FromDataset {
        FromDataset {
            component: "filter".into(),
            path: "recorded.mcap".into(),
            ..FromDataset::default()
        }
    }

    #[test]
    fn a_dataset_with_roles_becomes_a_manifest_that_loads() {
        let dataset = recording();
        let dir = tempfile::tempdir().unwrap();
        let files = from_dataset(&dataset, &options()).unwrap();
        write(&files, dir.path(), false).unwrap();
        let manifest = Manifest::load(dir.path()).unwrap();
        let spec = manifest.component().unwrap();
        assert_eq!(spec.inputs.len(), 1);
        assert_eq!(
            (spec.inputs[0].name.as_str(), spec.inputs[0].key.as_str()),
            ("imu_data", "/imu/data")
        );
        assert_eq!(spec.outputs[0].key, "attitude");
        assert_eq!(spec.states[0].key, "bias");
        for port in spec.inputs.iter().chain(spec.outgoing()) {
            let id = dataset.channel_id(&port.key).unwrap();
            let recorded = &dataset.channels()[id.0 as usize].encoding;
            assert_eq!(*recorded, Encoding::Cdr(port.schema.clone()), "{}", port.name);
        }
        let names: BTreeSet<_> = files.iter().map(|f| f.path.display().to_string()).collect();
        assert!(
            names.contains("msg/Imu.msg") && names.contains("msg/std_msgs/Header.msg"),
            "{names:?}"
        );
    }

    #[test]
    fn named_keys_take_the_place_of_roles() {
        let mut options = options();
        options.inputs = vec!["noise".into()];
        let text = &from_dataset(&recording(), &options).unwrap()[0].contents;
        assert!(
            text.contains("[inputs]\nnoise = \"filter/Imu\"\n\n[outputs]\nattitude ="),
            "{text}"
        );
        options.outputs = vec!["/imu/data".into(), "noise".into()];
        let error = from_dataset(&recording(), &options).unwrap_err();
        assert!(error.to_string().contains("\"noise\" can't be both"), "{error}");
        options.outputs = vec!["attitud".into()];
        let error = from_dataset(&recording(), &options).unwrap_err();
        assert_eq!(error.hint().unwrap(), "did you mean `attitude`?");
    }

    #[test]
    fn a_dataset_without_roles_asks_for_keys() {
        let schema = Schema::parse("a/msg/B", "float64 x").unwrap();
        let mut dataset = Dataset::memory();
        dataset.add_channel(channel("x", Role::None, &schema)).unwrap();
        dataset.add_channel(channel("y", Role::None, &schema)).unwrap();
        let error = from_dataset(&dataset, &options()).unwrap_err();
        assert!(error.to_string().contains("no key says that it is an input"), "{error}");
        assert_eq!(error.hint().unwrap(), "name one; the keys are: x, y");
    }

    #[test]
    fn two_types_of_one_name_are_refused() {
        let mut dataset = Dataset::memory();
        let one = Schema::parse("a/msg/B", "float64 x").unwrap();
        let other = Schema::parse("a/msg/B", "float32 x").unwrap();
        dataset.add_channel(channel("x", Role::Input, &one)).unwrap();
        dataset.add_channel(channel("y", Role::Output, &other)).unwrap();
        let error = from_dataset(&dataset, &options()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "key \"x\" and key \"y\" both use a/msg/B, and mean different types"
        );
    }

    #[test]
    fn ports_are_named_after_keys() {
        assert_eq!(port_name("/imu/data"), "imu_data");
        assert_eq!(port_name("imu"), "imu");
        assert_eq!(port_name("2d/points"), "port_2d_points");
    }
}
