//! Where a person at the prompt wants to go.

use std::path::PathBuf;

use crate::error::Result;
use crate::event::Setting;
use crate::run::settings::Settings;

/// Where to, and how.
#[derive(Clone, Debug, PartialEq)]
pub enum Destination {
    /// With settings of its own.
    FreshStart(Box<FreshStart>),
    /// To this URL, as typed, with the session's settings.
    Url(String),
}

impl Destination {
    /// Whether a connection can be tried there.
    ///
    /// # Errors
    /// What is wrong with the URL, or with the proxy that the environment sets for it.
    pub fn check(&self, settings: &Settings) -> Result<()> {
        let Destination::Url(url) = self else { return Ok(()) };
        let (target, _) = settings.open.read_target(url)?;
        settings.open.proxies.choose(&target).map(drop)
    }
}

/// A beginning of its own, as if wstap had been started so.
#[derive(Clone, Debug)]
pub struct FreshStart {
    /// The settings.
    pub settings: Settings,
    /// What changes in the views; the rest of them stays as it is.
    pub views: Vec<Setting>,
    /// A log in this file, with this verbosity; otherwise the one that is written goes on.
    pub log: Option<(PathBuf, u8)>,
    /// Notes to show first.
    pub notes: Vec<String>,
}

/// Settings can't be compared: each is another.
impl PartialEq for FreshStart {
    fn eq(&self, other: &FreshStart) -> bool {
        std::ptr::eq(self, other)
    }
}
