//! Message types that are more than they look.

use super::draft::{channel, chunk_file, messages, schema};
use crate::{Case, case, scaled};

/// A file whose one channel is of this type.
fn typed(text: &str) -> Vec<u8> {
    let schema = schema(1, b"demo/msg/A", b"ros2msg", text.as_bytes());
    chunk_file(&[schema, channel(1, 1, b"a", b"cdr"), messages()].concat())
}

pub(super) fn cases() -> Vec<Case> {
    let nested = |depth: usize, count: &str| {
        let mut text = format!("N1{count} a\n");
        for n in 1..depth {
            text.push_str(&format!("===\nMSG: demo/N{n}\nN{}{count} a\n", n + 1));
        }
        text + &format!("===\nMSG: demo/N{depth}\nfloat64 x\n")
    };
    let twice = |depth: usize| {
        let mut text = "N1 a\nN1 b\n".to_owned();
        for n in 1..depth {
            let next = n + 1;
            text.push_str(&format!("===\nMSG: demo/N{n}\nN{next} a\nN{next} b\n"));
        }
        text + &format!("===\nMSG: demo/N{depth}\nfloat64 x\n")
    };
    let fields: String =
        (0..scaled(1_000_000).max(70_000)).map(|n| format!("bool f{n}\n")).collect();
    let quoted = format!("P[60000] p\n===\nMSG: demo/P\nstring s {:?}\n", "x".repeat(1 << 20));
    let filled = format!("P[60000] p\n===\nMSG: demo/P\nuint8[] s [{}1]\n", "1,".repeat(100_000));
    let no = "its schema can't be read";
    vec![
        case("a type in itself", typed("A a"), "contains itself"),
        case(
            "types in a circle",
            typed("B b\n===\nMSG: demo/B\nC c\n===\nMSG: demo/C\nB b\n"),
            "contains itself",
        ),
        case("types 1,000 deep", typed(&nested(1000, "")), "messages deep"),
        case("types 60 deep, each in 1,000", typed(&nested(60, "[1000]")), no),
        case("types 60 deep, each a sequence", typed(&nested(60, "[]")), "while decoding"),
        case("types 60 deep, each twice", typed(&twice(60)), no),
        case("too many fields", typed(&fields), no),
        case("a field of 2^32-1 numbers", typed("float64[4294967295] x"), no),
        case("a field of 2^64 numbers", typed("float64[18446744073709551616] x"), no),
        case("a field of 10^30 digits", typed(&format!("uint8[{}] x", "9".repeat(1 << 20))), no),
        case(
            "a field's name of 1 MiB",
            typed(&format!("bool {}", "a".repeat(1 << 20))),
            "1 channels",
        ),
        case("a type's name of 1 MiB", typed(&format!("{} a", "A".repeat(1 << 20))), no),
        case("a line of 1 MiB of noise", typed(&"%&/".repeat(350_000)), no),
        case("a default text in each of 60,000", typed(&quoted), no),
        case("a default list in each of 60,000", typed(&filled), no),
        case("a type that is not there", typed("elsewhere/Thing a"), no),
        case(
            "the same type 10,000 times",
            typed(&format!("B b\n{}", "===\nMSG: demo/B\nbool x\n".repeat(10_000))),
            "1 channels",
        ),
        case(
            "10,000 types that aren't used",
            {
                let types = (0..10_000).map(|n| format!("===\nMSG: demo/B{n}\nbool x\n"));
                typed(&format!("bool b\n{}", types.collect::<String>()))
            },
            "1 channels",
        ),
    ]
}
