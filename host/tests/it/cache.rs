//! Compiled components are kept, trusted only when they are whole and private, and made again otherwise.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::support::guest;
use crate::support::host::{Host, Serve};

/// The artifacts in a cache, and when each was written.
fn artifacts(cache: &Path) -> Vec<(PathBuf, SystemTime)> {
    let entries = std::fs::read_dir(cache).expect("the cache").map(|entry| entry.expect("an entry"));
    let mut artifacts: Vec<_> = entries
        .map(|entry| (entry.path(), entry.metadata().and_then(|data| data.modified()).expect("a time")))
        .collect();
    artifacts.sort();
    artifacts
}

async fn serve(cache: &Path) -> Host {
    let host = Serve::guest("p2-hello").arg("--cache", cache).start().await;
    host.get("/").await.expect_status(200);
    host
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).expect("it exists").permissions().mode() & 0o777
}

#[tokio::test]
async fn a_component_is_compiled_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = folder.path().join("not/yet/there");
    drop(serve(&cache).await);
    let first = artifacts(&cache);
    // The artifact, and nothing that the compiler left behind.
    assert_eq!(first.len(), 1, "{first:?}");
    assert_eq!((mode(&cache), mode(&first[0].0)), (0o700, 0o600));
    drop(serve(&cache).await);
    assert_eq!(artifacts(&cache), first, "it was compiled again");
}

#[tokio::test]
async fn a_damaged_artifact_is_made_again() {
    let cache = tempfile::tempdir().expect("a folder");
    drop(serve(cache.path()).await);
    let (artifact, _) = artifacts(cache.path()).remove(0);
    let whole = std::fs::read(&artifact).expect("an artifact");
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    for damaged in [flipped, whole[..whole.len() / 2].to_vec(), Vec::new(), b"garbage".to_vec()] {
        std::fs::write(&artifact, damaged).expect("an artifact");
        let host = serve(cache.path()).await;
        host.log.says("rebuilding a cached artifact").await;
        assert_eq!(artifacts(cache.path()).len(), 1);
        assert!(std::fs::read(&artifact).expect("an artifact") == whole, "it is not what it was");
    }
}

#[tokio::test]
async fn an_artifact_that_others_could_have_written_is_made_again() {
    let cache = tempfile::tempdir().expect("a folder");
    drop(serve(cache.path()).await);
    let (artifact, _) = artifacts(cache.path()).remove(0);
    std::fs::set_permissions(&artifact, std::fs::Permissions::from_mode(0o666)).expect("a mode");
    let host = serve(cache.path()).await;
    host.log.says("rebuilding a cached artifact").await;
    assert_eq!(mode(&artifact), 0o600);
}

#[tokio::test]
async fn a_folder_that_others_can_write_to_is_refused() {
    for mode in [0o770, 0o707, 0o777] {
        let cache = tempfile::tempdir().expect("a folder");
        std::fs::set_permissions(cache.path(), std::fs::Permissions::from_mode(mode)).expect("a mode");
        let ended = Serve::guest("p2-hello").arg("--cache", cache.path()).end().await;
        assert!(!ended.status.success(), "{mode:o}: {ended:#?}");
        assert!(ended.stderr.contains("can be written by others"), "{}", ended.stderr);
        assert!(artifacts(cache.path()).is_empty());
    }
}

#[tokio::test]
async fn versions_are_kept_side_by_side() {
    let cache = tempfile::tempdir().expect("a folder");
    let host = Serve::guest("p2-hello").arg("--cache", cache.path()).admin_token().start().await;
    host.put(&guest::bytes("unhealthy")).await.expect_status(422);
    // Whether a version was fit to serve is not the cache's affair.
    let both = artifacts(cache.path());
    assert_eq!(both.len(), 2, "{both:?}");
    host.put(&guest::bytes("unhealthy")).await.expect_status(422);
    assert_eq!(artifacts(cache.path()), both);
    // What cannot be compiled leaves nothing behind.
    host.put(b"\0asm\x0d\0\x01\0garbage").await.expect_status(422);
    assert_eq!(artifacts(cache.path()), both);
}
