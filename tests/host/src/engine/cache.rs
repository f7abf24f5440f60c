//! Compiled components on disk, so that a second start compiles nothing.
//!
//! An entry's name is the digest of the Wasm and of everything that decides whether compiled code fits this engine.
//! Its content begins with the digest of the rest: what was cut short or changed is compiled again.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

/// Bytes of the digest before the compiled code.
const DIGEST_BYTES: usize = 32;

/// Compiles components, or takes them from the cache directory.
pub(crate) struct Compiler<'a> {
    engine: &'a Engine,
    directory: PathBuf,
}

impl<'a> Compiler<'a> {
    /// A compiler that keeps its results in `directory`, which only the owner may enter: compiled code is trusted.
    ///
    /// # Errors
    /// The directory cannot be made.
    pub(crate) fn new(engine: &'a Engine, directory: &Path) -> std::io::Result<Self> {
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.recursive(true).create(directory)?;
        Ok(Self {
            engine,
            directory: directory.to_owned(),
        })
    }

    /// The component of `wasm`, ready to be instantiated.
    ///
    /// # Errors
    /// `wasm` is no valid component. Trouble with the cache is logged and costs a compilation.
    pub(crate) fn component(&self, wasm: &[u8]) -> wasmtime::Result<Component> {
        let path = self.directory.join(self.entry_name(wasm));
        if let Some(component) = self.load(&path) {
            return Ok(component);
        }
        let component = Component::new(self.engine, wasm)?;
        if let Err(error) = store(&path, &component) {
            tracing::warn!(path = %path.display(), %error, "a compiled component could not be cached");
        }
        Ok(component)
    }

    fn entry_name(&self, wasm: &[u8]) -> String {
        let mut fit = DefaultHasher::new();
        self.engine.precompile_compatibility_hash().hash(&mut fit);
        let digest = Sha256::new()
            .chain_update(fit.finish().to_le_bytes())
            .chain_update(wasm)
            .finalize();
        let mut name: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        name.push_str(".cwasm");
        name
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

#[expect(
    unsafe_code,
    reason = "the entry is from the owner's private directory and its digest was checked"
)]
fn deserialize(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: `code` came out of `Component::serialize` for an equal engine: its name holds the digest of the engine's
    // compatibility, and its own digest shows that it has not changed since.
    unsafe { Component::deserialize(engine, code) }
}

/// Writes beside the final name and renames, so that no reader sees half an entry.
fn store(path: &Path, component: &Component) -> wasmtime::Result<()> {
    let code = component.serialize()?;
    let partial = path.with_extension(format!("{}.partial", std::process::id()));
    let mut file = std::fs::File::create(&partial)?;
    file.write_all(&Sha256::digest(&code))?;
    file.write_all(&code)?;
    drop(file);
    std::fs::rename(&partial, path)?;
    Ok(())
}
