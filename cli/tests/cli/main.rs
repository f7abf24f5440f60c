//! Tests the program against a mock HTTP server: its requests, its output and its exit codes.

#[cfg(test)]
mod administering;
#[cfg(test)]
mod importing;
#[cfg(test)]
mod reading;
#[cfg(test)]
mod run;
#[cfg(test)]
mod server;
#[cfg(test)]
mod surroundings;
#[cfg(test)]
mod tables;
