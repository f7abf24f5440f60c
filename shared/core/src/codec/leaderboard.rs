//! Configurations and layouts as bytes.

use super::wire::{Malformed, Reader, Writer};
use crate::schedule::ScheduleChange;
use crate::{
    Access, CachePolicy, CacheStrategy, Column, Columns, LateScores, Layout, Leaderboard, LeaderboardId,
    Limits, LogPolicy, MAX_PRIZES, MAX_SCHEDULE_CHANGES, Operator, Order, Prize, PrizeRange, ReadAccess,
    Reset, Schedule, StandingsPolicy, Ties, Timestamp, WarmResponse, WriteAccess,
};

/// The first format, without a cache policy.
const LEADERBOARD_V1: u8 = 1;
/// The first format, followed by the cache policy.
const LEADERBOARD_V2: u8 = 2;
/// The second format, followed by the earlier resets.
const LEADERBOARD_V3: u8 = 3;
/// The third format, followed by the log policy.
const LEADERBOARD_V4: u8 = 4;
/// The fourth format, followed by what happens at the end of a period.
const LEADERBOARD_V5: u8 = 5;

/// Encodes a configuration in the oldest format that can represent it, so that stored configurations keep their bytes.
#[must_use]
pub fn encode_leaderboard(board: &Leaderboard) -> Vec<u8> {
    let mut w = Writer::default();
    let code = code_of(board);
    w.byte(code);
    w.text(board.id.as_str());
    w.text(&board.title);
    write_layout(&mut w, &board.layout());
    w.byte(board.operator.code());
    w.byte(u8::from(board.operator_override));
    if code >= LEADERBOARD_V3 {
        write_schedule(&mut w, &board.schedule);
    } else {
        w.option(board.schedule.reset(), write_reset);
    }
    w.unsigned(u64::from(board.keep_periods));
    w.option(board.starts_at, Writer::timestamp);
    w.option(board.ends_at, Writer::timestamp);
    w.option(board.limits.min, Writer::signed);
    w.option(board.limits.max, Writer::signed);
    w.option(board.limits.max_change, Writer::unsigned);
    w.option(board.limits.max_attempts.map(u64::from), Writer::unsigned);
    w.option(board.limits.max_entries, Writer::unsigned);
    w.byte(u8::from(board.access.read == ReadAccess::Private));
    w.byte(u8::from(board.access.write == WriteAccess::Player));
    if code != LEADERBOARD_V1 {
        write_cache(&mut w, &board.cache);
    }
    if code >= LEADERBOARD_V4 {
        w.unsigned(u64::from(board.log.keep_events));
        w.unsigned(u64::from(board.log.keep_days));
    }
    if code >= LEADERBOARD_V5 {
        write_standings(&mut w, &board.standings);
    }
    w.finish()
}

fn code_of(board: &Leaderboard) -> u8 {
    if board.standings != StandingsPolicy::default() {
        LEADERBOARD_V5
    } else if board.log != LogPolicy::default() {
        LEADERBOARD_V4
    } else if !is_unrecorded(&board.schedule) {
        LEADERBOARD_V3
    } else if board.cache == CachePolicy::default() {
        LEADERBOARD_V1
    } else {
        LEADERBOARD_V2
    }
}

/// Decodes a configuration from the bytes that [`encode_leaderboard`] returns.
///
/// # Errors
/// [`Malformed`] if the bytes are not a configuration, or if the configuration fails [`Leaderboard::check`].
pub fn decode_leaderboard(bytes: &[u8]) -> Result<Leaderboard, Malformed> {
    let mut r = Reader::new(bytes);
    let code = r.byte()?;
    if !(LEADERBOARD_V1..=LEADERBOARD_V5).contains(&code) {
        return Err(Malformed("leaderboard code"));
    }
    let id = LeaderboardId::new(r.text()?).map_err(|_| Malformed("leaderboard id"))?;
    let title = r.text()?.to_owned();
    let Layout { columns, ties } = read_layout(&mut r)?;
    let operator = Operator::from_code(r.byte()?).ok_or(Malformed("operator"))?;
    let operator_override = r.flag()?;
    let schedule = if code >= LEADERBOARD_V3 {
        read_schedule(&mut r)?
    } else {
        unrecorded_schedule(r.option(read_reset)?)?
    };
    let keep_periods = u16::try_from(r.unsigned()?).map_err(|_| Malformed("keep_periods"))?;
    let board = Leaderboard {
        id,
        title,
        columns,
        operator,
        operator_override,
        ties,
        schedule,
        keep_periods,
        starts_at: r.option(Reader::timestamp)?,
        ends_at: r.option(Reader::timestamp)?,
        limits: read_limits(&mut r)?,
        access: Access {
            read: if r.flag()? {
                ReadAccess::Private
            } else {
                ReadAccess::Public
            },
            write: if r.flag()? {
                WriteAccess::Player
            } else {
                WriteAccess::Server
            },
        },
        cache: match code {
            LEADERBOARD_V1 => CachePolicy::default(),
            _ => read_cache(&mut r)?,
        },
        log: if code >= LEADERBOARD_V4 {
            read_log(&mut r)?
        } else {
            LogPolicy::default()
        },
        standings: if code >= LEADERBOARD_V5 {
            read_standings(&mut r)?
        } else {
            StandingsPolicy::default()
        },
    };
    r.end()?;
    board.check().map_err(|_| Malformed("leaderboard"))?;
    Ok(board)
}

/// Encodes a layout. Equal layouts have equal bytes.
#[must_use]
pub fn encode_layout(layout: &Layout) -> Vec<u8> {
    let mut w = Writer::default();
    write_layout(&mut w, layout);
    w.finish()
}

/// Decodes a layout from the bytes that [`encode_layout`] returns.
///
/// # Errors
/// [`Malformed`] if the bytes are not a layout.
pub fn decode_layout(bytes: &[u8]) -> Result<Layout, Malformed> {
    let mut r = Reader::new(bytes);
    let layout = read_layout(&mut r)?;
    r.end()?;
    Ok(layout)
}

/// Writes the number of columns, then the direction and the name of each column.
pub(super) fn write_columns(w: &mut Writer, columns: &Columns) {
    w.unsigned(columns.count() as u64);
    for column in columns.iter() {
        w.byte(u8::from(column.order() == Order::Ascending));
        w.text(column.name());
    }
}

/// Reads columns that [`write_columns`] wrote.
pub(super) fn read_columns(r: &mut Reader<'_>) -> Result<Columns, Malformed> {
    let count = r.unsigned()?.min(1 + crate::MAX_COLUMNS as u64);
    let mut columns = Vec::new();
    for _ in 0..count {
        let order = if r.flag()? {
            Order::Ascending
        } else {
            Order::Descending
        };
        columns.push(Column::new(r.text()?, order).map_err(|_| Malformed("column"))?);
    }
    Columns::new(columns).map_err(|_| Malformed("columns"))
}

fn write_layout(w: &mut Writer, layout: &Layout) {
    w.byte(match layout.ties {
        Ties::Earliest => 0,
        Ties::Latest => 1,
        Ties::Shared => 2,
        Ties::Dense => 3,
    });
    write_columns(w, &layout.columns);
}

fn read_layout(r: &mut Reader<'_>) -> Result<Layout, Malformed> {
    let ties = match r.byte()? {
        0 => Ties::Earliest,
        1 => Ties::Latest,
        2 => Ties::Shared,
        3 => Ties::Dense,
        _ => return Err(Malformed("ties")),
    };
    let columns = read_columns(r)?;
    Ok(Layout { columns, ties })
}

fn read_limits(r: &mut Reader<'_>) -> Result<Limits, Malformed> {
    Ok(Limits {
        min: r.option(Reader::signed)?,
        max: r.option(Reader::signed)?,
        max_change: r.option(Reader::unsigned)?,
        max_attempts: r
            .option(Reader::unsigned)?
            .map(|attempts| u32::try_from(attempts).map_err(|_| Malformed("max_attempts")))
            .transpose()?,
        max_entries: r.option(Reader::unsigned)?,
    })
}

fn write_cache(w: &mut Writer, cache: &CachePolicy) {
    w.unsigned(u64::from(cache.lifetime_ms));
    w.unsigned(u64::from(cache.stale_ms));
    w.unsigned(u64::from(cache.stale_if_error_ms));
    w.byte(match cache.strategy {
        CacheStrategy::Aside => 0,
        CacheStrategy::WriteThrough => 1,
        CacheStrategy::RefreshAhead => 2,
    });
    w.unsigned(cache.warm.len() as u64);
    for response in &cache.warm {
        let (kind, size) = match response {
            WarmResponse::List { limit } => (0, limit),
            WarmResponse::Distribution { buckets } => (1, buckets),
        };
        w.byte(kind);
        w.unsigned(u64::from(*size));
    }
}

fn read_cache(r: &mut Reader<'_>) -> Result<CachePolicy, Malformed> {
    let milliseconds =
        |r: &mut Reader<'_>| u32::try_from(r.unsigned()?).map_err(|_| Malformed("cache milliseconds"));
    let lifetime_ms = milliseconds(r)?;
    let stale_ms = milliseconds(r)?;
    let stale_if_error_ms = milliseconds(r)?;
    let strategy = match r.byte()? {
        0 => CacheStrategy::Aside,
        1 => CacheStrategy::WriteThrough,
        2 => CacheStrategy::RefreshAhead,
        _ => return Err(Malformed("cache strategy")),
    };
    let mut warm = Vec::new();
    for _ in 0..r.unsigned()?.min(1 + crate::MAX_WARM_RESPONSES as u64) {
        let kind = r.byte()?;
        let size = u16::try_from(r.unsigned()?).map_err(|_| Malformed("warm response"))?;
        warm.push(match kind {
            0 => WarmResponse::List { limit: size },
            1 => WarmResponse::Distribution { buckets: size },
            _ => return Err(Malformed("warm response")),
        });
    }
    Ok(CachePolicy {
        lifetime_ms,
        stale_ms,
        stale_if_error_ms,
        strategy,
        warm,
    })
}

fn read_log(r: &mut Reader<'_>) -> Result<LogPolicy, Malformed> {
    Ok(LogPolicy {
        keep_events: u32::try_from(r.unsigned()?).map_err(|_| Malformed("keep_events"))?,
        keep_days: u16::try_from(r.unsigned()?).map_err(|_| Malformed("keep_days"))?,
    })
}

fn write_standings(w: &mut Writer, standings: &StandingsPolicy) {
    w.byte(u8::from(standings.late_scores == LateScores::Reopen));
    w.unsigned(u64::from(standings.claim_days));
    w.unsigned(standings.prizes.len() as u64);
    for prize in &standings.prizes {
        w.text(&prize.name);
        match prize.range {
            PrizeRange::Ranks { from, to } => {
                w.byte(0);
                w.unsigned(u64::from(from));
                w.unsigned(u64::from(to));
            }
            PrizeRange::TopPercent(percent) => {
                w.byte(1);
                w.byte(percent);
            }
        }
    }
}

fn read_standings(r: &mut Reader<'_>) -> Result<StandingsPolicy, Malformed> {
    let late_scores = if r.flag()? {
        LateScores::Reopen
    } else {
        LateScores::Refuse
    };
    let claim_days = u16::try_from(r.unsigned()?).map_err(|_| Malformed("claim_days"))?;
    let rank = |r: &mut Reader<'_>| u32::try_from(r.unsigned()?).map_err(|_| Malformed("rank of a prize"));
    let mut prizes = Vec::new();
    for _ in 0..r.unsigned()?.min(1 + MAX_PRIZES as u64) {
        let name = r.text()?.to_owned();
        let range = match r.byte()? {
            0 => PrizeRange::Ranks {
                from: rank(r)?,
                to: rank(r)?,
            },
            1 => PrizeRange::TopPercent(r.byte()?),
            _ => return Err(Malformed("prize")),
        };
        prizes.push(Prize { name, range });
    }
    Ok(StandingsPolicy {
        late_scores,
        prizes,
        claim_days,
    })
}

fn write_reset(w: &mut Writer, reset: &Reset) {
    w.text(&reset.cron);
    w.text(&reset.time_zone);
}

/// Returns whether the first two formats can represent a schedule: it has one rule and no earlier rules.
fn is_unrecorded(schedule: &Schedule) -> bool {
    schedule.unrecorded_until() == Some(Timestamp::MAX) && schedule.changes().count() == 1
}

fn unrecorded_schedule(reset: Option<Reset>) -> Result<Schedule, Malformed> {
    let always = ScheduleChange {
        reset,
        from: None,
        resets_after: None,
    };
    Schedule::from_changes(vec![always], Some(Timestamp::MAX)).map_err(|_| Malformed("reset"))
}

fn write_schedule(w: &mut Writer, schedule: &Schedule) {
    w.option(schedule.unrecorded_until(), Writer::timestamp);
    w.unsigned(schedule.changes().count() as u64);
    for change in schedule.changes() {
        w.option(change.reset.as_ref(), write_reset);
        w.option(change.from, Writer::timestamp);
        w.option(change.resets_after, Writer::timestamp);
    }
}

fn read_schedule(r: &mut Reader<'_>) -> Result<Schedule, Malformed> {
    let unrecorded_until = r.option(Reader::timestamp)?;
    let count = r.unsigned()?;
    if count > 1 + MAX_SCHEDULE_CHANGES as u64 {
        return Err(Malformed("schedule"));
    }
    let change = |_| {
        Ok(ScheduleChange {
            reset: r.option(read_reset)?,
            from: r.option(Reader::timestamp)?,
            resets_after: r.option(Reader::timestamp)?,
        })
    };
    let changes = (0..count).map(change).collect::<Result<_, Malformed>>()?;
    Schedule::from_changes(changes, unrecorded_until).map_err(|_| Malformed("schedule"))
}

fn read_reset(r: &mut Reader<'_>) -> Result<Reset, Malformed> {
    Ok(Reset {
        cron: r.text()?.into(),
        time_zone: r.text()?.into(),
    })
}
