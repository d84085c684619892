//! MessagePack and CBOR: byte vectors of their specifications, and hostile
//! bytes.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(encoding: &str, payload: &[u8], expected: &str) {
    assert_eq!(shown(encoding, &[payload]), [expected], "{payload:02x?}");
}

#[track_caller]
fn check_refused(encoding: &str, payload: &[u8], reason: &str) {
    assert_eq!(type_of(encoding, &[payload]), Err(reason.to_owned()), "{payload:02x?}");
    let result = compare(encoding, &[payload], &[payload], &[]);
    assert_eq!(result.verdict, Verdict::Identical);
    assert_eq!(result.notes, [format!("k: compared as bytes, since {reason}")]);
}

/// Beside a good message, this one is an error, on both sides too.
#[track_caller]
fn check_error(encoding: &str, good: &[u8], bad: &[u8], reason: &str) {
    let payloads = [good, bad];
    let result = compare(encoding, &payloads, &payloads, &[]);
    assert_eq!(result.verdict, Verdict::Different, "{bad:02x?}");
    let diff = &result.key_diffs["k"];
    assert_eq!((diff.messages.compared, diff.messages.errors), (1, 1), "{bad:02x?}");
    let start = format!("message 1 of the reference: can't decode {encoding} of key k: {reason}");
    assert!(diff.errors[0].starts_with(&start), "{bad:02x?}: {}", diff.errors[0]);
}

#[test]
fn every_kind_of_messagepack_is_read() {
    let check = |payload: &[u8], expected: &str| check("msgpack", payload, expected);
    check(b"\x82\xa1x\x05\xa1y\xff", "{x: 5, y: -1}");
    check(b"\x81\xa1x\xcc\xff", "{x: 255}");
    check(b"\x81\xa1x\xcd\x01\x00", "{x: 256}");
    check(b"\x81\xa1x\xce\0\x01\0\0", "{x: 65536}");
    check(b"\x81\xa1x\xcf\xff\xff\xff\xff\xff\xff\xff\xff", "{x: 18446744073709551615}");
    check(b"\x81\xa1x\xd0\x80", "{x: -128}");
    check(b"\x81\xa1x\xd1\xff\x00", "{x: -256}");
    check(b"\x81\xa1x\xd2\xff\xff\xff\xff", "{x: -1}");
    check(b"\x81\xa1x\xd3\x80\0\0\0\0\0\0\0", "{x: -9223372036854775808}");
    check(b"\x81\xa1x\xca\x3f\xc0\0\0", "{x: 1.5}");
    check(b"\x81\xa1x\xcb\x3f\xf8\0\0\0\0\0\0", "{x: 1.5}");
    check(b"\x82\xa1x\xc3\xa1y\xc0", "{x: true, y: []}");
    check(b"\x81\xa1x\xd9\x02ab", "{x: \"ab\"}");
    check(b"\x81\xda\0\x01x\xdb\0\0\0\x01a", "{x: \"a\"}");
    check(b"\xde\0\x01\xa1x\xc4\x02\0\xff", "{x: [0, 255]}");
    check(b"\xdf\0\0\0\x01\xa1x\xdc\0\x02\x01\x02", "{x: [1, 2]}");
    check(b"\x81\xa1x\xdd\0\0\0\x01\x81\xa1y\x01", "{x: [{y: 1}]}");
    assert_eq!(type_of("msgpack", &[b"\x81\xa1x\xca\x3f\xc0\0\0"]).unwrap(), "float32 x\n");
}

#[test]
fn every_kind_of_cbor_is_read() {
    let check = |payload: &[u8], expected: &str| check("cbor", payload, expected);
    // RFC 8949, appendix A.
    for (item, expected) in [
        (&b"\x17"[..], "23"),
        (b"\x18\x64", "100"),
        (b"\x19\x03\xe8", "1000"),
        (b"\x1a\0\x0f\x42\x40", "1000000"),
        (b"\x1b\xff\xff\xff\xff\xff\xff\xff\xff", "18446744073709551615"),
        (b"\x38\x63", "-100"),
        (b"\xf9\x3c\0", "1.0"),
        (b"\xf9\x7b\xff", "65504.0"),
        (b"\xf9\0\x01", "5.960464477539063e-8"),
        (b"\xf9\xc4\0", "-4.0"),
        (b"\xf9\x7e\0", "NaN"),
        (b"\xf9\xfc\0", "-inf"),
        (b"\xfa\x47\xc3\x50\0", "100000.0"),
        (b"\xfb\x3f\xf1\x99\x99\x99\x99\x99\x9a", "1.1"),
        (b"\xf5", "true"),
        (b"\x43\x01\x02\x03", "[1, 2, 3]"),
        (b"\x62\xc3\xbc", "\"ü\""),
        (b"\x83\x01\x02\x03", "[1, 2, 3]"),
        (b"\x9f\x01\x82\x02\x03\xff", ""),
        (b"\x9f\x01\x02\xff", "[1, 2]"),
        (b"\xbf\x61y\xf4\xff", "{y: false}"),
    ] {
        let payload = [b"\xa1\x61x", item].concat();
        if expected.is_empty() {
            check_refused("cbor", &payload, "a list comes where an integer came before");
        } else {
            check(&payload, &format!("{{x: {expected}}}"));
        }
    }
}

#[test]
fn what_is_well_formed_and_has_no_type_is_compared_as_bytes() {
    check_refused("msgpack", b"\x81\xa1x\xd6\xff\0\0\0\0", "an extension type has no message type");
    check_refused("msgpack", b"\x81\x01\x02", "an object has a key that is no text");
    check_refused(
        "cbor",
        b"\xa1\x61x\xc1\x1a\x51\x4b\x67\xb0",
        "a tagged value has no message type",
    );
    check_refused("cbor", b"\xa1\x61x\x7f\x61a\xff", "a text in pieces has no message type");
    check_refused("cbor", b"\xa1\x61x\xf0", "a simple value has no message type");
    check_refused(
        "cbor",
        b"\xa1\x61x\x3b\xff\xff\xff\xff\xff\xff\xff\xff",
        "no integer of 64 bits holds -18446744073709551616",
    );
    // Text is no float in formats that have a NaN.
    let payloads = [&b"\x81\xa1x\xca\x3f\xc0\0\0"[..], b"\x81\xa1x\xa3NaN"];
    assert_eq!(
        type_of("msgpack", &payloads),
        Err("field x: text comes where a number came before".to_owned())
    );
}

#[test]
fn what_is_malformed_is_an_error_of_its_message() {
    let good = b"\x81\xa1x\x01";
    for (bad, reason) in [
        (&b""[..], "1 bytes are wanted where 0 are left at byte 0"),
        (b"\x81\xa1x", "1 bytes are wanted"),
        (b"\x81\xa1x\xdb\xff\xff\xff\xff", "4294967295 bytes are wanted where 0 are left"),
        (b"\x81\xa1x\xc6\xff\xff\xff\xff", "4294967295 bytes are wanted where 0 are left"),
        (b"\xdd\xff\xff\xff\xff", "invalid type"),
        (b"\xdf\xff\xff\xff\xff\xa1x\x01", "1 bytes are wanted where 0 are left"),
        (b"\x81\xa1x\x01\0", "1 bytes are left over at byte 4"),
        (b"\x82\xa1x\x01\xa1x\x01", "field x: given twice"),
        (b"\x81\xa1\xff\x01", "a text is not UTF-8"),
        (b"\xc1", "the byte c1 begins no item"),
    ] {
        check_error("msgpack", good, bad, reason);
    }
    let good = b"\xa1\x61x\x01";
    for (bad, reason) in [
        (
            &b"\xa1\x61x\x7b\xff\xff\xff\xff\xff\xff\xff\xff"[..],
            "18446744073709551615 bytes are wanted",
        ),
        (b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff\x61x\x01", "1 bytes are wanted"),
        (b"\xbf\x61x\x01", "1 bytes are wanted"),
        (b"\xff", "an end comes where nothing was begun"),
        (b"\xa1\x61x\x1c", "the byte 1c begins no item"),
        (b"\xa2\x61x\x01\x61x\x01", "field x: given twice"),
    ] {
        check_error("cbor", good, bad, reason);
    }
    for (encoding, list) in [("msgpack", 0x91), ("cbor", 0x81)] {
        let deep = vec![list; 1_000_000];
        assert_eq!(type_of(encoding, &[deep]), Err("no message says its type".to_owned()));
    }
}

#[test]
fn forms_of_the_same_numbers_are_equal() {
    let a = [&b"\x82\xa1x\x05\xa1y\xcb\x3f\xf8\0\0\0\0\0\0"[..]];
    let b = [&b"\xde\0\x02\xa1y\xca\x3f\xc0\0\0\xa1x\xd3\0\0\0\0\0\0\0\x05"[..]];
    verdict("msgpack", &a, &b, Verdict::Equal);
    verdict(
        "cbor",
        &[&b"\xa1\x61x\xf9\x3c\0"[..]],
        &[&b"\xbf\x61x\xfb\x3f\xf0\0\0\0\0\0\0\xff"[..]],
        Verdict::Equal,
    );
    let result = compare("msgpack", &a, &[&b"\x82\xa1x\x05\xa1y\xca\x3f\xe0\0\0"[..]], &[]);
    assert_eq!(result.first_divergence.unwrap().mismatch.path, "y");
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic_or_pass_for_others(a in vec(any::<u8>(), 0..64), b in vec(any::<u8>(), 0..64)) {
        for encoding in ["json", "msgpack", "cbor"] {
            let same = compare(encoding, &[&a], &[&a], &[]);
            prop_assert!(same.verdict != Verdict::Equal, "{encoding}");
            if a != b {
                let other = compare(encoding, &[&a], &[&b], &[]);
                prop_assert!(other.verdict != Verdict::Identical, "{encoding}");
            }
        }
    }
}
