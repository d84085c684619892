//! Tables and lines of JSON that ask for much.

use super::{Case, case, scaled};

pub(super) fn csv() -> Vec<Case> {
    let many = |n: usize| {
        let header: Vec<_> = (0..n).map(|n| format!("c{n}")).collect();
        format!("time_ns,{}\n1{}\n", header.join(","), ",2".repeat(n)).into_bytes()
    };
    vec![
        case("nothing", Vec::new(), "error: "),
        case("a header alone", b"time_ns,x\n".to_vec(), ""),
        case(
            "a cell of MiB",
            format!("time_ns,x\n1,{}\n", "a".repeat(scaled(16 << 20))).into(),
            "1 samples",
        ),
        case(
            "a quote that never ends",
            format!("time_ns,x\n1,\"{}", "a,\n".repeat(1 << 20)).into(),
            "",
        ),
        case("many columns", many(scaled(12_000)), "1 samples"),
        case("70,000 columns", many(70_000), "error: "),
        case(
            "a row of a million cells",
            format!("time_ns,x\n1{}\n", ",2".repeat(scaled(1_000_000))).into(),
            "error: ",
        ),
        case(
            "a million empty lines",
            format!("time_ns,x\n{}1,2\n", "\n".repeat(scaled(1_000_000))).into(),
            "1 samples",
        ),
        case(
            "a time of a million digits",
            format!("time_ns,x\n{},2\n", "9".repeat(scaled(1_000_000))).into(),
            "error: ",
        ),
        case("a time before zero", b"time_ns,x\n-5,2\n".to_vec(), "1 samples"),
        case(
            "a number of a million digits",
            format!("time_ns,x\n1,{}\n", "9".repeat(scaled(1_000_000))).into(),
            "error: ",
        ),
        case("a header twice", b"time_ns,x,x\n1,2,3\n".to_vec(), "error: "),
        case(
            "fields in fields 10,000 deep",
            format!("time_ns,{}\n1,2\n", vec!["a"; 10_000].join(".")).into(),
            "error: ",
        ),
        case("fields in fields, and a field in one", b"time_ns,a,a.b\n1,2,3\n".to_vec(), "error: "),
        case("no text", b"time_ns,x\n1,\xff\xfe\n".to_vec(), "error: "),
        case("NULs", b"time_ns,x\n1,\0\0\n".to_vec(), ""),
        case("zeros alone", vec![0; 1 << 20], "error: "),
    ]
}

pub(super) fn ndjson() -> Vec<Case> {
    let line = |value: &str| format!("{{\"key\":\"k\",\"time_ns\":1,\"value\":{value}}}\n");
    let typed = |text: &str| {
        let schema = format!("{{\"key\":\"k\",\"type\":\"demo/msg/A\",\"schema\":{text:?}}}\n");
        (schema + &line("{}")).into_bytes()
    };
    let fields = |n: usize| {
        let fields: Vec<_> = (0..n).map(|n| format!("\"f{n}\":1")).collect();
        format!("{{{}}}", fields.join(","))
    };
    vec![
        case("nothing", Vec::new(), ""),
        case(
            "objects 100,000 deep",
            line(&format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000))).into(),
            "error: ",
        ),
        case(
            "objects 100 deep",
            line(&format!("{}1{}", "{\"a\":".repeat(100), "}".repeat(100))).into(),
            "error: ",
        ),
        case(
            "lists 100,000 deep",
            line(&format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000))).into(),
            "error: ",
        ),
        case("a line 100,000 deep", "[".repeat(100_000).into(), "error: "),
        case(
            "a text of MiB",
            line(&format!("{{\"a\":\"{}\"}}", "a".repeat(scaled(16 << 20)))).into(),
            "1 samples",
        ),
        case(
            "a line without an end",
            format!("{{\"key\":\"{}", "a".repeat(scaled(16 << 20))).into(),
            "error: ",
        ),
        case(
            "a number of a million digits",
            line(&format!("{{\"a\":{}}}", "9".repeat(scaled(1_000_000)))).into(),
            "error: ",
        ),
        case("an exponent of 10^6", line("{\"a\":1e1000000}").into(), "error: "),
        // As many as an object may have.
        case("many fields", line(&fields(scaled(4096))).into(), "1 samples"),
        case("70,000 fields", line(&fields(70_000)).into(), "error: "),
        case("a field twice", line("{\"a\":1,\"a\":2}").into(), "error: "),
        case(
            "a key for each of many lines",
            {
                let each = (0..scaled(20_000))
                    .map(|n| line("{\"a\":1}").replace("\"k\"", &format!("\"k{n}\"")));
                each.collect::<String>().into()
            },
            &format!("{} channels", scaled(20_000)),
        ),
        case(
            "a time of 2^63",
            "{\"key\":\"k\",\"time_ns\":9223372036854775808,\"value\":{\"a\":1}}".into(),
            "error: ",
        ),
        case("a type that takes too much", typed("float64[4294967295] x"), "error: "),
        case("a type in itself", typed("A a"), "error: "),
        case("no text", line("{\"a\":\"\u{1}\"}").into(), "error: "),
        case(
            "no UTF-8",
            b"{\"key\":\"k\",\"time_ns\":1,\"value\":{\"a\":\"\xff\"}}\n".to_vec(),
            "error: ",
        ),
        case("zeros alone", vec![0; 1 << 20], "error: "),
    ]
}
