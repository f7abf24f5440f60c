//! `spin:variables`: values are fixed at start, so a call never waits.

use wasmtime::component::Accessor;

use super::{GuestState, Platform};
use crate::bindings::spin::variables::variables::{Error, Host, HostWithStore};
use crate::manifest::check_variable_name;

impl Host for GuestState {}

impl<T: Send> HostWithStore<T> for Platform {
    async fn get(accessor: &Accessor<T, Self>, name: String) -> wasmtime::Result<Result<String, Error>> {
        if let Err(reason) = check_variable_name(&name) {
            return Ok(Err(Error::InvalidName(reason)));
        }
        let component = accessor.with(|mut access| access.get().component.clone());
        Ok(component
            .variables
            .get(&name)
            .cloned()
            .ok_or_else(|| Error::Undefined(format!("no variable for {:?}.{name:?}", component.id))))
    }
}
