//! One instance of a component: its state in the store and how it comes into being.

mod output;
mod variables;

use std::sync::Arc;

use wasmtime::component::{HasData, ResourceTable};
use wasmtime::{Store, StoreLimits, StoreLimitsBuilder};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{ForbiddenHeaderFilter, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView};

use crate::application::Component;
use crate::engine::{BusyMeter, arm};
use crate::outbound::OutboundHttp;
use crate::worker::Worker;

use output::GuestOutput;

/// Marks the interfaces that this host implements on [`GuestState`].
pub(crate) struct Platform;

impl HasData for Platform {
    type Data<'a> = &'a mut GuestState;
}

/// What the host keeps for one instance.
pub(crate) struct GuestState {
    /// The component that runs.
    pub(crate) component: Arc<Component>,
    /// The worker thread it runs on.
    pub(crate) worker: Arc<Worker>,
    /// The resources the guest holds.
    pub(crate) table: ResourceTable,
    /// How many Redis connections the guest has open.
    pub(crate) redis_connections: usize,
    /// How many key-value stores the guest has open.
    pub(crate) open_stores: usize,
    /// How many SQLite connections the guest has open.
    pub(crate) sqlite_connections: usize,
    /// How long it has been running without waiting.
    pub(crate) meter: Arc<BusyMeter>,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outbound_http: OutboundHttp,
    inbound_http: InboundHttp,
    limits: StoreLimits,
}

/// Incoming requests keep all their headers, also those that a guest may not set itself, as on Spin.
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
    /// The view through which requests from clients enter the guest.
    pub(crate) fn inbound(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.inbound_http,
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}

/// A store for a new instance of `component` on `worker`.
///
/// # Errors
/// A directory that the component mounts cannot be opened.
pub(crate) fn store(worker: &Arc<Worker>, component: &Arc<Component>) -> wasmtime::Result<Store<GuestState>> {
    let limits = &worker.host.limits;
    let meter = Arc::new(BusyMeter::default());
    let state = GuestState {
        component: component.clone(),
        worker: worker.clone(),
        table: ResourceTable::new(),
        redis_connections: 0,
        open_stores: 0,
        sqlite_connections: 0,
        meter: meter.clone(),
        wasi: wasi(component)?,
        http: WasiHttpCtx::new(),
        outbound_http: OutboundHttp::new(worker.clone(), component.clone()),
        inbound_http: InboundHttp,
        limits: StoreLimitsBuilder::new()
            .memory_size(limits.instance_memory_bytes)
            .build(),
    };
    let mut store = Store::new(&worker.host.engine, state);
    store.limiter(|state| &mut state.limits);
    arm(&mut store, meter, limits.guest_busy);
    Ok(store)
}

fn wasi(component: &Arc<Component>) -> wasmtime::Result<WasiCtx> {
    let mut builder = WasiCtxBuilder::new();
    builder
        .stdout(GuestOutput::new(component.id.clone(), output::Stream::Out))
        .stderr(GuestOutput::new(component.id.clone(), output::Stream::Err))
        .allow_ip_name_lookup(true)
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
