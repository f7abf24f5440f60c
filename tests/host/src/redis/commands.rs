//! The commands that must not be sent on a shared connection.

/// Commands that change the state of their connection, block it, or turn it into a stream of messages.
const STATEFUL: [&str; 37] = [
    "ASKING",
    "AUTH",
    "BLMOVE",
    "BLMPOP",
    "BLPOP",
    "BRPOP",
    "BRPOPLPUSH",
    "BZMPOP",
    "BZPOPMAX",
    "BZPOPMIN",
    "CLIENT",
    "DISCARD",
    "EXEC",
    "FAILOVER",
    "HELLO",
    "MONITOR",
    "MULTI",
    "PSUBSCRIBE",
    "PSYNC",
    "PUNSUBSCRIBE",
    "QUIT",
    "READONLY",
    "READWRITE",
    "REPLCONF",
    "RESET",
    "SCRIPT",
    "SELECT",
    "SSUBSCRIBE",
    "SUBSCRIBE",
    "SUNSUBSCRIBE",
    "SYNC",
    "UNSUBSCRIBE",
    "UNWATCH",
    "WAIT",
    "WAITAOF",
    "WATCH",
    "XREAD",
];

/// `XREADGROUP` can block, as `XREAD` can.
const BLOCKING_READ: &str = "XREADGROUP";

/// Returns whether the command `name` needs its own connection.
pub(super) fn needs_own_connection(name: &[u8]) -> bool {
    STATEFUL
        .iter()
        .any(|stateful| name.eq_ignore_ascii_case(stateful.as_bytes()))
        || name.eq_ignore_ascii_case(BLOCKING_READ.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_stateful_commands_leave_the_shared_connection() {
        for name in ["multi", "SELECT", "Subscribe", "blpop", "xreadgroup"] {
            assert!(needs_own_connection(name.as_bytes()), "{name}");
        }
        for name in ["get", "EVALSHA", "ZRANGE", "publish", "XADD", "FCALL", ""] {
            assert!(!needs_own_connection(name.as_bytes()), "{name}");
        }
    }
}
