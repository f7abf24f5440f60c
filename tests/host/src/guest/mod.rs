//! One instance of a component: its state, how it is created, and the interfaces of the host that it calls.

mod key_value;
mod outbound;
mod output;
mod redis;
mod services;
mod sqlite;
mod stream;
mod variables;

use std::sync::Arc;

use wasmtime::component::{HasData, ResourceTable};
use wasmtime::{Store, StoreLimits, StoreLimitsBuilder};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{ForbiddenHeaderFilter, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView};

use crate::application::Component;
use crate::engine::{BusyMeter, arm};

pub(crate) use services::{Components, HostServices, WorkerServices};

use outbound::OutboundHttp;
use output::GuestOutput;

/// The largest result that a guest gets in one piece, as on Spin.
const MAX_ANSWER_BYTES: usize = 128 << 20;

/// The type on which the host implements the interfaces of guests. The state of a call is a [`GuestState`].
pub(crate) struct Platform;

impl HasData for Platform {
    type Data<'a> = &'a mut GuestState;
}

/// The state of one instance.
pub(crate) struct GuestState {
    /// The component of the instance.
    component: Arc<Component>,
    /// The stores and components that the instance can use.
    services: Arc<WorkerServices>,
    /// The resources that the guest has.
    table: ResourceTable,
    /// How many Redis connections the guest has open.
    redis_connections: usize,
    /// How many key-value stores the guest has open.
    open_stores: usize,
    /// How many SQLite connections the guest has open.
    sqlite_connections: usize,
    /// Counts how long the guest runs without waiting.
    pub(crate) meter: Arc<BusyMeter>,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outbound_http: OutboundHttp,
    inbound_http: InboundHttp,
    limits: StoreLimits,
}

/// The hooks for incoming requests. As on Spin, a request keeps all its headers, also those that a guest may
/// not set itself.
struct InboundHttp;

impl WasiHttpHooks for InboundHttp {
    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        Arc::new(|_| false)
    }
}

impl WasiView for GuestState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for GuestState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.outbound_http,
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}

impl GuestState {
    /// Returns the view that is used for requests of clients.
    pub(crate) fn inbound(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.inbound_http,
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}

/// Creates the store of a new instance of `component`.
///
/// # Errors
/// A mounted directory cannot be opened.
pub(crate) fn create_store(
    services: &Arc<WorkerServices>,
    component: &Arc<Component>,
) -> wasmtime::Result<Store<GuestState>> {
    let host = &services.host;
    let meter = Arc::new(BusyMeter::default());
    let state = GuestState {
        component: component.clone(),
        services: services.clone(),
        table: ResourceTable::new(),
        redis_connections: 0,
        open_stores: 0,
        sqlite_connections: 0,
        meter: meter.clone(),
        wasi: create_wasi(component)?,
        http: WasiHttpCtx::new(),
        outbound_http: OutboundHttp::new(services.clone(), component.clone()),
        inbound_http: InboundHttp,
        limits: StoreLimitsBuilder::new().memory_size(host.memory_bytes).build(),
    };
    let mut store = Store::new(&host.engine, state);
    store.limiter(|state| &mut state.limits);
    arm(&mut store, meter, host.busy_limit);
    Ok(store)
}

fn create_wasi(component: &Arc<Component>) -> wasmtime::Result<WasiCtx> {
    let mut builder = WasiCtxBuilder::new();
    builder
        .stdout(GuestOutput::new(component.id.clone(), output::Stream::Out))
        .stderr(GuestOutput::new(component.id.clone(), output::Stream::Err))
        .allow_ip_name_lookup(false)
        .allow_tcp(true)
        .allow_udp(true);
    for (name, value) in &component.environment {
        builder.env(name, value);
    }
    for mount in &component.files {
        builder.preopened_dir(&mount.source, &mount.destination, FsPerms::ReadOnly)?;
    }
    let grants = component.allowed_hosts.clone();
    builder.socket_addr_check(move |address, purpose| {
        use wasmtime_wasi::sockets::SocketAddrUse::{TcpBind, TcpConnect};
        let allowed = match purpose {
            TcpBind => false,
            TcpConnect => grants.allows(&address.to_string(), "tcp"),
            _ => grants.allows(&address.to_string(), "udp"),
        };
        Box::pin(std::future::ready(allowed))
    });
    Ok(builder.build())
}

/// Checks that a result is within [`MAX_ANSWER_BYTES`].
fn check_size(bytes: usize) -> Result<(), String> {
    if bytes <= MAX_ANSWER_BYTES {
        return Ok(());
    }
    Err(format!("query result exceeds limit of {MAX_ANSWER_BYTES} bytes"))
}
