//! MCAP files that lie.

#[path = "draft.rs"]
mod draft;
#[path = "many.rs"]
mod many;
#[path = "summaries.rs"]
mod summaries;
#[path = "types.rs"]
mod types;

use crate::{Case, case};
use draft::{
    Chunk, PAYLOAD, block, channel, chunk_file, definitions, file, footer, head, map, message,
    messages, record, schema, statistics,
};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = sizes();
    cases.extend(bombs());
    cases.extend(definitions_that_clash());
    cases.extend(places());
    cases.extend(summaries::cases());
    cases.extend(types::cases());
    cases.extend(many::cases());
    cases
}

/// A record that says it is so long.
fn long(op: u8, len: u64, body: &[u8]) -> Vec<u8> {
    [&[op], &len.to_le_bytes()[..], body].concat()
}

fn good() -> Vec<u8> {
    [definitions(), messages()].concat()
}

fn good_chunk() -> Vec<u8> {
    Chunk::new(&good(), 1, 2).record()
}

fn sizes() -> Vec<Case> {
    const TERA: u64 = 1 << 40;
    let past = "runs past the end";
    let with = |set: fn(&mut Chunk)| {
        let mut chunk = Chunk::new(&good(), 1, 2);
        set(&mut chunk);
        file(&[chunk.record()])
    };
    let packed = |set: fn(&mut Chunk)| {
        let mut chunk = Chunk::zstd(&good(), 1, 2);
        set(&mut chunk);
        file(&[chunk.record()])
    };
    let unpack = "which";
    let huge = u32::MAX.to_le_bytes();
    let schema_of = |body: &[u8]| chunk_file(&[record(0x03, body), messages()].concat());
    let channel_of = |body: &[u8]| chunk_file(&[record(0x04, body), messages()].concat());
    vec![
        case("record of 2^40 bytes", file(&[good_chunk(), long(0x05, TERA, b"")]), past),
        case("record of 2^64-1 bytes", file(&[good_chunk(), long(0x05, u64::MAX, b"")]), past),
        case("chunk record of 2^64-1", file(&[long(0x06, u64::MAX, &[0; 60])]), past),
        case("attachment of 2^40", file(&[good_chunk(), long(0x09, TERA, b"")]), past),
        case("attachment of 2^63", file(&[good_chunk(), long(0x09, 1 << 63, b"")]), past),
        case("plain chunk declares 2^40", with(|c| c.size = TERA), unpack),
        case("plain chunk declares 2^64-1", with(|c| c.size = u64::MAX), unpack),
        case("zstd chunk declares 2^40", packed(|c| c.size = TERA), unpack),
        case("zstd chunk declares 2^64-1", packed(|c| c.size = u64::MAX), unpack),
        case("chunk declares too little", packed(|c| c.size -= 1), "damaged"),
        case("chunk declares nothing", packed(|c| c.size = 0), "damaged"),
        case("packed length of 2^64-1", with(|c| c.packed_len = u64::MAX), "don't agree"),
        case("packed length of 2^40", with(|c| c.packed_len = TERA), "don't agree"),
        case(
            "name of a compression is endless",
            {
                let mut body = vec![0; 28];
                body.extend(huge);
                file(&[record(0x06, &body)])
            },
            "header is malformed",
        ),
        case("unknown compression", with(|c| c.compression = b"snappy".to_vec()), "`snappy`"),
        case(
            "schema name of 2^32-1",
            schema_of(&[&[1, 0], &huge[..]].concat()),
            "schema is malformed",
        ),
        case(
            "schema data of 2^32-1",
            schema_of(&[&[1, 0], &block(b"a/msg/A")[..], &block(b""), &huge].concat()),
            "schema is malformed",
        ),
        case(
            "topic of 2^32-1",
            channel_of(&[&[1, 0, 0, 0], &huge[..]].concat()),
            "channel is malformed",
        ),
        case(
            "channel metadata of 2^32-1",
            channel_of(&[&[1, 0, 0, 0], &block(b"a")[..], &block(b"cdr"), &huge].concat()),
            "channel is malformed",
        ),
        case(
            "text in a map is endless",
            {
                let map = block(&huge);
                channel_of(&[&[1, 0, 0, 0], &block(b"a")[..], &block(b"cdr"), &map].concat())
            },
            "channel is malformed",
        ),
        case(
            "message index of 2^32-1",
            file(&[good_chunk(), record(0x07, &[&[1, 0], &huge[..]].concat())]),
            "index is malformed",
        ),
        case(
            "metadata of 2^32-1",
            file(&[good_chunk(), record(0x0c, &[&block(b"lk")[..], &huge].concat())]),
            "metadata record is malformed",
        ),
        case(
            "message in a chunk past its end",
            chunk_file(&[good(), long(0x05, TERA, b"")].concat()),
            "past its end",
        ),
        case(
            "message of 2^64-1 in a chunk",
            chunk_file(&[good(), long(0x05, u64::MAX, b"")].concat()),
            "past its end",
        ),
        case(
            "message shorter than its header",
            chunk_file(&[good(), record(0x05, &[1, 0, 0])].concat()),
            "too short",
        ),
        case(
            "zero-length records in a chunk",
            chunk_file(&[good(), record(0x03, b""), record(0x04, b"")].concat()),
            "malformed",
        ),
        case(
            "zero-length records",
            file(&[good_chunk(), record(0x06, b""), record(0x07, b"")]),
            "malformed",
        ),
    ]
}

fn bombs() -> Vec<Case> {
    let zeros = vec![0; 1 << 20];
    let zstd = |mib: usize| {
        let mut encoder = Vec::new();
        // Frames one after another are one content.
        let frame = zstd::bulk::compress(&zeros, 1).expect("it takes any bytes");
        (0..mib).for_each(|_| encoder.extend(&frame));
        encoder
    };
    let lz4 = |mib: usize| {
        let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
        (0..mib).for_each(|_| std::io::Write::write_all(&mut encoder, &zeros).expect("to memory"));
        encoder.finish().expect("to memory")
    };
    let bomb = |name: &str, packed: Vec<u8>, mib: u64, start: u64| Chunk {
        start,
        end: 100,
        size: mib << 20,
        crc: 0,
        compression: name.as_bytes().to_vec(),
        packed_len: packed.len() as u64,
        packed,
    };
    // Each has a message at its start and one at the common end.
    let overlapping = |pack: fn(&[u8], u64, u64) -> Chunk| {
        let chunks = (0..5).map(|n| {
            let large = message(1, n, u64::from(n), &zeros.repeat(16));
            let content = [definitions(), large, message(1, n, 100, b"")].concat();
            pack(&content, n.into(), 100).record()
        });
        file(&chunks.collect::<Vec<_>>())
    };
    vec![
        case(
            "zstd of 1 GiB",
            file(&[bomb("zstd", zstd(1024), 1024, 1).record()]),
            "over the limit",
        ),
        case(
            "zstd of 512 MiB",
            file(&[bomb("zstd", zstd(512), 512, 1).record()]),
            "over the limit",
        ),
        case("lz4 of 512 MiB", file(&[bomb("lz4", lz4(512), 512, 1).record()]), "over the limit"),
        case(
            "zstd with more than declared",
            file(&[bomb("zstd", zstd(300), 1, 1).record()]),
            "damaged",
        ),
        case(
            "lz4 with more than declared",
            file(&[bomb("lz4", lz4(300), 1, 1).record()]),
            "damaged",
        ),
        case("zstd bombs at one time", overlapping(Chunk::zstd), "chunks that overlap"),
        case("lz4 bombs at one time", overlapping(Chunk::lz4), "10 samples"),
        case(
            "zstd of noise",
            {
                file(&[bomb("zstd", (0..1000_u32).map(|n| (n * 7) as u8).collect(), 1, 1).record()])
            },
            "damaged",
        ),
        case(
            "lz4 of noise",
            file(&[bomb("lz4", (0..1000_u32).map(|n| (n * 7) as u8).collect(), 0, 1).record()]),
            "damaged",
        ),
    ]
}

fn definitions_that_clash() -> Vec<Case> {
    let twice = |more: Vec<u8>| chunk_file(&[good(), more].concat());
    vec![
        case(
            "a channel number twice",
            twice(channel(1, 1, b"b", b"cdr")),
            "is both a and another b",
        ),
        case(
            "a schema number twice",
            twice(schema(1, b"demo/msg/A", b"ros2msg", b"int8 x")),
            "is both",
        ),
        case(
            "the number twice in two chunks",
            {
                let other = [channel(1, 0, b"other", b"json"), message(1, 2, 3, b"{}")].concat();
                file(&[good_chunk(), Chunk::new(&other, 3, 3).record()])
            },
            "is both a and another other",
        ),
        case("schema 0", twice(schema(0, b"demo/msg/A", b"ros2msg", b"")), "number 0"),
        case(
            "channel without its schema",
            chunk_file(&[channel(1, 9, b"a", b"cdr"), messages()].concat()),
            "number 9, is missing",
        ),
        case("messages without a channel", chunk_file(&messages()), "missing from the file"),
        case(
            "messages before their channel",
            chunk_file(&[messages(), definitions()].concat()),
            "2 samples; 1 channels",
        ),
        case(
            "empty names",
            {
                chunk_file(
                    &[schema(1, b"", b"", b""), channel(1, 1, b"", b""), messages()].concat(),
                )
            },
            "2 samples; 1 channels; key \"\"; lk passes an unnamed encoding through",
        ),
        case(
            "a topic that is no text",
            chunk_file(&[channel(1, 0, b"\xff\xfe", b"cdr"), messages()].concat()),
            "channel is malformed",
        ),
        case(
            "a schema name that is no text",
            chunk_file(&[schema(1, b"\xc0", b"ros2msg", b""), good()].concat()),
            "schema is malformed",
        ),
        case(
            "a schema that is no text",
            {
                let schema = schema(1, b"demo/msg/A", b"ros2msg", b"float64 \xff");
                chunk_file(&[schema, channel(1, 1, b"a", b"cdr"), messages()].concat())
            },
            "is not text",
        ),
        case(
            "NULs in names",
            {
                let schema = schema(1, b"demo/msg/A\0", b"ros2msg", b"float64 x");
                chunk_file(&[schema, channel(1, 1, b"a\0b", b"cdr"), messages()].concat())
            },
            "key \"a\\0b\"; its schema can't be read",
        ),
        case(
            "a metadata key twice",
            {
                let map = map(&[(b"lk.role", b"input"), (b"lk.role", b"output")]);
                let body = [&[1, 0, 1, 0], &block(b"a")[..], &block(b"cdr"), &map].concat();
                chunk_file(&[record(0x04, &body), messages()].concat())
            },
            "channel is malformed",
        ),
        case(
            "optional fields that are none",
            {
                let map = map(&[(b"lk.optional", b"demo/msg/A.y")]);
                let body = [&[1, 0, 1, 0], &block(b"a")[..], &block(b"cdr"), &map].concat();
                let schema = schema(1, b"demo/msg/A", b"ros2msg", b"float64 x");
                chunk_file(&[schema, record(0x04, &body), messages()].concat())
            },
            "its optional fields can't be read",
        ),
        case(
            "a payload that is no message",
            {
                let short = message(1, 2, 3, &PAYLOAD[..9]);
                file(&[Chunk::new(&[good(), short].concat(), 1, 3).record()])
            },
            "while decoding: ",
        ),
    ]
}

fn places() -> Vec<Case> {
    let mut cut = chunk_file(&good());
    cut.truncate(cut.len() - 4);
    let wrong_crc = {
        let mut chunk = Chunk::new(&good(), 1, 2);
        chunk.crc ^= 1;
        file(&[chunk.record()])
    };
    let at = |times: &[u64]| {
        let each = times.iter().map(|&time| message(1, 0, time, &PAYLOAD));
        let content = [vec![definitions()], each.collect()].concat().concat();
        file(&[Chunk::new(&content, times[0], times[times.len() - 1]).record()])
    };
    vec![
        case("an empty file", Vec::new(), "error: "),
        case("a byte of magic", b"\x89".to_vec(), "error: "),
        case("half of the magic", b"\x89MCA".to_vec(), "error: "),
        case("nothing but magic", head()[..8].to_vec(), "does not end as MCAP files do"),
        case("the magic twice", [&head()[..8], &head()[..8]].concat(), "does not end"),
        case(
            "the magic twice, then a file",
            [&head()[..8], &chunk_file(&good())].concat(),
            "0 samples",
        ),
        case(
            "another version of MCAP",
            [b"\x89MCAP1\r\n", &chunk_file(&good())[8..]].concat(),
            "error: ",
        ),
        case("cut off in its last magic", cut, "was cut off or never closed"),
        case(
            "two files in one",
            [chunk_file(&good()), chunk_file(&good())].concat(),
            "the summary doesn't follow the data",
        ),
        case(
            "an unknown record",
            file(&[good_chunk(), record(0x7f, b"x")]),
            "kind 0x7f has no place",
        ),
        case("a private record", file(&[good_chunk(), record(0x80, b"x")]), "private kind 0x80"),
        case("a footer in the data", file(&[record(0x02, &[0; 20]), good_chunk()]), "kind 0x02"),
        case("a header in the data", file(&[good_chunk(), record(0x01, &[0; 8])]), "kind 0x01"),
        case(
            "summary records in the data",
            file(&[statistics(1, 1, &[(1, 5)]), good_chunk()]),
            "kind 0x0b has no place",
        ),
        case("zeros in the data", file(&[good_chunk(), vec![0; 100_000]]), "zeros where a record"),
        case("a chunk in a chunk", chunk_file(&good_chunk()), "inside a chunk"),
        case("a file in a chunk", chunk_file(&chunk_file(&good())), "0 samples"),
        case(
            "a footer in a chunk",
            chunk_file(&[good(), record(0x02, &[0; 20])].concat()),
            "inside a chunk",
        ),
        case("a wrong checksum", wrong_crc, "doesn't match its checksum"),
        case(
            "a wrong checksum of the data",
            {
                let mut bytes = head();
                bytes.extend(good_chunk());
                bytes.extend(record(0x0f, &[1, 2, 3, 4]));
                bytes.extend(footer(0, &[]));
                bytes
            },
            "something beside the messages",
        ),
        case(
            "a wrong checksum of loose messages",
            {
                let mut bytes = head();
                bytes.extend(good());
                bytes.extend(record(0x0f, &[1, 2, 3, 4]));
                bytes.extend(footer(0, &[]));
                bytes
            },
            "the data section doesn't match its checksum",
        ),
        case("no checksum at all", file(&[good()]), "messages outside of chunks have no checksum"),
        case("a time before zero", at(&[1, -5_i64 as u64]), "can't be held"),
        case("the latest time", at(&[0, i64::MAX as u64]), "2 samples"),
        case("no time at all", at(&[u64::MAX]), "can't be held"),
    ]
}
