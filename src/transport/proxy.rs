//! Going through a proxy.

use crate::error::{Error, Exit, Result, Stage};
use crate::transport::connect::Connected;
use crate::transport::wait::Waiter;
use crate::transport::{DialOptions, Place, Timings};

/// A proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy;

pub(super) fn connect(
    _: &Proxy,
    _: &Place,
    _: &DialOptions,
    _: &mut Timings,
    _: &mut Waiter<'_>,
) -> Result<Connected> {
    Err(Error::new(Stage::Proxy, Exit::Connect, "proxies are not spoken yet"))
}
