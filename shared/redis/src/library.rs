//! Runs the scripts as functions of a library that the server keeps (`FUNCTION LOAD`, `FCALL`), or by `EVALSHA` where the server
//! refuses functions.
//!
//! A function is compiled once. A script of `EVALSHA` creates all functions of its source in each call.

use std::sync::OnceLock;

use crate::connection::{Connection, ConnectionError, Reply};
use crate::fnv::{EMPTY_HASH, add_to_hash};
use crate::placement::Placement;
use crate::script::{Effect, Script, ScriptCall};
use crate::scripts::LIBRARY;
use crate::shard::Shard;

/// The beginning of the names of libraries and functions. The digest of the source follows, so that two versions of the code can use
/// one server, each with its own library.
const NAME_BEGIN: &str = "edgeboard_";
/// The digest of the source.
const DIGEST: u64 = add_to_hash(add_to_hash(EMPTY_HASH, FUNCTION_HEAD.as_bytes()), &CODE);
/// The length of [`CODE`].
const CODE_LENGTH: usize = copy_code(LIBRARY.as_bytes(), &mut []);
/// The source without comments and indentation. The compiler leaves them out, because each component contains the source.
static CODE: [u8; CODE_LENGTH] = {
    let mut code = [0; CODE_LENGTH];
    copy_code(LIBRARY.as_bytes(), &mut code);
    code
};
/// The maximum number of libraries on the server before [`delete_other_libraries`] deletes those of other versions. So many versions
/// can run at the same time without loading their libraries again.
const MAX_LIBRARIES: usize = 8;
/// How often one call loads the library. The library can be deleted between load and call.
const MAX_LOADS: u32 = 3;

/// The beginning of the source for `FUNCTION LOAD`. The library's name is put before this text; `%` is replaced by the prefix of the
/// function names.
const FUNCTION_HEAD: &str = "
local function register_script(name, flags, run)
  redis.register_function{function_name = '%' .. name, flags = flags, callback = run}
end
";
/// The beginning of the source for `EVAL`, and its end: the last argument names the script.
const EVAL_HEAD: &str = "
local called, own_keys, own_arguments = table.remove(ARGV), KEYS, ARGV
local called_script
local function register_script(name, _, run)
  if name == called then
    called_script = run
  end
end
";
const EVAL_END: &str = "return called_script(own_keys, own_arguments)\n";
/// The first line of a source for `EVAL` that may write although the server is out of memory.
const ALLOW_OOM: &str = "#!lua flags=allow-oom";

/// Copies the lines of `source` that have code, without their indentation, as far as `target` has room. Returns the length of all
/// these lines.
const fn copy_code(mut source: &[u8], mut target: &mut [u8]) -> usize {
    let (mut length, mut begins_line, mut is_comment) = (0, true, false);
    while let Some((byte, rest)) = source.split_first() {
        source = rest;
        if begins_line && matches!(*byte, b' ' | b'\n') {
            continue;
        }
        if begins_line {
            is_comment = *byte == b'-' && matches!(rest.first(), Some(b'-'));
        }
        begins_line = *byte == b'\n';
        if is_comment {
            continue;
        }
        length += 1;
        if let [first, others @ ..] = target {
            *first = *byte;
            target = others;
        }
    }
    length
}

fn library_name() -> String {
    format!("{NAME_BEGIN}{DIGEST:016x}")
}

/// Runs a script in one command on a shard. With a placement, the script runs only if the tenant lives on the shard (`register.lua`).
pub(crate) async fn run_on_shard<C: Connection>(
    shard: &Shard<C>,
    script: &Script,
    call: &ScriptCall,
    placement: Option<&Placement>,
) -> Result<Vec<Reply>, ConnectionError> {
    match call_function(shard, script, call, placement).await? {
        Some(replies) => Ok(replies),
        None => evaluate(shard, script, call, placement).await,
    }
}

/// Runs a script as a function, and loads the library if the server does not have it. Returns `None` when the server does not run
/// functions for this call: it has no functions, this Redis user has no permission, or the server is out of memory or read-only and
/// cannot load the library. The script has then done nothing.
async fn call_function<C: Connection>(
    server: &Shard<C>,
    script: &Script,
    call: &ScriptCall,
    placement: Option<&Placement>,
) -> Result<Option<Vec<Reply>>, ConnectionError> {
    let name = format!("{}_{}", library_name(), script.name);
    let count = call.key_count(placement);
    let arguments = call.command_arguments(name.as_bytes(), count.as_bytes(), placement);
    let command = match script.effect {
        Effect::Reads => "FCALL_RO",
        Effect::Writes | Effect::FreesMemory => "FCALL",
    };
    for _ in 0..MAX_LOADS {
        if server.refuses_functions() {
            break;
        }
        let refusal = match server.command(command, &arguments).await {
            // A replica gets the library from its primary. Until then, and if the primary has none, it runs `EVALSHA_RO`.
            Err(error) if error.is_missing_function() && server.is_replica() => break,
            Err(error) if error.is_missing_function() => match load_library(server).await {
                Ok(()) => continue,
                Err(refusal @ ConnectionError::Refused { .. }) => refusal,
                Err(error) => return Err(error),
            },
            // The script may find a replay, or refuse the call, without a write. By EVALSHA, the server refuses only the write.
            Err(error) if error.is_out_of_memory() || error.refuses_functions() => error,
            result => return result.map(Some),
        };
        if refusal.refuses_functions() {
            server.stop_using_functions();
        }
        break;
    }
    Ok(None)
}

async fn load_library(connection: &impl Connection) -> Result<(), ConnectionError> {
    let name = library_name();
    let head = FUNCTION_HEAD.replace('%', &format!("{name}_"));
    let mut source = format!("#!lua name={name}{head}").into_bytes();
    source.extend_from_slice(&CODE);
    match connection.command("FUNCTION", &[b"LOAD", &source]).await {
        Ok(_) => {
            delete_other_libraries(connection, &name).await;
            Ok(())
        }
        // Another instance has just loaded it.
        Err(ConnectionError::Refused { message, .. }) if message.contains("already exists") => Ok(()),
        Err(error) => Err(error),
    }
}

/// Deletes all other libraries of this project when there are more than [`MAX_LIBRARIES`]. A version that still runs loads its library
/// again. Errors are ignored: the Redis user may have no permission for it, and the next load tries again.
async fn delete_other_libraries(connection: &impl Connection, own: &str) {
    let pattern = format!("{NAME_BEGIN}*");
    let list = [&b"LIST"[..], b"LIBRARYNAME", pattern.as_bytes()];
    let listed = connection.command("FUNCTION", &list).await.unwrap_or_default();
    let libraries: Vec<&[u8]> = listed.windows(2).filter_map(library_in).collect();
    if libraries.len() > MAX_LIBRARIES {
        for library in libraries.into_iter().filter(|name| *name != own.as_bytes()) {
            let _ = connection.command("FUNCTION", &[b"DELETE", library]).await;
        }
    }
}

/// Returns the name of a library from a field of the flattened reply to `FUNCTION LIST` and the value after it.
fn library_in(pair: &[Reply]) -> Option<&[u8]> {
    match pair {
        [Reply::Bytes(field), Reply::Bytes(name)] if field == b"library_name" => Some(name),
        _ => None,
    }
}

/// The source of all scripts for `EVAL`, and the digest by which the server knows it.
#[derive(Debug)]
struct EvalSource {
    source: Vec<u8>,
    digest: String,
}

/// Returns the source for scripts with this effect.
fn eval_source(effect: Effect) -> &'static EvalSource {
    static SOURCE: OnceLock<EvalSource> = OnceLock::new();
    static FREEING: OnceLock<EvalSource> = OnceLock::new();
    let (cell, first_line) = match effect {
        Effect::FreesMemory => (&FREEING, ALLOW_OOM),
        Effect::Reads | Effect::Writes => (&SOURCE, ""),
    };
    cell.get_or_init(|| {
        let source = [
            first_line.as_bytes(),
            EVAL_HEAD.as_bytes(),
            &CODE,
            EVAL_END.as_bytes(),
        ]
        .concat();
        let digest = sha1_smol::Sha1::from(&source).digest().to_string();
        EvalSource { source, digest }
    })
}

/// Runs a script by the digest of its source; by the source if the server does not know the digest.
async fn evaluate<C: Connection>(
    server: &Shard<C>,
    script: &Script,
    call: &ScriptCall,
    placement: Option<&Placement>,
) -> Result<Vec<Reply>, ConnectionError> {
    let EvalSource { source, digest } = eval_source(script.effect);
    let count = call.key_count(placement);
    let mut arguments = call.command_arguments(digest.as_bytes(), count.as_bytes(), placement);
    arguments.push(script.name.as_bytes());
    let (by_digest, by_source) = match script.effect {
        Effect::Reads => ("EVALSHA_RO", "EVAL_RO"),
        Effect::Writes | Effect::FreesMemory => ("EVALSHA", "EVAL"),
    };
    match server.command(by_digest, &arguments).await {
        Err(error) if error.is_no_script() => {
            if let Some(first) = arguments.first_mut() {
                *first = source;
            }
            server.command(by_source, &arguments).await
        }
        result => result,
    }
}
