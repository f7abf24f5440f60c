//! Finds the route of a path. As on Spin, `routefinder` does the matching: an exact route comes before a
//! wildcard, and a longer route before a shorter one.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use http::HeaderValue;

use crate::manifest::{HttpTrigger, Route, StaticResponse};

/// The prefix of the paths that the host itself handles.
pub(crate) const WELL_KNOWN_PREFIX: &str = "/.well-known/spin/";

/// How many paths are cached with their routes.
const MAX_KNOWN_PATHS: usize = 1024;
/// The longest cached path, in bytes.
const MAX_KNOWN_PATH_BYTES: usize = 256;

/// All routes.
pub(crate) struct Router {
    finder: routefinder::Router<usize>,
    entries: Vec<RouteEntry>,
    /// A cache of found routes. Without it, each search would read every route.
    known: Mutex<HashMap<Box<str>, Found>>,
}

/// The result of a search.
#[derive(Clone)]
struct Found {
    entry: usize,
    trailing: String,
    named: BTreeMap<String, String>,
}

/// One route.
pub(crate) struct RouteEntry {
    /// The route as the manifest has it.
    pub(crate) raw: String,
    /// Whether the route ends with a wildcard.
    pub(crate) wildcard: bool,
    pub(crate) target: RouteTarget,
    /// The route, with a slash at the beginning and none at the end.
    pub(crate) matched_route: HeaderValue,
    /// The route as the manifest has it.
    pub(crate) raw_route: HeaderValue,
    /// The route without its wildcard.
    pub(crate) component_route: HeaderValue,
}

/// What handles the requests of a route.
pub(crate) enum RouteTarget {
    Component(String),
    Static(StaticResponse),
}

/// A path and its route.
pub(crate) struct Match<'a> {
    pub(crate) entry: &'a RouteEntry,
    /// The part of the path that the wildcard matched, with its slash; empty without a wildcard.
    pub(crate) trailing: String,
    /// The values of the named segments.
    pub(crate) named: BTreeMap<String, String>,
}

impl Router {
    /// Creates a router with the routes of `triggers`. A private trigger has no route.
    ///
    /// # Errors
    /// The first malformed route.
    pub(crate) fn build<'a>(triggers: impl Iterator<Item = &'a HttpTrigger>) -> Result<Self, String> {
        let mut finder = routefinder::Router::new();
        let mut entries = Vec::new();
        for trigger in triggers {
            let Route::Pattern(raw) = &trigger.route else {
                continue;
            };
            let target = match (&trigger.component, &trigger.static_response) {
                (Some(id), _) => RouteTarget::Component(id.0.clone()),
                (None, Some(response)) => RouteTarget::Static(response.clone()),
                (None, None) => continue,
            };
            let entry = RouteEntry::new(raw, target).map_err(|reason| format!("route {raw:?}: {reason}"))?;
            let pattern = entry.pattern();
            finder
                .add(pattern.as_str(), entries.len())
                .map_err(|reason| format!("route {raw:?}: {reason}"))?;
            entries.push(entry);
        }
        Ok(Self {
            finder,
            entries,
            known: Mutex::default(),
        })
    }

    /// Finds the route of a path.
    pub(crate) fn find(&self, path: &str) -> Option<Match<'_>> {
        let known = self.lock().get(path).cloned();
        let found = match known {
            Some(found) => found,
            None => {
                let found = self.search(path)?;
                self.cache(path, &found);
                found
            }
        };
        Some(Match {
            entry: self.entries.get(found.entry)?,
            trailing: found.trailing,
            named: found.named,
        })
    }

    /// Adds a result to the cache. A full cache is emptied first.
    fn cache(&self, path: &str, found: &Found) {
        if path.len() > MAX_KNOWN_PATH_BYTES {
            return;
        }
        let mut known = self.lock();
        if known.len() >= MAX_KNOWN_PATHS {
            known.clear();
        }
        known.insert(path.into(), found.clone());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Box<str>, Found>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn search(&self, path: &str) -> Option<Found> {
        let found = self.finder.best_match(path)?;
        let captures = found.captures();
        let trailing = captures.wildcard().map_or_else(String::new, |rest| {
            let slash = if path.ends_with('/') { "/" } else { "" };
            match rest {
                "" => slash.to_owned(),
                _ => format!("/{rest}{slash}"),
            }
        });
        let named = captures
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Some(Found {
            entry: *found.handler(),
            trailing,
            named,
        })
    }

    /// Returns the routes in the order of the manifest.
    pub(crate) fn routes(&self) -> impl Iterator<Item = &RouteEntry> {
        self.entries.iter()
    }
}

impl RouteEntry {
    fn new(raw: &str, target: RouteTarget) -> Result<Self, String> {
        let absolute = if raw.starts_with('/') {
            raw.to_owned()
        } else {
            format!("/{raw}")
        };
        let based = absolute.strip_suffix('/').unwrap_or(&absolute).to_owned();
        let value = |text: &str| HeaderValue::from_str(text).map_err(|_| "not usable in a header".to_owned());
        Ok(Self {
            raw: raw.to_owned(),
            wildcard: based.ends_with("/...") || based.ends_with("/*"),
            target,
            matched_route: value(&based)?,
            raw_route: value(raw)?,
            component_route: value(raw.strip_suffix("/...").unwrap_or(raw))?,
        })
    }

    /// Creates the route of requests between components: as if the whole path had matched the wildcard
    /// `/...`.
    pub(crate) fn synthetic(component: &str) -> Self {
        let any = HeaderValue::from_static("/...");
        Self {
            raw: "/...".to_owned(),
            wildcard: true,
            target: RouteTarget::Component(component.to_owned()),
            matched_route: any.clone(),
            raw_route: any,
            component_route: HeaderValue::from_static(""),
        }
    }

    /// Returns the route in the syntax of `routefinder`.
    fn pattern(&self) -> String {
        let based = self.matched_route.to_str().unwrap_or_default();
        based
            .strip_suffix("/...")
            .map_or_else(|| based.to_owned(), |prefix| format!("{prefix}/*"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router(routes: &[&str]) -> Router {
        let text: String = routes
            .iter()
            .map(|route| format!("[[t]]\nroute = {route:?}\ncomponent = {route:?}\n"))
            .collect();
        #[derive(serde::Deserialize)]
        struct Triggers {
            t: Vec<HttpTrigger>,
        }
        let triggers: Triggers = toml::from_str(&text).unwrap();
        Router::build(triggers.t.iter()).unwrap()
    }

    /// Returns the route of a path as the manifest has it, and the part of the path that the wildcard
    /// matched.
    fn find_route(router: &Router, path: &str) -> Option<(String, String)> {
        router
            .find(path)
            .map(|found| (found.entry.raw.clone(), found.trailing))
    }

    #[test]
    fn an_exact_route_beats_a_parameter_which_beats_a_wildcard() {
        let router = router(&[
            "/",
            "/users/:id",
            "/users/me",
            "/users/...",
            "/users/:id/scores",
            "/...",
        ]);
        for (path, route, trailing) in [
            ("/", "/", ""),
            ("/users/me", "/users/me", ""),
            ("/users/7", "/users/:id", ""),
            ("/users/7/scores", "/users/:id/scores", ""),
            ("/users/7/x/y", "/users/...", "/7/x/y"),
            ("/users/7/x/", "/users/...", "/7/x/"),
            ("/other", "/...", "/other"),
        ] {
            assert_eq!(
                find_route(&router, path),
                Some((route.to_owned(), trailing.to_owned())),
                "{path}"
            );
        }
        assert_eq!(router.find("/users/7").unwrap().named["id"], "7");
    }

    #[test]
    fn without_a_catch_all_some_paths_have_no_route() {
        let router = router(&["/a", "/b/..."]);
        assert_eq!(
            find_route(&router, "/b"),
            Some(("/b/...".to_owned(), String::new()))
        );
        assert_eq!(find_route(&router, "/c"), None);
        assert_eq!(find_route(&router, "/a/b"), None);
    }
}
