//! The Redis client that this crate needs: it sends one command, returns the flattened reply, and can pause.
#![expect(
    async_fn_in_trait,
    reason = "a component runs on one thread, so no Send bound is wanted"
)]

use leaderboard_core::StoreError;
use leaderboard_core::ports::Signal;

/// One value of a flattened reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// No value.
    Nil,
    /// A simple string, such as `OK`.
    Status(String),
    /// An integer.
    Integer(i64),
    /// A string of bytes.
    Bytes(Vec<u8>),
}

/// A connection to Redis 7.0 or newer.
pub trait Connection {
    /// Sends one command and returns the values of its reply. Arrays are flattened: their values appear in order without the array
    /// around them, so an empty array gives no value.
    ///
    /// # Errors
    /// [`ConnectionError`] when the server does not reply, or replies with an error.
    async fn command(&self, name: &str, arguments: &[&[u8]]) -> Result<Vec<Reply>, ConnectionError>;

    /// Waits about a millisecond, so that the server can run the commands of other clients.
    async fn pause(&self);

    /// Creates a signal from one request of this instance to another.
    fn signal(&self) -> Signal;
}

/// The number of pauses of about a millisecond after a step of long work. Together they take about as long as the step.
const PAUSES_AFTER_A_STEP: u32 = 10;

/// Pauses after a step of long work. The server runs one command at a time, and this leaves half of its time to other clients.
pub(crate) async fn yield_to_others(connection: &impl Connection) {
    for _ in 0..PAUSES_AFTER_A_STEP {
        connection.pause().await;
    }
}

/// The reason why a command returned no values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectionError {
    /// The server cannot be reached or did not reply in time.
    Unavailable(String),
    /// The server replied with an error.
    Refused {
        /// The error's first word, such as `NOSCRIPT` or `ERR`.
        code: String,
        /// The rest of the error.
        message: String,
    },
}

/// The error codes of a server that cannot serve this client now: the server has become a replica, is still loading its data, has
/// lost its primary, or is a primary that has lost its replicas.
const WRONG_SERVER: [&str; 6] = [
    "READONLY",
    "LOADING",
    "MASTERDOWN",
    "CLUSTERDOWN",
    "NOREPLICAS",
    "UNBLOCKED",
];

/// The beginning of the text of a server's error in the `redis` crate (in the versions that Spin and this project use).
const SERVER_ERROR: &str = "An error was signalled by the server - ";
/// Names that the `redis` crate uses in place of error codes. Some names end with `Error`, which is left out here.
const CODES: [(&str, &str); 12] = [
    ("Response", "ERR"),
    ("ExecAbort", "EXECABORT"),
    ("BusyLoading", "LOADING"),
    ("NoScript", "NOSCRIPT"),
    ("Moved", "MOVED"),
    ("Ask", "ASK"),
    ("TryAgain", "TRYAGAIN"),
    ("ClusterDown", "CLUSTERDOWN"),
    ("CrossSlot", "CROSSSLOT"),
    ("MasterDown", "MASTERDOWN"),
    ("ReadOnly", "READONLY"),
    ("NoPerm", "NOPERM"),
];

impl ConnectionError {
    /// Parses an error of a client that returns only text, as Spin does. The text can be the server's (`NOSCRIPT No matching
    /// script`) or the `redis` crate's (`An error was signalled by the server - NoScriptError: No matching script`,
    /// `WRONGTYPE: Operation against …`). Every other text is an error of the connection.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        let server = text.strip_prefix(SERVER_ERROR);
        let rest = server.unwrap_or(text);
        let (head, message) = rest.split_once([':', ' ']).unwrap_or((rest, ""));
        let head = head.trim_matches('"');
        let name = head.strip_suffix("Error").unwrap_or(head);
        let known = CODES.iter().find(|(client, _)| *client == name);
        let code = match known {
            Some((_, code)) => *code,
            None if is_code(head) => head,
            None if server.is_some() => "ERR",
            None => return Self::Unavailable(text.to_owned()),
        };
        Self::Refused {
            code: code.to_owned(),
            message: message.trim_start().to_owned(),
        }
    }

    /// Returns whether the client has to open a new connection: the server did not reply, or replied that it cannot serve this
    /// client now ([`WRONG_SERVER`]). A new connection can lead to another server, because a failover moves the address.
    #[must_use]
    pub fn ends_connection(&self) -> bool {
        match self {
            Self::Unavailable(_) => true,
            Self::Refused { code, .. } => WRONG_SERVER.contains(&code.as_str()),
        }
    }

    /// Returns whether the server does not know the script of the given digest.
    #[must_use]
    pub fn is_no_script(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if code == "NOSCRIPT")
    }

    /// Returns whether the server does not have the function of the given name.
    #[must_use]
    pub fn is_missing_function(&self) -> bool {
        matches!(self, Self::Refused { code, message } if code == "ERR" && message.starts_with("Function not found"))
    }

    /// Returns whether the server is out of memory. A script that fails with this error has not written anything.
    #[must_use]
    pub fn is_out_of_memory(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if code == "OOM")
    }

    /// Returns whether the server has no functions, or the Redis user has no permission for `FCALL` or `FUNCTION`.
    #[must_use]
    pub fn refuses_functions(&self) -> bool {
        let Self::Refused { code, message } = self else {
            return false;
        };
        match code.as_str() {
            "NOPERM" => message.contains("'fcall") || message.contains("'function"),
            "ERR" => message.starts_with("unknown command") || message.starts_with("unknown subcommand"),
            _ => false,
        }
    }
}

/// Returns whether `word` looks like an error code: at least two capitals.
fn is_code(word: &str) -> bool {
    word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_uppercase())
}

impl From<ConnectionError> for StoreError {
    fn from(error: ConnectionError) -> Self {
        let (code, message) = match error {
            ConnectionError::Unavailable(cause) => return Self::Unavailable(cause),
            ConnectionError::Refused { code, message } => (code, message),
        };
        let text = format!("{code} {message}");
        match code.as_str() {
            // Another server, or this server in another role, will reply after a while.
            code if WRONG_SERVER.contains(&code) => Self::Unavailable(text),
            "TRYAGAIN" | "BUSY" | "MISCONF" | "UNKILLABLE" => Self::Unavailable(text),
            "MOVING" => Self::TenantUnavailable(text),
            "OOM" => Self::OutOfMemory(text),
            "ERR" if message.starts_with("max number of clients") => Self::Unavailable(text),
            // HINCRBY and INCR reply with this error when the stored value is not a number: "hash value is not an integer", "value is …".
            "ERR" if message.contains("value is not an integer") => Self::Corrupt(text),
            "CORRUPT" | "WRONGTYPE" => Self::Corrupt(text),
            _ => Self::Rejected(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_script_is_recognized_in_the_text_of_each_client() {
        for text in [
            "NOSCRIPT No matching script. Please use EVAL.",
            "An error was signalled by the server - NoScriptError: No matching script. Please use EVAL.",
            "NoScript: No matching script. Please use EVAL.",
        ] {
            let error = ConnectionError::from_text(text);
            assert!(error.is_no_script(), "{text}: {error:?}");
            let ConnectionError::Refused { message, .. } = error else {
                panic!("{text}")
            };
            assert_eq!(message, "No matching script. Please use EVAL.");
        }
    }

    #[test]
    fn a_refusal_of_functions_is_no_error_of_a_script() {
        for (text, missing, refused) in [
            ("ERR Function not found", true, false),
            (
                "An error was signalled by the server - ResponseError: Function not found",
                true,
                false,
            ),
            (
                "ERR unknown command 'FCALL', with args beginning with: 'a'",
                false,
                true,
            ),
            (
                "An error was signalled by the server - ResponseError: unknown command `FCALL_RO`",
                false,
                true,
            ),
            ("ERR unknown subcommand 'LOAD'. Try FUNCTION HELP.", false, true),
            (
                "NOPERM this user has no permissions to run the 'fcall' command",
                false,
                true,
            ),
            (
                "NOPERM User edge has no permissions to run the 'function|load' command",
                false,
                true,
            ),
            (
                "NOPERM this user has no permissions to access one of the keys used as arguments",
                false,
                false,
            ),
            (
                "ERR The user executing the script can't run this command or subcommand",
                false,
                false,
            ),
        ] {
            let error = ConnectionError::from_text(text);
            assert_eq!(
                (error.is_missing_function(), error.refuses_functions()),
                (missing, refused),
                "{text}"
            );
        }
    }

    #[test]
    fn only_errors_of_the_wrong_server_end_the_connection() {
        for (text, ends) in [
            ("timed out", true),
            ("READONLY You can't write against a read only replica.", true),
            (
                "READONLY Can not run script with write flag on readonly replica.",
                true,
            ),
            (
                "An error was signalled by the server - ReadOnly: You can't write against a read only replica.",
                true,
            ),
            (
                "An error was signalled by the server - BusyLoadingError: Redis is loading the dataset in memory",
                true,
            ),
            (
                "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
                true,
            ),
            ("CLUSTERDOWN Hash slot not served", true),
            ("NOREPLICAS Not enough good replicas to write.", true),
            (
                "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)",
                true,
            ),
            ("OOM command not allowed when used memory > 'maxmemory'.", false),
            ("NOSCRIPT No matching script. Please use EVAL.", false),
            ("WRONGTYPE Operation against a key", false),
            ("BUSY Redis is busy running a script.", false),
        ] {
            assert_eq!(ConnectionError::from_text(text).ends_connection(), ends, "{text}");
        }
    }

    #[test]
    fn each_error_becomes_the_store_error_that_tells_the_caller_what_to_do() {
        let store = |text: &str| StoreError::from(ConnectionError::from_text(text));
        for text in [
            "Connection refused (os error 111)",
            "timed out",
            "broken pipe",
            "Multiplexed connection driver unexpectedly terminated - IoError",
            "An error was signalled by the server - ReadOnly: You can't write against a read only replica.",
            "An error was signalled by the server - BusyLoadingError: Redis is loading the dataset in memory",
            "An error was signalled by the server - ResponseError: max number of clients reached",
            "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)",
        ] {
            assert!(matches!(store(text), StoreError::Unavailable(_)), "{text}");
        }
        for text in [
            "OOM: command not allowed when used memory > 'maxmemory'.",
            "\"OOM\": command not allowed when used memory > 'maxmemory'.",
            "OOM command not allowed when used memory > 'maxmemory'. script: 5f3e, on @user_script:9.",
        ] {
            assert!(matches!(store(text), StoreError::OutOfMemory(_)), "{text}");
        }
        for text in [
            "WRONGTYPE: Operation against a key holding the wrong kind of value",
            "\"CORRUPT\": entry",
            "CORRUPT entry script: 0, on @user_script:1.",
            "An error was signalled by the server - ResponseError: hash value is not an integer script: 5f3e, on @user_script:9.",
            "ERR value is not an integer or out of range",
        ] {
            assert!(matches!(store(text), StoreError::Corrupt(_)), "{text}");
        }
        for text in [
            "An error was signalled by the server - ResponseError: unknown command",
            "An error was signalled by the server - NewKindOfError: who knows",
            "NOAUTH Authentication required.",
        ] {
            assert!(matches!(store(text), StoreError::Rejected(_)), "{text}");
        }
    }
}
