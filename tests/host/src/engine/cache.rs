//! A cache of compiled components on disk, so that a second start compiles nothing. All state directories
//! share it.
//!
//! The name of an entry is a digest of the Wasm and of all settings that compiled code depends on. An entry
//! begins with the digest of its code, so an entry that is truncated or changed is compiled again. Hosts
//! share the directory without a lock: an entry is created by a rename, is read at once, and can be deleted
//! at any time.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

/// The number of bytes of the digest before the compiled code.
const DIGEST_BYTES: usize = 32;
/// The extension of an entry.
const EXTENSION: &str = "cwasm";
/// The extension of a file that is being written. It is renamed when it is complete.
const PARTIAL_EXTENSION: &str = "partial";
/// The most bytes of all entries together. The least recently used entries are deleted first.
const MAX_CACHE_BYTES: u64 = 1 << 30;
/// How long an unused entry is kept.
const MAX_UNUSED: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// The modification time of an entry is the time of its last use. A use updates this time only if it is older
/// than this.
const USE_NOTED_EVERY: Duration = Duration::from_secs(24 * 60 * 60);
/// A partial file that is older than this was left by a process that was killed.
const MAX_WRITING: Duration = Duration::from_secs(60 * 60);

/// Compiles components, or reads them from the cache directory.
pub(crate) struct Compiler<'a> {
    engine: &'a Engine,
    /// The cache directory; `None` if it cannot be used.
    directory: Option<PathBuf>,
}

impl<'a> Compiler<'a> {
    /// Creates a compiler with a cache in `directory`. Only its owner may write to the directory, because
    /// compiled code is trusted. If the directory cannot be used, this is logged, and every start compiles
    /// all components.
    pub(crate) fn new(engine: &'a Engine, directory: &Path) -> Self {
        let usable = prepare(directory);
        if let Err(error) = &usable {
            tracing::warn!(path = %directory.display(), %error, "compiled components cannot be cached");
        }
        Self {
            engine,
            directory: usable.is_ok().then(|| directory.to_owned()),
        }
    }

    /// Returns the compiled component of `wasm`.
    ///
    /// # Errors
    /// `wasm` is not a valid component. Errors of the cache are logged, and the component is compiled.
    pub(crate) fn component(&self, wasm: &[u8]) -> wasmtime::Result<Component> {
        let Some(directory) = &self.directory else {
            return Component::new(self.engine, wasm);
        };
        let path = directory.join(self.entry_name(wasm));
        let now = SystemTime::now();
        if let Some(component) = self.load(&path) {
            note_use(&path, now);
            return Ok(component);
        }
        let component = Component::new(self.engine, wasm)?;
        if let Err(error) = store(&path, &component) {
            tracing::warn!(path = %path.display(), %error, "a compiled component could not be cached");
        }
        if let Err(error) = prune(directory, MAX_CACHE_BYTES, now) {
            tracing::warn!(path = %directory.display(), %error, "old compiled components could not be removed");
        }
        Ok(component)
    }

    fn entry_name(&self, wasm: &[u8]) -> String {
        let mut compatibility = DefaultHasher::new();
        self.engine
            .precompile_compatibility_hash()
            .hash(&mut compatibility);
        let digest = Sha256::new()
            .chain_update(compatibility.finish().to_le_bytes())
            .chain_update(wasm)
            .finalize();
        let name: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{name}.{EXTENSION}")
    }

    fn load(&self, path: &Path) -> Option<Component> {
        let entry = std::fs::read(path).ok()?;
        let (digest, code) = entry.split_at_checked(DIGEST_BYTES)?;
        if Sha256::digest(code).as_slice() != digest {
            tracing::warn!(path = %path.display(), "a cached component is damaged and is compiled again");
            return None;
        }
        match deserialize(self.engine, code) {
            Ok(component) => Some(component),
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "a cached component does not load and is compiled again");
                None
            }
        }
    }
}

/// Returns the directory of compiled components that all state directories of a user share:
/// `edgeboard/compiled` in `$XDG_CACHE_HOME`, or in `~/.cache` if that variable is not an absolute path.
/// Returns `None` if there is no home directory.
pub(crate) fn shared_directory(xdg_cache_home: Option<PathBuf>, home: Option<PathBuf>) -> Option<PathBuf> {
    let absolute = |path: &PathBuf| path.is_absolute();
    let caches = xdg_cache_home
        .filter(absolute)
        .or_else(|| Some(home.filter(absolute)?.join(".cache")))?;
    Some(caches.join("edgeboard").join("compiled"))
}

/// Creates the directory. Refuses a directory to which other users may write, because they could place code
/// there.
fn prepare(directory: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(directory)?;
    #[cfg(unix)]
    {
        const WRITABLE_BY_OTHERS: u32 = 0o022;
        let permissions = std::fs::metadata(directory)?.permissions();
        if std::os::unix::fs::PermissionsExt::mode(&permissions) & WRITABLE_BY_OTHERS != 0 {
            return Err(io::Error::new(
                ErrorKind::PermissionDenied,
                "other users may write to it",
            ));
        }
    }
    Ok(())
}

#[expect(
    unsafe_code,
    reason = "the entry is from a directory that only its owner changes, and its digest was checked"
)]
fn deserialize(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: `Component::serialize` made `code` for an equal engine: the name of the entry depends on the
    // engine's compatibility hash, and the digest in the entry shows that the code has not changed since.
    unsafe { Component::deserialize(engine, code) }
}

/// Writes an entry to a temporary file and renames it, so that no reader sees a partial entry.
fn store(path: &Path, component: &Component) -> wasmtime::Result<()> {
    // Several hosts of one process can store the same entry at the same time.
    static WRITTEN: AtomicU64 = AtomicU64::new(0);
    let code = component.serialize()?;
    let (process, number) = (std::process::id(), WRITTEN.fetch_add(1, Ordering::Relaxed));
    let partial = path.with_extension(format!("{process}-{number}.{PARTIAL_EXTENSION}"));
    let written = write(&partial, &code).and_then(|()| std::fs::rename(&partial, path));
    if written.is_err() {
        // On a full disk, the partial file must not stay.
        _ = std::fs::remove_file(&partial);
    }
    Ok(written?)
}

fn write(path: &Path, code: &[u8]) -> io::Result<()> {
    let mut file = std::fs::File::create(path)?;
    file.write_all(&Sha256::digest(code))?;
    file.write_all(code)
}

/// Updates the time of the last use of an entry. If this fails, the entry only looks older than it is.
fn note_use(path: &Path, now: SystemTime) {
    let noted = std::fs::metadata(path).and_then(|metadata| metadata.modified());
    if noted.is_ok_and(|noted| age(noted, now) > USE_NOTED_EVERY) {
        _ = std::fs::File::options()
            .append(true)
            .open(path)
            .and_then(|file| file.set_modified(now));
    }
}

/// Deletes old partial files, unused entries, and then the least recently used entries until the rest has at
/// most `max_bytes`. It is not an error if another host deletes a file at the same time.
fn prune(directory: &Path, max_bytes: u64, now: SystemTime) -> io::Result<()> {
    let mut entries = Vec::new();
    for file in std::fs::read_dir(directory)? {
        let path = file?.path();
        let Ok(metadata) = std::fs::metadata(&path) else {
            continue;
        };
        let unused = age(metadata.modified()?, now);
        match path.extension().and_then(|extension| extension.to_str()) {
            Some(PARTIAL_EXTENSION) if unused > MAX_WRITING => remove(&path)?,
            Some(EXTENSION) => entries.push((unused, metadata.len(), path)),
            _ => {}
        }
    }
    entries.sort();
    let mut bytes = 0_u64;
    for (unused, length, path) in entries {
        bytes = bytes.saturating_add(length);
        if unused > MAX_UNUSED || bytes > max_bytes {
            remove(&path)?;
        }
    }
    Ok(())
}

fn age(time: SystemTime, now: SystemTime) -> Duration {
    now.duration_since(time).unwrap_or_default()
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    /// Creates a file of zero bytes that was last modified `age` ago.
    fn create_file(directory: &Path, name: &str, bytes: usize, age: Duration) {
        std::fs::write(directory.join(name), vec![0; bytes]).unwrap();
        let file = std::fs::File::options()
            .append(true)
            .open(directory.join(name))
            .unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
    }

    fn list_names(directory: &Path) -> Vec<String> {
        let files = std::fs::read_dir(directory).unwrap();
        let mut names: Vec<String> = files
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn pruning_keeps_the_recently_used_entries_within_the_byte_limit() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        create_file(path, "new.cwasm", 40, Duration::ZERO);
        create_file(path, "yesterday.cwasm", 40, DAY);
        create_file(path, "last-week.cwasm", 40, 7 * DAY);
        create_file(path, "unused.cwasm", 1, 31 * DAY);
        create_file(path, "x.1-1.partial", 1, 2 * MAX_WRITING);
        create_file(path, "y.1-2.partial", 1, Duration::ZERO);
        create_file(path, "notes.txt", 500, 400 * DAY);
        prune(path, 1000, SystemTime::now()).unwrap();
        assert_eq!(
            list_names(path),
            [
                "last-week.cwasm",
                "new.cwasm",
                "notes.txt",
                "y.1-2.partial",
                "yesterday.cwasm"
            ]
        );
        prune(path, 100, SystemTime::now()).unwrap();
        assert_eq!(
            list_names(path),
            ["new.cwasm", "notes.txt", "y.1-2.partial", "yesterday.cwasm"]
        );
    }

    #[test]
    fn the_time_of_the_last_use_is_updated_at_most_once_a_day() {
        let directory = tempfile::tempdir().unwrap();
        let modified = |name: &str| {
            let metadata = std::fs::metadata(directory.path().join(name)).unwrap();
            metadata.modified().unwrap()
        };
        let now = SystemTime::now();
        for (name, old) in [("fresh.cwasm", DAY / 2), ("old.cwasm", 3 * DAY)] {
            create_file(directory.path(), name, 1, old);
            let before = modified(name);
            note_use(&directory.path().join(name), now);
            assert_eq!(modified(name) > before, old > DAY, "{name}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_directory_that_other_users_may_write_to_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a").join("compiled");
        prepare(&path).unwrap();
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o700
        );
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o777)).unwrap();
        assert_eq!(prepare(&path).unwrap_err().kind(), ErrorKind::PermissionDenied);
    }

    #[test]
    fn the_shared_directory_is_below_the_cache_directory_of_the_user() {
        let path = |text: &str| Some(PathBuf::from(text));
        let cases = [
            (path("/c"), path("/h"), path("/c/edgeboard/compiled")),
            (path("relative"), path("/h"), path("/h/.cache/edgeboard/compiled")),
            (None, path("/h"), path("/h/.cache/edgeboard/compiled")),
            (path(""), None, None),
        ];
        for (cache, home, expected) in cases {
            assert_eq!(shared_directory(cache, home), expected);
        }
    }
}
