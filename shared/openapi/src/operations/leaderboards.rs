//! The operations about leaderboards.

use crate::operation::{DescribedResponse, Operation, Shape};

const ONE: &str = "/leaderboards/:leaderboard";
const DOCUMENT: Shape = Shape::Json("Leaderboard");
const CHANGED: &[&str] = &["ETag", "Cache-Group-Invalidation"];

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("GET", "/leaderboards", "listLeaderboards", "List the leaderboards")
        .about("The list has the leaderboards whose entries the caller may read. An administrator gets the whole configuration of each leaderboard.")
        .lists_by_id()
        .gives(&[DescribedResponse::new(200, "A page of leaderboards.", Shape::Json("Leaderboards"))
            .like(&["leaderboards-listed"])]),
    Operation::new("GET", ONE, "readLeaderboard", "Read a leaderboard")
        .about("An administrator gets the whole configuration. Any other caller who may read the entries gets the title, the columns, the tie policy, the current period and the next reset.")
        .checks_version()
        .gives(&[
            DescribedResponse::new(200, "The leaderboard.", Shape::Json("ReadableLeaderboard"))
                .with(&["ETag", "Cache-Status", "Age", "Content-Encoding"])
                .like(&["leaderboard-read"]),
            DescribedResponse::unchanged().with(&["ETag", "Cache-Status", "Age"]),
        ]),
    Operation::new("PUT", ONE, "putLeaderboard", "Create or replace a leaderboard")
        .about("A field that is left out gets its default. A change that would reorder the entries of the current period needs `rebuild=true`. A change of `reset` takes effect at the end of the current period; `reset_takes_effect_at` says when. With `rebuild=true`, the change takes effect at once: the current period ends at the next reset of the new schedule.")
        .takes(&["rebuild", "periodOfRebuild", "ifMatch", "ifNoneMatch"])
        .reads("LeaderboardWritten")
        .gives(&[
            DescribedResponse::new(200, "The leaderboard was replaced.", DOCUMENT).with(CHANGED).like(&["leaderboard-replaced"]),
            DescribedResponse::new(201, "The leaderboard was created.", DOCUMENT).with(&["ETag", "Location", "Cache-Group-Invalidation"]).like(&["leaderboard-created"]),
        ])
        .refuses(&[409, 412]),
    Operation::new("PATCH", ONE, "patchLeaderboard", "Change a leaderboard")
        .about("The body is a merge patch (RFC 7396) of the document that `GET` returns: a field that is left out does not change, and `null` resets a field to its default.")
        .takes(&["rebuild", "periodOfRebuild", "ifMatch", "ifNoneMatch"])
        .reads("LeaderboardPatch")
        .gives(&[DescribedResponse::new(200, "The leaderboard was changed.", DOCUMENT).with(CHANGED).like(&["leaderboard-patched"])])
        .refuses(&[409, 412]),
    Operation::new("POST", "/leaderboards/:leaderboard/rebuild", "rebuildLeaderboard", "Compare the entries of a period with the event log")
        .about("The service replays the event log from the newest snapshot, and compares each stored entry with the result. With `swap=true` it corrects the entries that differ, each only if it is still the entry that was compared; other requests can submit meanwhile. A request compares at most 20,000 entries: repeat it with `after` until `next` is `null`. If the nearest snapshot is more than 100,000 events away, the response is 503, and the next request goes on.")
        .takes(&["period", "swap", "afterComparison"])
        .gives(&[DescribedResponse::new(200, "What was compared, and what differed.", Shape::Json("Comparison")).like(&["rebuild"])])
        .refuses(&[409, 410]),
    Operation::new("GET", "/leaderboards/:leaderboard/export", "exportLeaderboard", "Export a leaderboard with its history")
        .about("All pages together are the leaderboard at one moment: its configuration, the entries and claims of all periods that it keeps, and its event log. If the leaderboard changes before the last page, the next page is refused with 410, and the export begins again.")
        .takes(&["cursor"])
        .gives(&[DescribedResponse::new(200, "A page of lines.", Shape::Json("ExportPage")).with(&["Cache-Control"]).like(&["exported"])])
        .refuses(&[410]),
    Operation::new("POST", "/leaderboards/:leaderboard/import", "importLeaderboard", "Import a leaderboard with its history")
        .about("The body has some lines of an export, in their order. The leaderboard does not exist before the last line has been imported; then it is as it was exported. Lines that were imported before are passed over, so a request can be repeated. A tenant has one import at a time. An import that gets no lines for 24 hours is deleted.")
        .reads("ImportWritten")
        .gives(&[DescribedResponse::new(200, "How far the import is.", Shape::Json("ImportProgress")).with(&["Cache-Group-Invalidation"]).like(&["imported"])])
        .refuses(&[404, 409]),
    Operation::new("GET", "/leaderboards/:leaderboard/import", "readImport", "Read how far an import is")
        .gives(&[DescribedResponse::new(200, "How far the import is.", Shape::Json("ImportProgress")).like(&["import-read"])]),
    Operation::new("DELETE", "/leaderboards/:leaderboard/import", "deleteImport", "Delete an import that is under way")
        .about("Deletes everything that the import has written, so that another import can begin.")
        .gives(&[DescribedResponse::done("The import is deleted.")]),
    Operation::new("DELETE", ONE, "deleteLeaderboard", "Delete a leaderboard with all its data")
        .checks_version()
        .gives(&[DescribedResponse::done("The leaderboard is deleted.").with(&["Cache-Group-Invalidation"])]),
];
