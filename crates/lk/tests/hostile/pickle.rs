//! Pickles that lie, or ask for much.

use super::{Case, case};

fn pickle(body: &[u8]) -> Vec<u8> {
    [b"\x80\x05", body, b"."].concat()
}

/// A short text.
fn text(text: &str) -> Vec<u8> {
    [b"X", &(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat()
}

/// A dataset of one key with these values, each an opcode sequence, and as
/// many timestamps.
fn values(values: &[&[u8]]) -> Vec<u8> {
    let stamps = (0..values.len()).flat_map(|n| [b"J", &(n as u32).to_le_bytes()[..]].concat());
    dataset(&values.concat(), &stamps.collect::<Vec<u8>>())
}

/// The same of whatever goes into both lists.
fn dataset(values: &[u8], stamps: &[u8]) -> Vec<u8> {
    let list = |items: &[u8]| [b"](", items, b"e"].concat();
    let series =
        [b"}(".as_slice(), &text("data"), &list(values), &text("timestamps"), &list(stamps), b"u"];
    pickle(&[b"}".as_slice(), &text("k"), &series.concat(), b"s"].concat())
}

/// An array of this dtype, shape and content.
fn array(code: &str, shape: &[u8], data: &[u8]) -> Vec<u8> {
    let mut body = b"cnumpy.core.numeric\n_frombuffer\n(B".to_vec();
    body.extend((data.len() as u32).to_le_bytes());
    body.extend(data);
    body.extend(b"cnumpy\ndtype\n");
    body.extend(text(code));
    body.extend(b"\x89\x88\x87R(K\x03X\x01\0\0\0<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb");
    body.extend(shape);
    body.extend(text("C"));
    body.extend(b"tR");
    body
}

const ONE: &[u8] = b"G\x3f\xf0\0\0\0\0\0\0";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = lengths();
    cases.extend(depth());
    cases.extend(sharing());
    cases.extend(arrays());
    cases.extend(shapes());
    cases.extend(code());
    cases
}

fn lengths() -> Vec<Case> {
    let asks = "bytes where";
    let cases: [(&str, &[u8], &str); 14] = [
        ("frame of 2^63-1", b"\x95\xff\xff\xff\xff\xff\xff\xff\x7f", asks),
        ("frame of 2^64-1", b"\x95\xff\xff\xff\xff\xff\xff\xff\xff", asks),
        ("text of 2^32-1", b"X\xff\xff\xff\xff", asks),
        ("text of 2^40", b"\x8d\0\0\0\0\0\x01\0\0", asks),
        ("text of 2^64-1", b"\x8d\xff\xff\xff\xff\xff\xff\xff\xff", asks),
        ("short text past the end", b"\x8c\xffa", asks),
        ("bytes of 2^32-1", b"B\xff\xff\xff\xff", asks),
        ("bytes of 2^40", b"\x8e\0\0\0\0\0\x01\0\0", asks),
        ("bytes of 2^64-1", b"\x8e\xff\xff\xff\xff\xff\xff\xff\xff", asks),
        ("bytearray of 2^40", b"\x96\0\0\0\0\0\x01\0\0", asks),
        ("bytearray of 2^64-1", b"\x96\xff\xff\xff\xff\xff\xff\xff\xff", asks),
        ("int of 2^31-1 bytes", b"\x8b\xff\xff\xff\x7f", asks),
        ("int of -1 bytes", b"\x8b\xff\xff\xff\xff", "negative length"),
        ("memo 2^32-1", b"Nr\xff\xff\xff\xff0j\xfe\xff\xff\xff", "never set"),
    ];
    let mut cases: Vec<Case> =
        cases.iter().map(|(name, body, expected)| case(name, pickle(body), expected)).collect();
    cases.push(case(
        "int of 1 MiB",
        pickle(&[b"\x8b\0\0\x10\0".as_slice(), &vec![7; 1 << 20]].concat()),
        "64 bits",
    ));
    cases.push(case(
        "a name without an end",
        pickle(&[b"c".as_slice(), &vec![b'a'; 1 << 20]].concat()),
        "no end",
    ));
    cases.push(case(
        "memos far apart",
        {
            let each =
                (0..100_000_u32).flat_map(|n| [b"r", &(n * 40_000).to_le_bytes()[..]].concat());
            pickle(&[b"N".to_vec(), each.collect()].concat())
        },
        "error: ",
    ));
    cases.push(case("a million marks", pickle(&[b'('; 1_000_000]), "error: "));
    cases.push(case("a million empty lists", pickle(&[b']'; 1_000_000]), "error: "));
    cases.push(case(
        "a million empty dicts on the stack",
        pickle(&[vec![b'('], vec![b'}'; 1_000_000], vec![b'l']].concat()),
        "error: ",
    ));
    cases.push(case(
        "a million memos",
        pickle(&[b"N".as_slice(), &[0x94; 1_000_000]].concat()),
        "error: ",
    ));
    cases
}

fn depth() -> Vec<Case> {
    let levels = "nested deeper than 64 levels";
    let deep = |open: &[u8], close: &[u8], n: usize| {
        values(&[&[open.repeat(n), ONE.to_vec(), close.repeat(n)].concat()])
    };
    vec![
        case("lists 200,000 deep", deep(b"]", b"a", 200_000), levels),
        case("tuples 500,000 deep", deep(b"", b"\x85", 500_000), levels),
        case("dicts 100,000 deep", deep(b"}X\x01\0\0\0a", b"s", 100_000), levels),
        case("a list in itself", values(&[b"]q\0h\0a"]), levels),
        case("a dict in itself", values(&[b"}q\0X\x01\0\0\0ah\0s"]), levels),
        case("a tuple in itself by a list", values(&[b"]q\0h\0\x85a"]), levels),
        case("lists 65 deep", deep(b"]", b"a", 65), "error: "),
    ]
}

fn sharing() -> Vec<Case> {
    let times = "many times larger than its file";
    let laughs = |first: &[u8], again: &[u8], close: &[u8]| {
        let mut body = first.to_vec();
        for _ in 0..40 {
            body.extend(again);
            body.extend(b"h\0".repeat(10));
            body.extend(close);
            body.extend(b"q\0");
        }
        values(&[&body])
    };
    let shared = |len: usize, count: usize| {
        let mut first = text(&"x".repeat(len));
        first.extend(b"q\0");
        let again = vec![b"h\0".as_slice(); count];
        values(&[vec![first.as_slice()], again].concat())
    };
    let numbers = {
        let mut first = array("f8", b"J\0\0\x01\0\x85", &vec![0; 8 << 16]);
        first.extend(b"q\0");
        let again = vec![b"h\0".as_slice(); 2000];
        values(&[vec![first.as_slice()], again].concat())
    };
    vec![
        case("lists of lists, ten times each", laughs(b"](K\x01eq\0", b"0](", b"e"), times),
        case("a text of 1 MiB, 1,000 times", shared(1 << 20, 1000), times),
        case("a text of 1 KiB, a million times", shared(1 << 10, 1_000_000), times),
        case("an array of 512 KiB, 2,000 times", numbers, times),
    ]
}

fn arrays() -> Vec<Case> {
    let of = |code: &str, shape: &[u8], data: &[u8]| values(&[&array(code, shape, data)]);
    let huge = b"J\xff\xff\xff\x7fJ\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x87";
    vec![
        case("an array of 2^93 numbers", of("f8", huge, &[]), "has 0 bytes"),
        case("an array of 2^93 bytes", of("u1", huge, &[]), "has 0 bytes"),
        case("an array of more than it has", of("f8", b"K\x02\x85", &[0; 8]), "has 8 bytes"),
        case("an array of less than it has", of("f8", b"K\x01\x85", &[0; 16]), "has 16 bytes"),
        case("an array of -1", of("f8", b"J\xff\xff\xff\xff\x85", &[]), "error: "),
        case("an array with 2^31-1 by nothing", of("f8", b"J\xff\xff\xff\x7fK\0\x86", &[]), ""),
        case("an array of objects", of("O8", b"K\x01\x85", &[0; 8]), "O8"),
        case("an array of records", of("V8", b"K\x01\x85", &[0; 8]), "V8"),
        case(
            "an array of 1,000 dimensions",
            {
                let shape = [b"(".to_vec(), b"K\x01".repeat(1000), b"t".to_vec()].concat();
                of("f8", &shape, &[0; 8])
            },
            "error: ",
        ),
        case(
            "an array of a dtype without an end",
            of(&"f".repeat(1 << 16), b"K\x01\x85", &[0; 8]),
            "error: ",
        ),
    ]
}

fn shapes() -> Vec<Case> {
    let stamped = |stamp: &[u8]| dataset(ONE, stamp);
    vec![
        case("a time that is no number", stamped(b"G\x7f\xf8\0\0\0\0\0\0"), "error: "),
        case("an infinite time", stamped(b"G\x7f\xf0\0\0\0\0\0\0"), "error: "),
        case("a time of 1e300 s", stamped(b"G\x7e\x37\xe4\x3c\x88\0\x75\x9c"), "error: "),
        case("a time of 2^62 s", stamped(b"\x8a\x08\0\0\0\0\0\0\0\x40"), "error: "),
        case("a time that is a text", stamped(b"X\x01\0\0\0a"), "error: "),
        case("no time", dataset(ONE, b""), "1 values and 0 timestamps"),
        case(
            "a thousand times and no value",
            dataset(b"", &b"K\x01".repeat(1000)),
            "0 values and 1000",
        ),
        case(
            "a key twice",
            {
                let series =
                    [b"}(".as_slice(), &text("data"), b"]", &text("timestamps"), b"]u"].concat();
                let twice = [text("k"), series.clone(), text("k"), series].concat();
                pickle(&[b"}(".as_slice(), &twice, b"u"].concat())
            },
            "comes twice",
        ),
        case("a key that is no text", pickle(b"}K\x01}s"), "is a key, not a str"),
        case("a list for a dataset", pickle(b"]"), "not a dict"),
        case(
            "10,000 fields in one of 50,000 values",
            {
                let fields =
                    (0..10_000).flat_map(|n| [text(&format!("f{n}")), b"\x88".to_vec()].concat());
                let wide = [b"}(".to_vec(), fields.collect(), b"u".to_vec()].concat();
                let mut all = vec![wide.as_slice(), b"}q\0"];
                all.extend(vec![b"h\0".as_slice(); 50_000]);
                values(&all)
            },
            "error: ",
        ),
        case(
            "fields whose names are the same",
            values(&[b"}(X\x01\0\0\0aK\x01X\x01\0\0\0aK\x02u"]),
            "error: ",
        ),
        case("a field's name with a NUL", values(&[b"}X\x02\0\0\0a\0K\x01s"]), ""),
        case(
            "a field's name of 1 MiB",
            {
                values(&[&[b"}".to_vec(), text(&"a".repeat(1 << 20)), b"K\x01s".to_vec()].concat()])
            },
            "",
        ),
        case(
            "100,000 keys",
            {
                let series =
                    [b"}(".as_slice(), &text("data"), b"]", &text("timestamps"), b"]u"].concat();
                let keys =
                    (0..30_000).flat_map(|n| [text(&format!("k{n}")), series.clone()].concat());
                pickle(&[b"}(".to_vec(), keys.collect(), b"u".to_vec()].concat())
            },
            "30000 channels",
        ),
    ]
}

fn code() -> Vec<Case> {
    let call = |name: &str| {
        [format!("c{name}\n").into_bytes(), text("touch /tmp/no"), b"\x85R".to_vec()].concat()
    };
    let mut cases: Vec<Case> =
        ["os\nsystem", "builtins\neval", "subprocess\nPopen", "posix\nsystem"]
            .iter()
            .map(|name| {
                case(&name.replace('\n', "."), pickle(&call(name)), &name.replace('\n', "."))
            })
            .collect();
    cases.push(case("a call as a value", values(&[&call("os\nsystem")]), "os.system"));
    cases.push(case("a call as a timestamp", dataset(ONE, &call("os\nsystem")), "os.system"));
    cases.push(case("an instance", pickle(b"(ios\nsystem\n"), "INST"));
    cases.push(case("an extension", pickle(b"\x82\x01"), "EXT1"));
    cases
}
