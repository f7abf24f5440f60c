//! Tests that each error of a manifest is reported in one line with its place.

use std::path::Path;

use leaderboard_host::{Host, HostConfig};

/// The beginning of each manifest: the version and the name of the application.
const HEAD: &str = "spin_manifest_version = 2\n[application]\nname = \"x\"\n";
/// A trigger and its component. A test can append lines to the table of the component.
const COMPONENT: &str =
    "[[trigger.http]]\nroute = \"/\"\ncomponent = \"c\"\n[component.c]\nsource = \"c.wasm\"\n";

/// Starts a host with a manifest, and returns the error without the path of the directory.
async fn start_error(text: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("spin.toml");
    std::fs::write(&path, text).unwrap();
    let config = HostConfig::new(&path, directory.path().join("state"));
    let error = Host::start(config).await.err().expect("an error").to_string();
    assert_eq!(error.lines().count(), 1, "{error}");
    error.replace(&format!("{}/", directory.path().display()), "")
}

#[tokio::test]
async fn errors_in_the_structure_have_a_line_and_a_column() {
    for (text, expected) in [
        ("spin_manifest_version = 2\nx = ", "spin.toml:2:5: "),
        (
            &format!("{HEAD}colour = 1\n"),
            "spin.toml:4:1: unknown field `colour`, expected one of `name`",
        ),
        (
            &format!("{HEAD}{COMPONENT}sources = \"\"\n"),
            "spin.toml:9:1: unknown field `sources`",
        ),
        (
            &format!("{HEAD}[[trigger.mqtt]]\ntopic = \"t\"\n"),
            "spin.toml:4:11: unknown field `mqtt`, expected `http` or `redis`",
        ),
        (
            &format!("{HEAD}[[trigger.http]]\nroute = 1\n"),
            "spin.toml:5:9: invalid type: integer `1`, expected a route",
        ),
        (
            &format!("{HEAD}[[trigger.http]]\nroute = {{ private = false }}\n"),
            "spin.toml:5:9: a route must be a pattern or { private = true }",
        ),
        (
            &format!("{HEAD}[[trigger.http]]\nroute = \"/\"\ncomponent = {{ source = \"x\" }}\n"),
            "spin.toml:6:13: inline components are not supported",
        ),
        (
            "spin_manifest_version = 2\n",
            "spin.toml:1:1: missing field `application`",
        ),
    ] {
        let error = start_error(text).await;
        assert!(error.starts_with(expected), "{error}");
    }
}

/// Returns a manifest that begins with [`HEAD`] and continues with `rest`.
fn with_head(rest: &str) -> String {
    format!("{HEAD}{rest}\n")
}

/// Returns a manifest with one component, whose table ends with `line`.
fn with_component(line: &str) -> String {
    format!("{HEAD}{COMPONENT}{line}\n")
}

/// Asserts that the error of each manifest begins with the text beside the manifest.
async fn assert_errors(rows: &[(String, &str)]) {
    for (text, expected) in rows {
        let error = start_error(text).await;
        assert!(error.starts_with(expected), "{error}\nexpected\n{expected}");
    }
}

#[tokio::test]
async fn errors_in_triggers_and_variables_name_the_key() {
    assert_errors(&[
        (
            "spin_manifest_version = 1\n[application]\nname = \"x\"\n".to_owned(),
            "spin.toml: spin_manifest_version: version 1 is not supported, only 2 is",
        ),
        (
            with_head("[variables]\nA = { default = \"\" }"),
            "spin.toml: variables.A: invalid variable name \"A\": invalid character 'A': only lower-case letters, digits and underscores are allowed",
        ),
        (
            with_head("[variables]\na = {}"),
            "spin.toml: variables.a: must have either `required = true` or a `default`",
        ),
        (
            with_head("[application.trigger.http]\nbase = \"/x\""),
            "spin.toml: application.trigger.http.base: put the base into each trigger's route instead",
        ),
        (
            with_head("[[trigger.http]]\nroute = \"/\""),
            "spin.toml: trigger.http[0]: needs a component or a static_response",
        ),
        (
            with_head("[[trigger.http]]\nroute = \"/\"\ncomponent = \"c\""),
            "spin.toml: trigger.http[0].component: there is no [component.c]",
        ),
        (
            with_head("[[trigger.redis]]\nchannel = \"c\"\ncomponent = \"c\""),
            "spin.toml: trigger.redis[0].component: there is no [component.c]",
        ),
        (
            with_component("[[trigger.http]]\nroute = \"/\"\ncomponent = \"c\""),
            "spin.toml: trigger.http[1].route: \"/\" is already the route of trigger.http[0]",
        ),
        (
            with_component("[[trigger.http]]\nroute = \"/x\"\ncomponent = \"c\"\nexecutor = { type = \"wagi\" }"),
            "spin.toml: trigger.http[1].executor: executor \"wagi\" is not supported by this host",
        ),
    ])
    .await;
}

#[tokio::test]
async fn errors_in_grants_name_the_key() {
    assert_errors(&[
        (
            with_component("variables = { a = \"{{ b }}\" }"),
            "spin.toml: component.c.variables.a: unknown variable \"b\"",
        ),
        (
            with_component("variables = { a = \"{{ b\" }"),
            "spin.toml: component.c.variables.a: '{{' without '}}' in \"{{ b\"",
        ),
        (
            with_component("allowed_outbound_hosts = [\"example.com\"]"),
            "spin.toml: component.c.allowed_outbound_hosts: \"example.com\" is not an allowed outbound host: expected scheme://host[:port]",
        ),
        (
            with_component("allowed_http_hosts = [\"example.com\"]"),
            "spin.toml: component.c.allowed_http_hosts: deprecated: use allowed_outbound_hosts",
        ),
        (
            with_component("key_value_stores = [\"other\"]"),
            "spin.toml: component.c.key_value_stores: unknown label \"other\": only \"default\" exists without a runtime configuration file",
        ),
        (
            with_component("sqlite_databases = [\"other\"]"),
            "spin.toml: component.c.sqlite_databases: unknown label \"other\": only \"default\" exists without a runtime configuration file",
        ),
        (
            with_component("ai_models = [\"m\"]"),
            "spin.toml: component.c.ai_models: not supported by this host",
        ),
        (
            with_component("dependencies = { \"a:b\" = { path = \"x\" } }"),
            "spin.toml: component.c.dependencies: not supported by this host",
        ),
    ])
    .await;
}

#[tokio::test]
async fn errors_in_files_and_sources_name_the_key() {
    assert_errors(&[
        (
            with_component("files = [\"*.txt\"]"),
            "spin.toml: component.c.files: patterns are not supported by this host: use { source = \"directory\", destination = \"/path\" }",
        ),
        (
            with_component("files = [{ source = \"a\", destination = \"b\" }]"),
            "spin.toml: component.c.files: a destination must be an absolute path",
        ),
        (
            with_component("files = [{ source = \"a\", destination = \"/b\" }]"),
            "component.c.files: a is not a directory",
        ),
        (
            with_component("").replace("\"c.wasm\"", "{ url = \"https://x\", digest = \"y\" }"),
            "spin.toml: component.c.source: this host does not fetch components: give the path of a local file",
        ),
        (
            with_component("").replace("\"/\"", "\"/a/:\""),
            "trigger.http: route \"/a/:\": params must be named",
        ),
        (
            with_component(""),
            "component.c.source: c.wasm: No such file or directory (os error 2)",
        ),
        (
            with_component("[variables]\nneeded = { required = true }"),
            "variables: no value for the required variable(s) needed: set SPIN_VARIABLE_NEEDED, or pass --variable needed=…",
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_file_that_is_no_component_is_named_in_the_error() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("c.wasm"), b"not wasm").unwrap();
    std::fs::write(directory.path().join("spin.toml"), format!("{HEAD}{COMPONENT}")).unwrap();
    let config = HostConfig::new(directory.path().join("spin.toml"), directory.path().join("state"));
    let error = Host::start(config).await.err().unwrap().to_string();
    assert!(
        error.starts_with("component.c: ") && error.lines().count() == 1,
        "{error}"
    );
}

#[tokio::test]
async fn a_component_must_export_the_function_that_its_trigger_calls() {
    let subscriber = crate::setup::functions().join("subscriber.wasm");
    let directory = tempfile::tempdir().unwrap();
    let text = format!("{HEAD}{COMPONENT}").replace("c.wasm", &subscriber.display().to_string());
    std::fs::write(directory.path().join("spin.toml"), text).unwrap();
    let config = HostConfig::new(
        directory.path().join("spin.toml"),
        Path::new(directory.path()).join("state"),
    );
    let error = Host::start(config).await.err().unwrap().to_string();
    assert!(
        error.starts_with("component.c: ") && error.contains("wasi:http/handler"),
        "{error}"
    );
}
