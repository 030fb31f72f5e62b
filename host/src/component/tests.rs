use super::*;

const HEADER: &[u8] = b"\0asm\x0d\0\x01\0";

fn component(sections: &[u8]) -> Vec<u8> {
    [HEADER, sections].concat()
}

#[test]
fn what_ends_early_is_told_from_what_is_whole() {
    // Two sections of a kind that anyone may add: of three bytes, and of 128, whose length takes two.
    let mut whole = component(&[0, 3, 1, b'a', b'b', 0, 0x80, 0x01]);
    whole.extend([b'c'; 128]);
    let ends = [HEADER.len(), HEADER.len() + 5, whole.len()];
    for end in 0..=whole.len() {
        assert_eq!(check_whole(&whole[..end]).is_ok(), ends.contains(&end), "the first {end} bytes");
    }
}

#[test]
fn a_length_without_an_end_is_none() {
    assert!(is_cut_off(&[0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80]));
    assert!(is_cut_off(&[0, 0xff, 0xff, 0xff, 0xff, 0x0f]));
    assert!(!is_cut_off(&[0, 0]));
}

#[test]
fn a_file_that_is_too_large_is_not_read_to_its_end() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let too_large = |bytes: usize| {
        file.as_file().set_len(bytes as u64).unwrap();
        read_file(file.path()).map_err(|error| format!("{error:#}"))
    };
    assert_eq!(too_large(MAX_COMPONENT_BYTES).unwrap().len(), MAX_COMPONENT_BYTES);
    let refusal = too_large(MAX_COMPONENT_BYTES + 1).unwrap_err();
    assert!(refusal.contains("larger than 67108864 bytes") && refusal.contains("strip"), "{refusal}");
    too_large(1 << 33).unwrap_err();
}
