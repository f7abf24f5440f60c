//! Tests of profiles, environment variables, usage lines and shell completions.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::run::{CommandResult, TestDirectory};
use crate::server::{MockAnswer, MockServer};

/// Starts a server that has no leaderboards.
fn start_empty_server() -> MockServer {
    MockServer::start(|_request| MockAnswer::Json(200, "", json!({"leaderboards": [], "next": null})))
}

/// Runs the program without the variables of the key and the address.
fn run_without_variables(directory: &TestDirectory, args: &[&str]) -> CommandResult {
    let mut command = directory.command("", args);
    command
        .env_remove("EDGEBOARD_ADDRESS")
        .env_remove("EDGEBOARD_KEY");
    CommandResult::from_output(command.output().unwrap())
}

#[test]
fn a_profile_provides_the_address_the_key_and_the_tenant() {
    let directory = TestDirectory::new();
    let server = start_empty_server();
    let file = format!(
        "profile = 'one'\n[profiles.one]\naddress = '{0}/api/v1'\nkey = 'key-one'\n\
         [profiles.two]\naddress = '{0}'\nkey = 'key-two'\ntenant = 'acme'\n",
        server.address()
    );
    let path = directory.write_private("config/edgeboard/config.toml", &file);
    let sent = |args: &[&str]| {
        let run = run_without_variables(&directory, args);
        assert_eq!((run.code, run.err.as_str()), (0, ""));
        let request = server.take_requests().remove(0);
        assert_eq!(request.line, "GET /api/v1/leaderboards?limit=100");
        let header = |name: &str| request.headers.get(name).cloned();
        (header("x-api-key").unwrap(), header("x-tenant-id"))
    };
    let list = ["leaderboards", "list"];
    assert_eq!(sent(&list), ("key-one".to_owned(), None));
    let two = ("key-two".to_owned(), Some("acme".to_owned()));
    assert_eq!(sent(&["--profile", "two", "leaderboards", "list"]), two);
    assert_eq!(sent(&["leaderboards", "list", "--profile", "two"]), two);
    let elsewhere = directory.path("elsewhere.toml");
    std::fs::rename(path, &elsewhere).unwrap();
    let config = ["leaderboards", "list", "--config", elsewhere.to_str().unwrap()];
    assert_eq!(sent(&config), ("key-one".to_owned(), None));
    let tenant = [&config[..], &["--tenant", "other"]].concat();
    assert_eq!(sent(&tenant).1, Some("other".to_owned()));
    let wrong = run_without_variables(&directory, &[&config[..], &["--profile", "tow"]].concat());
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("did you mean `two`?"), "{}", wrong.err);
    #[cfg(unix)]
    {
        let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        std::fs::set_permissions(elsewhere.clone(), readable).unwrap();
        let warned = run_without_variables(&directory, &config).err;
        assert!(
            warned.contains("warning:") && warned.contains("chmod 600"),
            "{warned}"
        );
    }
}

#[test]
fn usage_lines_do_not_show_variables_that_are_set() {
    let directory = TestDirectory::new();
    let run = directory.run("http://127.0.0.1:1", &["top"]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("Usage: edgeboard top"), "{}", run.err);
    for unwanted in ["--address", "--key", "the-key"] {
        assert!(!run.err.contains(unwanted), "{}", run.err);
    }
    let help = directory.run("http://127.0.0.1:1", &["leaderboards", "put", "--help"]);
    assert!(
        help.out.contains("EDGEBOARD_KEY") && !help.out.contains("the-key"),
        "{}",
        help.out
    );
}

#[test]
fn completion_scripts_contain_the_commands_and_have_valid_syntax() {
    let directory = TestDirectory::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = directory.run("", &["completion", shell]);
        assert_eq!((script.code, script.err.as_str()), (0, ""));
        for word in ["dead-letters", "leaderboards", "only-new", "import"] {
            assert!(script.out.contains(word), "{shell}: {word}");
        }
        assert_parses(shell, &script.out);
    }
    assert_eq!(directory.run("", &["completion", "tcsh"]).code, 2);
}

/// Checks the syntax of a script with its shell, if the shell is installed.
fn assert_parses(shell: &str, script: &str) {
    let arguments: &[&str] = if shell == "fish" {
        &["--no-execute"]
    } else {
        &["-n"]
    };
    let spawned = Command::new(shell)
        .args(arguments)
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = spawned else { return };
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let complaint = Value::from(String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{shell}: {complaint}");
}
