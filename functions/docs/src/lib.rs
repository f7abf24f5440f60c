//! The description of the API, for programs and, as a page that needs no network, for people.

use leaderboard_http::File;

const FILES: &[File] = &[
    File {
        path: "/openapi.json",
        media_type: "application/json",
        gzip: false,
        bytes: include_bytes!("../../../docs/openapi.json"),
    },
    File {
        path: "/docs",
        media_type: "text/html; charset=utf-8",
        gzip: false,
        bytes: include_bytes!("../assets/page.html"),
    },
    File {
        path: "/docs/start.js",
        media_type: "text/javascript; charset=utf-8",
        gzip: false,
        bytes: include_bytes!("../assets/start.js"),
    },
    File {
        path: "/docs/scalar.js",
        media_type: "text/javascript; charset=utf-8",
        gzip: true,
        bytes: include_bytes!("../assets/scalar.js.gz"),
    },
];

leaderboard_spin::http_function!(|request| leaderboard_spin::serve_files(FILES, request));
