//! Signals between the requests of an instance.

use leaderboard_core::ports::Signal;
use spin_sdk::wasip3::wit_stream;

/// Creates a value, and a future that ends when the value is dropped. The executor of a component wakes a task only for an event of
/// its host, and the end of a stream is one. So the value is the writer of a stream that carries nothing.
pub(crate) fn create_signal() -> Signal {
    let (writer, mut reader) = wit_stream::new::<u8>();
    let ended = async move {
        reader.read(Vec::with_capacity(1)).await;
    };
    (Box::new(writer), Box::pin(ended))
}
