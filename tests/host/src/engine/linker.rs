//! Everything a component may import.

use wasmtime::Engine;
use wasmtime::component::Linker;

use crate::bindings::spin;
use crate::guest::{GuestState, Platform};

/// A linker with WASI 0.2 and 0.3, `wasi:http` 0.3 and the interfaces of Spin that SDK 7 uses.
///
/// # Errors
/// Two of them claim the same name, which would be a fault of this program.
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<GuestState>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    spin::redis::redis::add_to_linker::<_, Platform>(&mut linker, |state| state)?;
    spin::key_value::key_value::add_to_linker::<_, Platform>(&mut linker, |state| state)?;
    spin::sqlite::sqlite::add_to_linker::<_, Platform>(&mut linker, |state| state)?;
    spin::variables::variables::add_to_linker::<_, Platform>(&mut linker, |state| state)?;
    Ok(linker)
}
