//! Reads, replays and deletes dead letters, which are messages that could not be applied.

use http::StatusCode;
use leaderboard_core::ports::{DeadLetters, StoredDeadLetter};
use leaderboard_core::{Status, TenantId};
use serde::Serialize;

use leaderboard_api::Credential;
use leaderboard_pipeline::paging::Paging;
use leaderboard_pipeline::{Context, audit};
use leaderboard_responses::ResponseEnvironment;

use leaderboard_api::query::{Query, invalid};
use leaderboard_api::{Problem, ProblemType, Response};

use leaderboard_api::wire::outcome::{OutcomeBody, Results};

/// How many dead letters a page has if the request does not say.
const DEFAULT_LETTERS: u32 = 100;
/// The most dead letters on a page.
const MAX_LETTERS: u32 = 1000;

/// A dead letter: a published message whose submission could not be applied.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = DeadLetter))]
struct Letter {
    /// The id of the dead letter.
    id: String,
    /// The tenant of the message; `null` if the message names no tenant.
    tenant: Option<String>,
    /// When the message arrived, or was appended to the queue. A replayed score without `occurred_at` counts at this instant.
    at: String,
    /// Why the message was not applied.
    reason: String,
    /// The text of the message, which is a submission unless the message was not valid.
    payload: String,
    /// Whether `payload` is the whole text: a text longer than 16 KiB is cut off.
    complete: bool,
}

/// Adds the schemas of dead letters.
#[cfg(feature = "schema")]
pub(crate) fn add_schemas(all: &mut leaderboard_api::schema::Schemas) {
    let about = "A page of dead letters.";
    all.add_list::<Letter>(
        "DeadLetters",
        "letters",
        [about, "The dead letters, newest first."],
    );
}

impl From<&StoredDeadLetter> for Letter {
    fn from(stored: &StoredDeadLetter) -> Self {
        Self {
            id: stored.id.to_string(),
            tenant: stored.tenant.as_ref().map(ToString::to_string),
            at: stored.letter.at.to_string(),
            reason: stored.letter.reason.clone(),
            payload: String::from_utf8_lossy(&stored.letter.payload).into_owned(),
            complete: leaderboard_score_messages::is_complete(&stored.letter),
        }
    }
}

/// `GET /dead-letters?limit=&cursor=&tenant=`: lists dead letters, newest first. A tenant gets its own letters. The operator gets
/// the letters of all tenants and those without a tenant, or only those of the tenant that `tenant` names.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn list<E: ResponseEnvironment>(context: &Context<'_, E>) -> Result<Response, Problem> {
    let query = Query::parse(context.query, &["limit", "cursor", "tenant"])?;
    let paging = Paging::with_default(&query, DEFAULT_LETTERS, MAX_LETTERS, |id| id.parse::<u64>().ok())?;
    let named = query
        .text("tenant")?
        .map(|name| TenantId::new(name).map_err(|error| invalid("tenant", &error.detail)))
        .transpose()?;
    let tenant = if is_operator(context) {
        named
    } else if named.is_none_or(|named| named == *context.tenant) {
        Some(context.tenant.clone())
    } else {
        return Err(Problem::not_allowed(&context.caller).with_detail("This needs the operator's key."));
    };
    let store = context.env.store();
    let found = store
        .list_dead_letters(tenant.as_ref(), paging.after, paging.page_size_and_one())
        .await?;
    paging
        .page_of(found)
        .respond(context, "letters", |letter| letter.id.to_string(), Letter::from)
}

/// `POST /dead-letters/{letter}/replay`: applies the submission of a dead letter as if its message had just arrived, and deletes
/// the letter. If the submission is refused again, the letter stays.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn replay<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    id: u64,
) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let stored = find(context, id).await?;
    audit::record_audit_event(context).await?;
    let outcomes =
        leaderboard_score_messages::replay_dead_letter(context.env, &context.tenant_config, &stored).await?;
    // If this fails, a second replay finds the submission applied by its id.
    context.env.store().delete_dead_letter(id).await?;
    let results = OutcomeBody::list(context.version, &outcomes, None);
    let response = Response::json(StatusCode::OK, context.accepted, &Results { results })?;
    let changed = outcomes.iter().filter(|outcome| outcome.status != Status::Kept);
    let mut changed = changed.map(|outcome| &outcome.leaderboard).peekable();
    Ok(if changed.peek().is_some() {
        leaderboard_responses::with_invalidated_groups(response, context.tenant, changed)
    } else {
        response
    })
}

/// `DELETE /dead-letters/{letter}`: deletes a dead letter.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn delete<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    id: u64,
) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    find(context, id).await?;
    audit::record_audit_event(context).await?;
    context.env.store().delete_dead_letter(id).await?;
    Ok(Response::no_content())
}

/// Returns a dead letter of the request's tenant. The operator also finds letters without a tenant.
///
/// # Errors
/// 404 if there is no such letter, or it belongs to another tenant.
async fn find<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    id: u64,
) -> Result<StoredDeadLetter, Problem> {
    let found = context.env.store().read_dead_letter(id).await?;
    let (tenant, operator) = (context.tenant, is_operator(context));
    let own = found.filter(|stored| match &stored.tenant {
        Some(of) => of == tenant,
        None => operator,
    });
    own.ok_or_else(|| {
        let detail = format!("The tenant {tenant} has no dead letter {id}.");
        Problem::new(ProblemType::DeadLetterNotFound).with_detail(if operator {
            format!("{detail} X-Tenant-ID names the tenant of a letter.")
        } else {
            detail
        })
    })
}

fn is_operator<E>(context: &Context<'_, E>) -> bool {
    context.identity.credential == Credential::Operator
}
