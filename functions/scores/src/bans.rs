//! Shadow bans: only the banned player and servers see the player's entries. A ban has a reason and an end.

use http::StatusCode;
use leaderboard_core::ports::{Ban, Bans, MAX_BANS};
use leaderboard_core::{PlayerId, StoreError};

use leaderboard_api::{Problem, ProblemType, Query, Response};
use leaderboard_pipeline::paging::Paging;
use leaderboard_pipeline::{Context, audit};
use leaderboard_responses::ResponseEnvironment;
use leaderboard_tenant_config::{add_ban, confirm_ban, remove_ban};

use leaderboard_api::wire::ban::{BanBody, read};

/// The most bans on a page.
const MAX_LIMIT: u32 = 200;

/// `PUT /players/{player}/ban`: bans the player in every leaderboard of the tenant, or changes the reason and the end of the ban.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn put<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    player: PlayerId,
) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let player = context.named(&player)?;
    let written = read(context.body, context.now)?;
    let ban = Ban {
        player,
        reason: written.reason,
        banned_at: context.now,
        expires_at: written.expires_at,
    };
    audit::record_audit_event(context).await?;
    let recorded = audit::record_ban(context, &ban).await?;
    let (tenant, store) = (context.tenant, context.env.store());
    // First the list that the edge checks before its cache: an extra player in it costs only a store read.
    ignore_full_store(add_ban(context.env, tenant, &ban, context.now).await)?;
    let done = store.ban(tenant, &ban).await;
    // After an error the ban may hold in some leaderboards.
    leaderboard_responses::purge_and_announce(context.env, tenant, None);
    if done?.is_err() {
        remove_ban(context.env, tenant, &ban.player, context.now).await?;
        return Err(Problem::new(ProblemType::QuotaReached)
            .with_detail(format!("The tenant has {MAX_BANS} bans, and may have no more.")));
    }
    if !recorded {
        audit::record_ban_again(context, &ban).await;
    }
    ignore_full_store(confirm_ban(context.env, tenant, &ban, context.now).await)?;
    Ok(leaderboard_responses::with_invalidated_groups(
        Response::no_content(),
        tenant,
        [],
    ))
}

/// Ignores the error if a full store refused the document of banned players. The ban itself is stored. Until the next ban updates
/// the document, the banned player gets the same responses as everyone else.
pub(crate) fn ignore_full_store(done: Result<(), StoreError>) -> Result<(), StoreError> {
    match done {
        Err(StoreError::OutOfMemory(_)) => Ok(()),
        done => done,
    }
}

/// `DELETE /players/{player}/ban`: lifts the ban.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn delete<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    player: PlayerId,
) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let player = context.named(&player)?;
    let (tenant, store) = (context.tenant, context.env.store());
    audit::record_audit_event(context).await?;
    let done = store.unban(tenant, &player, context.now).await;
    leaderboard_responses::purge_and_announce(context.env, tenant, None);
    done?;
    ignore_full_store(remove_ban(context.env, tenant, &player, context.now).await)?;
    if let Some(again) = store.find_ban(tenant, &player, context.now).await? {
        // The player was banned again in the meantime.
        add_ban(context.env, tenant, &again, context.now).await?;
    }
    Ok(leaderboard_responses::with_invalidated_groups(
        Response::no_content(),
        tenant,
        [],
    ))
}

/// `GET /players/{player}/ban`: returns a player's ban.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn get<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    player: PlayerId,
) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let player = context.named(&player)?;
    let store = context.env.store();
    let found = store.find_ban(context.tenant, &player, context.now).await?;
    let ban = found.ok_or_else(|| Problem::new(ProblemType::BanNotFound))?;
    Response::json(
        StatusCode::OK,
        context.accepted,
        &BanBody::new(context.version, &ban),
    )
}

/// `GET /bans?limit=&cursor=`: lists the bans in the order of their players.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn list<E: ResponseEnvironment>(context: &Context<'_, E>) -> Result<Response, Problem> {
    let paging = Paging::parse(context.query, MAX_LIMIT, |text| PlayerId::new(text).ok())?;
    let found = context
        .env
        .store()
        .list_bans(
            context.tenant,
            paging.after.as_ref(),
            paging.page_size_and_one(),
            context.now,
        )
        .await?;
    paging.page_of(found).respond(
        context,
        "bans",
        |ban| ban.player.to_string(),
        |ban| BanBody::new(context.version, ban),
    )
}
