//! The [`Scores`] port: submissions, and reads of entries and periods.

use leaderboard_core::access::Caller;
use leaderboard_core::codec::encode_event;
use leaderboard_core::ports::{
    MAX_PERIODS_SKIPPED, Page, PageFrom, PeriodPage, PeriodRef, PeriodSummary, PlayerEntries, Position,
    Positions, ReadError, Sample, Scores, SubmitOptions, Submitted,
};
use leaderboard_core::{
    Event, EventBody, LeaderboardId, OrderKey, PeriodId, PlayerId, PreparedSubmission, StoreError, TenantId,
    Timestamp,
};

use crate::connection::Connection;
use crate::keys::{self, LeaderboardKeys};
use crate::packing::{unpack_period, widen_key};
use crate::reads::{
    own_player_bytes, read_ranked_entries, read_window, run_and_read_head, run_read, start_call,
};
use crate::reply_reader::{ReplyReader, corrupt, parse_decimal};
use crate::script::ScriptCall;
use crate::scripts::{
    ENTRIES_BY_PLAYER, FIND_PERIOD, FIND_POSITIONS, LIST_PERIODS, READ_AROUND, READ_PAGE, READ_SAMPLE,
    REMOVE_ENTRY,
};
use crate::{RedisStore, bans, submit};

/// The score of a period without a start in the list of periods.
const NO_START: &[u8] = b"-inf";

/// The reply to a list of periods when the leaderboard has pending bans.
const BEHIND: &[u8] = b"behind";

impl<C: Connection> Scores for RedisStore<C> {
    async fn submit_with_options(
        &self,
        tenant: &TenantId,
        submissions: &[PreparedSubmission],
        options: &SubmitOptions,
    ) -> Result<Submitted, StoreError> {
        submit::submit(&self.server, &self.group_commit, tenant, submissions, options).await
    }

    async fn page(
        &self,
        period_ref: &PeriodRef<'_>,
        from: &PageFrom,
        limit: u32,
        caller: &Caller,
    ) -> Result<Page, ReadError> {
        let mut call = start_call(period_ref);
        let (side, key): (_, Option<&OrderKey>) = match from {
            PageFrom::Top => ("top", None),
            PageFrom::After(key) => ("after", Some(key)),
            PageFrom::Before(key) => ("before", Some(key)),
        };
        call.add_text(side);
        call.add_bytes(key.map_or(&[][..], OrderKey::as_bytes));
        call.add_text(&limit);
        call.add_bytes(own_player_bytes(caller));
        let (head, reply) = run_and_read_head(self, &READ_PAGE, period_ref, call).await?;
        Ok(read_window(head, reply)?)
    }

    async fn around(
        &self,
        period_ref: &PeriodRef<'_>,
        player: &PlayerId,
        limit: u32,
        caller: &Caller,
    ) -> Result<Option<Page>, ReadError> {
        let mut call = start_call(period_ref);
        call.add_bytes(player.as_bytes());
        call.add_text(&limit);
        let shown = caller.own_player().unwrap_or(player);
        call.add_bytes(if caller.sees_banned(shown) {
            shown.as_bytes()
        } else {
            &[]
        });
        let (head, reply) = run_and_read_head(self, &READ_AROUND, period_ref, call).await?;
        if reply.is_empty() {
            return Ok(None);
        }
        Ok(Some(read_window(head, reply)?))
    }

    async fn entries_by_player(
        &self,
        period_ref: &PeriodRef<'_>,
        players: &[PlayerId],
        caller: &Caller,
    ) -> Result<PlayerEntries, ReadError> {
        let mut call = start_call(period_ref);
        call.add_bytes(own_player_bytes(caller));
        for player in players {
            call.add_bytes(player.as_bytes());
            call.add_flag(caller.sees_banned(player));
        }
        let (head, reply) = run_and_read_head(self, &ENTRIES_BY_PLAYER, period_ref, call).await?;
        let (entries, banned) = match &head.layout {
            Some(layout) => read_ranked_entries(layout, reply)?,
            None => (Vec::new(), 0),
        };
        // The script adds 1 to the count for a banned player who reads.
        let own_count = u64::from(players.len() == 1 && banned == 1 && caller.is_server());
        Ok(PlayerEntries {
            layout: head.layout,
            version: head.version,
            count: head.count.saturating_add(own_count),
            entries,
        })
    }

    async fn sample(&self, period_ref: &PeriodRef<'_>, fractions: &[u16]) -> Result<Sample, ReadError> {
        let mut call = start_call(period_ref);
        for fraction in fractions {
            call.add_text(fraction);
        }
        let (head, mut reply) = run_and_read_head(self, &READ_SAMPLE, period_ref, call).await?;
        let mut values = Vec::with_capacity(reply.remaining());
        if let Some(layout) = &head.layout {
            while !reply.is_empty() {
                let key = widen_key(layout, &reply.read_bytes()?)?;
                let (tuple, ..) = layout.parse(&key).ok_or_else(|| corrupt("order key"))?;
                values.push(tuple);
            }
        }
        Ok(Sample {
            layout: head.layout,
            version: head.version,
            count: head.count,
            values,
        })
    }

    async fn positions(
        &self,
        period_ref: &PeriodRef<'_>,
        tuples: &[Vec<u8>],
    ) -> Result<Positions, ReadError> {
        let mut call = start_call(period_ref);
        for tuple in tuples {
            call.add_bytes(tuple.as_slice());
        }
        let (head, mut reply) = run_and_read_head(self, &FIND_POSITIONS, period_ref, call).await?;
        let mut positions = Vec::with_capacity(tuples.len());
        for _ in tuples {
            positions.push(Position {
                better: reply.read_count()?,
                equal: reply.read_count()?,
                better_tuples: reply.read_count()?,
            });
        }
        Ok(Positions {
            version: head.version,
            count: head.count,
            positions,
        })
    }

    async fn find_period(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        id: &PeriodId,
        now: Timestamp,
    ) -> Result<Option<PeriodSummary>, StoreError> {
        let mut call = ScriptCall::with_keys(LeaderboardKeys::new(tenant, leaderboard).period(id));
        call.add_text(&now.as_unix_ms());
        let mut reply = FIND_PERIOD.run(&self.server, &call).await?;
        if reply.is_empty() {
            return Ok(None);
        }
        read_summary(id.as_str().as_bytes(), &mut reply).map(Some)
    }

    async fn list_periods(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        before: Option<Timestamp>,
        limit: u32,
        now: Timestamp,
    ) -> Result<PeriodPage, StoreError> {
        let leaderboard_keys = LeaderboardKeys::new(tenant, leaderboard);
        let build_call = |waits_for_bans| {
            let mut call = ScriptCall::with_keys([
                leaderboard_keys.periods(),
                leaderboard_keys.configuration(),
                keys::bans_state(tenant),
            ]);
            call.add_text(&now.as_unix_ms());
            for prefix in leaderboard_keys.period_prefixes() {
                call.add_bytes(prefix);
            }
            call.add_option(before.map(Timestamp::as_unix_ms));
            call.add_text(&limit);
            call.add_text(&limit.saturating_add(MAX_PERIODS_SKIPPED));
            call.add_flag(waits_for_bans);
            call
        };
        let mut reply = LIST_PERIODS.run(&self.server, &build_call(true)).await?;
        let mut first = reply.read_bytes()?;
        if first == BEHIND {
            // If the bans cannot be applied now, the counts do not include them yet.
            let _ = bans::apply_bans(&self.server, tenant, &[leaderboard], now).await;
            reply = LIST_PERIODS.run(&self.server, &build_call(false)).await?;
            first = reply.read_bytes()?;
        }
        let before = parse_next_start(&first)?;
        let mut periods = Vec::new();
        while !reply.is_empty() {
            let id = reply.read_bytes()?;
            periods.push(read_summary(&id, &mut reply)?);
        }
        Ok(PeriodPage { periods, before })
    }

    async fn remove(
        &self,
        period_ref: &PeriodRef<'_>,
        player: &PlayerId,
        at: Timestamp,
    ) -> Result<Option<u64>, ReadError> {
        let mut call = start_call(period_ref);
        let board = &period_ref.leaderboard.value.id;
        call.add_keys([LeaderboardKeys::new(period_ref.tenant, board).log()]);
        call.add_keys(keys::entry_counts(period_ref.tenant));
        call.add_keys([keys::log_sizes(period_ref.tenant)]);
        call.add_bytes(player.as_bytes());
        call.add_bytes(encode_event(&Event {
            recorded_at: at,
            body: EventBody::Removed {
                player: player.clone(),
                period: period_ref.period.clone(),
            },
        }));
        call.add_bytes(keys::period_count_name(board, period_ref.period));
        let mut reply = run_read(&self.server, &REMOVE_ENTRY, period_ref, call).await?;
        if reply.is_empty() {
            return Ok(None);
        }
        Ok(Some(reply.read_number()?))
    }
}

/// Reads the summary of the period `id`.
fn read_summary(id: &[u8], reply: &mut ReplyReader) -> Result<PeriodSummary, StoreError> {
    Ok(PeriodSummary {
        period: unpack_period(id, &reply.read_bytes()?)?,
        count: reply.read_count()?,
        version: parse_decimal(&reply.read_bytes()?)?,
    })
}

/// Parses the start before which a list of periods continues. Returns `None` at the end of the list: a period without a start is
/// always the last one.
fn parse_next_start(start: &[u8]) -> Result<Option<Timestamp>, StoreError> {
    if start.is_empty() || start == NO_START {
        return Ok(None);
    }
    let ms = std::str::from_utf8(start).ok().and_then(|text| text.parse().ok());
    Ok(Timestamp::from_unix_ms(
        ms.ok_or_else(|| corrupt("start of a period"))?,
    ))
}
