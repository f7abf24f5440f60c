//! Wasmtime: configuration, compiled components, interruption.

mod cache;
mod epoch;

pub(crate) use cache::{Compiler, shared_directory};
pub(crate) use epoch::{BusyMeter, Ticker, arm};

use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

/// Core Wasm instances of one component instance: the component's own and those that the tools put around it.
const CORE_INSTANCES_PER_COMPONENT: u32 = 8;
/// Memories of one component instance.
const MEMORIES_PER_COMPONENT: u32 = 1;
/// Tables of one component instance.
const TABLES_PER_COMPONENT: u32 = 4;
/// Stacks that the calls into one component instance take on average; most calls that wait take none.
const STACKS_PER_COMPONENT: u32 = 2;
/// Elements of one table of a guest.
const TABLE_ELEMENTS: usize = 100_000;
/// Bytes of a freed memory that stay resident for the next instance, so that it faults in fewer pages.
const KEEP_RESIDENT_BYTES: usize = 1 << 20;
/// The same for a table and for a stack.
const KEEP_RESIDENT_SMALL_BYTES: usize = 64 << 10;
/// Freed slots that are given back to the kernel at once, so that it flushes page tables less often.
const DECOMMIT_BATCH: usize = 32;

/// An engine with room for `instances` component instances of at most `memory_bytes` each.
///
/// # Errors
/// Wasmtime refuses the configuration, or the address space is too small for the pool.
pub(crate) fn engine(instances: u32, memory_bytes: usize) -> wasmtime::Result<Engine> {
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
        .decommit_batch_size(DECOMMIT_BATCH);
    let mut config = Config::new();
    config
        .wasm_component_model_async(true)
        .epoch_interruption(true)
        .memory_init_cow(true)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&config)
}
