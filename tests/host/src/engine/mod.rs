//! The configuration of Wasmtime, the cache of compiled components, and the interruption of guests.

mod cache;
mod epoch;

pub(crate) use cache::{Compiler, shared_directory};
pub(crate) use epoch::{BusyMeter, Ticker, arm};

use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

/// The number of core Wasm instances in one component instance: one of the component, and those that the
/// tools add.
const CORE_INSTANCES_PER_COMPONENT: u32 = 8;
/// The number of memories of one component instance.
const MEMORIES_PER_COMPONENT: u32 = 1;
/// The number of tables of one component instance.
const TABLES_PER_COMPONENT: u32 = 4;
/// The average number of stacks that the calls of one component instance use. Most waiting calls use none.
const STACKS_PER_COMPONENT: u32 = 2;
/// The most elements of one table of a guest.
const TABLE_ELEMENTS: usize = 100_000;
/// How many bytes of a freed memory stay resident, so that the next instance has fewer page faults; the same
/// as in Spin.
const KEEP_RESIDENT_BYTES: usize = 2 << 20;
/// How many bytes of a freed table or stack stay resident.
const KEEP_RESIDENT_SMALL_BYTES: usize = 64 << 10;
/// How many freed slots are returned to the kernel together, so that it flushes page tables less often.
const DECOMMIT_BATCH: usize = 32;

/// Creates an engine for up to `instances` component instances of at most `memory_bytes` each.
///
/// # Errors
/// Wasmtime refuses the configuration, or the address space is too small for the pool.
pub(crate) fn create_engine(instances: u32, memory_bytes: usize) -> wasmtime::Result<Engine> {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(CORE_INSTANCES_PER_COMPONENT))
        .total_memories(instances.saturating_mul(MEMORIES_PER_COMPONENT))
        .total_tables(instances.saturating_mul(TABLES_PER_COMPONENT))
        .total_stacks(instances.saturating_mul(STACKS_PER_COMPONENT))
        .max_memory_size(memory_bytes)
        .table_elements(TABLE_ELEMENTS)
        .linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
        .table_keep_resident(KEEP_RESIDENT_SMALL_BYTES)
        .async_stack_keep_resident(KEEP_RESIDENT_SMALL_BYTES)
        // Only the pages that an instance wrote are reset. Otherwise all resident bytes are, and most of them
        // are an unused stack.
        .pagemap_scan(Enabled::Auto)
        .decommit_batch_size(DECOMMIT_BATCH);
    let mut config = Config::new();
    config
        .wasm_component_model_async(true)
        .epoch_interruption(true)
        .memory_init_cow(true)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    #[cfg(feature = "perf-map")]
    config.profiler(wasmtime::ProfilingStrategy::PerfMap);
    Engine::new(&config)
}
