use super::*;

/// Routes that return their names instead of handlers.
const TABLE: RouteTable<&'static str> = &[
    Route::get("/boards", Permission::Admin, |_| Ok("list")),
    Route::get("/boards/:board", Permission::Read, |_| Ok("one")),
    Route::put("/boards/:board", Permission::Admin, |_| Ok("put")),
    Route::get("/docs", Permission::Open, |_| Ok("docs")).at_root(),
    Route::get("/live", Permission::Open, |_| Ok("live")).also_at_root(),
];

/// Returns the name of the route of the API, the allowed methods, or `nothing`.
fn find(method: &Method, path: &str) -> String {
    find_at(Base::Api, method, path)
}

fn find_at(base: Base, method: &Method, path: &str) -> String {
    match find_route(TABLE, base, method, path) {
        RouteMatch::Route(route, params) => (route.build)(&params).unwrap().to_owned(),
        RouteMatch::OtherMethods(allow) => allow,
        RouteMatch::Nothing => "nothing".to_owned(),
    }
}

#[test]
fn a_route_is_found_by_its_method_and_its_path() {
    assert_eq!(find(&Method::GET, "/boards"), "list");
    assert_eq!(find(&Method::HEAD, "/boards/a"), "one");
    assert_eq!(find(&Method::PUT, "/boards/a"), "put");
    assert_eq!(find(&Method::GET, "/boards/a/b"), "nothing");
    assert_eq!(find(&Method::GET, "/board"), "nothing");
}

#[test]
fn a_read_is_charged_locally_whatever_its_permission() {
    let charging = |verb, permission| Route::<()>::new(verb, "/", permission, |_| Ok(())).head.charging;
    for permission in [
        Permission::Read,
        Permission::Write,
        Permission::Admin,
        Permission::Operator,
    ] {
        assert_eq!(charging(Verb::Get, permission), Charging::Locally);
    }
    assert_eq!(charging(Verb::Get, Permission::Open), Charging::Nothing);
    assert_eq!(charging(Verb::Put, Permission::Admin), Charging::BeforeHandler);
}

#[test]
fn a_route_is_found_only_at_its_base() {
    assert_eq!(find_at(Base::Root, &Method::GET, "/docs"), "docs");
    assert_eq!(find_at(Base::Api, &Method::GET, "/docs"), "nothing");
    assert_eq!(find_at(Base::Root, &Method::GET, "/boards"), "nothing");
    for base in [Base::Root, Base::Api] {
        assert_eq!(find_at(base, &Method::GET, "/live"), "live");
    }
}

#[test]
fn an_unsupported_method_gets_the_allowed_methods() {
    assert_eq!(find(&Method::DELETE, "/boards/a"), "GET, HEAD, PUT");
    assert_eq!(find(&Method::TRACE, "/boards"), "GET, HEAD");
}
