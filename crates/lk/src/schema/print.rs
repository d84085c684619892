//! Message types as `.msg` text.

use std::sync::Arc;

use super::{MessageType, literal, types_of};

/// A root and its dependencies, each once, as MCAP's `ros2msg` has them.
pub(super) fn schema(root: &Arc<MessageType>) -> String {
    let mut text = String::new();
    for (index, ty) in types_of(root).into_iter().enumerate() {
        if index > 0 {
            text.push_str(&"=".repeat(80));
            text.push_str(&format!("\nMSG: {}\n", ty.name.replacen("/msg/", "/", 1)));
        }
        text.push_str(&definition(ty));
    }
    text
}

/// One definition: constants, then fields, a line each.
pub(super) fn definition(ty: &MessageType) -> String {
    let constants = ty.constants.iter().map(|constant| {
        format!("{} {}={}\n", constant.ty, constant.name, literal::print(&constant.value))
    });
    let fields = ty.fields.iter().map(|field| {
        let default = field.default.as_ref();
        let default = default.map(|value| format!(" {}", literal::print(value)));
        format!("{} {}{}\n", field.ty, field.name, default.unwrap_or_default())
    });
    constants.chain(fields).collect()
}
