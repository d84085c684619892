//! Message types by name, from a folder of `.msg` files.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use lk::Schema;

use crate::error::{Error, Result};
use crate::files::read_text;

/// The schema of `package/Type`, its definition and those nested in it looked
/// for in the folder `msgs` before ROS 2's common ones.
pub(crate) fn schema(name: &str, msgs: Option<&Path>) -> Result<Schema> {
    let own_package = name.split('/').next().unwrap_or_default();
    // The callback can only say that it found nothing.
    let failed: RefCell<Option<Error>> = RefCell::new(None);
    let find = |name: &str| {
        let path = files(name, own_package, msgs?).into_iter().find(|path| path.is_file())?;
        read_text(&path).map_err(|error| failed.replace(Some(error))).ok()
    };
    let schema = Schema::parse_with(name, &find);
    match failed.into_inner() {
        Some(error) => Err(error),
        None => Ok(schema?),
    }
}

/// Where the definition of a type may be. A file right in the folder belongs
/// to the package that was asked for: were it to define that name for every
/// package, a `Header.msg` would shadow `std_msgs/Header`.
fn files(name: &str, own_package: &str, msgs: &Path) -> Vec<PathBuf> {
    let Some((package, short)) = name.split_once("/msg/") else { return Vec::new() };
    let file = format!("{short}.msg");
    let mut files =
        vec![msgs.join(package).join(&file), msgs.join(package).join("msg").join(&file)];
    if package == own_package {
        files.push(msgs.join(&file));
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_found_by_package_and_a_loose_file_is_of_its_own_package() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("it is in the folder")).expect("writable");
            std::fs::write(path, text).expect("writable");
        };
        write("Imu.msg", "std_msgs/Header header\nother/Axis x\n");
        write("Header.msg", "bool shadow\n");
        write("other/msg/Axis.msg", "float64 rate\n");
        let text = schema("mine/Imu", Some(folder.path())).expect("all there").to_msg_text();
        assert!(text.contains("float64 rate") && text.contains("frame_id"), "{text}");
        assert!(!text.contains("shadow"), "{text}");
        let error = schema("mine/Gyro", Some(folder.path())).expect_err("not there");
        assert!(error.to_string().contains("mine/msg/Gyro"), "{error}");
    }
}
