//! Exports and imports leaderboards with their history.

use http::StatusCode;
use http::header::CACHE_CONTROL;
use leaderboard_api::problem::{FieldError, Problem, ProblemType};
use leaderboard_api::wire::{cursor, transfer, transfer_lines};
use leaderboard_api::{Query, Response};
use leaderboard_core::ports::ImportRefusal;
use leaderboard_core::usecase::{ExportCursor, ImportError, ImportLimits};
use leaderboard_core::{LeaderboardId, usecase};
use leaderboard_pipeline::{Context, audit};
use leaderboard_responses::{ResponseEnvironment, units_of_export, units_of_import};

/// `GET /leaderboards/{id}/export?cursor=`: returns a page of the export of a leaderboard.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn export<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    id: LeaderboardId,
) -> Result<Response, Problem> {
    let query = Query::parse(context.query, &["cursor"])?;
    let decode = |bytes: &[u8]| ExportCursor::decode(bytes).ok();
    let from = query.text("cursor")?.map(|text| cursor::parse(&text, decode));
    let from = from.transpose()?;
    context.charge_more(units_of_export());
    let page = usecase::export_page(&context.deps(), &id, from).await;
    let page = page.map_err(|error| Problem::of_query(error, &context.caller))?;
    let response = Response::json(
        StatusCode::OK,
        context.accepted,
        &transfer::export_page(&id, &page),
    )?;
    Ok(response.with(CACHE_CONTROL, "private, no-store"))
}

/// `POST /leaderboards/{id}/import`: imports lines of an export into a leaderboard that does not exist yet.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn import<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    id: LeaderboardId,
) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let written = transfer_lines::read(context.body)?;
    context.charge_more(units_of_import(written.lines.len()));
    if written.first_line == 1 {
        audit::record_audit_event(context).await?;
    }
    let quotas = &context.tenant_config.tenant.quotas;
    let limits = ImportLimits {
        leaderboards: quotas.leaderboards,
        entries: quotas.entries,
        log_bytes: Some(quotas.max_log_bytes()),
    };
    let first = written.first_line;
    let imported = usecase::import_lines(&context.deps(), &id, first, written.lines, &limits).await;
    if !matches!(&imported, Ok(progress) if !progress.is_finished) {
        // Also after an error: the import may have been finished.
        leaderboard_responses::purge_and_announce(context.env, context.tenant, Some(&id));
    }
    if first == 1 {
        // An abandoned import can have made room for this one.
        leaderboard_responses::sweep_later(context.env, context.tenant);
    }
    let progress = imported.map_err(|error| problem_of(error, first))?;
    let body = transfer::import_progress(&id, &progress);
    let response = Response::json(StatusCode::OK, context.accepted, &body)?;
    Ok(if progress.is_finished {
        leaderboard_responses::with_invalidated_groups(response, context.tenant, [&id])
    } else {
        response
    })
}

/// `GET /leaderboards/{id}/import`: says how far an import is.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn read_import<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    id: LeaderboardId,
) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let progress = usecase::find_import(&context.deps(), &id).await?;
    let progress = progress.ok_or_else(|| Problem::new(ProblemType::ImportNotFound))?;
    let body = transfer::import_progress(&id, &progress);
    Response::json(StatusCode::OK, context.accepted, &body)
}

/// `DELETE /leaderboards/{id}/import`: deletes what an import has written, so that another one can begin.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn discard_import<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    id: LeaderboardId,
) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    audit::record_audit_event(context).await?;
    if !usecase::discard_import(&context.deps(), &id).await? {
        return Err(Problem::new(ProblemType::ImportNotFound));
    }
    leaderboard_responses::sweep_later(context.env, context.tenant);
    Ok(Response::no_content())
}

/// Returns the problem of lines that were not imported. `first` is the number of the first line of the body.
fn problem_of(error: ImportError, first: u64) -> Problem {
    match error {
        ImportError::Line { line, field, detail } => {
            let index = line.saturating_sub(first);
            Problem::new(ProblemType::Validation)
                .with_detail(format!("Line {line} is not valid: {field} {detail}."))
                .with_error(FieldError::body(format!("#/lines/{index}/{field}"), detail))
        }
        ImportError::MissingLines { next } => {
            Problem::new(ProblemType::Validation).with_error(FieldError::body(
                "#/first_line",
                format!("must be at most {next}: line {next} comes next"),
            ))
        }
        ImportError::NotBegun => Problem::new(ProblemType::ImportNotFound)
            .with_detail("No import of this leaderboard is under way; begin with line 1."),
        ImportError::BansChanged => Problem::new(ProblemType::Conflict).with_detail(
            "The bans of the tenant changed since the import began. Delete the import and begin again.",
        ),
        ImportError::Refused(refusal) => problem_of_refusal(&refusal),
        ImportError::Store(error) => error.into(),
    }
}

fn problem_of_refusal(refusal: &ImportRefusal) -> Problem {
    match refusal {
        ImportRefusal::LeaderboardExists => Problem::new(ProblemType::LeaderboardExists),
        ImportRefusal::UnderWay(other) => Problem::new(ProblemType::ImportUnderWay).with_detail(format!(
            "The tenant is importing {other}. Finish or delete that import first."
        )),
        ImportRefusal::TooManyLeaderboards => Problem::new(ProblemType::QuotaReached)
            .with_detail("The tenant has as many leaderboards as it may have."),
        ImportRefusal::TooManyEntries => Problem::new(ProblemType::QuotaReached)
            .with_detail("The tenant would have more entries than it may have."),
        ImportRefusal::LogFull => Problem::new(ProblemType::QuotaReached)
            .with_detail("The tenant's logs would have more bytes than they may have (log_bytes)."),
        ImportRefusal::Unfinished => Problem::new(ProblemType::Rebuilding).with_detail(
            "An earlier leaderboard of this id is still being deleted; send the same request again.",
        ),
        ImportRefusal::Changed => Problem::new(ProblemType::Conflict)
            .with_detail("Another request continued or deleted the import at the same time."),
    }
}
