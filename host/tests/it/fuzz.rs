//! Damaged components: a refusal with words, whatever is wrong with them; never a crash of what loads
//! them. `make fuzz` tries many more than the tests do.

use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use crate::support::command::comptoir;
use crate::support::guest;

/// Each is a process; `PROPTEST_CASES` has more.
const CASES: u32 = 60;
/// A component that compiles for this long has not been refused.
const PATIENCE: Duration = Duration::from_secs(60);

/// What can happen to a file.
#[derive(Clone, Debug)]
enum Damage {
    Flip(Index, u8),
    Set(Index, u8),
    CutOff(Index),
    Remove(Index, usize),
    Repeat(Index, usize),
    Insert(Index, Vec<u8>),
    Swap(Index, Index, usize),
}

fn damages() -> impl Strategy<Value = Damage> {
    let place = any::<Index>;
    prop_oneof![
        4 => (place(), 0..8_u8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        3 => (place(), any::<u8>()).prop_map(|(at, byte)| Damage::Set(at, byte)),
        1 => place().prop_map(Damage::CutOff),
        1 => (place(), 1..200_usize).prop_map(|(at, length)| Damage::Remove(at, length)),
        1 => (place(), 1..200_usize).prop_map(|(at, length)| Damage::Repeat(at, length)),
        1 => (place(), prop::collection::vec(any::<u8>(), 1..20)).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        1 => (place(), place(), 1..100_usize).prop_map(|(from, to, length)| Damage::Swap(from, to, length)),
    ]
}

fn damaged(mut bytes: Vec<u8>, damages: &[Damage]) -> Vec<u8> {
    for damage in damages {
        if bytes.is_empty() {
            return bytes;
        }
        let length = bytes.len();
        let range = |at: &Index, wanted: usize| {
            let at = at.index(length);
            at..(at + wanted).min(length)
        };
        match damage {
            Damage::Flip(at, bit) => bytes[at.index(length)] ^= 1 << bit,
            Damage::Set(at, byte) => bytes[at.index(length)] = *byte,
            Damage::CutOff(at) => bytes.truncate(at.index(length)),
            Damage::Remove(at, wanted) => drop(bytes.drain(range(at, *wanted))),
            Damage::Repeat(at, wanted) => {
                let range = range(at, *wanted);
                let again = bytes[range.clone()].to_vec();
                bytes.splice(range.start..range.start, again);
            }
            Damage::Insert(at, more) => {
                let at = at.index(length);
                bytes.splice(at..at, more.iter().copied());
            }
            Damage::Swap(from, to, wanted) => {
                for offset in 0..*wanted {
                    bytes.swap((from.index(length) + offset) % length, (to.index(length) + offset) % length);
                }
            }
        }
    }
    bytes
}

/// A verdict in words, by a process that ends by itself.
fn judged(bytes: &[u8]) -> Result<(), TestCaseError> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("component.wasm");
    std::fs::write(&file, bytes).expect("a file");
    let mut command = comptoir();
    command.arg("check").arg(&file);
    let mut command = tokio::process::Command::from(command);
    command.kill_on_drop(true);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let output = runtime.block_on(async { tokio::time::timeout(PATIENCE, command.output()).await });
    let output = match output {
        Ok(output) => output.expect("the program starts"),
        Err(_) => return Err(TestCaseError::fail("no verdict")),
    };
    let said = String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        Some(0) => Ok(()),
        Some(1) if said.starts_with("error: ") && !said.contains("panicked") && !said.contains("crashes") => Ok(()),
        _ => Err(TestCaseError::fail(format!("{}: {said}", output.status))),
    }
}

#[test]
fn a_damaged_component_is_refused_in_words() {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    let config = Config { cases, max_shrink_iters: 50, failure_persistence: None, ..Config::default() };
    let guests = prop::sample::select(vec!["p2-hello", "faults", "wrong-world"]);
    let damages = prop::collection::vec(damages(), 1..4);
    let result = TestRunner::new(config)
        .run(&(guests, damages), |(guest, damages)| judged(&damaged(guest::bytes(guest), &damages)));
    result.unwrap_or_else(|failure| panic!("{failure}"));
}

/// A test that cannot fail would be none: what it relies on is seen here.
#[test]
fn an_intact_component_is_accepted() {
    judged(&guest::bytes("p2-hello")).expect("accepted");
    assert!(judged(b"").is_ok(), "refused in words");
}
