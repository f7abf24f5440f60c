//! Tests that a manifest with all supported fields is read.

use super::*;

#[test]
fn a_full_manifest_is_read() {
    let text = r#"
        spin_manifest_version = 2
        [application]
        name = "full"
        version = "1.0.0"
        description = "everything"
        authors = ["a <a@example.com>"]
        [application.trigger.redis]
        address = "{{ redis_url }}"
        [application.tool.x]
        y = 1
        [variables]
        redis_url = { default = "", description = "where" }
        key = { required = true, secret = true }
        [[trigger.http]]
        id = "one"
        route = "/a/:b/..."
        component = "c"
        executor = { type = "http" }
        [[trigger.http]]
        route = { private = true }
        component = "c"
        [[trigger.http]]
        route = "/teapot"
        static_response = { status_code = 418 }
        [[trigger.redis]]
        channel = "x"
        address = "redis://localhost"
        component = "c"
        [component.c]
        source = "c.wasm"
        description = "d"
        variables = { key = "{{ key }}" }
        environment = { A = "{{ not a template }}" }
        files = [{ source = "assets", destination = "/" }]
        allowed_outbound_hosts = ["{{ redis_url }}", "https://*.example.com"]
        key_value_stores = ["default"]
        sqlite_databases = ["default"]
        targets = ["spin-up:4.1"]
        [component.c.build]
        command = ["a", "b"]
        workdir = "w"
        watch = ["*.rs"]
        [component.c.tool.x]
        y = 1
        [component.c.profile.debug]
        source = "d.wasm"
    "#;
    let manifest = parse(Path::new("spin.toml"), text).unwrap();
    assert_eq!(manifest.trigger.http.len(), 3);
    assert_eq!(manifest.trigger.http[1].route, Route::Private);
    assert_eq!(manifest.component["c"].environment["A"], "{{ not a template }}");
}
