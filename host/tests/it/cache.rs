//! Compiled components are kept, trusted only when they are whole and private, and made again otherwise.

use std::fs::FileTimes;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

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
    let host = talkative("p2-hello", cache).start().await;
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
    host.put(b"\0asm\x0d\0\x01\0\x55\0").await.expect_status(422);
    assert_eq!(artifacts(cache.path()), both);
}

/// In whichever process they are.
#[tokio::test]
async fn hosts_that_start_together_compile_a_component_once() {
    let cache = tempfile::tempdir().expect("a folder");
    let (one, two, three) = tokio::join!(serve(cache.path()), serve(cache.path()), serve(cache.path()));
    let compiled = [one, two, three].iter().map(compilations).sum::<usize>();
    assert_eq!(compiled, 1);
    assert_eq!(artifacts(cache.path()).len(), 1);
}

#[tokio::test]
async fn components_are_compiled_one_after_another() {
    let cache = tempfile::tempdir().expect("a folder");
    let guests = ["p2-hello", "echo", "faults", "outbound"];
    let hosts = guests.map(|guest| talkative(guest, cache.path()).start());
    let started = futures_util::future::join_all(hosts);
    tokio::pin!(started);
    let mut most = 0;
    let hosts = loop {
        tokio::select! {
            hosts = &mut started => break hosts,
            () = tokio::time::sleep(Duration::from_millis(1)) => {
                let work = std::fs::read_dir(cache.path()).expect("the cache").flatten();
                most = most.max(work.filter(|entry| is_work(&entry.path())).count());
            }
        }
    };
    assert_eq!(most, 1);
    assert_eq!(hosts.iter().map(compilations).sum::<usize>(), guests.len());
}

/// Whose log tells when it compiles.
fn talkative(guest: &str, cache: &Path) -> Serve {
    Serve::guest(guest).arg("--cache", cache).arg("--log", "info,comptoir::component=debug")
}

fn compilations(host: &Host) -> usize {
    host.log.records().iter().filter(|record| record["message"] == "compiled a component").count()
}

fn is_work(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("compile-"))
}

#[tokio::test]
async fn what_a_killed_host_left_behind_is_removed() {
    let cache = tempfile::tempdir().expect("a folder");
    let left = cache.path().join("compile-killed");
    std::fs::create_dir(&left).expect("a folder");
    std::fs::write(left.join("component.wasm"), "half of it").expect("a file");
    drop(serve(cache.path()).await);
    assert!(!left.exists());
    assert_eq!(artifacts(cache.path()).len(), 1);
}

/// Another host may be at work in it.
#[tokio::test]
async fn what_is_being_compiled_is_left_alone() {
    let cache = tempfile::tempdir().expect("a folder");
    drop(serve(cache.path()).await);
    let work = cache.path().join("compile-at-work");
    std::fs::create_dir(&work).expect("a folder");
    let lock = std::fs::File::open(cache.path()).expect("the folder");
    lock.lock().expect("a lock");
    drop(serve(cache.path()).await);
    assert!(work.exists());
    drop(lock);
    drop(serve(cache.path()).await);
    assert!(!work.exists());
}

/// A file that looks like an artifact, last used so long ago.
fn old_artifact(cache: &Path, hours: u64) -> PathBuf {
    let path = cache.join(format!("{hours}.cwasm"));
    std::fs::write(&path, "an artifact").expect("a file");
    last_used(&path, hours);
    path
}

fn last_used(artifact: &Path, hours: u64) {
    let then = SystemTime::now() - Duration::from_secs(hours * 3600);
    let file = std::fs::File::open(artifact).expect("an artifact");
    file.set_times(FileTimes::new().set_accessed(then)).expect("a time");
}

#[tokio::test]
async fn artifacts_that_nobody_uses_make_room_for_others() {
    let cache = tempfile::tempdir().expect("a folder");
    drop(serve(cache.path()).await);
    let (used, _) = artifacts(cache.path()).remove(0);
    last_used(&used, 1000);
    let others: Vec<_> = (1..=65).map(|hours| old_artifact(cache.path(), hours)).collect();
    // Takes the oldest of them into use again.
    let host = Serve::guest("p2-hello").arg("--cache", cache.path()).admin_token().start().await;
    assert_eq!(artifacts(cache.path()).len(), 66);
    host.put(&guest::bytes("echo")).await.expect_status(200);
    assert_eq!(artifacts(cache.path()).len(), 64);
    assert!(used.exists(), "it is in use");
    let gone: Vec<_> = others.iter().filter(|other| !other.exists()).collect();
    assert_eq!(gone, others[62..].iter().collect::<Vec<_>>());
}

/// It would be refused for the same reason every time.
#[tokio::test]
async fn what_does_not_fit_into_an_instance_is_compiled_once() {
    let cache = tempfile::tempdir().expect("a folder");
    let host = talkative("p2-hello", cache.path()).admin_token().start().await;
    for _ in 0..2 {
        let refusal = host.put(&guest::text(guest::TOO_MUCH_MEMORY)).await.expect_status(422).json();
        assert!(refusal["detail"].as_str().is_some_and(|detail| detail.contains("exceeds the limit")), "{refusal:#}");
    }
    assert_eq!(compilations(&host), 2);
}
