use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt as _;

use super::*;

/// One that could not be read, and now can be, is to be loaded.
#[tokio::test]
async fn a_file_with_another_permission_is_another_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("component.wasm");
    std::fs::write(&path, "a component").unwrap();
    set_permissions(&path, Permissions::from_mode(0o000)).unwrap();
    let mut seen = None;
    seen = settled(&path, &mut seen).await;
    assert!(seen.is_some());
    assert_eq!(settled(&path, &mut seen).await, None);
    set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    assert!(settled(&path, &mut seen).await.is_some());
}

/// One that was just written may still be written to; one that lies there for long is not.
#[tokio::test]
async fn a_file_that_is_new_is_waited_for_and_an_old_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("component.wasm");
    std::fs::write(&path, "a component").unwrap();
    let new = stamp(&path).await.unwrap();
    assert!(!new.is_old());
    let (seconds, nanoseconds) = new.changed;
    assert!(Stamp { changed: (seconds - 6, nanoseconds), ..new }.is_old());
    assert!(!Stamp { changed: (seconds + 60, nanoseconds), ..new }.is_old());
    let started = Instant::now();
    assert_eq!(settled(&path, &mut None).await, Some(new));
    assert!(started.elapsed() >= SETTLE);
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_read_is_looked_at_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("component.wasm");
    std::fs::write(&path, "the first half").unwrap();
    let settled = stamp(&path).await.unwrap();
    assert_eq!(&*read(&path, settled).await.unwrap().bytes, b"the first half");
    std::fs::write(&path, "the first half and the second").unwrap();
    let refusal = read(&path, settled).await.unwrap_err();
    assert!(refusal.transient && refusal.stage == Stage::Read, "{refusal:?}");
    let told = refusal.to_string();
    assert!(told.contains("changed while it was read") && told.contains("rename it into place"), "{told}");
}

#[tokio::test]
async fn a_file_that_is_not_there_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let other = stamp(folder.path()).await.unwrap();
    let refusal = read(Path::new("/no/such/component.wasm"), other).await.unwrap_err();
    assert!(!refusal.transient && refusal.to_string().contains("/no/such/component.wasm"), "{refusal}");
}
