//! The program against a small HTTP server: what it sends, what it makes of answers, and how it ends.

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
