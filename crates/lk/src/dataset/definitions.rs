//! Types that a recording names without defining them: their definitions
//! come from a folder of `.msg` files, from ROS 2's common ones, or from
//! another dataset.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use super::{Channel, ChannelId, Dataset, Encoding, Query};
use crate::codec::Plan;
use crate::error::{Error, Result};
use crate::schema::Schema;

/// The schema of `package/Type`, its definition and those nested in it looked
/// for in the folder `msgs` before ROS 2's common ones: as
/// `package/Type.msg`, as `package/msg/Type.msg`, and those of the package
/// itself right in the folder.
///
/// # Errors
/// [`Error::UnknownType`]; [`Error::Io`] where a file can't be read; where a
/// definition makes no sense.
pub fn schema(name: &str, msgs: Option<&Path>) -> Result<Schema> {
    let own_package = name.split('/').next().unwrap_or_default();
    // The callback can only say that it found nothing.
    let failed: RefCell<Option<Error>> = RefCell::new(None);
    let find = |name: &str| {
        let path = file_of(name, own_package, msgs?)?;
        let failure =
            |source| Error::Io { action: "read", path: path.display().to_string(), source };
        std::fs::read_to_string(&path).map_err(|e| failed.replace(Some(failure(e)))).ok()
    };
    let schema = Schema::parse_with(name, &find);
    match failed.into_inner() {
        Some(error) => Err(error),
        None => schema,
    }
}

/// Where the definition of a type is. A file right in the folder belongs to
/// the package that was asked for: were it to define that name for every
/// package, a `Header.msg` would shadow `std_msgs/Header`.
fn file_of(name: &str, own_package: &str, msgs: &Path) -> Option<PathBuf> {
    let (package, short) = name.split_once("/msg/").or_else(|| name.split_once('/'))?;
    let file = format!("{short}.msg");
    let mut files =
        vec![msgs.join(package).join(&file), msgs.join(package).join("msg").join(&file)];
    if package == own_package {
        files.push(msgs.join(&file));
    }
    files.into_iter().find(|path| path.is_file())
}

impl Dataset {
    /// Gives the types that the recording names without a definition that
    /// fits their messages those of `msgs` or, where it has none, ROS 2's
    /// common ones. Each is noted.
    pub(super) fn define_types(&mut self, msgs: Option<&Path>) -> Result<()> {
        if let Some(folder) = msgs.filter(|folder| !folder.is_dir()) {
            let source = std::io::ErrorKind::NotADirectory.into();
            return Err(Error::Io { action: "read", path: folder.display().to_string(), source });
        }
        self.define(|name| {
            let package = name.split('/').next().unwrap_or_default();
            if let Some(folder) = msgs.filter(|folder| file_of(name, package, folder).is_some()) {
                let schema = schema(name, Some(folder))?;
                return Ok(Some((schema, format!("{} defines it", folder.display()))));
            }
            // A type that nothing defines stays what it is.
            let schema = Schema::parse_with(name, &|_| None).ok();
            Ok(schema.map(|schema| (schema, "ROS 2 commonly has it".to_owned())))
        })
    }

    /// Gives the types that this dataset names without a definition that fits
    /// their messages those of the same name in `other`, where they fit, so
    /// that the two can be compared field by field. Each is noted in
    /// [`Dataset::integrity`].
    ///
    /// # Errors
    /// Where a file can't be read.
    pub fn define_types_as_in(&mut self, other: &Dataset) -> Result<()> {
        let mut known = std::collections::BTreeMap::new();
        for channel in other.channels() {
            if let Encoding::Cdr(schema) = &channel.encoding {
                known.entry(schema.name()).or_insert(schema);
            }
        }
        let location = other.location();
        self.define(|name| {
            let schema = known.get(name).map(|schema| (*schema).clone());
            Ok(schema.map(|schema| (schema, format!("{location} defines it"))))
        })
    }

    /// `find` gives a schema, and where it is from.
    fn define(
        &mut self,
        mut find: impl FnMut(&str) -> Result<Option<(Schema, String)>>,
    ) -> Result<()> {
        let mut defined: Option<Vec<Channel>> = None;
        let mut notes = Vec::new();
        for (index, channel) in self.channels().iter().enumerate() {
            let Encoding::Foreign(foreign) = &channel.encoding else { continue };
            let name = &foreign.schema_name;
            if foreign.message_encoding != "cdr" || name.split('/').count() != 3 {
                continue;
            }
            let Some((schema, origin)) = find(name)? else { continue };
            // What another has under this name may be something else.
            if !self.fits(ChannelId(index as u32), &schema)? {
                continue;
            }
            let note = format!("{name} is read as {origin}: {}", foreign.reason);
            if !notes.contains(&note) {
                notes.push(note);
            }
            let channels = defined.get_or_insert_with(|| self.channels().to_vec());
            channels[index].encoding = Encoding::Cdr(schema);
        }
        if defined.is_some() {
            self.defined = defined;
        }
        self.notes.extend(notes);
        Ok(())
    }

    /// Whether the first message of a channel is of this type; `true` where
    /// there is none.
    fn fits(&self, id: ChannelId, schema: &Schema) -> Result<bool> {
        let query = Query { channels: Some(vec![id]), ..Query::default() };
        let first = self.samples(&query)?.next();
        Ok(match first {
            None => true,
            Some(Ok((_, sample))) => Plan::new(schema).decode(&sample.payload).is_ok(),
            // Damage speaks up when it is read.
            Some(Err(_)) => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_found_by_package_and_a_loose_file_is_of_its_own_package() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("Imu.msg", "std_msgs/Header header\nother/Axis x\n");
        write("Header.msg", "bool shadow\n");
        write("other/msg/Axis.msg", "float64 rate\n");
        let text = schema("mine/Imu", Some(folder.path())).unwrap().to_msg_text();
        assert!(text.contains("float64 rate") && text.contains("frame_id"), "{text}");
        assert!(!text.contains("shadow"), "{text}");
        let error = schema("mine/Gyro", Some(folder.path())).unwrap_err();
        assert!(error.to_string().contains("mine/msg/Gyro"), "{error}");
    }
}
