//! The Rust types and traits that are generated from the interface definitions in `wit/spin`.

wasmtime::component::bindgen!({
    path: "../../wit/spin",
    world: "platform",
    imports: { default: async | trappable },
    with: {
        "spin:redis/redis.connection": crate::redis::Connection,
        "spin:key-value/key-value.store": crate::key_value::OpenStore,
        "spin:sqlite/sqlite.connection": crate::sqlite::Connection,
    },
});

/// The exports of a component with a Redis trigger.
pub(crate) mod trigger {
    wasmtime::component::bindgen!({
        path: "../../wit/spin",
        world: "redis-trigger",
        imports: { default: async | trappable },
        exports: { default: async | store },
        with: {
            "spin:redis/redis": crate::bindings::spin::redis::redis,
        },
    });
}
