//! Ratios of a row to the rows that it is compared with.

use crate::operation::Operation;
use crate::sample::{Row, median_ratio};
use crate::system::NATIVE;

/// The ratios of a row's requests per second to those of other rows of its section, with the same data and the
/// same number of connections. Each is the median of the rounds' ratios; `None` without such a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Ratios {
    /// To hello of the same system.
    pub(crate) of_hello: Option<f64>,
    /// To the same operation of the native server.
    pub(crate) of_native: Option<f64>,
    /// Of a write to one EVALSHA of the same system.
    pub(crate) of_evalsha: Option<f64>,
}

impl Ratios {
    /// Returns the ratios of a row to rows of the whole report.
    pub(crate) fn of(row: &Row, rows: &[Row]) -> Self {
        let ratio = |system: &str, operation: Operation| {
            let base = rows.iter().find(|base| {
                base.section == row.section
                    && base.system == system
                    && base.data == row.data
                    && base.case.operation == operation
                    && base.case.connections == row.case.connections
            });
            let base = base.filter(|base| *base != row)?;
            median_ratio(row, base, |load| load.requests_per_s)
        };
        let is_write = row.case.operation == Operation::Write;
        Self {
            of_hello: ratio(&row.system, Operation::Hello),
            of_native: ratio(NATIVE, row.case.operation),
            of_evalsha: is_write.then(|| ratio(&row.system, Operation::EvalSha)).flatten(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Data;
    use crate::sample::{Case, Load, Sample};

    fn row(system: &str, operation: Operation, connections: u32, rates: &[f64]) -> Row {
        let sample = |rate: &f64| Sample {
            load: Load {
                requests_per_s: *rate,
                ..Load::default()
            },
            ..Sample::default()
        };
        Row {
            section: "connections".into(),
            system: system.into(),
            data: Data::single(4),
            case: Case {
                operation,
                connections,
            },
            redis_commands: None,
            rounds: rates.iter().map(sample).collect(),
        }
    }

    #[test]
    fn a_ratio_is_the_median_of_the_ratios_of_the_rounds() {
        let hello = row("service", Operation::Hello, 32, &[100.0, 200.0, 400.0]);
        let write = row("service", Operation::Write, 32, &[50.0, 20.0, 100.0]);
        let native = row(NATIVE, Operation::Write, 32, &[100.0, 100.0, 100.0]);
        let evalsha = row("service", Operation::EvalSha, 32, &[80.0, 80.0, 80.0]);
        let rows = [hello, write.clone(), native, evalsha];
        let ratios = Ratios::of(&write, &rows);
        assert_eq!(ratios.of_hello, Some(0.25));
        assert_eq!(ratios.of_native, Some(0.5));
        assert_eq!(ratios.of_evalsha, Some(0.625));
    }

    #[test]
    fn rows_of_another_system_or_with_other_connections_are_no_base() {
        let write = row("service", Operation::Write, 32, &[50.0]);
        let rows = [
            write.clone(),
            row("another", Operation::Hello, 32, &[100.0]),
            row("service", Operation::Hello, 1, &[100.0]),
            row(NATIVE, Operation::Hello, 32, &[100.0]),
        ];
        let none = Ratios {
            of_hello: None,
            of_native: None,
            of_evalsha: None,
        };
        assert_eq!(Ratios::of(&write, &rows), none);
    }
}
