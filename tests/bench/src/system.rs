//! The systems that are measured: the service, the native server, and redis-benchmark.

use std::cell::Cell;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use leaderboard_test_support::RedisServer;

use crate::data::Data;
use crate::edgeboard::{self, Edgeboard};
use crate::fill::{self, Filled};
use crate::monitor;
use crate::oha::{self, Duration, Run, Target};
use crate::operation::Operation;
use crate::process::{self, RunningProgram};
use crate::progress::Progress;
use crate::redis_benchmark;
use crate::redis_info::read_info;
use crate::sample::{Case, CpuPerRequest, Load, Memory, Sample};

/// The name of the native server.
pub(crate) const NATIVE: &str = "native, Redis";
const US_PER_S: f64 = 1_000_000.0;

/// How a service is started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Service<'a> {
    /// The name of the system in tables.
    pub(crate) name: &'a str,
    /// The directory of the build.
    pub(crate) build: &'a Path,
    /// On Redis or on SQLite.
    pub(crate) on_redis: bool,
    /// With the host's option `--like-spin`.
    pub(crate) like_spin: bool,
    pub(crate) data: Data,
}

/// A system that is measured.
#[derive(Debug)]
pub(crate) struct System {
    pub(crate) name: String,
    pub(crate) data: Data,
    kind: Kind,
    redis: Option<RedisProcess>,
}

#[derive(Debug)]
enum Kind {
    Edgeboard {
        edgeboard: Box<Edgeboard>,
        target: Target,
    },
    Native {
        program: RunningProgram,
        target: Target,
    },
    /// `requests_per_s` is the result of the last warm-up. It is needed because a run of redis-benchmark has
    /// a number of requests, not of seconds.
    RedisBenchmark {
        requests_per_s: Cell<f64>,
    },
}

/// A Redis server, which several systems can use.
#[derive(Debug, Clone)]
struct RedisProcess {
    url: String,
    port: u16,
    pid: u32,
}

impl RedisProcess {
    async fn of(server: &RedisServer) -> Result<Self> {
        Ok(Self {
            url: server.url(),
            port: server.port(),
            pid: u32::try_from(read_info(server, "server", "process_id").await?)?,
        })
    }
}

impl System {
    /// Starts the service of a build with a store of its own, and fills the store.
    pub(crate) async fn start_edgeboard(service: &Service<'_>, progress: Progress) -> Result<(Self, Filled)> {
        let Service { name, data, .. } = *service;
        progress.say(&format!("filling: {name}, {} entries", data.total_entries()));
        let edgeboard = Edgeboard::start(service.build, service.on_redis, service.like_spin).await?;
        let filled = fill::fill(&edgeboard, name, data, progress).await;
        let (key, filled) = filled.with_context(|| {
            let end = edgeboard.read_log_end();
            format!("{name}, {data:?}; the host's log ends with\n{end}")
        })?;
        let redis = match &edgeboard.redis {
            Some(server) => Some(RedisProcess::of(server).await?),
            None => None,
        };
        let target = Target {
            address: edgeboard.address.clone(),
            key: Some(key),
        };
        let system = Self {
            name: name.to_owned(),
            data,
            kind: Kind::Edgeboard {
                edgeboard: Box::new(edgeboard),
                target,
            },
            redis,
        };
        Ok((system, filled))
    }

    /// Starts the native server on the Redis server of a service, and fills its sorted sets.
    pub(crate) async fn start_native(service: &Self, progress: Progress) -> Result<Self> {
        let entries = service.data.total_entries();
        progress.say(&format!("filling: {NATIVE}, {entries} entries"));
        let redis = service.redis.clone().context("the native server needs Redis")?;
        fill::fill_native(&redis.url, service.data).await?;
        let mut program = Command::new(std::env::current_exe()?)
            .args(["native", "--redis", &redis.url])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = program.stdout.take().context("the output of the native server")?;
        let program = RunningProgram(program);
        let target = Target {
            address: edgeboard::read_address(output)?,
            key: None,
        };
        Ok(Self {
            name: NATIVE.into(),
            data: service.data,
            kind: Kind::Native { program, target },
            redis: Some(redis),
        })
    }

    /// Returns redis-benchmark as a system, on the Redis server of the native server, whose sorted sets it
    /// reads.
    pub(crate) fn redis_benchmark(native: &Self) -> Self {
        Self {
            name: "redis-benchmark".into(),
            data: native.data,
            kind: Kind::RedisBenchmark {
                requests_per_s: Cell::default(),
            },
            redis: native.redis.clone(),
        }
    }

    /// Returns whether the system is the service.
    pub(crate) fn is_service(&self) -> bool {
        matches!(self.kind, Kind::Edgeboard { .. })
    }

    /// Returns whether the system has a Redis server.
    pub(crate) fn is_on_redis(&self) -> bool {
        self.redis.is_some()
    }

    /// Returns whether the system supports the operation. Tokens need no store, so they are measured on only
    /// one.
    pub(crate) fn has(&self, operation: Operation) -> bool {
        match &self.kind {
            Kind::Edgeboard { edgeboard, .. } => match operation {
                Operation::TokensEdDsa | Operation::TokensEs256 => edgeboard.redis.is_none(),
                Operation::EvalSha => edgeboard.redis.is_some(),
                _ => true,
            },
            Kind::Native { .. } => matches!(
                operation,
                Operation::Hello
                    | Operation::Uncached
                    | Operation::Around
                    | Operation::Rank
                    | Operation::Write
                    | Operation::Batch
            ),
            Kind::RedisBenchmark { .. } => matches!(operation, Operation::Uncached | Operation::Write),
        }
    }

    /// Configures the leaderboards for an operation, and sends requests that are not measured.
    pub(crate) async fn prepare(&self, case: Case, seconds: f64, run: &str) -> Result<()> {
        match &self.kind {
            Kind::Edgeboard { edgeboard, .. } => {
                if let Some(lifetime_ms) = case.operation.lifetime_ms() {
                    fill::configure(&edgeboard.admin, self.data, lifetime_ms).await?;
                }
                self.send(case, seconds, None, run).await?;
            }
            Kind::Native { .. } => {
                self.send(case, seconds, None, run).await?;
            }
            Kind::RedisBenchmark { requests_per_s } => {
                let load = self.send(case, seconds, None, run).await?;
                requests_per_s.set(load.requests_per_s);
            }
        }
        Ok(())
    }

    /// Counts the Redis commands of a request. Returns `None` for a system that is not the service on Redis.
    pub(crate) async fn count_commands(&self, case: Case) -> Result<Option<f64>> {
        match (&self.kind, &self.redis) {
            (Kind::Edgeboard { target, .. }, Some(redis)) => {
                monitor::count_commands(target, redis.port, self.data, case)
                    .await
                    .map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Measures a case: the load, the processor time and the memory. Sends `rate` requests a second, or as
    /// many as the system answers.
    pub(crate) async fn measure(
        &self,
        case: Case,
        seconds: f64,
        rate: Option<f64>,
        run: &str,
    ) -> Result<Sample> {
        let before = self.read_cpu_times()?;
        let load = self.send(case, seconds, rate, run).await?;
        let cpu = self
            .read_cpu_times()?
            .per_request(&before, load.requests + load.errors);
        let memory = Memory {
            server_mib: self.server_pid().map(process::resident_mib).transpose()?,
            redis_mib: self.redis_pid().map(process::resident_mib).transpose()?,
        };
        Ok(Sample {
            rate,
            load,
            cpu,
            memory,
        })
    }

    /// Sends requests of a case for about `seconds`, as [`System::measure`]. redis-benchmark knows no rate.
    async fn send(&self, case: Case, seconds: f64, rate: Option<f64>, run: &str) -> Result<Load> {
        match (&self.kind, &self.redis) {
            (Kind::Edgeboard { target, .. } | Kind::Native { target, .. }, _) => {
                let run = Run {
                    duration: Duration::Seconds(seconds),
                    rate,
                    name: run,
                };
                oha::run(target, self.data, case, &run)
            }
            (Kind::RedisBenchmark { requests_per_s }, Some(redis)) => {
                let requests = requests_per_s.get() * seconds;
                redis_benchmark::run(&redis.url, redis.port, self.data, case, requests).await
            }
            (Kind::RedisBenchmark { .. }, None) => bail!("redis-benchmark needs Redis"),
        }
    }

    fn server_pid(&self) -> Option<u32> {
        match &self.kind {
            Kind::Edgeboard { edgeboard, .. } => Some(edgeboard.program.id()),
            Kind::Native { program, .. } => Some(program.id()),
            Kind::RedisBenchmark { .. } => None,
        }
    }

    fn redis_pid(&self) -> Option<u32> {
        self.redis.as_ref().map(|redis| redis.pid)
    }

    fn read_cpu_times(&self) -> Result<CpuTimes> {
        Ok(CpuTimes {
            client_s: process::children_cpu_seconds()?,
            server_s: self.server_pid().map(process::cpu_seconds).transpose()?,
            redis_s: self.redis_pid().map(process::cpu_seconds).transpose()?,
        })
    }
}

/// The processor time that each process has used so far.
struct CpuTimes {
    client_s: f64,
    server_s: Option<f64>,
    redis_s: Option<f64>,
}

impl CpuTimes {
    /// Divides the processor time since `before` by the number of requests.
    fn per_request(&self, before: &Self, requests: u64) -> CpuPerRequest {
        #[expect(clippy::cast_precision_loss, reason = "the requests of one run")]
        let requests = requests.max(1) as f64;
        let each = |(after, before): (f64, f64)| (after - before) * US_PER_S / requests;
        CpuPerRequest {
            client_us: each((self.client_s, before.client_s)),
            server_us: self.server_s.zip(before.server_s).map(each),
            redis_us: self.redis_s.zip(before.redis_s).map(each),
        }
    }
}
