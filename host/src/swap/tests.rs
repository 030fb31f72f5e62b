use super::*;

#[tokio::test]
async fn a_file_that_changes_while_it_is_read_is_looked_at_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("component.wasm");
    std::fs::write(&path, "the first half").unwrap();
    let settled = stamp(&path).await.unwrap();
    assert_eq!(read(&path, settled).await.unwrap(), b"the first half");
    std::fs::write(&path, "the first half and the second").unwrap();
    let refusal = read(&path, settled).await.unwrap_err();
    assert!(refusal.transient && refusal.stage == Stage::Read, "{refusal:?}");
    let told = refusal.to_string();
    assert!(told.contains("changed while it was read") && told.contains("rename it into place"), "{told}");
}

#[tokio::test]
async fn a_file_that_is_not_there_is_not_waited_for() {
    let missing = Stamp { modified: None, length: 0, inode: 0 };
    let refusal = read(Path::new("/no/such/component.wasm"), missing).await.unwrap_err();
    assert!(!refusal.transient && refusal.to_string().contains("/no/such/component.wasm"), "{refusal}");
}
