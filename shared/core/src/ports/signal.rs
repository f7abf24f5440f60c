//! Signals from one request of an instance to another.

use std::any::Any;
use std::pin::Pin;

/// A value and a future that ends when the value is dropped. Another request can drop the value than the one that waits.
pub type Signal = (Box<dyn Any>, Pin<Box<dyn Future<Output = ()>>>);
