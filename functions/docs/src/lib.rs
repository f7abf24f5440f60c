//! The description of the API, for programs and, as a page that needs no network, for people.

use leaderboard_pipeline::StaticFile;

/// A description, compressed by the build script.
macro_rules! description {
    ($path:literal, $file:literal) => {
        StaticFile {
            path: $path,
            media_type: "application/json",
            gzip: true,
            bytes: include_bytes!(concat!(env!("OUT_DIR"), "/", $file, ".gz")),
        }
    };
}

const FILES: &[StaticFile] = &[
    // The newest version.
    description!("/openapi.json", "v2.json"),
    description!("/openapi/v1.json", "v1.json"),
    description!("/openapi/v1-strings.json", "v1-strings.json"),
    description!("/openapi/v2.json", "v2.json"),
    description!("/openapi/v2-strings.json", "v2-strings.json"),
    StaticFile {
        path: "/docs",
        media_type: "text/html; charset=utf-8",
        gzip: false,
        bytes: include_bytes!("../assets/page.html"),
    },
    StaticFile {
        path: "/docs/start.js",
        media_type: "text/javascript; charset=utf-8",
        gzip: false,
        bytes: include_bytes!("../assets/start.js"),
    },
    StaticFile {
        path: "/docs/scalar.js",
        media_type: "text/javascript; charset=utf-8",
        gzip: true,
        bytes: include_bytes!("../assets/scalar.js.gz"),
    },
];

leaderboard_spin::http_function!(|request| leaderboard_spin::serve_files(FILES, request));
