//! Pickles that mean harm: each is refused, soon, in little memory, and runs
//! nothing.

use std::time::{Duration, Instant};

use super::super::{dump, opcode as op};
use super::{at, key_of, parse, rich_schema, rich_values};
use crate::dataset::Dataset;

/// Refused, in time, with this in the message.
#[track_caller]
fn check(name: &str, bytes: &[u8], expected: &str) {
    let start = Instant::now();
    let error = match parse(bytes) {
        Ok(dataset) => panic!("{name} was read as {dataset:?}"),
        Err(error) => error.to_string(),
    };
    let took = start.elapsed();
    // Far less where nothing else runs; what isn't bounded never ends.
    assert!(took < Duration::from_secs(30), "{name} took {took:?}");
    assert!(error.contains(expected), "{name}: {error}");
}

/// `module.name(text)` by REDUCE.
fn call(module: &str, name: &str, argument: &str) -> Vec<u8> {
    let mut bytes = format!("\x05c{module}\n{name}\n").into_bytes();
    bytes.insert(0, op::PROTO);
    dump::text(&mut bytes, argument);
    bytes.extend([op::TUPLE1, op::REDUCE, op::STOP]);
    bytes
}

/// The same by STACK_GLOBAL.
fn stack_call(module: &str, name: &str, argument: &str) -> Vec<u8> {
    let mut bytes = dump::HEADER.to_vec();
    dump::text(&mut bytes, module);
    dump::text(&mut bytes, name);
    bytes.push(op::STACK_GLOBAL);
    dump::text(&mut bytes, argument);
    bytes.extend([op::TUPLE1, op::REDUCE, op::STOP]);
    bytes
}

fn pickle(body: &[u8]) -> Vec<u8> {
    [b"\x80\x05".as_slice(), body, b"."].concat()
}

#[test]
fn nothing_is_called() {
    let folder = tempfile::tempdir().unwrap();
    let canary = folder.path().join("canary");
    let shell = format!("touch {}", canary.display());
    let python = format!("open({:?}, 'w')", canary.display().to_string());
    let callables = [
        ("os", "system", &shell),
        ("posix", "system", &shell),
        ("nt", "system", &shell),
        ("os", "popen", &shell),
        ("os", "execlp", &shell),
        ("subprocess", "Popen", &shell),
        ("subprocess", "check_output", &shell),
        ("commands", "getoutput", &shell),
        ("pty", "spawn", &shell),
        ("builtins", "eval", &python),
        ("builtins", "exec", &python),
        ("builtins", "compile", &python),
        ("builtins", "__import__", &python),
        ("builtins", "getattr", &python),
        ("builtins", "open", &python),
        ("__builtin__", "eval", &python),
        ("importlib", "import_module", &python),
        ("importlib._bootstrap", "_gcd_import", &python),
        ("runpy", "run_path", &python),
        ("code", "InteractiveInterpreter", &python),
        ("operator", "attrgetter", &python),
        ("functools", "partial", &python),
        ("types", "FunctionType", &python),
        ("pickle", "loads", &python),
        ("marshal", "loads", &python),
        ("copyreg", "_reconstructor", &python),
        ("ctypes", "CDLL", &python),
        ("webbrowser", "open", &python),
        ("numpy", "load", &python),
        ("numpy.testing._private.utils", "runstring", &python),
        ("torch", "load", &python),
        ("pip", "main", &python),
        ("collections", "OrderedDict", &python),
        ("builtins", "complex", &python),
        ("decimal", "Decimal", &python),
        ("datetime", "datetime", &python),
        ("mine", "Colour", &python),
        ("os\u{0}", "system", &shell),
        ("", "system", &shell),
    ];
    for (module, name, argument) in callables {
        let dotted = format!("{module}.{name}");
        check(&dotted, &call(module, name, argument), &dotted);
        check(&dotted, &stack_call(module, name, argument), &dotted);
    }
    // `os.system` hidden behind an attribute of something harmless.
    check("attribute", &stack_call("mine", "os.system", &shell), "mine.os.system");
    check("encode", &call("_codecs", "encode", &shell), "_codecs.encode");
    let rot13 = pickle(b"c_codecs\nencode\n\x8c\x01x\x8c\x05rot13\x86R");
    check("rot13", &rot13, "_codecs.encode");
    check("bytes", &call("builtins", "bytes", &shell), "builtins.bytes");
    check("set of text", &call("builtins", "set", &shell), "builtins.set");
    check("ndarray", &call("numpy", "ndarray", &shell), "numpy.ndarray");
    assert!(!canary.exists(), "a pickle ran code");
}

#[test]
fn opcodes_beyond_plain_data_are_refused_by_name() {
    let cases: [(&str, &[u8]); 17] = [
        ("INST", b"(\x8c\x07touch xios\nsystem\n"),
        ("INST", b"(ios\nsystem\n"),
        ("OBJ", b"(cmine\nA\no"),
        ("PERSID", b"Pos.system\n"),
        ("BINPERSID", b"NQ"),
        ("EXT1", b"\x82\x01"),
        ("EXT2", b"\x83\x01\0"),
        ("EXT4", b"\x84\x01\0\0\0"),
        ("NEWOBJ_EX", b"cmine\nA\n)}\x92"),
        ("NEXT_BUFFER", b"\x97"),
        ("READONLY_BUFFER", b"C\0\x98"),
        ("STRING", b"S'a'\n"),
        ("SHORT_BINSTRING", b"U\x01a"),
        ("LONG", b"L1L\n"),
        ("INT", b"I1\n"),
        ("GET", b"g0\n"),
        ("UNICODE", b"Va\n"),
    ];
    for (name, body) in cases {
        check(name, &pickle(body), &format!("opcode {name} is not plain data"));
    }
    check("unknown", &pickle(b"\xff"), "byte 0xff is no opcode");
}

#[test]
fn state_is_set_only_where_it_is_data() {
    check("BUILD of a list", &pickle(b"]}b"), "BUILD of a list");
    check("BUILD of a global", &pickle(b"cmine\nA\n}b"), "BUILD of the global mine.A");
    check("BUILD of an int", &pickle(b"K\x01}b"), "BUILD of an int");
    check("twice", &pickle(b"cmine\nA\n)\x81}b}b"), "BUILD of an object of mine.A");
    check("no dict", &pickle(b"cmine\nA\n)\x81K\x01b"), "has an int for attributes");
    check("slots", &pickle(b"cmine\nA\n)\x81}K\x01\x86b"), "has an int for attributes");
    check("arguments", &pickle(b"cmine\nA\nK\x01\x85\x81"), "the global mine.A");
    check("of text", &pickle(b"\x8c\x01x)\x81"), "it makes an object of a str");
    check("of NumPy", &pickle(b"cnumpy\nndarray\n)\x81"), "numpy.ndarray");
    check("of os", &pickle(b"cos\nsystem\n)\x81"), "os.system");
    check("called", &pickle(b"\x8c\x01x)R"), "it calls a str");
    check("no tuple", &pickle(b"cmine\nA\n]R"), "it calls mine.A with no tuple");
    check("not text", &pickle(b"K\x01K\x02\x93"), "STACK_GLOBAL without two strs");
    check("dict entry of a list", &pickle(b"]K\x01K\x02s"), "SETITEM to a list");
    check("element of a dict", &pickle(b"}K\x01a"), "APPEND to a dict");
    check("member of a list", &pickle(b"](K\x01\x90"), "ADDITEMS to a list");
}

#[test]
fn numpy_arrays_lie_in_vain() {
    let dtype = |code: &str| {
        let mut bytes = b"cnumpy\ndtype\n".to_vec();
        dump::text(&mut bytes, code);
        bytes.extend(b"\x89\x88\x87R");
        bytes
    };
    let buffer = |code: &str, shape: &[u8], data: &[u8]| {
        let mut bytes = b"cnumpy.core.numeric\n_frombuffer\n(".to_vec();
        dump::bytes(&mut bytes, data);
        bytes.extend(dtype(code));
        bytes.extend(shape);
        bytes.extend(b"\x8c\x01CtR");
        pickle(&bytes)
    };
    check("object", &buffer("O8", b"K\x01\x85", &[0; 8]), "NumPy dtype O8 has no message type");
    check("record", &buffer("V8", b"K\x01\x85", &[0; 8]), "NumPy dtype V8");
    check("too few", &buffer("f8", b"K\x02\x85", &[0; 8]), "has 8 bytes");
    let huge = b"J\xff\xff\xff\x7fJ\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x87";
    check("overflow", &buffer("f8", huge, &[]), "has 0 bytes");
    check("negative", &buffer("f8", b"J\xff\xff\xff\xff\x85", &[]), "beyond 32 bits");
    check("shape", &buffer("f8", b"]", &[]), "no shape");
    let bad_bool = buffer("b1", b"K\x01\x85", &[7]);
    let bad_bool = key_of(&[&bad_bool[2..bad_bool.len() - 1]]);
    check("bool", &bad_bool, "a NumPy bool is neither 0 nor 1");
    let scalar = [b"cnumpy.core.multiarray\nscalar\n".as_slice(), &dtype("f8"), b"C\x01x\x86R"];
    check("scalar", &pickle(&scalar.concat()), "has not the bytes of its dtype");
    let unbuilt = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85C\x01b\x87R";
    check("unbuilt", &key_of(&[unbuilt]), "a NumPy array is no data");
    let other = b"cnumpy.core.multiarray\n_reconstruct\ncmine\nA\nK\0\x85C\x01b\x87R";
    check("of a class", &pickle(other), "_reconstruct");
}

#[test]
fn sizes_are_believed_only_as_far_as_there_are_bytes() {
    check("frame", &pickle(b"\x95\xff\xff\xff\xff\xff\xff\xff\x7f"), "bytes where 1 are left");
    check("frame", &pickle(b"\x95\xff\xff\xff\xff\xff\xff\xff\xff"), "bytes where 1 are left");
    check("text", &pickle(b"X\xff\xff\xff\xff"), "asks for 4294967295 bytes where 1");
    check("text", &pickle(b"\x8d\0\0\0\0\0\x01\0\0"), "asks for 1099511627776 bytes where 1");
    check("bytes", &pickle(b"B\xff\xff\xff\xff"), "asks for 4294967295 bytes");
    check("bytes", &pickle(b"\x8e\xff\xff\xff\xff\xff\xff\xff\xff"), "bytes where 1");
    check("bytearray", &pickle(b"\x96\xff\xff\xff\xff\xff\xff\xff\xff"), "bytes where 1");
    check("int", &pickle(b"\x8b\xff\xff\xff\x7f"), "asks for 2147483647 bytes");
    check("int", &pickle(b"\x8b\xff\xff\xff\xff"), "an int has a negative length");
    let mut wide = b"\x8b\0\0\x10\0".to_vec();
    wide.extend(vec![1; 1 << 20]);
    check("int", &pickle(&wide), "an int of 1048576 bytes is more than 64 bits hold");
    check("int", &pickle(b"\x8a\x09\0\0\0\0\0\0\0\0\x01"), "more than 64 bits");
    check("memo", &pickle(b"j\xff\xff\xff\xff"), "memo 4294967295 was never set");
    check("memo", &pickle(b"Nr\xff\xff\xff\xff0h\0"), "memo 0 was never set");
    let mut name = b"c".to_vec();
    name.extend(vec![b'a'; 1 << 20]);
    check("name", &pickle(&name), "name has no end");
    check("text", &pickle(b"\x8c\x02\xff\xfe"), "a str isn't UTF-8");
}

#[test]
fn a_broken_stack_is_an_error() {
    check("empty", b"", "it is empty");
    check("header", b"\x80", "cut off after its first byte");
    check("nothing", &pickle(b""), "the stack is empty");
    check("protocol 0", b"(dp0\n.", "protocol 0 or 1");
    check("protocol 1", b"\x80\x01}.", "it is of protocol 1");
    check("protocol 6", b"\x80\x06}.", "it is of protocol 6");
    check("two protocols", &pickle(b"\x80\x04}"), "a second time");
    check("two objects", &pickle(b"NN"), "more than one object");
    check("open mark", &pickle(b"(N"), "more than one object");
    check("no mark", &pickle(b"]e"), "there is no mark");
    check("below the mark", &pickle(b"N(\x85"), "the stack is empty");
    check("odd", &pickle(b"}(K\x01u"), "a key without a value");
    check("popped", &pickle(b"0"), "the stack is empty");
    check("dup", &pickle(b"2"), "the stack is empty");
    check("memo of nothing", &pickle(b"\x94"), "the stack is empty");
    check("trailing", b"\x80\x05}.abc", "what follows the first pickle");
    check("two pickles", b"\x80\x05}.\x80\x05}.", "none of lk's");
}

#[test]
fn depth_and_sharing_are_bounded() {
    let mut deep = vec![op::EMPTY_LIST; 100_000];
    deep.extend(vec![b'a'; 99_999]);
    check("deep", &key_of(&[&deep]), "key k, index 0: ");
    check("deep", &key_of(&[&deep]), "nested deeper than 64 levels");
    let mut tuples = b")".to_vec();
    tuples.extend(vec![op::TUPLE1; 1_000_000]);
    check("tuples", &key_of(&[&tuples]), "nested deeper than 64 levels");
    let mut dicts = b"(\x8c\x01a".repeat(100_000);
    dicts.push(op::EMPTY_DICT);
    dicts.extend(vec![op::DICT; 100_000]);
    check("dicts", &key_of(&[&dicts]), "nested deeper than 64 levels");
    check("a list in itself", &key_of(&[b"]q\0h\0a"]), "nested deeper than 64 levels");
    let own = key_of(&[b"}q\0\x8c\x01ah\0s"]);
    check("a dict in itself", &own, "nested deeper than 64 levels");
    let object = key_of(&[b"cmine\nA\n)\x81q\0}\x8c\x01ah\0sb"]);
    check("an object in itself", &object, "nested deeper than 64 levels");

    let times = "many times larger than its file";
    // Each list holds the one before ten times: 10^30 numbers.
    let mut laughs = b"](K\x01K\x02eq\0".to_vec();
    for _ in 0..30 {
        laughs.extend(b"0](h\0h\0h\0h\0h\0h\0h\0h\0h\0h\0eq\0");
    }
    check("laughs", &key_of(&[&laughs]), times);
    let mut dicts = b"}q\0".to_vec();
    for _ in 0..30 {
        dicts.extend(b"0}(\x8c\x01ah\0\x8c\x01bh\0\x8c\x01ch\0uq\0");
    }
    check("laughing dicts", &key_of(&[&dicts]), times);
    // One text of a mebibyte, a thousand times.
    let mut text = Vec::new();
    dump::text(&mut text, &"x".repeat(1 << 20));
    text.extend(b"q\0");
    let again = [b"h\0".as_slice(); 1000];
    let values: Vec<&[u8]> = std::iter::once(text.as_slice()).chain(again).collect();
    check("texts", &key_of(&values), times);
    // Ten thousand fields, and a hundred thousand values that have none.
    let mut wide = b"}(".to_vec();
    for n in 0..10_000 {
        dump::text(&mut wide, &format!("field_{n}"));
        wide.push(op::NEWTRUE);
    }
    wide.push(op::SETITEMS);
    let none = vec![b"h\0".as_slice(); 100_000];
    let values: Vec<&[u8]> = [wide.as_slice(), b"}q\0"].into_iter().chain(none).collect();
    check("fields", &key_of(&values), times);
    // And by copies that old protocols need.
    let mut copies = text.clone();
    copies.extend(b"0");
    for _ in 0..1000 {
        copies.extend(b"c_codecs\nencode\nh\0\x8c\x06latin1\x86R0");
    }
    copies.extend(b"N");
    check("copies", &pickle(&copies), "it copies more than it holds");
}

#[test]
fn a_pickle_that_is_cut_off_anywhere_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.pkl");
    let mut file = Dataset::create(&path).unwrap();
    for value in rich_values(&rich_schema()) {
        file.write_value("rich", &value, at(1)).unwrap();
    }
    file.close().unwrap();
    let whole = std::fs::read(&path).unwrap();
    assert!(parse(&whole).unwrap().integrity().verified);
    // Behind the first pickle the file is one of Python's, without checksums.
    let first = super::super::decoder::decode(&whole).unwrap().end;
    for len in 0..whole.len() {
        match parse(&whole[..len]) {
            Ok(dataset) => assert!(len == first && !dataset.integrity().verified, "{len} bytes"),
            Err(error) => assert_ne!(error.to_string(), "", "{len} bytes"),
        }
    }
}

#[test]
fn a_flipped_bit_never_passes_for_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.pkl");
    let mut file = Dataset::create(&path).unwrap();
    for value in rich_values(&rich_schema()) {
        file.write_value("rich", &value, at(1)).unwrap();
    }
    file.close().unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    let first = super::super::decoder::decode(&bytes).unwrap().end;
    for bit in 0..bytes.len() * 8 {
        bytes[bit / 8] ^= 1 << (bit % 8);
        // In the header of lk's part a flip may change the protocol alone.
        let harmless = bit / 8 == first + 1;
        assert!(parse(&bytes).is_err() || harmless, "bit {bit}");
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
}
