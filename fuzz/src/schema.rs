//! `.msg` text: what is read prints as text that reads back as the same.

use lk::Schema;
use lk::codec::Plan;

/// The bytes are text.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Ok(schema) = Schema::parse("fuzz/msg/Root", &text) else { return };
    let printed = schema.to_msg_text();
    let again = match Schema::parse("fuzz/msg/Root", &printed) {
        Ok(again) => again,
        Err(e) => panic!("{e}: {printed}"),
    };
    assert_eq!(again, schema, "{printed}");
    assert_eq!(again.fingerprint(), schema.fingerprint());
    assert_eq!(again.to_msg_text(), printed);
    assert!(Plan::new(&schema).decode(&[0, 1, 0]).is_err());
}
