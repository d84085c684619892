//! Files that have too many of something, each small.

use super::draft::{
    Chunk, PAYLOAD, block, channel, chunk_file, definitions, file, map, message, record, schema,
    statistics, summed,
};
use crate::{Case, case, scaled};

/// As many as a file may have.
const MOST_CHANNELS: u16 = 1 << 13;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = channels();
    cases.extend(types());
    cases.extend(chunks());
    cases.extend(records());
    cases
}

fn channels() -> Vec<Case> {
    let last = scaled(MOST_CHANNELS.into()) as u16;
    let alike = |encoding: &dyn Fn(u16) -> String| {
        let each = (1..=last).map(|id| channel(id, 0, b"a", encoding(id).as_bytes()));
        chunk_file(&each.collect::<Vec<_>>().concat())
    };
    let of_schema = |data: &[u8], encoding: &[u8], message: &[u8]| {
        let mut parts = vec![schema(1, b"demo/msg/A", encoding, data)];
        parts.extend((1..=last).map(|id| channel(id, 1, format!("t{id}").as_bytes(), message)));
        chunk_file(&parts.concat())
    };
    let fields: String = (0..scaled(10_000)).map(|n| format!("bool f{n}\n")).collect();
    let all = format!("{last} channels");
    let too_many: Vec<_> = (0..=MOST_CHANNELS).map(|id| channel(id + 1, 0, b"a", b"e")).collect();
    vec![
        case(
            "more channels than are read",
            chunk_file(&too_many.concat()),
            "error: it has 8193 channels, more than the limit of 8192",
        ),
        case("channels of a topic, each of a type", alike(&|id| format!("e{id}")), &all),
        case("channels of a topic and a type", alike(&|_| "e".to_owned()), "1 channels"),
        case(
            "channels of one large schema",
            of_schema(fields.as_bytes(), b"ros2msg", b"cdr"),
            &all,
        ),
        case(
            "channels of one large unreadable schema",
            of_schema(&vec![b'%'; 1 << 20], b"ros2msg", b"cdr"),
            &all,
        ),
        case(
            "channels of one large foreign schema",
            of_schema(&vec![0; 1 << 20], b"protobuf", b"protobuf"),
            &all,
        ),
    ]
}

fn types() -> Vec<Case> {
    let channels = scaled(MOST_CHANNELS.into()) as u16;
    let optional = {
        let fields: String = (0..200).map(|n| format!("bool[<=1] f{n}\n")).collect();
        let mut parts = vec![schema(1, b"demo/msg/A", b"ros2msg", fields.as_bytes())];
        for id in 1..=channels {
            let bits = (0..14).filter(|bit| id >> bit & 1 == 1);
            let names: Vec<_> = bits.map(|bit| format!("demo/msg/A.f{bit}")).collect();
            let metadata = map(&[(b"lk.optional", names.join(",").as_bytes())]);
            let numbers = [id.to_le_bytes(), 1_u16.to_le_bytes()].concat();
            let topic = block(format!("t{id}").as_bytes());
            let body = [&numbers[..], &topic, &block(b"cdr"), &metadata].concat();
            parts.push(record(0x04, &body));
        }
        chunk_file(&parts.concat())
    };
    let schemas = scaled(500) as u16;
    let doubled = {
        let mut parts = Vec::new();
        for id in 1..=schemas {
            let mut text = format!("bool z{id}\nN1 a\nN1 b\n");
            for n in 1..13 {
                let next = n + 1;
                text.push_str(&format!("===\nMSG: demo/N{n}\nN{next} a\nN{next} b\n"));
            }
            text.push_str("===\nMSG: demo/N13\nfloat64 x\nfloat64 y\n");
            parts.push(schema(id, b"demo/msg/A", b"ros2msg", text.as_bytes()));
            parts.push(channel(id, id, format!("t{id}").as_bytes(), b"cdr"));
        }
        chunk_file(&parts.concat())
    };
    vec![
        case("channels with other optional fields each", optional, &format!("{channels} channels")),
        case("types of tens of thousands of fields", doubled, &format!("{schemas} channels")),
    ]
}

fn chunks() -> Vec<Case> {
    let count = scaled(20_000) as u16;
    let one_each = |id: u16| {
        let time = u64::from(id);
        Chunk::new(&message(id, 0, time, &PAYLOAD), time, time)
    };
    let overlapping = {
        let mut parts = vec![Chunk::new(&definitions(), 0, 0).record()];
        parts.extend((0..u32::from(count)).map(|n| {
            let time = u64::from(n);
            let both = [message(1, n, time, &PAYLOAD), message(1, n, 1 << 40, &PAYLOAD)];
            Chunk::new(&both.concat(), time, 1 << 40).record()
        }));
        file(&parts)
    };
    let each = scaled(MOST_CHANNELS.into()) as u16;
    let indexed = {
        let count = each;
        let channels: Vec<u8> =
            (1..=count).flat_map(|id| channel(id, 0, format!("t{id}").as_bytes(), b"x")).collect();
        let mut chunks = vec![Chunk::new(&channels, 0, 0)];
        chunks.extend((1..=count).map(one_each));
        let all: Vec<(u16, u64)> = (1..=count).map(|id| (id, 1)).collect();
        summed(&chunks, |at| {
            let sums = statistics(count.into(), u32::from(count) + 1, &all);
            let mut out = [channels.clone(), sums].concat();
            for (n, (chunk, at)) in chunks.iter().zip(at).enumerate() {
                let has = if n == 0 { vec![] } else { vec![n as u16] };
                out.extend(chunk.index(*at, &has));
            }
            out
        })
    };
    let (large, messages) = (2, scaled(60_000) as u32);
    let few_kept = (0..large).map(|n| {
        let each = (0..messages).map(|i| message(1, i, u64::from(large * i + n), &PAYLOAD));
        // More than is kept of all that is open.
        let padding = record(0xff, &vec![0; 32 << 20]);
        let content = [definitions(), padding, each.collect::<Vec<_>>().concat()].concat();
        Chunk::zstd(&content, 0, u64::from(large * messages)).record()
    });
    let few_kept = file(&few_kept.collect::<Vec<_>>());
    let orphans: Vec<_> = (1..count).map(|id| one_each(id).record()).collect();
    let doubled = format!("{} samples", 2 * u32::from(count));
    vec![
        case("chunks that all overlap in time", overlapping, &doubled),
        case("large chunks that overlap", few_kept, &format!("{} samples", large * messages)),
        case("chunks and channels in a checked index", indexed, &format!("{each} samples")),
        case("chunks of unknown channels", file(&orphans), "missing from the file"),
    ]
}

fn records() -> Vec<Case> {
    let million = scaled(1_000_000);
    let unknown = {
        let each = (1..scaled(50_000) as u16).map(|id| message(id, 0, 1, &PAYLOAD));
        chunk_file(&each.collect::<Vec<_>>().concat())
    };
    let repeated = summed(&[Chunk::new(&definitions(), 1, 2)], |_| {
        let all: Vec<(u16, u64)> = (1..=scaled(65_535) as u16).map(|id| (id, 0)).collect();
        let count = scaled(100_000);
        [channel(1, 1, b"a", b"cdr").repeat(count), statistics(count as u32, 1, &all)].concat()
    });
    let empty = [definitions(), message(1, 0, 1, b"").repeat(million / 5)].concat();
    vec![
        case("messages of unknown channels", unknown, "missing from the file"),
        case("records of no kind", file(&[record(0x7f, b"").repeat(million)]), "has no place here"),
        case("private records", file(&[record(0xff, b"").repeat(million)]), "kind 0xff"),
        case("empty messages", chunk_file(&empty), &format!("{} samples", million / 5)),
        case("a channel that repeats in the summary", repeated, "1 channels"),
    ]
}
